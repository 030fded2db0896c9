import { createRandom } from '../../core/foundation/random.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { SourceUnavailable } from '../../data/source.ts';
import { createHints, type Hints } from '../session/hints.ts';
import { type Control, heed } from './controls.ts';
import { pauseUntilDue } from './due.ts';
import type { BarFeed, Said } from './feed.ts';
import { catchUp } from './outlook.ts';
import type { BarRecord } from './record.ts';
import type { PaperSession } from './session.ts';

interface RunOptions {
  /** Longest pause between polls of the feed; a bar that is due is asked for sooner. */
  readonly intervalMs: number;
  /** Polls after which the run ends; `undefined`: goes on until the feed ends or `signal` aborts. */
  readonly maxCycles: number | undefined;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** What the exchange says unasked: the next poll comes at once. */
  readonly hints?: Hints;
  /** What was asked of the session from outside, read before each bar. */
  readonly control: () => Promise<Control | undefined>;
  /** A bar was processed and is on disk; `said`: what was predicted at its close. What it returns is waited for. */
  readonly onBar: (record: BarRecord, said: readonly Said[] | undefined) => Promise<void> | void;
  readonly onCycle: (cycle: Cycle) => void;
}

export interface Cycle {
  readonly number: number;
  readonly bars: number;
  readonly feed: FeedState;
}

type FeedState =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'stale'; readonly sinceMs: number; readonly reason: string; readonly retryInMs: number };

export interface RunSummary {
  readonly cycles: number;
  /** Polls that the feed answered. */
  readonly freshCycles: number;
  readonly barsProcessed: number;
  /** How the last poll ended. */
  readonly feed: FeedState;
}

const LONGEST_PAUSE_MS = 300_000;

/**
 * Polls the feed a moment after each bar closes, and once in `intervalMs` at least; every new closed bar goes through the
 * session in order and is on disk before the next one. A feed that cannot be reached is asked again with growing pauses. Returns early, without
 * throwing, when `signal` aborts: the bar that was being processed is finished first.
 */
export async function runPaper(
  session: PaperSession,
  feed: BarFeed,
  options: RunOptions,
): Promise<RunSummary> {
  const { signal, intervalMs, maxCycles = Infinity, hints = createHints() } = options;
  let cycles = 0;
  let freshCycles = 0;
  let barsProcessed = 0;
  let state: FeedState = { kind: 'fresh' };
  let failures = 0;
  let vain = 0;
  const random = createRandom(process.pid);
  while (!signal.aborted) {
    await session.assertSound();
    const before = barsProcessed;
    let ended = false;
    try {
      const look = await feed.look(session.last, signal);
      for (const { bar, decision, said } of look.bars) {
        if (signal.aborted) break;
        const heeded = heed(decision, await options.control());
        const caughtUp = heeded.decision === 'placed' ? catchUp(heeded, session.last) : heeded;
        const record = await session.process(bar, caughtUp, options.now());
        if (record === undefined) continue;
        barsProcessed++;
        await options.onBar(record, said);
      }
      ended = look.ended;
      failures = 0;
      freshCycles++;
      state = { kind: 'fresh' };
    } catch (error) {
      // Ctrl-C excuses a request that was cut off, never a bar that could not be written.
      await session.assertSound();
      if (signal.aborted) break;
      if (!(error instanceof SourceUnavailable)) throw error;
      state = stale(state, error.message, pauseMs(intervalMs, ++failures), options.now());
    }
    cycles++;
    options.onCycle({ number: cycles, bars: barsProcessed - before, feed: state });
    if (ended || cycles >= maxCycles) break;
    const nowMs = options.now();
    const lastMs = session.last?.timeMs;
    const barMs = TIMEFRAME_MS[session.session.timeframe];
    const isDue = lastMs !== undefined && nowMs >= lastMs + 2 * barMs;
    vain = isDue && barsProcessed === before ? vain + 1 : 0;
    const due = { intervalMs, lastMs, barMs, nowMs, vain: Math.max(0, vain - 1), random };
    await hints.pause(state.kind === 'stale' ? state.retryInMs : pauseUntilDue(due), signal);
  }
  return { cycles, freshCycles, barsProcessed, feed: state };
}

const pauseMs = (intervalMs: number, failures: number): number =>
  Math.max(intervalMs, Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** (failures - 1)));

const stale = (before: FeedState, reason: string, retryInMs: number, nowMs: number): FeedState => ({
  kind: 'stale',
  sinceMs: before.kind === 'stale' ? before.sinceMs : nowMs,
  reason,
  retryInMs,
});
