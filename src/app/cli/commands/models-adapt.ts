import type { Command } from 'commander';
import { z } from 'zod';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { openStore } from '../../../data/store/store.ts';
import { adaptRun } from '../../workflows/adapt.ts';
import { command, type CommandContext, integer } from '../command.ts';
import { UsageError } from '../exit.ts';
import { projectRegistry } from '../project-plugins.ts';
import { prose } from '../table.ts';

const Options = z.object({
  since: z.string().default('14d'),
  steps: z.string().optional(),
  rate: z.string().optional(),
  name: z.string().optional(),
  activate: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

/** Adds `models adapt` to the group. */
export function addAdapt(group: Command): void {
  group
    .command('adapt')
    .argument('[run]', 'name or folder of a run (default: the active one)')
    .description(
      'adapt the networks of a run to its newest bars, and keep what is better on bars behind them',
    )
    .option('--since <span>', 'how far back these bars reach, in hours or days: 36h, 14d', '14d')
    .option('--steps <count>', 'gradient steps (default: innerSteps of the model)')
    .option('--rate <number>', 'learning rate of the steps (default: innerRate of the model)')
    .option('--name <name>', 'name of the run that holds the adapted models')
    .option('--activate', 'make it the one that signals, backtest and paper use, if anything is better')
    .action(command(async (context, options, run) => adapt(context, Options.parse(options), run)));
}

async function adapt(context: CommandContext, options: Options, run = ''): Promise<void> {
  const { config, out, signal } = context;
  const result = await adaptRun({
    checkpointDir: config.checkpointDir,
    store: openStore(config.dataDir),
    registry: await projectRegistry(context),
    run: run === '' ? undefined : run,
    spanMs: spanMs(options.since),
    steps: options.steps === undefined ? undefined : integer('--steps', options.steps, { least: 1 }),
    rate: options.rate === undefined ? undefined : rateOf(options.rate),
    name: options.name,
    activate: options.activate,
    signal,
  });
  out.document({
    baseRunId: result.base,
    runId: result.runId ?? null,
    activated: result.activated,
    since: formatTime(result.sinceMs),
    until: formatTime(result.untilMs),
    synthetic: result.synthetic,
    models: result.models,
    skipped: result.skipped,
  });
  if (result.synthetic) out.print('These candles are SYNTHETIC.');
  out.print(
    `${result.base}: adapted to ${formatMinute(result.sinceMs)} - ${formatMinute(result.untilMs)}.\n`,
  );
  out.table(
    ['model', 'learned from', 'judged on', 'loss before', 'after', prose('kept')],
    result.models.map(({ id, supportWindows, queryWindows, lossBefore, lossAfter, kept }) => [
      id,
      `${supportWindows} windows`,
      `${queryWindows} windows`,
      lossBefore.toFixed(4),
      lossAfter.toFixed(4),
      kept ? 'adapted' : 'as it was',
    ]),
  );
  for (const { id, reason } of result.skipped) out.print(`${id} is left as it was: ${reason}`);
  out.print();
  if (result.runId === undefined) {
    out.print('No model is better on the bars behind those that it adapted to: nothing was kept.');
    return;
  }
  out.print(
    `Kept as the run ${result.runId}. A difference this small on so few windows may be luck: watch it before you trust it.`,
  );
  if (!result.activated) out.print(`Next: crypto-trader models activate ${result.runId}`);
}

function spanMs(text: string): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  const ms = Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000);
  if (ms > 0) return ms;
  throw new UsageError(`--since cannot be "${text}": expected hours or days, such as 36h or 14d.`);
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (rate > 0 && Number.isFinite(rate)) return rate;
  throw new UsageError(`--rate cannot be "${text}": expected a number above 0, such as 0.01.`);
}
