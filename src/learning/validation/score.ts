import { z } from 'zod';
import { alignColumn, alignMarket } from '../../core/trading/align.ts';
import { runBacktest } from '../../core/trading/run.ts';
import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import { createRandom } from '../../core/foundation/random.ts';
import { finish, type Steps } from '../../core/foundation/steps.ts';
import { lowerBound, sliceCandles } from '../../core/market/candles.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { SPOT_RULES } from '../../core/trading/rules.ts';
import { directionInterval } from '../../core/evaluation/direction.ts';
import { rankCorrelation } from '../../core/evaluation/rank-correlation.ts';

/** How good forecasts were over a span of bars. Absent: not defined, for example no opinion was ever held. */
export const ForecastScore = z.strictObject({
  horizonBars: z.int().min(1),
  /** Bars, over all symbols, with a position other than 0 and a known return other than 0. */
  samples: z.int().min(0),
  /** Bars left out of the samples because the price did not move: no direction was right. Absent in older runs. */
  unmoved: z.int().min(0).optional(),
  /** How often the return from the next open over the horizon had the sign of the position. */
  directionalAccuracyPct: z.number().optional(),
  /** 95 % interval by a block bootstrap over time, all symbols of a time together. */
  directionalAccuracyIntervalPct: z.tuple([z.number(), z.number()]).optional(),
  /** Spearman's correlation of the expected return (the position where none is stated) with the return. */
  informationCoefficient: z.number().optional(),
  /** Spot, long only, capital shared equally by the symbols, after the stated costs; open positions at the close. */
  netReturnPct: z.number(),
  fills: z.int().min(0),
  feeBps: z.number(),
  slippageBps: z.number(),
});
export type ForecastScore = z.output<typeof ForecastScore>;

/** The same forecasts have the same interval, whatever the seed of the run. */
const BOOTSTRAP_SEED = 1;

export interface Costs {
  readonly feeBps: number;
  readonly slippageBps: number;
}

/** Scores one forecast a symbol, row by row beside the panel's candles, on the bars of `span`. */
export const scoreForecasts = (
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  costs: Costs,
): ForecastScore => finish(scoreSteps(panel, forecasts, span, costs));

/** The same in steps. */
export function* scoreSteps(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  costs: Costs,
): Steps<ForecastScore> {
  const { horizonBars } = forecasts[0];
  const signals: number[] = [];
  const returns: number[] = [];
  let samples = 0;
  let unmoved = 0;
  const tally = new Map<number, { hits: number; samples: number }>();
  panel.series.forEach(({ candles }, s) => {
    const { position, expectedReturn = position } = forecasts[s];
    const labels = forwardReturns(candles, panel.timeframe, horizonBars);
    for (let row = lowerBound(candles.time, span.fromMs); row < candles.time.length; row++) {
      if (labelEndMs(candles.time[row], panel.timeframe, horizonBars) > span.untilMs) break;
      if (Number.isNaN(labels[row]) || Number.isNaN(position[row])) continue;
      signals.push(expectedReturn[row]);
      returns.push(labels[row]);
      if (position[row] === 0) continue;
      if (labels[row] === 0) {
        unmoved++;
        continue;
      }
      samples++;
      const time = candles.time[row];
      const so = tally.get(time) ?? { hits: 0, samples: 0 };
      const hit = position[row] * labels[row] > 0 ? 1 : 0;
      tally.set(time, { hits: so.hits + hit, samples: so.samples + 1 });
    }
  });
  const hits = [...tally.values()].reduce((sum, one) => sum + one.hits, 0);
  yield;
  const interval = directionInterval(tally, horizonBars, createRandom(BOOTSTRAP_SEED));
  yield;
  const informationCoefficient = rankCorrelation(signals, returns);
  yield;
  return {
    horizonBars,
    samples,
    unmoved,
    ...(samples > 0 && {
      directionalAccuracyPct: (100 * hits) / samples,
      ...(interval !== undefined && { directionalAccuracyIntervalPct: interval }),
    }),
    ...(informationCoefficient !== undefined && { informationCoefficient }),
    ...netResult(panel, forecasts, span, costs),
    ...costs,
  };
}

/** What the positions earn through the execution core between the first and the last bar of `span`. */
function netResult(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  costs: Costs,
): { readonly netReturnPct: number; readonly fills: number } {
  const rows = panel.series.map(
    ({ candles }) => [lowerBound(candles.time, span.fromMs), lowerBound(candles.time, span.untilMs)] as const,
  );
  const market = alignMarket(
    panel.series.map(({ candles }, s) => sliceCandles(candles, ...rows[s])),
    panel.timeframe,
  );
  const rules = { ...SPOT_RULES, ...costs, maxPositionPct: 100 / panel.series.length };
  const { equity, fills } = runBacktest({
    market,
    targets: forecasts.map(({ position }, s) => alignColumn(market, s, position.subarray(...rows[s]))),
    instruments: panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
    rules,
  });
  const last = equity.at(-1) ?? rules.initialBalance;
  return { netReturnPct: 100 * (last / rules.initialBalance - 1), fills: fills.length };
}
