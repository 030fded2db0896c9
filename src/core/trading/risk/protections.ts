import type { Trade } from '../events.ts';
import type { PairSymbol } from '../../market/symbol.ts';
import type { Protection } from './rules.ts';

/** What the protections remember of a closed trade. Times are opens of bars, epoch ms. */
export type ClosedTrade = Pick<Trade, 'symbol' | 'side' | 'exit' | 'exitTime' | 'profitPct'>;

/**
 * The first protection that forbids opening `symbol` on `side` at the open of the bar of `entryTime`, when the bar before it,
 * `barMs` earlier, was the last one seen. As in freqtrade, trades count that were closed less than `lookbackBars`
 * before that bar, and an entry is locked up to and including `stopBars` bars behind the last of them.
 */
export function lockedBy(
  protections: readonly Protection[],
  trades: readonly ClosedTrade[],
  {
    symbol,
    side,
    entryTime,
    barMs,
  }: {
    readonly symbol: PairSymbol;
    readonly side: 'long' | 'short';
    readonly entryTime: number;
    readonly barMs: number;
  },
): Protection | undefined {
  return protections.find((protection) => {
    // A lock outlives the look-back window: what set it is judged as of every bar since, up to the last one.
    const causes = causesOf(protection, trades, { symbol, side, barMs, nowTime: entryTime - barMs });
    return causes !== undefined && entryTime <= causes + protection.stopBars * barMs;
  });
}

/** How far back, in bars, a closed trade can still matter to any of them. */
export const memoryBars = (protections: readonly Protection[]): number =>
  Math.max(
    0,
    ...protections.map((one) => (one.kind === 'cooldown' ? 0 : one.lookbackBars) + one.stopBars + 1),
  );

/** When the last trade was closed of the newest group of trades that met the protection's condition. */
function causesOf(
  protection: Protection,
  trades: readonly ClosedTrade[],
  {
    symbol,
    side,
    barMs,
    nowTime,
  }: {
    readonly symbol: PairSymbol;
    readonly side: 'long' | 'short';
    readonly barMs: number;
    readonly nowTime: number;
  },
): number | undefined {
  const concerned = trades.filter((trade) => concerns(protection, trade, symbol, side));
  if (protection.kind === 'cooldown') return concerned.at(-1)?.exitTime;
  // Conditions can only begin to hold when a trade is closed, so each closing is a moment to judge them at.
  for (let last = concerned.length - 1; last >= 0; last--) {
    const closedAt = concerned[last].exitTime;
    if (closedAt > nowTime || (last + 1 < concerned.length && concerned[last + 1].exitTime === closedAt))
      continue;
    const since = closedAt - protection.lookbackBars * barMs;
    const group = concerned.slice(0, last + 1).filter(({ exitTime }) => exitTime > since);
    if (group.length >= protection.tradeLimit && breached(protection, group)) return closedAt;
  }
  return undefined;
}

function concerns(
  protection: Protection,
  trade: ClosedTrade,
  symbol: PairSymbol,
  side: 'long' | 'short',
): boolean {
  switch (protection.kind) {
    case 'cooldown':
    case 'low-profit':
      return trade.symbol === symbol;
    case 'max-drawdown':
      return true;
    case 'stop-loss-guard':
      return (
        (trade.exit === 'stop-loss' || trade.exit === 'trailing-stop') &&
        trade.profitPct < protection.requiredProfitPct &&
        (!protection.onlyPerSymbol || trade.symbol === symbol) &&
        (!protection.onlyPerSide || trade.side === side)
      );
  }
}

function breached(
  protection: Exclude<Protection, { kind: 'cooldown' }>,
  group: readonly ClosedTrade[],
): boolean {
  switch (protection.kind) {
    case 'stop-loss-guard':
      return true;
    case 'low-profit':
      return group.reduce((sum, { profitPct }) => sum + profitPct, 0) < protection.requiredProfitPct;
    case 'max-drawdown': {
      let [sum, peak, deepest] = [0, 0, 0];
      for (const { profitPct } of group) {
        sum += profitPct;
        peak = Math.max(peak, sum);
        deepest = Math.max(deepest, peak - sum);
      }
      return deepest > protection.maxDrawdownPct;
    }
  }
}
