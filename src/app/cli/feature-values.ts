import { formatTime, parseTime, parseUntil } from '../../core/foundation/time.ts';
import type { Feature } from '../../core/features/feature.ts';
import { type AbsentInput, fetchText } from '../../data/panel/load-inputs.ts';
import { type FeatureMarket, featureValues } from '../workflows/features.ts';
import { type CommandContext, integer } from './command.ts';
import { less, prose } from './table.ts';

interface Range {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly rows: string;
}

/** One JSON document is one text, which has an end. */
const MOST_VALUES = 5_000_000;

/**
 * Values of `features` on the stored bars of every symbol: those of the range, or the newest `rows`. Throws `UserError`
 * when the range holds none.
 */
export async function printValues(
  { out, signal }: CommandContext,
  market: FeatureMarket,
  features: readonly Feature[],
  options: Range & { readonly absent: readonly AbsentInput[] },
): Promise<void> {
  const { exchange, timeframe } = market;
  const names = features.map(({ name }) => name);
  const found = await featureValues(market, names, {
    rows: integer('--rows', options.rows, { least: 1 }),
    sinceMs: options.since === undefined ? undefined : parseTime(options.since),
    untilMs: options.until === undefined ? Infinity : parseUntil(options.until),
    most: MOST_VALUES,
    signal,
  });
  const series = found.map(({ symbol, times, columns }) => ({
    symbol,
    times: Array.from(times, formatTime),
    values: columns.map((column) => [...column]),
  }));
  out.document({
    exchange,
    timeframe,
    absent: options.absent,
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
  printAbsent({ out }, options.absent);
}

const formatValue = (value: number): string =>
  Number.isNaN(value) ? '-' : Number(value.toPrecision(6)).toString();

/** The features that are not there for want of an input, by group, and what to do about it. */
export function printAbsent({ out }: Pick<CommandContext, 'out'>, absent: readonly AbsentInput[]): void {
  if (absent.length === 0) return;
  out.print('Left out, because their inputs are not stored:');
  out.table(
    [prose('group'), less('features'), 'needs', prose('get it')],
    absent.map((one) => [one.groups.join(', '), String(one.features.length), one.input, fetchText(one)]),
  );
}
