import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { ForecastSource } from './sources.ts';

/** Stated quantiles of a return and what came, for some of the bars of a backtest. */
export interface ForecastFan {
  readonly model: string;
  readonly symbol: string;
  readonly horizonBars: number;
  readonly levels: readonly number[];
  /** Opens of the bars at whose close it was stated, epoch ms. */
  readonly time: readonly number[];
  /** `quantilesPct[i]` at `levels[i]`, row by row beside `time`. */
  readonly quantilesPct: readonly (readonly number[])[];
  /** The return from the next open over the horizon, where it lies in the range. */
  readonly outcomePct: readonly number[];
}

/** Of every member that states quantiles, evenly spread over the bars whose outcomes are known: `most` a symbol at most. */
export function forecastFans(
  { panel, range, members }: Pick<ForecastSource, 'panel' | 'range' | 'members'>,
  most = 240,
): readonly ForecastFan[] {
  return members.flatMap(({ id, forecasts }) =>
    forecasts.flatMap((forecast, s): ForecastFan[] => {
      const { quantiles, horizonBars } = forecast;
      if (quantiles === undefined) return [];
      const { symbol, candles } = panel.series[s];
      const outcomes = forwardReturns(candles, panel.timeframe, horizonBars);
      const rows: number[] = [];
      for (let row = lowerBound(candles.time, range.fromMs); row < candles.time.length; row++) {
        if (labelEndMs(candles.time[row], panel.timeframe, horizonBars) > range.untilMs) break;
        const known = quantiles.columns.every((column) => !Number.isNaN(column[row]));
        if (known && !Number.isNaN(outcomes[row])) rows.push(row);
      }
      if (rows.length < 2) return [];
      const step = Math.max(1, Math.ceil(rows.length / most));
      const shown = rows.filter((_, i) => i % step === 0);
      return [
        {
          model: id,
          symbol,
          horizonBars,
          levels: quantiles.levels,
          time: shown.map((row) => candles.time[row]),
          quantilesPct: quantiles.columns.map((column) => shown.map((row) => 100 * column[row])),
          outcomePct: shown.map((row) => 100 * outcomes[row]),
        },
      ];
    }),
  );
}
