import { formatTime } from '../core/foundation/time.ts';
import { UserError } from '../core/foundation/errors.ts';
import type { Log } from '../core/foundation/log.ts';
import { CANDLE_COLUMNS, type Candles, concatCandles, emptyCandles } from '../core/market/candles.ts';
import { barOpen, TIMEFRAME_MS } from '../core/market/timeframe.ts';
import { trustedClock } from './clock.ts';
import { download } from './download.ts';
import type { Neighbour, Quarantined } from './sift.ts';
import type { CandleSource } from './source.ts';
import { barAfter, barBefore, missingRanges } from './store/dataset.ts';
import type { DatasetKey, DatasetManifest, Store } from './store/store.ts';
import { subtractRanges, type TimeRange } from './time-range.ts';

export interface UpdateRequest {
  readonly store: Store;
  readonly key: DatasetKey;
  /** First bar wanted. */
  readonly sinceMs: number;
  /** Bars that open at or after this time are not wanted; unfinished bars never are. */
  readonly untilMs: number;
  /** Called only when something is missing. */
  readonly openSource: () => Promise<CandleSource>;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Ask again for the bars that the source did not have the last time. */
  readonly askGapsAgain?: boolean;
  /** Bars with impossible prices become gaps for good, and are not asked for again. */
  readonly skipBadBars?: boolean;
  /** Called after every page with the bars' worth of time asked for so far. */
  readonly onProgress?: (doneBars: number, totalBars: number) => void;
  /** This machine's clock. */
  readonly now?: () => number;
}

export interface UpdateResult {
  readonly manifest: DatasetManifest;
  readonly addedRows: number;
  /** Bars that became gaps for good, under `skipBadBars`. */
  readonly skippedBars: number;
  /** Bars that the source has wrong, and how: left out, and asked for again by the next update. */
  readonly quarantined: readonly Quarantined[];
  /** Whether the source was asked for anything. */
  readonly asked: boolean;
}

/**
 * Brings a dataset up to date over a range: asks the source for exactly what is missing, before the first
 * bar, after the last one and in gaps, and stores it in durable steps. Killed at any moment, the next call
 * continues where it stopped. What the source does not have becomes a recorded gap; no bar is invented.
 * A bar that cannot be is left out, with its reason, until the source sends a better one. Throws `UserError` when the
 * source has nothing at all or cannot be reached.
 */
export async function updateDataset(request: UpdateRequest): Promise<UpdateResult> {
  const { store, key } = request;
  const step = TIMEFRAME_MS[key.timeframe];
  const before = await store.manifest(key);
  const wanted = { fromMs: ceilTo(request.sinceMs, step), untilMs: ceilTo(request.untilMs, step) };
  const askGapsAgain = request.askGapsAgain === true;
  let missing = missingRanges(before, wanted, { askGapsAgain });
  if (missing.length === 0 && before !== undefined) {
    return { manifest: before, addedRows: 0, skippedBars: 0, quarantined: [], asked: false };
  }

  const source = await request.openSource();
  const { signal, log, now = Date.now } = request;
  const clockMs = await trustedClock(source, { signal, log, now });
  const closed: TimeRange = { fromMs: -Infinity, untilMs: barOpen(clockMs, key.timeframe) };
  missing = missing.flatMap((range) =>
    subtractRanges(range, [{ fromMs: closed.untilMs, untilMs: Infinity }]),
  );
  const quarantined = await downloadRanges(request, source, { before, missing, clockMs });
  const manifest = await store.manifest(key);
  if (manifest === undefined) {
    throw new UserError(
      `${source.name} has no closed ${key.timeframe} bars of ${key.symbol} between ${formatTime(wanted.fromMs)} and ${formatTime(Math.min(wanted.untilMs, clockMs))}.`,
      { hint: 'Check --since and --until (UTC), the symbol, and how far back the source goes.' },
    );
  }
  return {
    manifest,
    addedRows: manifest.rows - (before?.rows ?? 0),
    skippedBars: request.skipBadBars === true ? quarantined.length : 0,
    quarantined,
    asked: missing.length > 0,
  };
}

/** Pages wait in memory for at most this many bars and this long before they are stored. */
const FLUSH_ROWS = 50_000;
const FLUSH_MS = 1_000;

