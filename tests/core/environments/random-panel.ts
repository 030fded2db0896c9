import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';

const HOUR_MS = 3_600_000;

/**
 * Hourly random walks of two symbols. Their features: the last bar's return, and, with `leak`, the sign of the return
 * from the next open to the close after it, which nobody can know.
 */
export function randomPanel(options: {
  readonly rows: number;
  readonly seed: number;
  readonly leak?: boolean;
  readonly volatility?: number;
}): Panel {
  const { rows, seed, leak = false, volatility = 0.01 } = options;
  const random = createRandom(seed);
  const series = (['BTC/USDT', 'ETH/USDT'] as const).map((symbol) => {
    const candles = emptyCandles(rows);
    let last = 100;
    for (let row = 0; row < rows; row++) {
      const close = last * Math.exp(volatility * normal(random));
      candles.time[row] = row * HOUR_MS;
      candles.open[row] = last;
      candles.close[row] = close;
      candles.high[row] = Math.max(last, close) * 1.001;
      candles.low[row] = Math.min(last, close) * 0.999;
      candles.volume[row] = 1000;
      last = close;
    }
    const { open, close } = candles;
    const past = close.map((price, row) => (row === 0 ? NaN : price / close[row - 1] - 1));
    const future = close.map((_, row) => (row + 1 < rows ? Math.sign(close[row + 1] - open[row + 1]) : NaN));
    return {
      symbol,
      candles,
      features: {
        names: leak ? ['return', 'future'] : ['return'],
        columns: leak ? [past, future] : [past],
      },
    };
  });
  return { timeframe: '1h', series };
}
