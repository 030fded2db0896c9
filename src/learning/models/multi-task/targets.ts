import { labelledRows } from '../../../core/dataset/labels.ts';
import type { Panel, Series } from '../../../core/dataset/panel.ts';
import { quantileOfSorted } from '../../../core/evaluation/statistics.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Timeframe } from '../../../core/market/timeframe.ts';
import { LEAST_VOLATILITY, volatilityOf } from '../../learners/deep/inputs.ts';
import { scaledReturns, type Targets } from '../../learners/deep/targets.ts';

/** By which the classes of a target are numbered. */
export const DIRECTIONS = ['down', 'sideways', 'up'] as const;
export const REGIMES = ['bull', 'bear', 'ranging', 'high-vol'] as const;

export interface TargetRule {
  readonly horizonBars: number;
  readonly outlookBars: number;
  readonly highVolatilityPct: number;
  readonly rangingPct: number;
}

/** The numbers that follow a window, in this order. */
export const TARGETS = { scaledReturn: 0, logVolatility: 1, regime: 2 } as const;

/**
 * What the tasks learn: the scaled return over the horizon; over the outlook the logarithm of realised over known
 * volatility, which has no scale, and the regime. Where one of them is not known there is no target.
 */
export const multiTaskTargets = (rule: TargetRule): Targets => ({
  width: 3,
  horizonBars: Math.max(rule.horizonBars, rule.outlookBars),
  of({ series, timeframe }: Panel, trainUntilMs) {
    const labelled = series.map((one) => labelsOf(one, timeframe, rule, trainUntilMs));
    return {
      columns: labelled.map(({ columns }) => columns),
      fitted: Object.fromEntries(labelled.map(({ thresholds }, s) => [series[s].symbol, thresholds])),
    };
  },
});

function labelsOf(series: Series, timeframe: Timeframe, rule: TargetRule, trainUntilMs: number) {
  const { candles, symbol } = series;
  const known = volatilityOf(series);
  const trend = scaledReturns(series, timeframe, rule.outlookBars);
  const realised = realisedVolatility(candles.close, rule.outlookBars);
  const range = { timeframe, horizonBars: rule.outlookBars, fromMs: -Infinity, untilMs: trainUntilMs };
  const rows = labelledRows(candles, trend, range);
  const share = (of: (row: number) => number, pct: number): number => {
    const sorted = Float64Array.from(rows, of).sort();
    const value = quantileOfSorted(sorted, pct / 100);
    if (value !== undefined) return value;
    throw new UserError(`${symbol} has no ${rule.outlookBars} bars in a row to learn regimes from.`, {
      hint: 'Fetch more history, or lower models.multi-task.outlookBars.',
    });
  };
  const thresholds = {
    highVolatility: share((row) => realised[row], 100 - rule.highVolatilityPct),
    trendSigmas: share((row) => Math.abs(trend[row]), rule.rangingPct),
  };
  const columns = [
    scaledReturns(series, timeframe, rule.horizonBars),
    realised.map((value, row) => Math.log(value / known[row])),
    trend.map((value, row) => regimeOf(value, realised[row], thresholds)),
  ];
  return { columns, thresholds };
}

export interface RegimeThresholds {
  /** Of one bar's log return. */
  readonly highVolatility: number;
  /** Least size of the outlook's return, in standard deviations of it, for a bull or a bear. */
  readonly trendSigmas: number;
}

/** Index into `REGIMES`; `NaN` where trend or volatility is not known. */
export function regimeOf(trend: number, volatility: number, thresholds: RegimeThresholds): number {
  if (Number.isNaN(trend) || Number.isNaN(volatility)) return NaN;
  if (volatility > thresholds.highVolatility) return REGIMES.indexOf('high-vol');
  if (Math.abs(trend) <= thresholds.trendSigmas) return REGIMES.indexOf('ranging');
  return REGIMES.indexOf(trend > 0 ? 'bull' : 'bear');
}

/**
 * Root mean square of the log returns of the `bars` closes after each row, known when the last of them has closed;
 * `NaN` before. Across a missing bar the returns over the same bars are not known either, which leaves the row out.
 */
export function realisedVolatility(close: Float64Array, bars: number): Float64Array {
  return close.map((_, row) => {
    if (row + bars >= close.length) return NaN;
    let sum = 0;
    for (let at = row + 1; at <= row + bars; at++) sum += Math.log(close[at] / close[at - 1]) ** 2;
    return Math.max(Math.sqrt(sum / bars), LEAST_VOLATILITY);
  });
}
