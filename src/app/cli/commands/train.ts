import { join } from 'node:path';
import { z } from 'zod';
import type { Command } from 'commander';
import { UserError } from '../../../core/foundation/errors.ts';
import { duration } from '../../../core/foundation/duration.ts';
import { APPROACHES } from '../../../learning/models/registry.ts';
import { openStore } from '../../../data/store/store.ts';
import type { TrainingEvent } from '../../../learning/training/journal.ts';
import { planRun } from '../../../learning/training/plan.ts';
import { findRun, listRuns, type RunFolder } from '../../../learning/training/run-folder.ts';
import { placeOfSnapshot } from '../../../learning/training/snapshots.ts';
import {
  finishRun,
  type FinishedRun,
  startRun,
  type TrainingSurroundings,
} from '../../../learning/training/train.ts';
import { ruleId } from '../../../lab/backtest/rule-id.ts';
import { marketName, recordTrials, type Trial } from '../../../lab/backtest/trials.ts';
import { executionRules } from '../../config/execution.ts';
import type { Config } from '../../config/schema.ts';
import { command, type CommandContext, integer, list, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';
import { showProgress } from '../training-progress.ts';
import { printRun, runDocument } from '../training-text.ts';

const Options = z.object({
  mode: z.string().default('quick'),
  checkpoint: z.string().optional(),
  approach: z.string().default('ml'),
  models: z.string().transform(list).optional(),
  seeds: z.string().optional(),
  allowSynthetic: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader train --mode quick
  $ crypto-trader train --mode full --models boosted-trees,momentum-garch
  $ crypto-trader train --approach quant                    rules such as trend and momentum, no training needed
  $ crypto-trader train --mode full --seeds 8               mean and deviation over eight seeds
  $ crypto-trader train --mode resume                       go on with the newest run
  $ crypto-trader train --mode resume --checkpoint checkpoints/2026-02-13T08-30-00Z-full
  $ crypto-trader train --mode resume --checkpoint checkpoints/2026-02-13T08-30-00Z-full/snapshots/tft/step-0000005000`;

export function register(program: Command): void {
  program
    .command('train')
    .description('train models on the stored candles; finished models and, in between, snapshots are kept')
    .option('--mode <mode>', 'quick, full or resume', 'quick')
    .option(
      '--checkpoint <path>',
      'what to resume: a run (id or folder; default: the newest), or one of its snapshots',
    )
    .option('--approach <what>', 'ml: models that learn; quant: rules that a person states; both', 'ml')
    .option('--models <list>', 'only these models, such as boosted-trees,momentum-garch')
    .option(
      '--seeds <count>',
      'train models that draw random numbers so often, from other seeds, and show how much their figures vary',
    )
    .option('--allow-synthetic', 'train on synthetic candles too')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => train(context, Options.parse(options))));
}

async function train(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const mode = oneOf('--mode', options.mode, ['quick', 'full', 'resume']);
  if (mode !== 'resume' && options.checkpoint !== undefined)
    throw new UsageError('--checkpoint belongs to --mode resume.');
  if (mode === 'resume' && options.models !== undefined)
    throw new UsageError('--models cannot be given with --mode resume: the run knows its models.');
  if (mode === 'resume' && options.seeds !== undefined)
    throw new UsageError('--seeds cannot be given with --mode resume: the run knows its seeds.');

  const progress = out.progress();
  const show = showProgress((label, total) => progress.task(label, total));
  let kept: Extract<TrainingEvent, { kind: 'snapshot' }> | undefined;
  let run: RunFolder | undefined;
  const surroundings: TrainingSurroundings = {
    store: openStore(config.dataDir),
    checkpointDir: config.checkpointDir,
    logDir: config.logDir,
    signal,
    snapshots: {
      everyMinutes: config.training.snapshotMinutes,
      everyEpochs: config.training.snapshotEpochs,
      kept: config.training.snapshotsKept,
    },
    onEvent: (event) => {
      if (event.kind === 'snapshot') kept = event;
      if (event.kind === 'projected') out.notice(projectedLine(event, run?.plan.seeds ?? 1));
      show(event);
    },
  };
  try {
    const place = options.checkpoint === undefined ? undefined : await placeOfSnapshot(options.checkpoint);
    run =
      mode === 'resume'
        ? await runToResume(config.checkpointDir, place?.runPath ?? options.checkpoint)
        : await startRun(await planRun(surroundings.store, settingsOf(context, mode, options)), surroundings);
    log.info({ runId: run.runId, mode, seed: run.plan.seed }, 'training');
    const finished = await finishRun(run, surroundings, place);
    progress.stop();
    await countComparison(config, finished);
    printRun(out, finished, config.logDir);
    out.document(runDocument(finished, mode));
  } catch (error) {
    progress.stop();
    if (signal.aborted && run !== undefined) out.notice(whereItStands(run, kept));
    throw error;
  } finally {
    progress.stop();
  }
}

/** Comparing models on the validation bars is a trial of each, and of the ensemble of several. */
async function countComparison(config: Config, { plan, members, result }: FinishedRun): Promise<void> {
  const rules = executionRules(config.trading, plan.symbols.length);
  const weights = Object.fromEntries(members.map(({ id, manifest }) => [id, manifest.weightHash]));
  const learned = members.filter(({ model }) => model.kind !== 'baseline');
  const market = marketName(plan.exchange, plan.timeframe, plan.symbols);
  const trial = (strategy: string, own: unknown): Trial => ({
    time: new Date().toISOString(),
    id: ruleId(strategy, own, rules),
    market,
    strategy,
    by: 'validation',
  });
  await recordTrials(join(config.dataDir, 'trials.jsonl'), market, [
    ...learned.map(({ id }) => trial(id, weights[id])),
    ...(result.ensemble.members.length > 1 ? [trial('ensemble', weights)] : []),
  ]);
}

const projectedLine = (event: Extract<TrainingEvent, { kind: 'projected' }>, seeds: number): string =>
  `${event.model}: ${event.steps} steps would take ${duration(event.seconds)}${seeds > 1 ? `, for each of ${seeds} seeds` : ''} (${Math.round(event.samplesPerSecond ?? 0)} samples/s measured; early stopping may end it sooner).`;

function whereItStands(
  run: RunFolder,
  kept: Extract<TrainingEvent, { kind: 'snapshot' }> | undefined,
): string {
  const epoch = kept?.epoch === undefined ? '' : `epoch ${kept.epoch}, `;
  const state =
    kept === undefined ? '' : `"${kept.model}" stands at ${epoch}step ${kept.step}: ${kept.folder}\n`;
  return `${state}Go on with: crypto-trader train --mode resume --checkpoint ${run.path}`;
}

function settingsOf({ config, seed, log }: CommandContext, mode: 'quick' | 'full', options: Options) {
  const { market, training, trading } = config;
  return {
    mode,
    seed,
    seeds: options.seeds === undefined ? training.seeds : integer('--seeds', options.seeds, { least: 1 }),
    exchange: config.exchange.id,
    symbols: market.symbols,
    timeframe: market.timeframe,
    sinceMs: market.since,
    ...(market.until !== undefined && { untilMs: market.until }),
    validationPct: training.validationPct,
    testPct: training.testPct,
    costs: { feeBps: trading.feeBps, slippageBps: trading.slippageBps },
    approach: oneOf('--approach', options.approach, APPROACHES),
    ...(options.models !== undefined && { models: options.models }),
    params: config.models,
    sources: config.features,
    allowSynthetic: options.allowSynthetic,
    acceptImplausible: market.acceptImplausible,
    onDoubt: (line: string) => log.warn({}, line),
  };
}

async function runToResume(checkpointDir: string, checkpoint: string | undefined): Promise<RunFolder> {
  if (checkpoint !== undefined) return findRun(checkpointDir, checkpoint);
  const newest = (await listRuns(checkpointDir)).at(-1);
  if (newest !== undefined) return newest;
  throw new UserError(`There is no training run in "${checkpointDir}" to resume.`, {
    hint: 'Start one: crypto-trader train --mode quick',
  });
}
