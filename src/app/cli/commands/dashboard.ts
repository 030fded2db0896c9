import type { Command } from 'commander';
import { z } from 'zod';
import { command } from '../command.ts';

const Options = z.object({ once: z.boolean().default(false) });

const REFRESH_MS = 1_000;

/** Of a frame that goes into a pipe or a file. */
const FRAME = { columns: 100, rows: 34 };

export function register(program: Command): void {
  program
    .command('dashboard')
    .option('--once', 'print one frame and end')
    .addHelpText(
      'after',
      '\nKeys: tab and arrows choose a pane and scroll it, p pauses, ? helps, q quits.\n\nExamples:\n  $ crypto-trader dashboard\n  $ crypto-trader dashboard --once\n  $ crypto-trader dashboard --json',
    )
    .action(
      command(async ({ config, out, signal }, raw) => {
        const { once } = Options.parse(raw);
        const { createWatch } = await import('../../dashboard/watch.ts');
        const watch = createWatch({ dataDir: config.dataDir, logDir: config.logDir, now: Date.now });
        if (out.json) {
          out.document(await watch.look());
          return;
        }
        // Ink's colours ask the terminal and --no-color, but not this.
        if (process.env['NO_COLOR'] !== undefined) process.env['FORCE_COLOR'] = '0';
        const { stdin, stdout } = process;
        if (once || !stdin.isTTY || !stdout.isTTY) {
          const { renderFrame } = await import('../../dashboard/frame.tsx');
          const size =
            stdout.isTTY && stdout.columns > 0
              ? { columns: stdout.columns, rows: Math.max(stdout.rows - 1, 1) }
              : FRAME;
          out.frame(renderFrame(await watch.look(), size));
          return;
        }
        const { showLive } = await import('../../dashboard/live.tsx');
        await showLive(watch, {
          stdin,
          stdout,
          intervalMs: REFRESH_MS,
          signal,
          onInterrupt: () => process.kill(process.pid, 'SIGINT'),
        });
        signal.throwIfAborted();
      }),
    );
}
