/** After the close, by our clock: exchanges need a moment, and of many sessions not all should ask in the same. */
const SETTLES_MS = 150;
const JITTER_MS = 350;
const FIRST_RETRY_MS = 500;

/**
 * How long to wait for the next poll, at most `intervalMs`: until a moment after the next bar closes; where that has passed, with
 * pauses that double, because the bar is about to be published.
 */
export function pauseUntilDue(of: {
  readonly intervalMs: number;
  /** Open of the last bar that was processed. */
  readonly lastMs: number | undefined;
  readonly barMs: number;
  readonly nowMs: number;
  /** Polls since the bar was due that brought none. */
  readonly vain: number;
  readonly random: () => number;
}): number {
  const { intervalMs, lastMs, barMs, nowMs, vain, random } = of;
  if (lastMs === undefined) return intervalMs;
  const dueMs = lastMs + 2 * barMs;
  const waitMs =
    nowMs < dueMs
      ? dueMs - nowMs + SETTLES_MS + JITTER_MS * random()
      : FIRST_RETRY_MS * 2 ** Math.min(vain, 20);
  return Math.min(intervalMs, waitMs);
}
