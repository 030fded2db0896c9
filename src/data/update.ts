import { UserError } from '../core/foundation/errors.ts';
import type { Log } from '../core/foundation/log.ts';
import { type Candles, concatCandles, sliceCandles } from '../core/market/candles.ts';
import { barOpen, TIMEFRAME_MS } from '../core/market/timeframe.ts';
import { firstFault } from './candle-faults.ts';
import type { CandleSource } from './source.ts';
import { missingRanges } from './store/dataset.ts';
import { describeKey } from './store/manifest.ts';
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
  /** Leave out bars with impossible prices instead of stopping; they become gaps. */
  readonly skipBadBars?: boolean;
  /** Called after every page with the bars' worth of time asked for so far. */
  readonly onProgress?: (doneBars: number, totalBars: number) => void;
  /** This machine's clock. */
  readonly now?: () => number;
}

export interface UpdateResult {
  readonly manifest: DatasetManifest;
  readonly addedRows: number;
  readonly skippedBars: number;
  /** Whether the source was asked for anything. */
  readonly asked: boolean;
}

/**
 * Brings a dataset up to date over a range: asks the source for exactly what is missing, before the first
 * bar, after the last one and in gaps, and stores it in durable steps. Killed at any moment, the next call
 * continues where it stopped. What the source does not have becomes a recorded gap; no bar is invented.
 * Throws `UserError` when the source has nothing at all, sends impossible prices, or cannot be reached.
 */
export async function updateDataset(request: UpdateRequest): Promise<UpdateResult> {
  const { store, key } = request;
  const step = TIMEFRAME_MS[key.timeframe];
  const before = await store.manifest(key);
  const wanted = { fromMs: ceilTo(request.sinceMs, step), untilMs: ceilTo(request.untilMs, step) };
  const askGapsAgain = request.askGapsAgain === true;
  let missing = missingRanges(before, wanted, { askGapsAgain });
  if (missing.length === 0 && before !== undefined) {
    return { manifest: before, addedRows: 0, skippedBars: 0, asked: false };
  }

  const source = await request.openSource();
  const clockMs = await trustedClock(source, request);
  const closed: TimeRange = { fromMs: -Infinity, untilMs: barOpen(clockMs, key.timeframe) };
  missing = missing.flatMap((range) =>
    subtractRanges(range, [{ fromMs: closed.untilMs, untilMs: Infinity }]),
  );
  const download = await downloadRanges(request, source, { missing, clockMs });
  const manifest = await store.manifest(key);
  if (manifest === undefined) {
    throw new UserError(
      `${source.name} has no closed ${key.timeframe} bars of ${key.symbol} between ${iso(wanted.fromMs)} and ${iso(Math.min(wanted.untilMs, clockMs))}.`,
      { hint: 'Check --since and --until (UTC), the symbol, and how far back the source goes.' },
    );
  }
  return {
    manifest,
    addedRows: manifest.rows - (before?.rows ?? 0),
    skippedBars: download.skippedBars,
    asked: missing.length > 0,
  };
}

/** Pages wait in memory for at most this many bars and this long before they are stored. */
const FLUSH_ROWS = 50_000;
const FLUSH_MS = 1_000;

/** A bar that is missing right after its close may still be on its way: it is not taken for a gap yet. */
const SETTLE_MS = 300_000;

