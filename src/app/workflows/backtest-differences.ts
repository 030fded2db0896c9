import { bootstrapMean, type Interval } from '../../core/evaluation/bootstrap.ts';
import { sharpeDifference } from '../../core/evaluation/sharpe-difference.ts';
import { createRandom } from '../../core/foundation/random.ts';
import { parseTimeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { BacktestDocument } from './kept-backtests.ts';

/** One value that two documents do not share; `undefined` where one of them does not have it. */
export interface Difference {
  /** Such as `settings.trading.feeBps` or `trades[3].exitTime`. */
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Every leaf at which two JSON values differ, in the order of the first. Numbers are equal when all their digits are. */
export function differences(a: unknown, b: unknown, path = ''): readonly Difference[] {
  if (Object.is(a, b)) return [];
  if (Array.isArray(a) && Array.isArray(b)) {
    const [one, other]: readonly (readonly unknown[])[] = [a, b];
    return Array.from({ length: Math.max(one.length, other.length) }).flatMap((_, i) =>
      differences(one[i], other[i], `${path}[${i}]`),
    );
  }
  if (isRecord(a) && isRecord(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return keys.flatMap((key) => differences(a[key], b[key], path === '' ? key : `${path}.${key}`));
  }
  return [{ path, a, b }];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is about one run of the program and not about the backtest. */
const OF_THE_RUN = [
  'id',
  'time',
  'program',
  'machine',
  'equityCurve',
  'barsPerSecond',
  'report',
  'audit',
  'auditedAt',
];

/** Where a result differs from that of the same backtest, run before; empty: every digit is the same. */
export function resultDifferences(before: object, after: object): readonly Difference[] {
  const strip = (document: object): object =>
    Object.fromEntries(Object.entries(document).filter(([key]) => !OF_THE_RUN.includes(key)));
  return differences(asJson(strip(before)), asJson(strip(after)));
}

/** As a reader of the file sees it. */
const asJson = (value: object): unknown => JSON.parse(JSON.stringify(value));

type KeptTrade = BacktestDocument['trades'][number];

export interface TradeDifferences {
  readonly same: number;
  readonly onlyA: readonly KeptTrade[];
  readonly onlyB: readonly KeptTrade[];
  /** Entered alike (symbol, side and bar), then different. */
  readonly changed: readonly { readonly a: KeptTrade; readonly b: KeptTrade }[];
}

export function tradeDifferences(a: readonly KeptTrade[], b: readonly KeptTrade[]): TradeDifferences {
  const keyOf = ({ symbol, side, entryTime }: KeptTrade): string => `${symbol} ${side} ${entryTime}`;
  const left = new Map(b.map((trade) => [keyOf(trade), trade]));
  const onlyA: KeptTrade[] = [];
  const changed: { a: KeptTrade; b: KeptTrade }[] = [];
  let same = 0;
  for (const trade of a) {
    const other = left.get(keyOf(trade));
    left.delete(keyOf(trade));
    if (other === undefined) onlyA.push(trade);
    else if (differences(trade, other).length === 0) same++;
    else changed.push({ a: trade, b: other });
  }
  return { same, onlyA, onlyB: [...left.values()], changed };
}

/** How much more the ensemble of b earned than that of a, over the same bars. */
export interface EarningDifference {
  readonly bars: number;
  /** Mean net return per bar of b less that of a, times the bars of a year, in percent; 95 % interval by blocks of bars. */
  readonly returnPctPerYear: number;
  readonly returnInterval?: Interval | undefined;
  /** Annualised Sharpe ratio of b less that of a, with its 95 % interval (Ledoit and Wolf 2008). */
  readonly sharpe?: number | undefined;
  readonly sharpeInterval?: Interval | undefined;
}

/** From two kept equity files; `undefined` when they are not of the same bars. */
export function earningDifference(
  [a, b]: readonly [string, string],
  timeframe: string,
): EarningDifference | undefined {
  const [first, second] = [ensembleCurve(a), ensembleCurve(b)];
  if (first.times.join() !== second.times.join() || first.times.length < 2) return undefined;
  const [of, other] = [returnsOf(first.equity), returnsOf(second.equity)];
  const perYear = (365 * TIMEFRAME_MS['1d']) / TIMEFRAME_MS[parseTimeframe(timeframe)];
  const more = other.map((value, t) => value - of[t]);
  const mean = more.reduce((sum, value) => sum + value, 0) / more.length;
  const interval = bootstrapMean(more, createRandom(SEED));
  const sharpe = sharpeDifference(other, of, createRandom(SEED));
  const times = (by: number, { low, high }: Interval): Interval => ({ low: by * low, high: by * high });
  return {
    bars: more.length,
    returnPctPerYear: 100 * perYear * mean,
    returnInterval: interval && times(100 * perYear, interval),
    sharpe: sharpe && Math.sqrt(perYear) * sharpe.difference,
    sharpeInterval: sharpe && times(Math.sqrt(perYear), sharpe.interval),
  };
}

/** The same two backtests give the same interval. */
const SEED = 1;

/** The first curve of an equity file is the ensemble's. */
function ensembleCurve(csv: string): { readonly times: readonly string[]; readonly equity: Float64Array } {
  const rows = csv.trimEnd().split('\n').slice(1);
  const fields = rows.map((row) => row.split(',', 2));
  return {
    times: fields.map(([time]) => time),
    equity: Float64Array.from(fields, ([, equity]) => Number(equity)),
  };
}

const returnsOf = (equity: Float64Array): Float64Array =>
  equity.subarray(1).map((value, t) => value / equity[t] - 1);

/** Why figures of several backtests cannot be put side by side as they are; empty: they can. */
export function incomparable(all: readonly BacktestDocument[]): readonly string[] {
  const [first, ...others] = all;
  const differs = (of: (one: BacktestDocument) => unknown): boolean =>
    others.some((one) => JSON.stringify(of(one)) !== JSON.stringify(of(first)));
  return [
    ...(differs(({ exchange, timeframe, symbols }) => [exchange, timeframe, symbols])
      ? ['They trade different markets.']
      : []),
    ...(differs(({ range }) => range)
      ? ['They cover different ranges of bars: a calm year beats a wild one for no merit.']
      : differs(({ dataFingerprint }) => dataFingerprint)
        ? ['Their candles differ, though market and range are the same.']
        : []),
    ...(differs(({ costTerms }) => costTerms) ? ['They pay different costs.'] : []),
    ...(all.some(({ synthetic }) => synthetic)
      ? ['Some are on SYNTHETIC candles, which are no market.']
      : []),
  ];
}
