import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { demo } from '../../workflows/demo.ts';
import { command, type CommandContext } from '../command.ts';

const Options = z.object({ dir: z.string().min(1) });

export function register(program: Command): void {
  program
    .command('demo')
    .option('--dir <folder>', 'where everything the demo makes is put', 'demo')
    .addHelpText('after', '\nExamples:\n  $ crypto-trader demo\n  $ crypto-trader demo --dir /tmp/first-look')
    .action(command(async (context, options) => runDemo(context, Options.parse(options).dir)));
}

async function runDemo(context: CommandContext, folder: string): Promise<void> {
  const { out, config: settings } = context;
  const { seed, exchange: asked, market } = settings;
  const made = await demo(
    { folder, seed, exchange: asked, market },
    (args, mayFail) => runStep(context, args, mayFail),
    ({ source, exchange, synthetic }) =>
      out.print(
        synthetic
          ? '\nNo exchange and no Yahoo within reach: these are SYNTHETIC candles. Results say nothing about any market.\n'
          : `\nCandles come from ${source === exchange ? exchange : `${source} (${exchange})`}.\n`,
      ),
  );
  const { synthetic, source, exchange, config, report, minutes } = made;
  out.document({ synthetic, source, exchange, config, report, minutes });
  out.print(`
Done in ${minutes.toFixed(1)} minutes${synthetic ? ', on SYNTHETIC candles' : ''}. Everything is in ${folder}/:
  report        ${report}   (open it in a browser)
  candles       ${join(folder, 'data')}
  models        ${join(folder, 'checkpoints')}
  logs          ${join(folder, 'logs')}
Next:
  crypto-trader dashboard --config ${config}
  crypto-trader paper --config ${config}${source === 'exchange' ? '' : ' --no-exchange'}
  crypto-trader models list --config ${config}`);
}

/**
 * Runs one command of this program, its output passed through; under --json its document is the answer. Throws
 * `UserError` when it fails, unless `mayFail` knows what its document says.
 */
async function runStep(
  { out, signal }: CommandContext,
  args: readonly string[],
  mayFail: (document: string) => boolean = () => false,
): Promise<string> {
  const bin = fileURLToPath(new URL('../../../../bin/crypto-trader.js', import.meta.url));
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
      hint: 'Its own message is above. Run the demo again when it is solved: what is done already is kept.',
    });
  }
  out.print();
  return text;
}
