import { forwardReturns, labelledRows } from '../../core/dataset/labels.ts';
import type { FeatureColumn, Panel, Series } from '../../core/dataset/panel.ts';
import type { Fold } from '../../core/dataset/splits.ts';

export interface TestRows {
  /** The rows alone: the models asked here look at a row and no further. */
  readonly panel: Panel;
  readonly times: readonly Float64Array[];
  /** 1 where the return was positive, by symbol and row. */
  readonly up: readonly Uint8Array[];
}

/** The fold's rows with a return that ends inside it. */
export function testRows(panel: Panel, test: Fold['test'], horizonBars: number): TestRows {
  const parts = panel.series.map((series) => {
    const { candles } = series;
    const returns = forwardReturns(candles, panel.timeframe, horizonBars);
    const rows = labelledRows(candles, returns, { ...test, timeframe: panel.timeframe, horizonBars });
    return { series: pickRows(series, rows), up: Uint8Array.from(rows, (row) => (returns[row] > 0 ? 1 : 0)) };
  });
  return {
    panel: { timeframe: panel.timeframe, series: parts.map(({ series }) => series) },
    times: parts.map(({ series }) => series.candles.time),
    up: parts.map(({ up }) => up),
  };
}

function pickRows(series: Series, rows: Int32Array): Series {
  const pick = (column: FeatureColumn): Float64Array => Float64Array.from(rows, (row) => column[row]);
  const { time, open, high, low, close, volume } = series.candles;
  return {
    symbol: series.symbol,
    candles: {
      time: pick(time),
      open: pick(open),
      high: pick(high),
      low: pick(low),
      close: pick(close),
      volume: pick(volume),
    },
    features: { names: series.features.names, columns: series.features.columns.map(pick) },
  };
}

/** Values of several symbols at a time, as one series in order of time. */
export class LossByTime {
  private readonly sums = new Map<number, number>();
  private readonly rows = new Map<number, number>();

  add(times: Float64Array, values: Float64Array, weight: number): void {
    times.forEach((time, row) => {
      this.sums.set(time, (this.sums.get(time) ?? 0) + weight * values[row]);
      this.rows.set(time, (this.rows.get(time) ?? 0) + weight);
    });
  }

  means(): Float64Array {
    const times = Float64Array.from(this.sums.keys()).sort();
    return times.map((time) => (this.sums.get(time) ?? 0) / (this.rows.get(time) ?? 1));
  }
}
