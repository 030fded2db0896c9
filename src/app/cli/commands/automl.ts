import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { duration } from '../../../core/foundation/duration.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { parseTimeframe, TIMEFRAMES } from '../../../core/market/timeframe.ts';
import { openStore } from '../../../data/store/store.ts';
import { narrowedSpace } from '../../../lab/tuning/model-space.ts';
import { fromLoss, type ObjectiveName } from '../../../lab/tuning/objective.ts';
import {
  ALONE,
  FEATURE_CHOICES,
  narrowedPipelines,
  pipelineSpace,
} from '../../../lab/tuning/pipeline-space.ts';
import { openStudy, type Study } from '../../../lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../../lab/tuning/study-journal.ts';
import { ensembles } from '../../../learning/ensemble/registry.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { spotRules } from '../../config/execution.ts';
import { candidatesOf, concludeAuto, openAutoBench, runAutoTrials, usedMs } from '../../workflows/automl.ts';
import { autoTaskOf } from '../../workflows/automl-task.ts';
import { startAutoStudy } from '../../workflows/start-study.ts';
import { pipelineText, printAuto } from '../automl-text.ts';
import { command, type CommandContext, integer, list, oneOf } from '../command.ts';
import { UsageError } from '../exit.ts';
import { giveTrials } from '../give-trials.ts';
import { projectRegistry } from '../project-plugins.ts';
import { queueRequest } from '../queue-options.ts';
import { marketSettings } from '../run-options.ts';
import { addSearchOptions, assertResumes, SEARCH_OPTIONS, searchRequest } from '../search-options.ts';
import { readSpaceFile } from '../space-file.ts';
import { spawnWorkers } from '../study-workers.ts';
import { assertStudyName, folderOf } from '../tune-studies.ts';