async function downloadRanges(
  { store, key, signal, skipBadBars = false, onProgress, now = Date.now }: UpdateRequest,
  source: CandleSource,
  {
    before,
    missing,
    clockMs,
  }: {
    readonly before: DatasetManifest | undefined;
    readonly missing: readonly TimeRange[];
    readonly clockMs: number;
  },
): Promise<readonly Quarantined[]> {
  const step = TIMEFRAME_MS[key.timeframe];
  const totalBars = missing.reduce((total, range) => total + (range.untilMs - range.fromMs) / step, 0);
  let doneBars = 0;
  const quarantined: Quarantined[] = [];
  let pages: Candles[] = [];
  let covered: TimeRange[] = [];
  let rows = 0;
  let flushedMs = now();
  /** What is being stored while further pages arrive. */
  let storing: Promise<void> | undefined;

  const merge = async (candles: Candles, answered: readonly TimeRange[]): Promise<void> => {
    flushedMs = Infinity;
    await store.merge(key, candles, { source: source.name, synthetic: source.synthetic }, answered);
    flushedMs = now();
  };
  /** Begins to store what is there, once what came before is stored. */
  const flush = async (): Promise<void> => {
    await storing;
    if (rows === 0 && (covered.length === 0 || (await store.manifest(key)) === undefined)) return;
    storing = merge(sortedByTime(pages), covered);
    storing.catch(() => undefined); // told to who waits for it
    [pages, covered, rows] = [[], [], 0];
  };

  onProgress?.(doneBars, totalBars);
  try {
    for (const range of missing) {
      const beside = await neighbours(store, key, before, range);
      let askedUntilMs = range.fromMs;
      for await (const part of download(source, { key, range, ...beside, clockMs, signal })) {
        pages.push(part.candles);
        rows += part.candles.time.length;
        covered.push(...part.covered);
        quarantined.push(...part.quarantined);
        if (skipBadBars)
          covered.push(...part.quarantined.map(({ timeMs }) => ({ fromMs: timeMs, untilMs: timeMs + step })));
        doneBars += Math.max(0, part.untilMs - askedUntilMs) / step;
        askedUntilMs = Math.max(askedUntilMs, part.untilMs);
        onProgress?.(Math.min(doneBars, totalBars), totalBars);
        if (rows >= FLUSH_ROWS || now() - flushedMs >= FLUSH_MS) await flush();
        signal.throwIfAborted();
      }
    }
  } finally {
    await flush();
    await storing;
  }
  return quarantined;
}

const ceilTo = (timeMs: number, step: number): number => Math.ceil(timeMs / step) * step;

/** The nearest stored bars on both sides of `range`: what the bars in it are compared with. */
async function neighbours(
  store: Store,
  key: DatasetKey,
  manifest: DatasetManifest | undefined,
  range: TimeRange,
): Promise<{
  readonly before: Neighbour | undefined;
  readonly after: Neighbour | undefined;
  readonly emptyBefore: boolean;
}> {
  if (manifest === undefined) return { before: undefined, after: undefined, emptyBefore: false };
  const step = TIMEFRAME_MS[key.timeframe];
  const bar = async (timeMs: number | undefined, price: 'open' | 'close'): Promise<Neighbour | undefined> => {
    if (timeMs === undefined) return undefined;
    const candles = await store.read(key, { sinceMs: timeMs, untilMs: timeMs + step });
    return { timeMs, price: candles[price][0] };
  };
  const [beforeMs, afterMs] = [barBefore(manifest, range.fromMs), barAfter(manifest, range.untilMs)];
  const between = beforeMs === undefined ? undefined : { fromMs: beforeMs + step, untilMs: range.fromMs };
  return {
    before: await bar(beforeMs, 'close'),
    after: await bar(afterMs, 'open'),
    emptyBefore:
      between !== undefined &&
      between.fromMs < between.untilMs &&
      subtractRanges(between, manifest.covered).length === 0,
  };
}

/** Answers that came second lie before pages that came first. */
function sortedByTime(pages: readonly Candles[]): Candles {
  const parts = pages.filter(({ time }) => time.length > 0);
  const all = concatCandles(parts);
  const sorted = parts.every((part, i) => i === 0 || part.time[0] > (parts[i - 1].time.at(-1) ?? -Infinity));
  if (sorted) return all;
  const order = [...all.time.keys()].sort((a, b) => all.time[a] - all.time[b]);
  const candles = emptyCandles(order.length);
  for (const column of CANDLE_COLUMNS) candles[column].set(order.map((row) => all[column][row]));
  return candles;
}
