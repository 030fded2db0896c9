import { alignColumn, alignMarket, runBacktest, SPOT_RULES } from 'crypto-trader';
import { market } from './market.ts';

// Wanted at each close, filled at the next open: long above the average of a day, else flat.
const { series, timeframe } = market(['ma_spread_25_99']);
const aligned = alignMarket(
  series.map(({ candles }) => candles),
  timeframe,
);
const { equity, fills } = runBacktest({
  market: aligned,
  targets: series.map(({ features }, s) =>
    alignColumn(
      aligned,
      s,
      Float64Array.from(features.columns[0], (spread) => (Number.isNaN(spread) ? NaN : Number(spread > 0))),
    ),
  ),
  instruments: series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
  rules: { ...SPOT_RULES, maxPositionPct: 50 },
});

/** A metric of your own. Ulcer index: the root mean square of drawdowns, in percent (Martin & McCann 1989). */
function ulcerIndexPct(curve: Float64Array): number {
  let peak = -Infinity;
  const squares = curve.map((value) => (100 * (value / (peak = Math.max(peak, value)) - 1)) ** 2);
  return Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / squares.length);
}
process.stdout.write(
  `${fills.length} fills, ulcer index ${ulcerIndexPct(Float64Array.from(equity)).toFixed(1)} %\n`,
);
