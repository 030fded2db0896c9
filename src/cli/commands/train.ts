import { z } from 'zod';
import type { Command } from 'commander';
import { spread, spreadText } from '../../evaluation/spread.ts';
import { UserError } from '../../foundation/errors.ts';
import { openStore } from '../../data/store/store.ts';
import type { TrainingEvent } from '../../training/journal.ts';
import { trainingLogFile } from '../../training/journal.ts';
import { planRun } from '../../training/plan.ts';
import { findRun, listRuns, type RunFolder, type RunResult } from '../../training/run-folder.ts';
import type { ForecastScore } from '../../training/score.ts';
import { placeOfSnapshot } from '../../training/snapshots.ts';
import { type FinishedRun, finishRun, startRun, type TrainingSurroundings } from '../../training/train.ts';
import { formatTime } from '../../config/time.ts';
import { command, type CommandContext, integer, list, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';
import type { Output, ProgressTask } from '../output.ts';

const Options = z.object({
  mode: z.string().default('quick'),
  checkpoint: z.string().optional(),
  models: z.string().transform(list).optional(),
  seeds: z.string().optional(),
  allowSynthetic: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader train --mode quick
  $ crypto-trader train --mode full --models boosted-trees,momentum-garch
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
    print(out, finished, config.logDir);
    out.document(document(finished, mode));
  } catch (error) {
    progress.stop();
    if (signal.aborted && run !== undefined) out.notice(whereItStands(run, kept));
    throw error;
  } finally {
    progress.stop();
  }
}

const projectedLine = (event: Extract<TrainingEvent, { kind: 'projected' }>, seeds: number): string =>
  `${event.model}: ${event.steps} steps would take ${duration(event.seconds)}${seeds > 1 ? `, for each of ${seeds} seeds` : ''} (${Math.round(event.samplesPerSecond ?? 0)} samples/s measured; early stopping may end it sooner).`;

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function whereItStands(
  run: RunFolder,
  kept: Extract<TrainingEvent, { kind: 'snapshot' }> | undefined,
): string {
  const epoch = kept?.epoch === undefined ? '' : `epoch ${kept.epoch}, `;
  const state =
    kept === undefined ? '' : `"${kept.model}" stands at ${epoch}step ${kept.step}: ${kept.folder}\n`;
  return `${state}Go on with: crypto-trader train --mode resume --checkpoint ${run.path}`;
}

function settingsOf({ config, seed }: CommandContext, mode: 'quick' | 'full', options: Options) {
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
    ...(options.models !== undefined && { models: options.models }),
    params: config.models,
    sources: config.features,
    allowSynthetic: options.allowSynthetic,
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

/** A bar a model: its steps, with loss and pace. */
function showProgress(task: (label: string, total: number) => ProgressTask): (event: TrainingEvent) => void {
  const bars = new Map<string, { readonly bar: ProgressTask; readonly steps: number }>();
  return (event) => {
    if (event.kind === 'progress') {
      const bar = bars.get(event.model)?.bar ?? task(event.model, event.steps);
      bars.set(event.model, { bar, steps: event.steps });
      bar.update(event.step, notes(event));
    } else if (event.kind === 'model-finished') {
      const started = bars.get(event.model);
      started?.bar.update(started.steps, `done in ${event.seconds.toFixed(1)} s`);
    }
  };
}

function notes(event: Extract<TrainingEvent, { kind: 'progress' }>): string {
  const parts: string[] = [];
  if (event.epoch !== undefined) parts.push(`epoch ${event.epoch}`);
  if (event.loss !== undefined) parts.push(`loss ${event.loss.toPrecision(4)}`);
  if (event.validationLoss !== undefined) parts.push(`validation ${event.validationLoss.toPrecision(4)}`);
  if (event.learningRate !== undefined) parts.push(`rate ${event.learningRate.toExponential(1)}`);
  if (event.samplesPerSecond !== undefined) parts.push(`${Math.round(event.samplesPerSecond)} samples/s`);
  if (event.etaSeconds !== undefined && event.step < event.steps)
    parts.push(`ETA ${Math.ceil(event.etaSeconds)} s`);
  for (const [name, value] of Object.entries(event.figures ?? {}))
    parts.push(`${name} ${value.toPrecision(3)}`);
  return parts.join(', ');
}

function print(
  out: Output,
  { runId, path, plan, result, members, kept, datasets }: FinishedRun,
  logDir: string,
): void {
  for (const { symbol, gaps } of datasets) {
    if (gaps.length > 0)
      out.print(
        `${symbol}: ${missingBars(gaps)} missing bars in ${gaps.length} gaps; no label reaches across them.`,
      );
  }
  if (plan.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  const day = (ms: number): string => formatTime(ms).slice(0, 10);
  out.print(
    `\nTrained on ${day(plan.sinceMs)} .. ${day(plan.trainUntilMs)}, measured on ${day(plan.trainUntilMs)} .. ${day(plan.validateUntilMs)} (validation). The bars after that are for backtests.\n`,
  );
  out.table(
    ['model', 'status', 'seconds', 'samples', 'direction right % (95 %)', 'IC', 'net return %'],
    [
      ...members.map(({ id, manifest }) => [
        id,
        kept.includes(id) ? 'kept' : 'trained',
        manifest.seconds.toFixed(1),
        ...scoreCells(manifest.metrics),
      ]),
      ['ensemble', `of ${result.ensemble.members.length}`, '', ...scoreCells(result.ensemble.metrics)],
      ...Object.entries(result.baselines)
        .filter(([id]) => !result.models.includes(id))
        .map(([id, score]) => [id, 'baseline', '', ...scoreCells(score)]),
      ...result.skipped.map(({ id }) => [id, 'skipped', '', '', '', '', '']),
    ],
  );
  printSeeds(out, plan.seeds, result, members);
  for (const { id, fitted } of members)
    for (const { name, reason } of fitted.absent ?? []) out.print(`${id} reads no ${name}: ${reason}.`);
  for (const { id, reason } of result.skipped) out.print(`${id} was skipped: ${reason}`);
  out.print(
    `\nNet return: spot, long only, ${plan.feeBps} bp fee and ${plan.slippageBps} bp slippage a side, equal capital for each symbol.
Direction: against the return from the next open over the model's own horizon.
Run ${runId} is in ${path}, its progress in ${trainingLogFile(logDir, runId)}.`,
  );
}

/** Every figure once more: over the seeds where it depends on chance, as it is where it does not. */
function printSeeds(
  out: Output,
  count: number,
  { seeds, ensemble, baselines, models }: RunResult,
  members: FinishedRun['members'],
): void {
  if (seeds === undefined) return;
  const others = Object.entries(baselines).filter(([id]) => !models.includes(id));
  const single = [
    ...members.map(({ id, manifest }) => [id, manifest.metrics] as const),
    ['ensemble', ensemble.metrics] as const,
    ...others,
  ];
  out.print(
    `\nMean +- standard deviation over ${count} seeds; the first of them stands above and is the one that forecasts:\n`,
  );
  out.table(
    ['model', 'seeds', 'direction right %', 'IC', 'net return %'],
    single.map(([id, metrics]) => {
      const scores = seeds[id] ?? [metrics];
      const { directionalAccuracyPct, informationCoefficient, netReturnPct } = overSeeds(scores);
      return [
        id,
        scores.length > 1 ? String(scores.length) : 'no chance in it',
        spreadText(directionalAccuracyPct, 1),
        spreadText(informationCoefficient, 3),
        spreadText(netReturnPct, 1),
      ];
    }),
  );
}

const overSeeds = (scores: readonly ForecastScore[]) => ({
  directionalAccuracyPct: spread(scores.map((score) => score.directionalAccuracyPct)),
  informationCoefficient: spread(scores.map((score) => score.informationCoefficient)),
  netReturnPct: spread(scores.map((score) => score.netReturnPct)),
});

const missingBars = (gaps: readonly { readonly bars: number }[]): number =>
  gaps.reduce((total, { bars }) => total + bars, 0);

function scoreCells(score: ForecastScore): readonly string[] {
  const { directionalAccuracyPct: accuracy, directionalAccuracyIntervalPct: interval } = score;
  return [
    String(score.samples),
    accuracy === undefined || interval === undefined
      ? '-'
      : `${accuracy.toFixed(1)} (${interval.map((bound) => bound.toFixed(1)).join(' .. ')})`,
    score.informationCoefficient?.toFixed(3) ?? '-',
    score.netReturnPct.toFixed(1),
  ];
}

function document(
  { runId, plan, result, members, kept, path, datasets, projections }: FinishedRun,
  mode: string,
): unknown {
  return {
    runId,
    mode,
    seed: plan.seed,
    checkpoint: path,
    synthetic: plan.synthetic,
    dataFingerprint: plan.dataFingerprint,
    datasets: datasets.map(({ symbol, rows, gaps }) => ({ symbol, rows, missingBars: missingBars(gaps) })),
    firstTime: formatTime(plan.sinceMs),
    trainUntil: formatTime(plan.trainUntilMs),
    validateUntil: formatTime(plan.validateUntilMs),
    projections,
    phases: [
      ...members.map(({ id, model, manifest, folder, fitted }) => ({
        model: id,
        phase: model.kind,
        status: kept.includes(id) ? 'kept' : 'trained',
        epochs: manifest.epochs,
        steps: manifest.steps,
        seconds: manifest.seconds,
        samplesPerSecond: manifest.samplesPerSecond,
        metrics: manifest.metrics,
        baseline: manifest.baselines,
        ...seedsOf(result, id),
        report: fitted.report,
        absent: fitted.absent,
        checkpoint: folder,
        weightHash: manifest.weightHash,
      })),
      {
        model: 'ensemble',
        phase: 'ensemble',
        status: 'combined',
        members: result.ensemble.members,
        metrics: result.ensemble.metrics,
        baseline: result.baselines,
        ...seedsOf(result, 'ensemble'),
      },
      ...result.skipped.map(({ id, reason }) => ({ model: id, status: 'skipped', reason })),
    ],
  };
}

function seedsOf({ seeds }: RunResult, id: string): object {
  const scores = seeds?.[id];
  return scores === undefined ? {} : { seeds: scores, overSeeds: overSeeds(scores) };
}
