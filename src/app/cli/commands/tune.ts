import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { openStore } from '../../../data/store/store.ts';
import { narrowedSpace, spaceOfModel } from '../../../lab/tuning/model-space.ts';
import { openStudy, type Study } from '../../../lab/tuning/study.ts';
import type { KeptTrial } from '../../../lab/tuning/study-journal.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { spotRules } from '../../config/execution.ts';
import { concludeStudy, countTrials, openBench, runTrials, taskOf } from '../../workflows/tune.ts';
import { startTuning } from '../../workflows/start-study.ts';
import { command, type CommandContext, integer } from '../command.ts';
import { UsageError } from '../exit.ts';
import { spawnWorkers } from '../study-workers.ts';
import { giveTrials } from '../give-trials.ts';
import { projectRegistry } from '../project-plugins.ts';
import { queueRequest } from '../queue-options.ts';
import { addMarketOptions, marketSettings } from '../run-options.ts';
import { addSearchOptions, assertResumes, SEARCH_OPTIONS, searchRequest } from '../search-options.ts';
import { defaultSubcommand } from '../subcommands.ts';
import { readSpaceFile } from '../space-file.ts';
import { addStudies, assertStudyName, folderOf } from '../tune-studies.ts';
import { printStudy, trialText } from '../tune-text.ts';

const Options = z.object({
  ...SEARCH_OPTIONS,
  name: z.string().optional(),
  model: z.string().optional(),
  trials: z.string(),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader tune --model boosted-trees --trials 50 --name trees
  $ crypto-trader tune --study trees --trials 100        resume it, also after Ctrl-C or kill -9
  $ crypto-trader tune --model lstm --objective log-loss --workers 2
  $ crypto-trader tune --model ridge --objective net-return,drawdown --sampler nsga2
  $ crypto-trader tune --model ridge --space space.yaml  penalty: { low: 0.001, high: 1, log: true }
  $ crypto-trader tune --model gru --queue redis://10.0.0.5:6379 --listen 10.0.0.5:4100   workers elsewhere
  $ crypto-trader tune show trees --report trees.html
  $ crypto-trader tune apply trees                       its best parameters as lines for config.yaml

Trials are measured on purged folds of the oldest bars; the newest training.testPct percent are looked at once, at the
end, beside the untuned parameters, and with what luck alone would have found in as many trials.`;

export function register(program: Command): void {
  const group = program.command('tune').addHelpText('after', EXAMPLES);

  const run = defaultSubcommand(group, 'run')
    .description('start a study, or resume one')
    .option('--model <id>', 'whose parameters to search')
    .option('--name <name>', 'name of the new study (default: the model)')
    .option('--trials <count>', 'trials of the study, those that it has included', '50');
  addMarketOptions(
    addSearchOptions(run, {
      ...{ folds: '5', sampler: 'tpe', pruner: 'wilcoxon' },
      space: 'YAML: the parameters to search, with their ranges',
    }),
    ['timeframe'],
  ).action(command(async (context, options) => tune(context, Options.parse(options)), { awake: true }));

  addStudies(group);
}

async function tune(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const trials = integer('--trials', options.trials, { least: 1 });
  const workers = integer('--workers', options.workers, { least: 1 });
  const queue = await queueRequest(options);
  const registry = await projectRegistry(context);
  const study =
    options.study === undefined
      ? await begin(context, options, registry)
      : await resume(context, options.study);
  const { settings } = study;
  const task = taskOf(settings);
  const rules = spotRules(config, task.symbols.length, 'tune');
  const surroundings = {
    registry,
    store: openStore(config.dataDir),
    rules,
    acceptImplausible: config.market.acceptImplausible,
    signal,
  };
  const bench = await openBench(task, { testPct: 0, seed: settings.seed }, surroundings);
  await study.refresh();
  const started = study.trials().length;
  out.notice(
    `Study ${settings.name}: ${task.model} on ${bench.folds.length} folds, ${formatMinute(bench.folds[0].test.fromMs)} .. ${formatMinute(bench.task.testFromMs)}; ${Object.keys(settings.space).length} parameters, ${settings.sampler}, ${trials} trials${started > 0 ? `, ${started} of them started before` : ''}.`,
  );
  const helpers = queue
    ? []
    : spawnWorkers(workers - 1, context, [
        ...['tune', 'run', '--study', settings.name, '--trials', String(trials)],
      ]);
  const progress = out.progress();
  const bar = progress.task('trials', trials);
  const startedMs = Date.now();
  try {
    const onTrial = (trial: KeptTrial): void => {
      const done = study.trials().filter(({ state }) => state !== 'running').length;
      const seconds = (Date.now() - startedMs) / 1000;
      bar.update(done, trialText(trial, settings), (seconds / Math.max(1, done - started)) * (trials - done));
      log.info({ study: settings.name, trial: trial.number, state: trial.state }, 'trial');
    };
    const ledger = { trialsFile: join(config.dataDir, 'trials.jsonl'), rules };
    if (queue === undefined) await runTrials(study, bench, { ...ledger, trials, signal, onTrial });
    else {
      try {
        await giveTrials(context, queue, {
          ...{ study, panels: [bench.panel], trials, onTrial, signal },
          workers: context.given('--workers') ? workers : 0,
        });
      } finally {
        await countTrials(study.trials(), bench, ledger);
      }
    }
    await Promise.all(helpers.map(({ ended }) => ended));
    await study.refresh();
    progress.stop();
    const end = await concludeStudy(study, bench, { registry, rules, signal });
    printStudy(context, study, bench.task, end);
  } catch (error) {
    if (signal.aborted)
      out.notice(`What was measured is kept. Resume: crypto-trader tune --study ${settings.name}`);
    throw error;
  } finally {
    progress.stop();
    for (const { stop } of helpers) stop();
    await study.close();
  }
}

async function begin(context: CommandContext, options: Options, registry: Registry): Promise<Study> {
  const { config, signal } = context;
  if (options.model === undefined)
    throw new UsageError('Which model? Name it with --model, or the study to resume with --study.');
  const { mode, objectives, sampler, pruner, folds, minFills } = searchRequest(options);
  const model = registry.findModel(options.model);
  const name = options.name ?? model.id;
  assertStudyName(name);
  const { space, fixed } = searched(model.params, options.space);
  if (Object.keys(space).length === 0)
    throw new UserError(`Nothing of "${model.id}" has a range to search.`, {
      hint: 'Name parameters and their ranges in a file: --space space.yaml.',
    });
  const { training, market } = config;
  const untilMs = options.until ?? market.until;
  const chosen = marketSettings(context, options);
  const rules = spotRules(config, chosen.symbols.length, 'tune');
  const asked = {
    model: model.id,
    mode,
    own: { ...config.models[model.id], ...fixed },
    ...chosen,
    symbols: [...chosen.symbols],
    sources: config.features,
    sinceMs: options.since ?? market.since,
    ...(untilMs !== undefined && { untilMs }),
    folds,
    embargoBars: 24,
    validationPct: training.validationPct,
    minFills,
    rules: JSON.stringify(rules),
  };
  return startTuning(
    asked,
    {
      folder: config.tuningDir,
      ...{ name, seed: config.seed, sampler, pruner, objectives, space },
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

function searched(params: z.ZodType, file: string | undefined): ReturnType<typeof narrowedSpace> {
  if (file === undefined) return { space: spaceOfModel(params), fixed: {} };
  return narrowedSpace(params, readSpaceFile(file));
}

async function resume(context: CommandContext, name: string): Promise<Study> {
  assertResumes(context, ['--model']);
  return openStudy(await folderOf(context, name));
}