const Options = z.object({
  ...SEARCH_OPTIONS,
  name: z.string(),
  budget: z.string().optional(),
  trials: z.string().optional(),
  models: z.string().optional(),
  strategies: z.string().optional(),
  ensembles: z.string(),
  features: z.string(),
  timeframes: z.string().optional(),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader automl --budget 2h
  $ crypto-trader automl --study automl                   resume it, also after Ctrl-C or kill -9
  $ crypto-trader automl --study automl --budget 4h       ... with more time
  $ crypto-trader automl --models ridge,boosted-trees,gru --timeframes 1h,4h --trials 200 --workers 2
  $ crypto-trader tune show automl
  $ crypto-trader tune apply automl --out tuned.yaml      what it found as settings

One search over timeframes, features, models, their parameters, ensembles and strategies. Everything is chosen and fitted inside each
purged fold; pipelines that fall behind are stopped after few folds (hyperband). The untuned models are tried first. The newest
training.testPct percent of the bars are looked at once, at the end.`;

/** What belongs to the start of a study here, besides what every search has. */
const OF_THE_START = ['--models', '--strategies', '--ensembles', '--features', '--timeframes'];

const DEFAULT_BUDGET_MS = 2 * 3_600_000;

export function register(program: Command): void {
  const automl = program
    .command('automl')
    .option(
      '--budget <time>',
      'time for trials, all runs of the study together: 30m, 2h, 1d (default: 2h without --trials)',
    )
    .option('--trials <count>', 'stop after N trials, those that the study has included')
    .option('--name <name>', 'name of the new study', 'automl')
    .option('--models <list>', 'candidates (default: the classical models)')
    .option('--strategies <list>', 'candidates (default: all but sign)')
    .option(
      '--ensembles <list>',
      'how a model may be combined with others; none: alone',
      'none,equal,enhanced,stacking,caruana',
    )
    .option(
      '--features <list>',
      'own: as the settings say; distinct, important: chosen inside each fold',
      FEATURE_CHOICES.join(','),
    )
    .option('--timeframes <list>', 'bar lengths, each of them stored (default: market.timeframe)')
    .addHelpText('after', EXAMPLES);
  addSearchOptions(automl, {
    ...{ folds: '6', sampler: 'tpe-group', pruner: 'hyperband' },
    space: 'YAML: ranges or fixed values of parameters, such as models.ridge.penalty',
  }).action(command(async (context, options) => run(context, Options.parse(options)), { awake: true }));
}

async function run(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const workers = integer('--workers', options.workers, { least: 1 });
  const limits = limitsOf(options);
  const queue = await queueRequest(options);
  const registry = await projectRegistry(context);
  const study =
    options.study === undefined
      ? await begin(context, options, { ...limits, registry })
      : await resume(context, options.study);
  const { settings } = study;
  const task = autoTaskOf(settings);
  const rules = spotRules(config, task.symbols.length, 'automl');
  const bench = await openAutoBench(
    task,
    { testPct: 0, seed: settings.seed },
    {
      registry,
      store: openStore(config.dataDir),
      rules,
      acceptImplausible: config.market.acceptImplausible,
      signal,
    },
  );
  await study.refresh();
  const asked = limits.budgetMs !== undefined || limits.trials !== undefined;
  const { budgetMs, trials } = asked ? limits : bench.task;
  const before = study.trials().length;
  const used = usedMs(study.trials());
  out.notice(
    `Study ${settings.name}: ${Object.keys(settings.space).length} parameters of ${task.models.join(', ')} on ${bench.folds.length} folds, ${formatMinute(bench.folds[0].test.fromMs)} .. ${formatMinute(bench.task.testFromMs)}; ${limitText({ budgetMs, trials })}${before > 0 ? `, of them used: ${before} trials, ${duration(used / 1000)}` : ''}.`,
  );
  const helpers = queue
    ? []
    : spawnWorkers(workers - 1, context, [
        ...['automl', '--study', settings.name],
        ...(budgetMs === undefined ? [] : ['--budget', `${budgetMs / 1000}s`]),
        ...(trials === undefined ? [] : ['--trials', String(trials)]),
      ]);
  const progress = out.progress();
  const bar =
    trials === undefined
      ? progress.task('seconds', Math.ceil((budgetMs ?? 0) / 1000))
      : progress.task('trials', trials);
  const startedMs = Date.now();
  try {
    const { outOfTime } = await runAutoTrials(study, bench, {
      budgetMs,
      trials,
      trialsFile: join(config.dataDir, 'trials.jsonl'),
      rules,
      signal,
      ...(queue && {
        give: (most: number, stop: AbortSignal, onTrial: (trial: KeptTrial) => void) =>
          giveTrials(context, queue, {
            ...{ study, panels: bench.panels, trials: most, onTrial, signal: stop },
            workers: context.given('--workers') ? workers : 0,
          }),
      }),
      onTrial: (trial) => {
        const elapsed = (used + Date.now() - startedMs) / 1000;
        const done = study.trials().filter(({ state }) => state !== 'running').length;
        bar.update(
          trials === undefined ? elapsed : done,
          trialText(trial, bench.pipelineOf(trial.params), settings),
        );
        log.info({ study: settings.name, trial: trial.number, state: trial.state }, 'trial');
      },
    });
    await Promise.all(helpers.map(({ ended }) => ended));
    await study.refresh();
    progress.stop();
    const end = await concludeAuto(study, bench, { registry, signal });
    printAuto(context, study, bench.task, { ...end, outOfTime });
  } catch (error) {
    if (signal.aborted)
      out.notice(`What was measured is kept. Resume: crypto-trader automl --study ${settings.name}`);
    throw error;
  } finally {
    progress.stop();
    for (const { stop } of helpers) stop();
    await study.close();
  }
}

function trialText(
  { number, state, values }: KeptTrial,
  pipeline: Parameters<typeof pipelineText>[0],
  { objectives }: StudySettings,
): string {
  const name = objectives[0] as ObjectiveName;
  const result = state === 'complete' ? `${name} ${fromLoss(name, values[0]).toFixed(3)}` : state;
  return `trial ${number}: ${result} with ${pipelineText(pipeline)}`;
}

interface Limits {
  readonly budgetMs: number | undefined;
  readonly trials: number | undefined;
}

const limitsOf = ({ budget, trials }: Options): Limits => ({
  budgetMs: budget === undefined ? undefined : budgetOf(budget),
  trials: trials === undefined ? undefined : integer('--trials', trials, { least: 1 }),
});

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function budgetOf(text: string): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? NaN);
  if (ms > 0) return ms;
  throw new UsageError(`--budget cannot be "${text}": expected minutes, hours or days: 30m, 2h, 1d.`);
}

const limitText = ({ budgetMs, trials }: Limits): string =>
  [
    ...(trials === undefined ? [] : [`${trials} trials`]),
    ...(budgetMs === undefined ? [] : [`${duration(budgetMs / 1000)} of trials`]),
  ].join(' or ');

async function begin(
  context: CommandContext,
  options: Options,
  { budgetMs, trials, registry }: Limits & { readonly registry: Registry },
): Promise<Study> {
  const { config, signal } = context;
  const { mode, folds, minFills, ...search } = searchRequest(options);
  const { name } = options;
  assertStudyName(name);
  const { training, market } = config;
  const chosen = marketSettings(context, options);
  const untilMs = options.until ?? market.until;
  const rules = spotRules(config, chosen.symbols.length, 'automl');
  const candidates = {
    models: unique('--models', options.models, defaultModels(registry, chosen.symbols.length)),
    strategies: unique('--strategies', options.strategies, [
      config.strategy.name,
      ...registry.strategies.map(({ id }) => id).filter((id) => id !== 'sign'),
    ]),
    ensembles: unique('--ensembles', options.ensembles, []).map((id) =>
      oneOf('--ensembles', id, [ALONE, ...ensembles.map((one) => one.id)]),
    ),
    features: unique('--features', options.features, []).map((id) =>
      oneOf('--features', id, FEATURE_CHOICES),
    ),
    timeframes: unique('--timeframes', options.timeframes, [chosen.timeframe]).map((text) =>
      parseTimeframe(oneOf('--timeframes', text, TIMEFRAMES)),
    ),
  };
  const { space: whole, schema } = pipelineSpace(candidatesOf(candidates, registry));
  const space =
    options.space === undefined
      ? whole
      : narrowedPipelines(whole, narrowedSpace(schema, readSpaceFile(options.space)));
  const asked = {
    kind: 'automl' as const,
    mode,
    ...candidates,
    own: { models: config.models, strategies: config.strategies, ensembles: config.ensembles },
    exchange: chosen.exchange,
    symbols: [...chosen.symbols],
    sources: config.features,
    sinceMs: options.since ?? market.since,
    ...(untilMs !== undefined && { untilMs }),
    folds,
    embargoBars: 24,
    validationPct: training.validationPct,
    minFills,
    ...(trials !== undefined && { trials }),
    ...(budgetMs !== undefined || trials === undefined ? { budgetMs: budgetMs ?? DEFAULT_BUDGET_MS } : {}),
    rules: JSON.stringify(rules),
  };
  return startAutoStudy(
    asked,
    {
      folder: config.tuningDir,
      ...{ name, seed: config.seed, space, ...search },
      testPct: training.testPct,
      allowSynthetic: options.allowSynthetic,
    },
    {
      registry,
      store: openStore(config.dataDir),
      rules,
      acceptImplausible: market.acceptImplausible,
      signal,
    },
  );
}

/** Those that learn and are fitted in seconds; what trades pairs needs one. */
const defaultModels = ({ models }: Registry, symbols: number): readonly string[] =>
  models
    .filter(({ id, kind }) => kind === 'classical' && (symbols > 1 || id !== 'mean-reversion'))
    .map(({ id }) => id);

function unique(option: string, text: string | undefined, otherwise: readonly string[]): string[] {
  const names = [...new Set(text === undefined ? otherwise : list(text))];
  if (names.length === 0) throw new UsageError(`${option} names nothing.`);
  return names;
}

async function resume(context: CommandContext, name: string): Promise<Study> {
  assertResumes(context, OF_THE_START);
  return openStudy(await folderOf(context, name));
}
