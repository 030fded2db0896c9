import type { Log } from '../../core/foundation/log.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { ExchangeClient } from '../../data/exchange/client.ts';
import type { Hints } from '../../desk/session/hints.ts';

/**
 * Wakes a session, once a bar, when the exchange tells that a bar has closed which is not on record yet. Without such messages the session
 * polls as before. Returns when `signal` aborts; never throws.
 */
export async function listenForBars(
  client: ExchangeClient,
  of: {
    readonly symbols: readonly PairSymbol[];
    readonly timeframe: Timeframe;
    /** Open of the last bar on record. */
    readonly lastMs: () => number | undefined;
    readonly hints: Hints;
    readonly now: () => number;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  const { timeframe, lastMs, hints, log } = of;
  await client.listen?.(
    of,
    {
      now: of.now,
      onBar: (openMs) => {
        if ((lastMs() ?? -Infinity) < openMs - TIMEFRAME_MS[timeframe]) hints.hear();
      },
      onFault: (fault) =>
        log.info(
          { timeframe },
          fault === undefined ? 'candles are heard again' : `candles are not heard, and polled: ${fault}`,
        ),
    },
    signal,
  );
}
