import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { requireWritable, writeFileAtomic } from '../../../data/files.ts';
import { openStore } from '../../../data/store/store.ts';
import { backtestDocument } from '../../../lab/backtest/document.ts';
import { openFoldCache } from '../../../learning/validation/fold-cache.ts';
import { resultsDocument } from '../../report/results-document.ts';
import { results as makeResults, WINDOWS } from '../../workflows/results.ts';
import { chooseStrategy } from '../../../core/strategy/registry.ts';
import { configuredInstruments, spotRules } from '../../config/execution.ts';
import { command, type CommandContext, decimal, integer, list, oneOf } from '../command.ts';
import { projectRegistry } from '../project-plugins.ts';
import { walkForwardLines } from '../walk-forward-text.ts';

const Options = z.object({
  windows: z.string().transform(list).optional(),
  models: z.string().transform(list).default(['all']),
  folds: z.string().default('12'),
  embargoBars: z.string().default('24'),
  fitSeconds: z.string().default('10'),
  out: z.string().default('docs/results.md'),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader results                               everything; stop it, and it resumes behind the last fold
  $ crypto-trader results --windows ${WINDOWS[0].id} --models boosted-trees,ridge --out mine.md

The candles must be stored: the first line says what to fetch. Windows: ${WINDOWS.map(({ id }) => id).join(', ')}.`;

export function register(program: Command): void {
  program
    .command('results')
    .option('--windows <list>', 'only these windows')
    .option('--models <list>', 'only these models', 'all')
    .option('--folds <count>', 'folds of each window', '12')
    .option('--embargo-bars <count>', 'bars left free between training and fold', '24')
    .option('--fit-seconds <number>', 'models that take longer are not fitted again for the audit', '10')
    .option('--out <file>', 'the document, as Markdown', 'docs/results.md')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => results(context, Options.parse(options)), { awake: true }));
}

async function results(context: CommandContext, options: Options): Promise<void> {
  const { config, out, seed, signal } = context;
  const ids = WINDOWS.map(({ id }) => id);
  const chosen = options.windows?.map((id) => oneOf('--windows', id, ids)) ?? ids;
  await requireWritable(options.out);
  const registry = await projectRegistry(context);
  const others = registry.strategies.map(({ id }) => id).filter((id) => id !== config.strategy.name);
  const progress = out.progress();
  let task: ReturnType<typeof progress.task> | undefined;
  try {
    const made = await makeResults({
      windows: WINDOWS.filter(({ id }) => chosen.includes(id)),
      store: openStore(config.dataDir),
      cache: openFoldCache(join(config.dataDir, 'folds')),
      registry,
      params: config.models,
      sources: config.features,
      acceptImplausible: config.market.acceptImplausible,
      validationPct: config.training.validationPct,
      strategies: [config.strategy.name, ...others].map((id) =>
        chooseStrategy(id, config.strategies[id] ?? {}, registry.strategies),
      ),
      rulesOf: ({ length }) => spotRules(config, length, 'results'),
      instrumentsOf: (symbols) => configuredInstruments(config.trading, symbols),
      trialsFile: join(config.dataDir, 'trials.jsonl'),
      models: options.models,
      folds: integer('--folds', options.folds, { least: 1 }),
      embargoBars: integer('--embargo-bars', options.embargoBars, { least: 0 }),
      mostFitSeconds: decimal('--fit-seconds', options.fitSeconds, { least: 0 }),
      seed,
      signal,
      onWindow: ({ id }) => {
        out.notice(`Window ${id}`);
        task = undefined;
      },
      onCost: (cost) => walkForwardLines(cost).forEach((line) => out.notice(line)),
      onFold: (done, total, modelId) => {
        task ??= progress.task('walk-forward', total);
        task.update(done, modelId);
      },
      onStep: (text) => out.notice(text),
    });
    await writeFileAtomic(options.out, resultsDocument(made));
    out.print(`Results: ${options.out}`);
    out.document({
      seed: made.seed,
      program: made.program,
      machine: made.machine,
      node: made.node,
      file: options.out,
      windows: made.windows.map(({ window, strategies, audit }) => ({
        ...window,
        strategies: strategies.map(({ id, result, about }) => {
          const {
            trades: _,
            fills: __,
            ...figures
          } = { trades: 0, fills: 0, ...backtestDocument(result, about, '') };
          return { ...figures, strategy: id };
        }),
        audit,
      })),
    });
  } finally {
    progress.stop();
  }
}
