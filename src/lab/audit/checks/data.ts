import { formatMinute } from '../../../core/foundation/time.ts';
import { failed, type Outcome, passed, skipped } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** A row of a series must not be known before what it describes has ended. */
export async function series({ series: all }: Subject): Promise<Outcome> {
  if (all.length === 0) return skipped('No feature reads anything but candles.');
  let rows = 0;
  for (const { name, rows: found, delayMs } of all) {
    const early = found.known.findIndex((known, i) => known < found.time[i] + delayMs);
    if (early >= 0)
      return failed(
        `"${name}" of ${formatMinute(found.time[early])} counts as known at ${formatMinute(found.known[early])}: it describes ${(delayMs / 3_600_000).toFixed(1)} h from its time on, and cannot be.`,
        name,
      );
    rows += found.known.length;
  }
  return passed('No row of a series is known before it can be.', `${rows} rows of ${all.length} series`);
}

/** Pairs that stopped trading on the way belong to what could be chosen at the beginning. */
export async function universe({ universe: stored, panel }: Subject): Promise<Outcome> {
  const own = panel.series.map(({ symbol }) => symbol as string);
  const firstMs = Math.min(...panel.series.map(({ candles }) => candles.time[0]));
  const lastMs = Math.max(...panel.series.map(({ candles }) => candles.time[candles.time.length - 1]));
  const tradable = stored.filter((one) => one.firstMs <= firstMs + DAY_MS);
  const gone = tradable.filter((one) => one.lastMs < lastMs - DAY_MS);
  const left = gone.filter(({ symbol }) => !own.includes(symbol));
  if (left.length > 0)
    return failed(
      `${left.map(({ symbol, lastMs: end }) => `${symbol} (until ${formatMinute(end)})`).join(', ')} could be traded when the history begins and ended on the way; the pairs here are those that survived.`,
      `${left.length} left out`,
    );
  return gone.length > 0
    ? passed('Pairs that ended on the way are among those that were traded.', `${gone.length} ended`)
    : skipped(
        'No stored pair ended within this history: whether these were chosen because they survived cannot be seen here.',
      );
}

const DAY_MS = 86_400_000;
