import type { Panel } from '../../core/dataset/panel.ts';
import { computeFeatures } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import { createRandom, deriveSeed, normal } from '../../core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';

export const HOUR_MS = 3_600_000;
/** Bars that a fit is given. */
export const BARS = 1500;
/** The first of them that is for validation only. */
export const TRAIN_UNTIL = 1100;

/**
 * Hourly random walks, the same for everybody: two symbols that hang together, so that pair models find their pair,
 * and one that does not. `name` draws the bars from row `fromRow` on: markets that differ in it only are equal to the
 * bit before that row, and the open of that row is the same too, because a label of the bars before may end there.
 */
export function lawMarket(
  { fromRow, name }: { readonly fromRow: number; readonly name: string } = { fromRow: BARS, name: 'law' },
  rows = BARS,
): readonly { readonly symbol: PairSymbol; readonly candles: Candles }[] {
  const draws = (what: string): Float64Array => {
    const known = createRandom(deriveSeed(11, what));
    const other = createRandom(deriveSeed(11, `${what} of ${name}`));
    const column = new Float64Array(rows).map(() => normal(known));
    const ending = new Float64Array(rows).map(() => normal(other));
    return column.map((value, row) => (row < fromRow ? value : ending[row]));
  };
  const common = summed(draws('common'), 0.008);
  let gap = 0;
  const gaps = draws('gap').map((value) => (gap = 0.9 * gap + 0.004 * value));
  const tied = common.map((value, row) => 0.9 * value + (row === 0 ? 0 : gaps[row - 1]));
  return [
    { symbol: 'BTC/USDT', candles: candlesAlong(common, draws('BTC range'), draws('BTC volume')) },
    { symbol: 'ETH/USDT', candles: candlesAlong(tied, draws('ETH range'), draws('ETH volume')) },
    {
      symbol: 'SOL/USDT',
      candles: candlesAlong(summed(draws('SOL'), 0.012), draws('SOL range'), draws('SOL volume')),
    },
  ];
}

/** The market with the features `names`, each computed from its own candles. */
export const lawPanel = (
  market: ReturnType<typeof lawMarket>,
  names: readonly string[],
  known?: readonly Feature[],
): Panel => ({
  timeframe: '1h',
  series: market.map(({ symbol, candles }) => ({
    symbol,
    candles,
    features: computeFeatures(names, candles, '1h', {}, known),
  })),
});

/** Log prices, one more than steps: where each bar opens, and where the last one closes. */
function summed(steps: Float64Array, deviation: number): Float64Array {
  const path = new Float64Array(steps.length + 1).fill(Math.log(100));
  steps.forEach((step, row) => (path[row + 1] = path[row] + deviation * step));
  return path;
}

function candlesAlong(path: Float64Array, range: Float64Array, volume: Float64Array): Candles {
  const candles = emptyCandles(range.length);
  for (let row = 0; row < range.length; row++) {
    const [open, close] = [Math.exp(path[row]), Math.exp(path[row + 1])];
    const wick = 0.002 * Math.abs(range[row]);
    candles.time[row] = row * HOUR_MS;
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close) * (1 + wick);
    candles.low[row] = Math.min(open, close) * (1 - wick);
    candles.volume[row] = 60 * Math.exp(0.5 * volume[row]);
  }
  return candles;
}
