import type { Command } from 'commander';
import { z } from 'zod';
import { formatTime, parseTime, parseUntil } from '../../config/time.ts';
import { openStore } from '../../data/store/store.ts';
import { catalogue, computeFeatures, findFeatures, streamFeatures } from '../../features/catalogue.ts';
import { findLeaks } from '../../features/causality.ts';
import type { Feature } from '../../features/feature.ts';
import { CheckFailed } from '../../foundation/errors.ts';
import { lowerBound } from '../../market/candles.ts';
import { parseSymbol } from '../../market/symbol.ts';
import { parseTimeframe, type Timeframe } from '../../market/timeframe.ts';
import { command, type CommandContext, integer, list, oneOf } from '../command.ts';

const Options = z.object({
  group: z.string().optional(),
  exchange: z.string().optional(),
  symbols: z.string().transform(list).optional(),
  timeframe: z.string().optional(),
  since: z.string().optional(),
  until: z.string().optional(),
  rows: z.string().default('10'),
  check: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader features                                    the catalogue
  $ crypto-trader features --group momentum
  $ crypto-trader features rsi_14 atr_14 --symbols BTC/USDT   values on the newest bars
  $ crypto-trader features rsi_14 --symbols BTC/USDT --since 2026-01-01 --until 2026-01-02 --json
  $ crypto-trader features --check                            proves on the stored data that none looks ahead`;

export function register(program: Command): void {
  program
    .command('features')
    .description('the feature catalogue; values of features; a proof that none looks ahead')
    .argument('[names...]', 'only these features')
    .option('--group <name>', 'only this group')
    .option('--symbols <list>', 'print values of these pairs (for --check: default market.symbols)')
    .option('--exchange <id>', 'whose candles (default: exchange.id)')
    .option('--timeframe <length>', 'bar length (default: market.timeframe)')
    .option('--since <date>', 'first bar to print (UTC)')
    .option('--until <date>', 'up to the end of this date, or before this time (UTC)')
    .option('--rows <number>', 'newest bars to print without --since', '10')
    .option('--check', 'compare with values computed from shortened histories; exit code 3 on a difference')
    .addHelpText('after', EXAMPLES)
    .action(
      command(async (context, options, ...args) => {
        const parsed = Options.parse(options);
        const chosen = choose(args.flatMap(list), parsed.group);
        if (parsed.check) await check(context, chosen, parsed);
        else if (parsed.symbols !== undefined) await printValues(context, chosen, parsed, parsed.symbols);
        else
          printCatalogue(
            context,
            chosen,
            parseTimeframe(parsed.timeframe ?? context.config.market.timeframe),
          );
      }),
    );
}

function choose(names: readonly string[], group: string | undefined): readonly Feature[] {
  const named = names.length === 0 ? catalogue : findFeatures(names);
  if (group === undefined) return named;
  const known = [...new Set(catalogue.map((feature) => feature.group))];
  const wanted = oneOf('--group', group, known);
  return named.filter((feature) => feature.group === wanted);
}

function printCatalogue({ out }: CommandContext, features: readonly Feature[], timeframe: Timeframe): void {
  out.document({
    timeframe,
    features: features.map(({ warmUpBars, ...feature }) => ({
      ...feature,
      warmUpBars: warmUpBars(timeframe),
    })),
  });
  out.table(
    ['feature', 'group', 'unit', 'warm-up', 'formula'],
    features.map(({ name, group, unit, about, warmUpBars }) => [
      name,
      group,
      unit,
      String(warmUpBars(timeframe)),
      about,
    ]),
  );
  out.print(`${features.length} features; warm-up in bars of ${timeframe}.`);
}

async function printValues(
  { config, out, signal }: CommandContext,
  features: readonly Feature[],
  options: Options,
  symbols: readonly string[],
): Promise<void> {
  const store = openStore(config.dataDir);
  const exchange = options.exchange ?? config.exchange.id;
  const timeframe = parseTimeframe(options.timeframe ?? config.market.timeframe);
  const names = features.map(({ name }) => name);
  const rows = integer('--rows', options.rows, { least: 1 });
  const untilMs = options.until === undefined ? Infinity : parseUntil(options.until);
  const series = [];
  for (const symbol of symbols.map(parseSymbol)) {
    signal.throwIfAborted();
    // From the first stored bar on, as for training: recursive features depend on where they start.
    const candles = await store.read({ exchange, symbol, timeframe });
    const { columns } = computeFeatures(names, candles, timeframe);
    const to = lowerBound(candles.time, untilMs);
    const from =
      options.since === undefined
        ? Math.max(0, to - rows)
        : lowerBound(candles.time, parseTime(options.since));
    const times = [...candles.time.subarray(from, to)].map(formatTime);
    series.push({ symbol, times, values: columns.map((column) => [...column.subarray(from, to)]) });
  }
  out.document({
    exchange,
    timeframe,
    series: series.map(({ symbol, times, values }) => ({
      symbol,
      times,
      // No value during the warm-up: null.
      features: Object.fromEntries(
        names.map((name, i) => [name, values[i].map((value) => (Number.isNaN(value) ? null : value))]),
      ),
    })),
  });
  for (const { symbol, times, values } of series) {
    out.print(symbol);
    if (names.length <= 6) {
      out.table(
        ['bar', ...names],
        times.map((time, row) => [time, ...values.map((column) => formatValue(column[row]))]),
      );
      continue;
    }
    const last = times.slice(-4);
    out.table(
      ['feature', ...last],
      names.map((name, i) => [name, ...values[i].slice(-4).map(formatValue)]),
    );
  }
}

const formatValue = (value: number): string =>
  Number.isNaN(value) ? '-' : Number(value.toPrecision(6)).toString();

async function check(
  { config, out, signal }: CommandContext,
  features: readonly Feature[],
  options: Options,
): Promise<void> {
  const store = openStore(config.dataDir);
  const exchange = options.exchange ?? config.exchange.id;
  const timeframe = parseTimeframe(options.timeframe ?? config.market.timeframe);
  const names = features.map(({ name }) => name);
  const progress = out.progress();
  const symbols = (options.symbols ?? config.market.symbols).map(parseSymbol);
  const task = progress.task('checking features', symbols.length);
  const datasets = [];
  for (const [done, symbol] of symbols.entries()) {
    signal.throwIfAborted();
    task.update(done, symbol);
    const candles = await store.read({ exchange, symbol, timeframe });
    const rows = candles.time.length;
    const leaks = findLeaks(names, candles, {
      compute: (seen) => computeFeatures(names, seen, timeframe),
      stream: () => streamFeatures(names, timeframe),
      cuts: [1, 2, 3].map((quarter) => Math.floor((quarter * rows) / 4)).filter((cut) => cut > 0),
    });
    datasets.push({
      symbol,
      rows,
      values: rows * names.length,
      leaks: leaks.map((leak) => ({ ...leak, time: formatTime(candles.time[leak.row]) })),
    });
  }
  task.update(symbols.length);
  progress.stop();
  const found = datasets.flatMap(({ symbol, leaks }) => leaks.map((leak) => ({ symbol, ...leak })));
  out.document({
    ok: found.length === 0,
    exchange,
    timeframe,
    features: names.length,
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
  if (found.length > 0) throw new CheckFailed(`${found.length} features depend on later bars.`);
}
