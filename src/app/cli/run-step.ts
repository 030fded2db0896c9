import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../core/foundation/errors.ts';
import type { CommandContext } from './command.ts';

/**
 * Runs one command of this program, its output passed through; under --json its document is the answer. Throws
 * `UserError` when it fails, unless `mayFail` knows what its document says.
 */
export async function runStep(
  { out, signal }: CommandContext,
  args: readonly string[],
  mayFail: (document: string) => boolean = () => false,
): Promise<string> {
  const bin = fileURLToPath(new URL('../../../bin/crypto-trader.js', import.meta.url));
  out.print(`$ crypto-trader ${args.join(' ')}`);
  const captured = args.includes('--json');
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ['ignore', captured ? 'pipe' : out.json ? 2 : 'inherit', 'inherit'],
  });
  let text = '';
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0 && !(code === 1 && mayFail(text))) {
    throw new UserError(`The step "${args[0]}" stopped with exit code ${code}.`, {
      hint: 'Its own message is above. Run this again when it is solved: what is done already is kept.',
    });
  }
  out.print();
  return text;
}
