import { testFoldScores } from '../../../learning/training/test-fold.ts';
import { join } from 'node:path';
import { z } from 'zod';
import type { Command } from 'commander';
import { duration } from '../../../core/foundation/duration.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { APPROACHES, type Registry } from '../../../learning/models/registry.ts';
import { openStore } from '../../../data/store/store.ts';
import type { TrainingEvent } from '../../../learning/training/journal.ts';
import { findRun, requireRunName, type RunFolder } from '../../../learning/training/run-folder.ts';
import { trainingRules } from '../../config/execution.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import { openStudy } from '../../../lab/tuning/study.ts';
import { diskNeed } from '../../workflows/disk-need.ts';
import { train } from '../../workflows/train.ts';
import { tunedModel } from '../../workflows/tune.ts';
import { projectRegistry } from '../project-plugins.ts';
import { command, type CommandContext, integer, list, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  marketSettings,
  requireRange,
  RUN_OPTION,
  runNamed,
} from '../run-options.ts';
import { giveModels } from '../give-pieces.ts';
import { addQueueOptions, givenQueue, QUEUE_OPTIONS } from '../queue-options.ts';
import { folderOf } from '../tune-studies.ts';
import { showProgress } from '../training-progress.ts';
import { printRun, runDocument } from '../training-text.ts';
import { printTransfer } from '../transfer-text.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  ...QUEUE_OPTIONS,
  workers: z.string().default('0'),
  mode: z.string().default('quick'),
  name: z.string().optional(),
  approach: z.string().optional(),
  models: z.string().transform(list).optional(),
  tuned: z.string().transform(list).optional(),
  seeds: z.string().optional(),
  from: z.string().optional(),
  continual: z.string().optional(),
  meta: z.string().optional(),
  testFold: z.boolean().default(false),
  allowSynthetic: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader train --mode quick
  $ crypto-trader train --mode full --models boosted-trees,momentum-garch
  $ crypto-trader train --approach quant                    rules such as trend and momentum, no training needed
  $ crypto-trader train --models boosted-trees --tuned trees  parameters that the study trees found
  $ crypto-trader train --mode full --seeds 8               mean and deviation over eight seeds
  $ crypto-trader train --mode full --seeds 8 --queue redis://10.0.0.5:6379 --listen 10.0.0.5:4100   models and seeds on other machines
  $ crypto-trader train --name btc-only --symbols BTC/USDT --since 2025-01-01 --until 2025-12-31
  $ crypto-trader train --from btc-only                     fine-tune its networks on the bars since
  $ crypto-trader train --from btc-only --continual replay  the same without forgetting older markets
  $ crypto-trader train --meta first-order --models gru     then: crypto-trader models adapt
  $ crypto-trader train --mode resume                       resume the newest run that is not complete
  $ crypto-trader train --mode resume --run btc-only
  $ crypto-trader train --mode resume --run checkpoints/btc-only/snapshots/tft/step-0000005000

