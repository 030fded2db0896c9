import { createRandom } from '../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../src/core/market/candles.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../src/core/market/timeframe.ts';

/** A seeded random walk in cents, for tests that need candles but not real ones. */
export function walk(
  rows: number,
  options: { startMs: number; timeframe?: Timeframe; seed?: number },
): Candles {
  const { startMs, timeframe = '1h', seed = 1 } = options;
  const random = createRandom(seed);
  const candles = emptyCandles(rows);
  const cents = (value: number): number => Math.round(value * 100) / 100;
  let price = 100;
  for (let row = 0; row < rows; row++) {
    const open = price;
    const close = cents(open * (1 + (random() - 0.5) * 0.02));
    candles.time[row] = startMs + row * TIMEFRAME_MS[timeframe];
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = cents(Math.max(open, close) * (1 + random() * 0.005));
    candles.low[row] = cents(Math.min(open, close) * (1 - random() * 0.005));
    candles.volume[row] = cents(random() * 1000);
    price = close;
  }
  return candles;
}

/** The rows for which `keep` says yes. */
export function pick(candles: Candles, keep: (row: number) => boolean): Candles {
  const rows = [...candles.time.keys()].filter(keep);
  const column = (values: Float64Array): Float64Array => Float64Array.from(rows, (row) => values[row]);
  return {
    time: column(candles.time),
    open: column(candles.open),
    high: column(candles.high),
    low: column(candles.low),
    close: column(candles.close),
    volume: column(candles.volume),
  };
}
