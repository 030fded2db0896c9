import { formatMinute } from '../foundation/time.ts';
import type { PairSymbol } from './symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from './timeframe.ts';

/** A history that ends before others of its market do: the pair was delisted or halted, or was not fetched since. */
export interface EndedHistory {
  readonly symbol: PairSymbol;
  /** Open time of its last bar. */
  readonly lastTimeMs: number;
  /** How many bars of its timeframe it lies behind the newest. */
  readonly barsBehind: number;
}

/** The histories whose last bar opened before `newestMs`, the open time of the newest bar there should be. */
export const endedHistories = (
  histories: readonly { readonly symbol: PairSymbol; readonly lastTimeMs: number }[],
  timeframe: Timeframe,
  newestMs = Math.max(...histories.map(({ lastTimeMs }) => lastTimeMs)),
): readonly EndedHistory[] =>
  histories.flatMap(({ symbol, lastTimeMs }) => {
    const barsBehind = Math.floor((newestMs - lastTimeMs) / TIMEFRAME_MS[timeframe]);
    return barsBehind > 0 ? [{ symbol, lastTimeMs, barsBehind }] : [];
  });

/** `DEAD/USDT: its last bar is that of 2024-02-02 11:00, 120 bars before the newest`. */
export const endText = ({ symbol, lastTimeMs, barsBehind }: EndedHistory): string =>
  `${symbol}: its last bar is that of ${formatMinute(lastTimeMs)}, ${barsBehind} ${barsBehind === 1 ? 'bar' : 'bars'} before the newest`;
