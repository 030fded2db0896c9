import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { demo } from '../../workflows/demo.ts';
import { command, type CommandContext } from '../command.ts';
import { runStep } from '../run-step.ts';

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
