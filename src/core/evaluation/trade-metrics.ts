import type { Trade } from '../trading/events.ts';
import { deviation, mean } from '../foundation/moments.ts';

/** Figures of closed round trips. `undefined` where a figure is not defined (no trade, no loss, ...). */
export interface TradeMetrics {
  readonly tradeCount: number;
  readonly winRatePct: number | undefined;
  readonly profitFactor: number | undefined;
  readonly expectancyQuote: number | undefined;
  readonly averageTradePct: number | undefined;
  readonly bestTradePct: number | undefined;
  readonly worstTradePct: number | undefined;
  readonly payoffRatio: number | undefined;
  readonly systemQualityNumber: number | undefined;
  readonly kellyPct: number | undefined;
  readonly averageTradeHours: number | undefined;
  readonly longestWinStreak: number;
  readonly longestLossStreak: number;
}

export function tradeMetrics(trades: readonly Trade[]): TradeMetrics {
  const profits = Float64Array.from(trades, (trade) => trade.profitQuote);
  const percents = Float64Array.from(trades, (trade) => trade.profitPct);
  const wins = profits.filter((profit) => profit > 0);
  const losses = profits.filter((profit) => profit < 0);
  const winShare = ratio(wins.length, trades.length);
  const payoffRatio = ratio(mean(wins), negated(mean(losses)));
  const expectancyQuote = mean(profits);
  const quality = ratio(expectancyQuote, deviation(profits));
  return {
    tradeCount: trades.length,
    winRatePct: winShare === undefined ? undefined : 100 * winShare,
    profitFactor: ratio(sum(wins), negated(losses.length > 0 ? sum(losses) : undefined)),
    expectancyQuote,
    averageTradePct: mean(percents),
    bestTradePct: percents.length > 0 ? percents.reduce((a, b) => Math.max(a, b)) : undefined,
    worstTradePct: percents.length > 0 ? percents.reduce((a, b) => Math.min(a, b)) : undefined,
    payoffRatio,
    systemQualityNumber: quality === undefined ? undefined : quality * Math.sqrt(trades.length),
    kellyPct:
      winShare === undefined || payoffRatio === undefined
        ? undefined
        : 100 * (winShare - (1 - winShare) / payoffRatio),
    averageTradeHours: mean(
      Float64Array.from(trades, (trade) => (trade.exitTime - trade.entryTime) / 3_600_000),
    ),
    longestWinStreak: longestStreak(profits, (profit) => profit > 0),
    longestLossStreak: longestStreak(profits, (profit) => profit < 0),
  };
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const negated = (value: number | undefined): number | undefined => (value === undefined ? undefined : -value);
const ratio = (above: number | undefined, below: number | undefined): number | undefined =>
  above === undefined || !below ? undefined : above / below;

function longestStreak(profits: Float64Array, counts: (profit: number) => boolean): number {
  let longest = 0;
  let current = 0;
  for (const profit of profits) {
    current = counts(profit) ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}
