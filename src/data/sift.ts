import { candleFault, type Candles, concatCandles, sliceCandles } from '../core/market/candles.ts';
import { TIMEFRAME_MS, type Timeframe } from '../core/market/timeframe.ts';
import { formatMinute } from '../core/foundation/time.ts';

/** A bar that was not let in, and why. */
export interface Quarantined {
  readonly timeMs: number;
  readonly reason: string;
}

/** One price next to the bars in question, and when. */
export interface Neighbour {
  readonly timeMs: number;
  readonly price: number;
}

/** No market of any pair has had such prices or volumes; what has is a slip of the source. */
const PRICES = { least: 1e-15, most: 1e12 } as const;
const MOST_VOLUME = 1e20;

/** Flash crashes have printed lows a few thousand times below the open (ETH/USD, 2017-06-21), never more. */
const WICK = 10_000;

/** Between the close of a bar and the open of the next one a price does not move a hundredfold. */
const JUMP = 100;

/** Over longer gaps it may have. */
const NEAR_BARS = 100;

/**
 * Parts the bars of one answer into those that can be and those that cannot: off the grid or out of order, prices
 * that are no positive numbers or contradict each other, sizes beyond any market, and bars at another scale than the
 * ones on both sides. A price that changes its scale and stays there is let in; the newest bar at another scale waits
 * for the bar after it. `before` and `after` are the close of the nearest stored bar before and the open of the
 * nearest after the answer.
 */
export function sift(
  candles: Candles,
  options: {
    readonly timeframe: Timeframe;
    readonly before?: Neighbour | undefined;
    readonly after?: Neighbour | undefined;
  },
): { readonly good: Candles; readonly quarantined: readonly Quarantined[] } {
  const { time, open, close } = candles;
  const step = TIMEFRAME_MS[options.timeframe];
  const quarantined: Quarantined[] = [];
  const reject = (row: number, reason: string): void => {
    quarantined.push({ timeMs: time[row], reason: `bar of ${formatMinute(time[row])}: ${reason}` });
  };

  const sound: number[] = [];
  for (let row = 0; row < time.length; row++) {
    const previous = sound.at(-1);
    const fault = barFault(candles, row, {
      step,
      previousMs: previous === undefined ? -Infinity : time[previous],
    });
    if (fault === undefined) sound.push(row);
    else reject(row, fault);
  }

  const apart = (a: Neighbour | undefined, b: Neighbour | undefined): boolean =>
    a !== undefined &&
    b !== undefined &&
    b.timeMs - a.timeMs <= NEAR_BARS * step &&
    Math.max(a.price / b.price, b.price / a.price) >= JUMP;
  /** At another scale than the bars on both sides, which agree; at the ends, than what is known. */
  const isLone = (bar: {
    readonly before: Neighbour | undefined;
    readonly opening: Neighbour | undefined;
    readonly closing: Neighbour;
    readonly next: Neighbour | undefined;
    readonly second: Neighbour | undefined;
  }): boolean => {
    const { before, opening, closing, next, second } = bar;
    if (before === undefined) return apart(closing, next) && second !== undefined && !apart(next, second);
    if (next === undefined) return apart(before, opening) || apart(opening, closing);
    if (apart(before, next)) return apart(before, opening) && apart(closing, next);
    return apart(before, opening) || apart(closing, next);
  };
  const closeOf = (row: number): Neighbour => ({ timeMs: time[row], price: close[row] });
  const openAt = (i: number): Neighbour | undefined =>
    i < sound.length
      ? { timeMs: time[sound[i]], price: open[sound[i]] }
      : i === sound.length
        ? options.after
        : undefined;
  const kept: number[] = [];
  let last = options.before;
  for (const [i, row] of sound.entries()) {
    const [next, second] = [openAt(i + 1), openAt(i + 2)];
    if (isLone({ before: last, opening: openAt(i), closing: closeOf(row), next, second })) {
      const other = last ?? next;
      const price = `its price of ${open[row]} is at another scale than ${other?.price ?? 'the others'} beside it`;
      reject(row, next === undefined ? `${price}, and no later bar confirms it yet` : price);
      continue;
    }
    kept.push(row);
    last = closeOf(row);
  }
  return {
    good: kept.length === time.length ? candles : pickRows(candles, kept),
    quarantined: quarantined.toSorted((a, b) => a.timeMs - b.timeMs),
  };
}

function barFault(
  candles: Candles,
  row: number,
  { step, previousMs }: { readonly step: number; readonly previousMs: number },
): string | undefined {
  const { time, open, high, low, close, volume } = candles;
  if (time[row] % step !== 0) return 'its time is not on the grid of its timeframe';
  if (time[row] <= previousMs) return 'it is not after the bar before it';
  const fault = candleFault(candles, row);
  if (fault !== undefined) return fault;
  if (high[row] > PRICES.most || low[row] < PRICES.least)
    return `prices from ${low[row]} to ${high[row]}, beyond any market`;
  if (volume[row] > MOST_VOLUME) return `volume is ${volume[row]}, beyond any market`;
  const [top, bottom] = [Math.max(open[row], close[row]), Math.min(open[row], close[row])];
  if (high[row] > WICK * top) return `high ${high[row]} is ${WICK} times its other prices or more`;
  if (low[row] * WICK < bottom) return `low ${low[row]} is a ${WICK}th of its other prices or less`;
  return undefined;
}

/** Consecutive rows stay views; there are few others. */
function pickRows(candles: Candles, rows: readonly number[]): Candles {
  const parts: Candles[] = [];
  for (let i = 0; i < rows.length;) {
    let end = i + 1;
    while (end < rows.length && rows[end] === rows[end - 1] + 1) end++;
    parts.push(sliceCandles(candles, rows[i], rows[end - 1] + 1));
    i = end;
  }
  return concatCandles(parts);
}
