import { type Candles, concatCandles, emptyCandles, sliceCandles } from '../../core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Member } from '../../core/portfolio/universe.ts';
import { type AlignedMarket, alignMarket } from '../../core/trading/align.ts';

/**
 * Candles of the members on one clock, with what their dates say. From its delisting on a member has no bars but one: the bar on
 * which whoever still holds it is paid out, at the last close less the haircut.
 */
export function marketOf(
  members: readonly Member[],
  candles: readonly Candles[],
  timeframe: Timeframe,
): AlignedMarket {
  const barMs = TIMEFRAME_MS[timeframe];
  return alignMarket(
    candles.map((own, i) => withPayout(own, members[i], barMs)),
    timeframe,
  );
}

function withPayout(candles: Candles, { delistedMs, haircutPct }: Member, barMs: number): Candles {
  if (delistedMs === undefined) return candles;
  let rows = candles.time.length;
  while (rows > 0 && candles.time[rows - 1] >= delistedMs) rows--;
  if (rows === 0) return candles;
  const payout = emptyCandles(1);
  payout.time[0] = candles.time[rows - 1] + barMs;
  const price = candles.close[rows - 1] * (1 - (haircutPct ?? 0) / 100);
  for (const column of ['open', 'high', 'low', 'close'] as const) payout[column][0] = price;
  const before = sliceCandles(candles, 0, rows);
  return concatCandles([before, payout]);
}