The first finished run of a project becomes the active one, which signals, backtest and paper use. A later run does
not replace it until it is promoted: crypto-trader models activate <run>.`;

export function register(program: Command): void {
  const group = program
    .command('train')
    .option('--mode <mode>', 'quick, full or resume', 'quick')
    .option('--name <name>', 'name of the run (default: made of the time)');
  addRunOption(
    group,
    'what to resume: a run (name or folder; default: the newest that is not complete), or one of its snapshots',
  );
  addMarketOptions(group, ['exchange', 'symbols', 'timeframe', 'since', 'until'], {
    since: 'first bar to use (UTC; default: market.since)',
    until: 'bars up to the end of this date, or before this time (UTC; default: all)',
  })
    .option(
      '--approach <what>',
      'ml: models that learn; quant: rules that a person states; both (default: ml)',
    )
    .option(
      '--models <list>',
      'only these models, such as boosted-trees,momentum-garch (default: training.models)',
    )
    .option('--tuned <studies>', 'models of these studies with the parameters that `tune` found')
    .option(
      '--from <run>',
      'go on from the networks of a finished run: fine-tune them on all bars there are now',
    )
    .option(
      '--continual <how>',
      `with --from: learn the new bars alone and keep the old: ${CONTINUAL.join(', ')}`,
    )
    .option('--meta <how>', `train networks to adapt in a few steps: ${META.join(', ')}`)
    .option('--seeds <count>', 'train each stochastic model with N different seeds and report the spread')
    .option(
      '--test-fold',
      'fit models whose figures flatter once more, on earlier bars, and show what they come to on bars that fit has not seen',
    )
    .option('--allow-synthetic', 'train on synthetic candles too');
  addQueueOptions(group, 'models, each from each seed,')
    .option('--workers <count>', 'with --queue: workers that are started on this machine', '0')
    .addHelpText('after', EXAMPLES)
    .action(
      command(async (context, options) => runTraining(context, Options.parse(options)), { awake: true }),
    );
}

async function runTraining(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const mode = oneOf('--mode', options.mode, ['quick', 'full', 'resume']);
  const named = runNamed(options);
  if (mode !== 'resume' && named !== undefined) throw new UsageError('--run belongs to --mode resume.');
  for (const key of mode === 'resume' ? KNOWN_TO_THE_RUN : []) {
    if (options[key] === undefined) continue;
    throw new UsageError(`--${key} cannot be given with --mode resume: the run knows its ${key}.`);
  }
  if (options.name !== undefined) requireRunName(options.name);
  requireRange(options);

  const progress = out.progress();
  const show = showProgress((label, total) => progress.task(label, total));
  let kept: Extract<TrainingEvent, { kind: 'snapshot' }> | undefined;
  let run: RunFolder | undefined;
  const registry = await projectRegistry(context);
  const queue = await givenQueue(context, options);
  const tuned = mode === 'resume' ? {} : await tunedParams(context, mode, options.tuned ?? []);
  const disk = await diskNeed(config.checkpointDir);
  try {
    const finished = await train(
      mode === 'resume'
        ? { kind: 'resume', run: named }
        : {
            kind: 'new',
            settings: await settingsOf(context, mode, options, { tuned, registry }),
            name: options.name,
          },
      {
        registry,
        store: openStore(config.dataDir),
        checkpointDir: config.checkpointDir,
        logDir: config.logDir,
        trialsFile: join(config.dataDir, 'trials.jsonl'),
        rules: (symbols) => trainingRules(config, symbols),
        signal,
        snapshots: {
          everyMinutes: config.training.snapshotMinutes,
          everyEpochs: config.training.snapshotEpochs,
          kept: config.training.snapshotsKept,
        },
        onStart: async (started, surroundings) => {
          run = started;
          out.notice(disk);
          log.info({ runId: run.runId, mode, seed: run.plan.seed }, 'training');
          if (queue !== undefined) await giveModels(context, queue, started, { ...surroundings, registry });
        },
        onEvent: (event) => {
          if (event.kind === 'snapshot') kept = event;
          if (event.kind === 'projected') out.notice(projectedLine(event, run?.plan.seeds ?? 1));
          show(event);
        },
      },
    );
    let task: ReturnType<typeof progress.task> | undefined;
    let done = 0;
    const testFolds = options.testFold
      ? await testFoldScores(finished, {
          store: openStore(config.dataDir),
          registry,
          signal,
          onModel: (id) => (task ??= progress.task('test fold', finished.members.length)).update(done++, id),
        })
      : undefined;
    progress.stop();
    printRun(out, finished, config.logDir, testFolds);
    printTransfer(out, finished);
    out.document(runDocument(finished, mode, testFolds));
  } catch (error) {
    progress.stop();
    if (signal.aborted && run !== undefined) out.notice(whereItStands(run, kept));
    throw error;
  } finally {
    progress.stop();
  }
}

const CONTINUAL = ['replay', 'ewc', 'si', 'a-gem'] as const;
const META = ['maml', 'first-order', 'anil', 'reptile'] as const;

const KNOWN_TO_THE_RUN = [
  'models',
  'from',
  'continual',
  'meta',
  'tuned',
  'seeds',
  'name',
  'exchange',
  'symbols',
  'timeframe',
  'since',
  'until',
] as const;

const projectedLine = (event: Extract<TrainingEvent, { kind: 'projected' }>, seeds: number): string =>
  `${event.model}: ${event.steps} steps would take ${duration(event.seconds)}${seeds > 1 ? `, for each of ${seeds} seeds` : ''} (${Math.round(event.samplesPerSecond ?? 0)} samples/s measured; early stopping may end it sooner).`;

function whereItStands(
  run: RunFolder,
  kept: Extract<TrainingEvent, { kind: 'snapshot' }> | undefined,
): string {
  const epoch = kept?.epoch === undefined ? '' : `epoch ${kept.epoch}, `;
  const state =
    kept === undefined ? '' : `"${kept.model}" stands at ${epoch}step ${kept.step}: ${kept.folder}\n`;
  return `${state}Resume it: crypto-trader train --mode resume --run ${run.runId}`;
}

type ModelParams = CommandContext['config']['models'];

/** Parameters by model, each in place of what config.yaml says of that model. */
async function tunedParams(
  context: CommandContext,
  mode: 'quick' | 'full',
  names: readonly string[],
): Promise<ModelParams> {
  const found: Record<string, ModelParams[string]> = {};
  for (const name of names) {
    const study = await openStudy(await folderOf(context, name));
    const { model, params, own, trial, trials, mode: searched } = await tunedModel(study);
    if (model in found)
      throw new UsageError(`--tuned names two studies of ${model}; its parameters can be those of one.`);
    found[model] = { ...own, ...params };
    context.out.notice(
      `${model}: parameters of trial ${trial} of ${trials} in study ${name}${searched === mode ? '' : `, which was searched with --mode ${searched}`}.`,
    );
  }
  return found;
}

async function settingsOf(
  context: CommandContext,
  mode: 'quick' | 'full',
  options: Options,
  { tuned, registry }: { readonly tuned: ModelParams; readonly registry: Registry },
) {
  const { config, seed, log } = context;
  const { market, training, trading } = config;
  const untilMs = options.until ?? market.until;
  const chosenOtherwise = options.approach ?? options.from ?? options.meta;
  const models = options.models ?? (chosenOtherwise === undefined ? training.models : undefined);
  return {
    ...marketSettings(context, options),
    registry,
    mode,
    seed,
    seeds: options.seeds === undefined ? training.seeds : integer('--seeds', options.seeds, { least: 1 }),
    sinceMs: options.since ?? market.since,
    ...(untilMs !== undefined && { untilMs }),
    validationPct: training.validationPct,
    testPct: training.testPct,
    costs: { feeBps: trading.feeBps, slippageBps: trading.slippageBps ?? SPOT_RULES.slippageBps },
    approach: oneOf('--approach', options.approach ?? 'ml', APPROACHES),
    ...(models !== undefined && { models }),
    ...(await adapting(context, options, registry)),
    params: withAdapting({ ...config.models, ...tuned }, options, registry),
    sources: config.features,
    allowSynthetic: options.allowSynthetic,
    acceptImplausible: market.acceptImplausible,
    onDoubt: (line: string) => log.warn({}, line),
  };
}

/** The run to go on from, and which models that is about. */
async function adapting({ config }: CommandContext, options: Options, registry: Registry) {
  if (options.continual !== undefined && options.from === undefined)
    throw new UsageError('--continual needs the run to go on from: --from <run>.');
  const networks = registry.models.filter(({ kind }) => kind === 'deep').map(({ id }) => id);
  if (options.from === undefined)
    return options.meta !== undefined && options.models === undefined ? { models: networks } : {};
  const from = await findRun(config.checkpointDir, options.from);
  if (from.result === undefined)
    throw new UserError(`The training run "${from.runId}" is not complete.`, {
      hint: `Finish it: crypto-trader train --mode resume --run ${from.runId}`,
    });
  return { from };
}

/** What every network is asked for, under what config.yaml says of each. */
function withAdapting(params: ModelParams, options: Options, registry: Registry): ModelParams {
  const own = {
    ...(options.continual !== undefined && {
      continual: oneOf('--continual', options.continual, CONTINUAL),
    }),
    ...(options.meta !== undefined && { meta: oneOf('--meta', options.meta, META) }),
  };
  if (Object.keys(own).length === 0) return params;
  const networks = registry.models.filter(({ kind }) => kind === 'deep').map(({ id }) => id);
  return { ...params, ...Object.fromEntries(networks.map((id) => [id, { ...params[id], ...own }])) };
}
