import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';

/** A seeded random walk of valid candles with quiet bars: some without volume, some without a range. */
export function randomCandles(rows: number, seed: number, timeframe: Timeframe = '1h'): Candles {
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  let close = 100 * (1 + random());
  for (let row = 0; row < rows; row++) {
    const open = close * (1 + 0.001 * normal(random));
    close = open * Math.exp(0.01 * normal(random));
    if (random() < 0.05) close = open;
    const quiet = random() < 0.03;
    candles.time[row] = Date.UTC(2024, 1, 15) + row * TIMEFRAME_MS[timeframe];
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close) * (quiet ? 1 : 1 + 0.004 * random());
    candles.low[row] = Math.min(open, close) * (quiet ? 1 : 1 - 0.004 * random());
    candles.volume[row] = random() < 0.05 ? 0 : 1000 * random() ** 2;
  }
  return candles;
}
