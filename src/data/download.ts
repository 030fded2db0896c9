import { CANDLE_COLUMNS, type Candles, concatCandles, emptyCandles } from '../core/market/candles.ts';
import { TIMEFRAME_MS } from '../core/market/timeframe.ts';
import { type Neighbour, type Quarantined, sift } from './sift.ts';
import type { CandleSource } from './source.ts';
import type { DatasetKey } from './store/store.ts';
import { subtractRanges, type TimeRange, unionRanges } from './time-range.ts';

/** What one step of a download has brought. */
export interface Download {
  readonly candles: Candles;
  /** Times that are settled: a bar missing inside does not exist at the source. */
  readonly covered: readonly TimeRange[];
  /** Bars that came twice and cannot be. */
  readonly quarantined: readonly Quarantined[];
  /** Up to here the source has been asked. */
  readonly untilMs: number;
}

/** A bar that is missing right after its close may still be on its way. */
const SETTLE_MS = 300_000;

/**
 * The bars of `range`, page by page. What an answer lacks, or has wrong, is asked for a second time together with
 * the bars beside it, and only when those come again, and nothing between, does it count as answered: an empty or
 * malformed page never becomes a hole that nobody asks for again.
 */
export async function* download(
  source: CandleSource,
  options: {
    readonly key: DatasetKey;
    readonly range: TimeRange;
    /** The nearest stored bars on both sides of the range. */
    readonly before: Neighbour | undefined;
    readonly after: Neighbour | undefined;
    /** Between the stored bar before and the range nothing was found earlier. */
    readonly emptyBefore: boolean;
    readonly clockMs: number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<Download> {
  const { key, range, clockMs, signal } = options;
  const { symbol, timeframe } = key;
  const step = TIMEFRAME_MS[timeframe];
  const settledMs = Math.floor((clockMs - SETTLE_MS) / step) * step;
  const ask = (asked: TimeRange) =>
    source.pages({ symbol, timeframe, signal, sinceMs: asked.fromMs, untilMs: asked.untilMs });

  /** Asks for `doubtful` again, with the bar before and the bar after it where there are such. */
  const askAgain = async (doubtful: readonly TimeRange[], known: ReadonlySet<number>): Promise<Download> => {
    const [first, last] = [doubtful[0].fromMs, doubtful[doubtful.length - 1].untilMs];
    const asked = {
      fromMs: known.has(first - step) ? first - step : first,
      untilMs: known.has(last) ? last + step : last,
    };
    // Where the answer begins with a known bar, that one is the measure of the others.
    const earlier = known.has(asked.fromMs) ? undefined : options.before;
    const found: Candles[] = [];
    const answered: TimeRange[] = [];
    const quarantined: Quarantined[] = [];
    for await (const page of ask(asked)) {
      const sifted = sift(page.candles, { timeframe, before: earlier, after: options.after });
      found.push(sifted.good);
      quarantined.push(...sifted.quarantined);
      answered.push(page.covered);
      signal.throwIfAborted();
    }
    const times = new Set(found.flatMap(({ time }) => [...time]));
    const bad = quarantined.map(({ timeMs }) => barRange(timeMs, step));
    const silent = subtractRanges({ fromMs: -Infinity, untilMs: Infinity }, answered);
    const covered = doubtful
      .filter(({ fromMs, untilMs }) => {
        const beside = [fromMs - step, untilMs].filter((timeMs) => known.has(timeMs));
        return beside.length > 0 && beside.every((timeMs) => times.has(timeMs));
      })
      .flatMap((hole) => subtractRanges(hole, [...bad, ...silent]));
    const within = (timeMs: number): boolean =>
      doubtful.some(({ fromMs, untilMs }) => fromMs <= timeMs && timeMs < untilMs);
    return {
      candles: pickTimes(found, within),
      covered,
      quarantined: quarantined.filter(({ timeMs }) => within(timeMs)),
      untilMs: last,
    };
  };

  let before = options.before;
  /** Asked for and answered with nothing, up to here. */
  let empty: readonly TimeRange[] =
    before !== undefined && options.emptyBefore
      ? [{ fromMs: before.timeMs + step, untilMs: range.fromMs }]
      : [];
  const asIs = empty;
  let rejected: readonly TimeRange[] = [];
  for await (const page of ask(range)) {
    const { good, quarantined } = sift(page.candles, { timeframe, before, after: options.after });
    const bad = quarantined.map(({ timeMs }) => barRange(timeMs, step));
    rejected = [...rejected, ...bad];
    const lastMs = good.time.at(-1);
    const settledUntilMs = Math.max(settledMs, lastMs === undefined ? -Infinity : lastMs + step);
    const answered = {
      fromMs: Math.ceil(page.covered.fromMs / step) * step,
      untilMs: Math.floor(Math.min(page.covered.untilMs, settledUntilMs) / step) * step,
    };
    const doubtful = unionRanges([...empty, answered, ...bad]).flatMap((part) =>
      subtractRanges(part, barRuns(good, step)),
    );
    // What lies behind the last bar waits for the bar after it, which the next page may hold.
    const closed = doubtful.filter(({ fromMs }) => lastMs !== undefined && fromMs < lastMs);
    empty = doubtful.filter((part) => !closed.includes(part));
    yield {
      candles: good,
      covered: subtractRanges(answered, doubtful),
      quarantined: [],
      untilMs: page.covered.untilMs,
    };
    if (closed.length > 0) {
      yield await askAgain(closed, new Set([...good.time, ...timesOf(before), ...timesOf(options.after)]));
    }
    if (lastMs !== undefined) before = { timeMs: lastMs, price: good.close[good.time.length - 1] };
  }
  const known = new Set([...timesOf(before), ...timesOf(options.after)]);
  const rest = empty.flatMap((part) => subtractRanges(part, asIs));
  const again = rest.filter(
    (part) =>
      known.size === 0 ||
      known.has(part.fromMs - step) ||
      known.has(part.untilMs) ||
      rejected.some(({ fromMs }) => fromMs >= part.fromMs && fromMs < part.untilMs),
  );
  if (again.length > 0) yield await askAgain(again, known);
  // Behind an end that was confirmed before there is nothing new; a bar that comes there one day asks for all of it.
  const covered = asIs.length > 0 ? rest.filter((part) => !again.includes(part)) : [];
  yield { candles: emptyCandles(0), covered, quarantined: [], untilMs: range.untilMs };
}

/** The place of a bar on the grid, also of one that is not on it. */
function barRange(timeMs: number, step: number): TimeRange {
  const fromMs = Math.floor(timeMs / step) * step;
  return { fromMs, untilMs: fromMs + step };
}

const timesOf = (bar: Neighbour | undefined): readonly number[] => (bar === undefined ? [] : [bar.timeMs]);

/** Unbroken runs of bars. */
function barRuns({ time }: Candles, step: number): readonly TimeRange[] {
  const runs: TimeRange[] = [];
  for (let row = 0; row < time.length;) {
    const first = row++;
    while (row < time.length && time[row] === time[row - 1] + step) row++;
    runs.push({ fromMs: time[first], untilMs: time[row - 1] + step });
  }
  return runs;
}

function pickTimes(parts: readonly Candles[], wanted: (timeMs: number) => boolean): Candles {
  const all = concatCandles(parts);
  const rows = [...all.time.keys()].filter((row) => wanted(all.time[row]));
  const picked = emptyCandles(rows.length);
  for (const column of CANDLE_COLUMNS) picked[column].set(rows.map((row) => all[column][row]));
  return picked;
}
