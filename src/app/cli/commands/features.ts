import type { Command } from 'commander';
import { z } from 'zod';
import { formatTime } from '../../../core/foundation/time.ts';
import { openStore } from '../../../data/store/store.ts';
import { findFeatures } from '../../../core/features/catalogue.ts';
import type { Feature } from '../../../core/features/feature.ts';
import { CheckFailed } from '../../../core/foundation/errors.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import type { AbsentInput } from '../../../data/panel/load-inputs.ts';
import { absentOf, checkFeatures, type FeatureMarket } from '../../workflows/features.ts';
import {
  command,
  type CommandContext,
  decimal,
  integer,
  list,
  oneOf,
  symbolsOf,
  refuseIgnored,
} from '../command.ts';
import { counted } from '../dataset-document.ts';
import { printAbsent, printValues } from '../feature-values.ts';
import { projectRegistry } from '../project-plugins.ts';
import { less, prose } from '../table.ts';

const Options = z.object({
  group: z.string().optional(),
  exchange: z.string().optional(),
  symbols: z.string().optional(),
  timeframe: z.string().optional(),
  since: z.string().optional(),
  until: z.string().optional(),
  rows: z.string().default('10'),
  check: z.boolean().default(false),
  select: z.boolean().default(false),
  model: z.string().default('boosted-trees'),
  horizon: z.string().optional(),
  folds: z.string().default('5'),
  repeats: z.string().default('3'),
  sameAbove: z.string().default('0.7'),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader features                                    the catalogue
  $ crypto-trader features --group momentum
  $ crypto-trader features rsi_14 atr_14 --symbols BTC/USDT   values on the newest bars
  $ crypto-trader features rsi_14 --symbols BTC/USDT --since 2026-01-01 --until 2026-01-02 --json
  $ crypto-trader features --check                            proves on the stored data that none looks ahead
  $ crypto-trader features --select --model boosted-trees --horizon 4`;

const ONLY_SELECT = ['--model', '--horizon', '--folds', '--repeats', '--same-above'];

export function register(program: Command): void {
  program
    .command('features')
    .argument('[names...]', 'only these features')
    .option('--group <name>', 'only this group')
    .option('--symbols <list>', 'print values of these pairs (for --check: default market.symbols)')
    .option('--exchange <id>', 'whose candles (default: exchange.id)')
    .option('--timeframe <length>', 'bar length (default: market.timeframe)')
    .option('--since <date>', 'first bar to print (UTC)')
    .option('--until <date>', 'up to the end of this date, or before this time (UTC)')
    .option('--rows <number>', 'newest bars to print without --since', '10')
    .option('--check', 'recompute on truncated history and fail on any difference (exit code 3)')
    .option('--select', 'rank features by the information they add, by the training bars alone')
    .option('--model <id>', 'for --select: boosted-trees, random-forest, logistic or ridge')
    .option('--horizon <bars>', "for --select: bars of the return that is forecast (default: the model's)")
    .option('--folds <number>', 'for --select: test spans, each after the bars it is learned from', '5')
    .option('--repeats <number>', 'for --select: shuffles of each feature in each fold', '3')
    .option(
      '--same-above <number>',
      'for --select: rank correlation above which two features count as duplicates',
      '0.7',
    )
    .addHelpText('after', EXAMPLES)
    .action(
      command(async (context, options, ...args) => {
        const parsed = Options.parse(options);
        if (!parsed.select) refuseIgnored(context, ONLY_SELECT, 'without --select');
        if (parsed.select || parsed.check || parsed.symbols === undefined)
          refuseIgnored(context, ['--rows', '--since', '--until'], 'where no values are printed (--symbols)');
        if (parsed.since !== undefined) refuseIgnored(context, ['--rows'], 'with --since');
        const names = args.flatMap(list);
        const { features: catalogue } = await projectRegistry(context);
        const market = { ...marketOf(context, parsed), catalogue };
        // Named features have to be there; of others those are left out whose inputs are not.
        const features = choose(catalogue, names, parsed.group);
        const absent = (await absentOf(market)).filter((one) =>
          features.some(({ name }) => one.features.includes(name)),
        );
        const chosen = names.length > 0 ? features : features.filter(({ name }) => !leavesOut(absent, name));
        if (parsed.select) await select(context, market, chosen, parsed);
        else if (parsed.check) await check(context, market, chosen, absent);
        else if (parsed.symbols !== undefined)
          await printValues(context, market, chosen, { absent, ...parsed });
        else printCatalogue(context, market, features, { absent, whole: names.length > 0 });
      }),
    );
}

function choose(
  catalogue: readonly Feature[],
  names: readonly string[],
  group: string | undefined,
): readonly Feature[] {
  const named = names.length === 0 ? catalogue : findFeatures(names, catalogue);
  if (group === undefined) return named;
  const known = [...new Set(catalogue.map((feature) => feature.group))];
  const wanted = oneOf('--group', group, known);
  return named.filter((feature) => feature.group === wanted);
}

async function select(
  context: CommandContext,
  market: FeatureMarket,
  features: readonly Feature[],
  options: Options,
): Promise<void> {
  const { printSelection } = await import('../feature-selection.ts');
  await printSelection(context, market, {
    names: features.map(({ name }) => name),
    model: options.model,
    horizonBars:
      options.horizon === undefined ? undefined : integer('--horizon', options.horizon, { least: 1 }),
    folds: integer('--folds', options.folds, { least: 2 }),
    repeats: integer('--repeats', options.repeats, { least: 1 }),
    sameAbove: decimal('--same-above', options.sameAbove, { least: 0, most: 1 }),
  });
}

const marketOf = ({ config }: CommandContext, options: Options): Omit<FeatureMarket, 'catalogue'> => ({
  store: openStore(config.dataDir),
  exchange: options.exchange ?? config.exchange.id,
  symbols: symbolsOf(options.symbols, config.market.symbols),
  timeframe: parseTimeframe(options.timeframe ?? config.market.timeframe),
  sources: config.features,
});

const leavesOut = (absent: readonly AbsentInput[], feature: string): boolean =>
  absent.some(({ features }) => features.includes(feature));

function printCatalogue(
  context: CommandContext,
  { timeframe }: FeatureMarket,
  features: readonly Feature[],
  { absent, whole }: { readonly absent: readonly AbsentInput[]; readonly whole: boolean },
): void {
  const { out } = context;
  out.document({
    absent,
    timeframe,
    features: features.map(({ warmUpBars, ...feature }) => ({
      ...feature,
      warmUpBars: warmUpBars(timeframe),
      available: !leavesOut(absent, feature.name),
    })),
  });
  // Of a few there is room for everything.
  out.table(
    [
      'feature',
      less('group', 2),
      less('unit', 1),
      less('warm-up', 3),
      prose('formula'),
      ...(whole ? [less('inputs', 5), less('source', 4)] : []),
    ],
    features.map(({ name, group, unit, about, warmUpBars, inputs, source }) => [
      name,
      group,
      unit,
      String(warmUpBars(timeframe)),
      about,
      ...(whole ? [inputs.join(', '), source] : []),
    ]),
  );
  const missing = features.filter(({ name }) => leavesOut(absent, name)).length;
  out.print(
    `${counted(features.length, 'feature')}, ${features.length - missing} available; warm-up in bars of ${timeframe}. All are computed by kernels of this program, none by a library.`,
  );
  printAbsent(context, absent);
}

async function check(
  context: CommandContext,
  market: FeatureMarket,
  features: readonly Feature[],
  absent: readonly AbsentInput[],
): Promise<void> {
  const { out, signal } = context;
  const { exchange, symbols, timeframe } = market;
  const names = features.map(({ name }) => name);
  const progress = out.progress();
  const task = progress.task('checking features', symbols.length);
  const checked = await checkFeatures(market, names, {
    signal,
    onSymbol: (done, symbol) => task.update(done, symbol),
  });
  task.update(symbols.length);
  progress.stop();
  const datasets = checked.map(({ symbol, rows, leaks }) => ({
    symbol,
    rows,
    values: rows * names.length,
    leaks: leaks.map(({ timeMs, ...leak }) => ({ ...leak, time: formatTime(timeMs) })),
  }));
  const found = datasets.flatMap(({ symbol, leaks }) => leaks.map((leak) => ({ symbol, ...leak })));
  out.document({
    ok: found.length === 0,
    exchange,
    timeframe,
    features: names.length,
    absent,
    datasets,
  });
  out.table(
    ['symbol', 'bars', 'values compared', 'verdict'],
    datasets.map(({ symbol, rows, values, leaks }) => [
      symbol,
      String(rows),
      String(values),
      leaks.length === 0 ? 'none looks ahead' : `${leaks.length} features look ahead`,
    ]),
  );
  for (const { symbol, feature, time, value, expected } of found)
    out.print(`${symbol} ${feature} at ${time}: ${value}, but ${expected} from the bars up to then`);
  printAbsent(context, absent);
  if (found.length > 0) throw new CheckFailed(`${found.length} features depend on later bars.`);
}