async function downloadRanges(
  { store, key, signal, log, skipBadBars = false, onProgress, now = Date.now }: UpdateRequest,
  source: CandleSource,
  { missing, clockMs }: { readonly missing: readonly TimeRange[]; readonly clockMs: number },
): Promise<{ readonly skippedBars: number }> {
  const step = TIMEFRAME_MS[key.timeframe];
  const totalBars = missing.reduce((total, range) => total + (range.untilMs - range.fromMs) / step, 0);
  let doneBars = 0;
  let skippedBars = 0;
  let pages: Candles[] = [];
  let covered: TimeRange[] = [];
  let rows = 0;
  let flushedMs = now();

  const flush = async (): Promise<void> => {
    if (rows === 0 && (covered.length === 0 || (await store.manifest(key)) === undefined)) return;
    const [candles, answered] = [concatCandles(pages), covered];
    [pages, covered, rows] = [[], [], 0];
    await store.merge(key, candles, { source: source.name, synthetic: source.synthetic }, answered);
    flushedMs = now();
  };

  onProgress?.(doneBars, totalBars);
  try {
    for (const range of missing) {
      const asked = { symbol: key.symbol, timeframe: key.timeframe, signal };
      for await (const page of source.pages({ ...asked, sinceMs: range.fromMs, untilMs: range.untilMs })) {
        const candles = checkPage(page.candles, { key, source, skipBadBars, log });
        skippedBars += page.candles.time.length - candles.time.length;
        pages.push(candles);
        rows += candles.time.length;
        covered.push(settled(page.covered, page.candles, { step, clockMs }));
        doneBars += Math.max(0, page.covered.untilMs - page.covered.fromMs) / step;
        onProgress?.(Math.min(doneBars, totalBars), totalBars);
        if (rows >= FLUSH_ROWS || now() - flushedMs >= FLUSH_MS) await flush();
        signal.throwIfAborted();
      }
    }
  } finally {
    await flush();
  }
  return { skippedBars };
}

/** What of an answer is final: all of it up to its last bar, beyond that only what is old enough. */
function settled(
  covered: TimeRange,
  candles: Candles,
  { step, clockMs }: { readonly step: number; readonly clockMs: number },
): TimeRange {
  const lastEnd = (candles.time.at(-1) ?? -Infinity) + step;
  return {
    fromMs: covered.fromMs,
    untilMs: Math.min(covered.untilMs, Math.max(lastEnd, clockMs - SETTLE_MS)),
  };
}

/** The page itself, or without its impossible bars when they are to be skipped. */
function checkPage(
  candles: Candles,
  options: {
    readonly key: DatasetKey;
    readonly source: CandleSource;
    readonly skipBadBars: boolean;
    readonly log: Log;
  },
): Candles {
  const good: Candles[] = [];
  let from = 0;
  for (;;) {
    const fault = firstFault(candles, options.key.timeframe, from);
    if (fault === undefined) break;
    const message = `${options.source.name} sent a bad bar of ${describeKey(options.key)}: ${fault.message}.`;
    if (!options.skipBadBars) {
      throw new UserError(message, {
        hint: 'Nothing of this page was stored. Try again later, or pass --skip-bad-bars to leave such bars out as gaps.',
      });
    }
    options.log.warn({ key: options.key }, `${message} Left out.`);
    good.push(sliceCandles(candles, from, fault.row));
    from = fault.row + 1;
  }
  return from === 0 ? candles : concatCandles([...good, sliceCandles(candles, from)]);
}

const CLOCK_TOLERANCE_MS = 60_000;

/**
 * The source's clock, but never more than a minute ahead of ours: with either clock wrong, an unfinished bar
 * must not pass for a closed one.
 */
async function trustedClock(source: CandleSource, { log, now = Date.now }: UpdateRequest): Promise<number> {
  const sourceMs = await source.clockMs();
  const aheadMs = sourceMs - now();
  if (Math.abs(aheadMs) <= CLOCK_TOLERANCE_MS) return sourceMs;
  const apart = `The clock of ${source.name} is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's.`;
  if (aheadMs < 0) {
    log.info({ aheadMs }, `${apart} Its clock decides which bars are closed.`);
    return sourceMs;
  }
  log.warn({ aheadMs }, `${apart} Bars count as closed by this machine's clock; set it if it is wrong.`);
  return now() + CLOCK_TOLERANCE_MS;
}

const ceilTo = (timeMs: number, step: number): number => Math.ceil(timeMs / step) * step;

const iso = (timeMs: number): string => new Date(timeMs).toISOString();
