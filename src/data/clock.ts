import { duration } from '../core/foundation/duration.ts';
import type { Log } from '../core/foundation/log.ts';
import type { CandleSource } from './source.ts';

const CLOCK_TOLERANCE_MS = 60_000;

/** Sources of which it was said already that their clock is another. */
const told = new WeakSet<CandleSource>();

/**
 * The source's clock, but never more than a minute ahead of ours: with either clock wrong, an unfinished bar
 * must not pass for a closed one. Says once per source that the two are apart.
 */
export async function trustedClock(
  source: CandleSource,
  { signal, log, now }: { readonly signal: AbortSignal; readonly log: Log; readonly now: () => number },
): Promise<number> {
  const sourceMs = await source.clockMs(signal);
  const ownMs = now();
  const aheadMs = sourceMs - ownMs;
  if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS && !told.has(source)) {
    told.add(source);
    const apart = `${duration(Math.abs(aheadMs) / 1000)} ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
    log.warn(
      { aheadMs },
      `The clock of ${source.name} is ${apart} this machine's. Bars count as closed by the earlier of the two; if this machine's is wrong, synchronise it (NTP).`,
    );
  }
  return Math.min(sourceMs, ownMs + CLOCK_TOLERANCE_MS);
}
