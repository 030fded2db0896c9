import type { Panel } from '../../../src/core/dataset/panel.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { type Candles, emptyCandles, sliceCandles } from '../../../src/core/market/candles.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../../src/core/market/timeframe.ts';
import type { FittedModel, FitTask, Model } from '../../../src/core/forecast/model.ts';

export const START_MS = Date.UTC(2024, 1, 15);

/** Hourly candles whose closes are `closes`; each opens at the previous close. */
export function candlesOf(closes: readonly number[]): Candles {
  const candles = emptyCandles(closes.length);
  for (const [row, close] of closes.entries()) {
    const open = row === 0 ? close : closes[row - 1];
    candles.time[row] = START_MS + row * TIMEFRAME_MS['1h'];
    candles.open[row] = open;
    candles.close[row] = close;
    candles.high[row] = Math.max(open, close);
    candles.low[row] = Math.min(open, close);
    candles.volume[row] = 1;
  }
  return candles;
}

/** Log prices of a random walk. */
export function walk(rows: number, seed: number, deviation = 0.01): number[] {
  const random = createRandom(seed);
  let level = Math.log(100);
  return Array.from({ length: rows }, () => (level += deviation * normal(random)));
}

export function panelOf(closes: Readonly<Record<PairSymbol, readonly number[]>>): Panel {
  const series = Object.entries(closes).map(([symbol, prices]) => ({
    symbol: symbol as PairSymbol,
    candles: candlesOf(prices),
    features: { names: [], columns: [] },
  }));
  return { timeframe: '1h', series };
}

/** The first `rows` rows of every series. */
export const truncated = (panel: Panel, rows: number): Panel => ({
  ...panel,
  series: panel.series.map((one) => ({
    ...one,
    candles: sliceCandles(one.candles, 0, rows),
    features: { ...one.features, columns: one.features.columns.map((column) => column.subarray(0, rows)) },
  })),
});

/** Fits with parameters as a configuration file would state them, trained on the first `trainRows` bars. */
export async function fit<P>(
  model: Model<P>,
  panel: Panel,
  options: { trainRows: number; params?: object; seed?: number; task?: Partial<FitTask<P>> },
): Promise<FittedModel> {
  return model.fit({
    panel,
    params: model.params.parse(options.params ?? {}),
    trainUntilMs: START_MS + options.trainRows * TIMEFRAME_MS['1h'],
    seed: options.seed ?? 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...options.task,
  });
}
