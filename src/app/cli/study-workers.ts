import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CommandContext } from './command.ts';

/** Other processes of this program that work on a study beside this one, with the same settings. */
export function spawnWorkers(
  count: number,
  { signal, globals, trust }: CommandContext,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): readonly { readonly ended: Promise<void>; readonly stop: () => void }[] {
  const bin = fileURLToPath(new URL('../../../bin/crypto-trader.js', import.meta.url));
  const own = [...globals, ...(trust ? ['--trust'] : []), '--json'];
  return Array.from({ length: count }, () => {
    const child = spawn(process.execPath, [bin, ...args, ...own], {
      stdio: 'ignore',
      env: { ...process.env, ...environment },
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    // A worker that ends badly loses nothing: its trial is done again.
    const ended = new Promise<void>((resolve) =>
      child.once('error', () => resolve()).once('close', () => resolve()),
    );
    return { ended, stop };
  });
}
