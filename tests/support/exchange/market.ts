import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CANDLE_COLUMNS,
  type Candles,
  emptyCandles,
  lowerBound,
  sliceCandles,
} from '../../../src/core/market/candles.ts';
import { barOpen, isTimeframe, TIMEFRAME_MS, type Timeframe } from '../../../src/core/market/timeframe.ts';

/** One pair that the exchange trades, with the rules of an order. */
export interface Pair {
  readonly base: string;
  readonly quote: string;
  readonly amountStep: number;
  readonly priceTick: number;
  readonly minNotional: number;
  /** Bars by timeframe; timeframes that are absent are summed up from finer ones. */
  readonly candles: Partial<Record<Timeframe, Candles>>;
}

/** Pairs from memory, for tests that make up their own candles. */
export const pair = (
  symbol: string,
  candles: Partial<Record<Timeframe, Candles>>,
  rules: Partial<Pair> = {},
): Pair => {
  const [base, quote] = symbol.split('/');
  return { base, quote, amountStep: 0.00001, priceTick: 0.01, minNotional: 5, ...rules, candles };
};

/** Every `<BASE-QUOTE>/<timeframe>.csv(.gz)` below `folder`; files are read when first asked for. */
export function pairsFromFolder(folder: string): readonly Pair[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^[A-Z0-9]+-[A-Z0-9]+$/.test(entry.name))
    .map((entry) => {
      const candles: Partial<Record<Timeframe, Candles>> = {};
      for (const file of readdirSync(join(folder, entry.name))) {
        const timeframe = file.replace(/\.csv(\.gz)?$/, '');
        if (timeframe === file || !isTimeframe(timeframe)) continue;
        let loaded: Candles | undefined;
        Object.defineProperty(candles, timeframe, {
          enumerable: true,
          get: () => (loaded ??= readCsv(join(folder, entry.name, file))),
        });
      }
      return pair(entry.name.replace('-', '/'), candles);
    });
}

/** `timestamp,open,high,low,close,volume` with epoch milliseconds. */
function readCsv(path: string): Candles {
  const bytes = readFileSync(path);
  const lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .trim()
    .split('\n')
    .slice(1);
  const candles = emptyCandles(lines.length);
  lines.forEach((line, row) => {
    const fields = line.split(',');
    CANDLE_COLUMNS.forEach((column, i) => (candles[column][row] = Number(fields[i])));
  });
  return candles;
}

/** Bars from `sinceMs` on that are known at `nowMs`: closed ones, and the forming one as far as it has come. */
export function barsAsOf(
  pair: Pair,
  timeframe: Timeframe,
  { sinceMs = -Infinity, untilMs = Infinity, nowMs }: { sinceMs?: number; untilMs?: number; nowMs: number },
): Candles {
  const all = barsOf(pair, timeframe);
  const openNow = barOpen(nowMs, timeframe);
  const from = lowerBound(all.time, sinceMs);
  const to = Math.min(lowerBound(all.time, untilMs), lowerBound(all.time, openNow + 1));
  const bars = copyOf(sliceCandles(all, from, Math.max(from, to)));
  const last = bars.time.length - 1;
  if (bars.time[last] !== openNow) return bars;
  const share = (nowMs - openNow) / TIMEFRAME_MS[timeframe];
  const open = bars.open[last];
  const close = open + (bars.close[last] - open) * share;
  bars.close[last] = Math.round(close / pair.priceTick) * pair.priceTick;
  bars.high[last] = Math.max(open, bars.close[last]);
  bars.low[last] = Math.min(open, bars.close[last]);
  bars.volume[last] *= share;
  return bars;
}

/** Price of the last trade at `nowMs`, or `undefined` before the first bar. */
export function lastPrice(pair: Pair, nowMs: number): number | undefined {
  const sinceMs = nowMs - 400 * TIMEFRAME_MS['1d'];
  return barsAsOf(pair, finest(pair), { sinceMs, nowMs }).close.at(-1);
}

export function finest(pair: Pair): Timeframe {
  const known = Object.keys(pair.candles).filter(isTimeframe);
  return known.toSorted((a, b) => TIMEFRAME_MS[a] - TIMEFRAME_MS[b])[0];
}

const summedUp = new WeakMap<Pair, Map<Timeframe, Candles>>();

/** The pair's bars of a timeframe, summed up from the coarsest finer one where they are not given. */
function barsOf(pair: Pair, timeframe: Timeframe): Candles {
  const given = pair.candles[timeframe];
  if (given !== undefined) return given;
  const made = summedUp.get(pair) ?? new Map<Timeframe, Candles>();
  summedUp.set(pair, made);
  const bars = made.get(timeframe) ?? sumUp(pair, timeframe);
  made.set(timeframe, bars);
  return bars;
}

function sumUp(pair: Pair, timeframe: Timeframe): Candles {
  const finer = Object.keys(pair.candles)
    .filter(isTimeframe)
    .filter((known) => TIMEFRAME_MS[timeframe] % TIMEFRAME_MS[known] === 0)
    .toSorted((a, b) => TIMEFRAME_MS[b] - TIMEFRAME_MS[a]);
  const source = finer.length === 0 ? undefined : pair.candles[finer[0]];
  if (source === undefined) return emptyCandles(0);
  const bars = emptyCandles(source.time.length);
  let last = -1;
  for (let row = 0; row < source.time.length; row++) {
    const time = barOpen(source.time[row], timeframe);
    if (last < 0 || bars.time[last] !== time) {
      last++;
      for (const column of CANDLE_COLUMNS) bars[column][last] = source[column][row];
      bars.time[last] = time;
      continue;
    }
    bars.high[last] = Math.max(bars.high[last], source.high[row]);
    bars.low[last] = Math.min(bars.low[last], source.low[row]);
    bars.close[last] = source.close[row];
    bars.volume[last] += source.volume[row];
  }
  return sliceCandles(bars, 0, last + 1);
}

function copyOf(candles: Candles): Candles {
  const copy = emptyCandles(candles.time.length);
  for (const column of CANDLE_COLUMNS) copy[column].set(candles[column]);
  return copy;
}
