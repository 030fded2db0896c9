import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import type { Forecast } from '../../../src/core/forecast/model.ts';

export const HOUR_MS = 3_600_000;

/** Hourly random walks of two symbols from time 0, without features. */
export function randomPanel(bars: number, seed: number): Panel {
  const random = createRandom(seed);
  const series = (['BTC/USDT', 'ETH/USDT'] as const).map((symbol) => {
    const candles = emptyCandles(bars);
    let last = 100;
    for (let row = 0; row < bars; row++) {
      const close = last * Math.exp(0.01 * normal(random));
      candles.time[row] = row * HOUR_MS;
      candles.open[row] = last;
      candles.close[row] = close;
      candles.high[row] = Math.max(last, close) * 1.002;
      candles.low[row] = Math.min(last, close) * 0.998;
      candles.volume[row] = 100;
      last = close;
    }
    return { symbol, candles, features: { names: [], columns: [] } };
  });
  return { timeframe: '1h', series };
}

/** The same rule for every symbol: position from the closes up to each row. */
export const forecastsOf = (panel: Panel, rule: (close: Float64Array, row: number) => number): Forecast[] =>
  panel.series.map(({ symbol, candles }) => {
    const position = candles.close.map((_, row) => rule(candles.close, row));
    return { symbol, horizonBars: 1, position, confidence: position.map(Math.abs) };
  });
