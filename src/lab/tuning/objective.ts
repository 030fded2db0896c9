import { forwardReturns } from '../../core/dataset/labels.ts';
import { type Panel, panelUntil, selectFeatures } from '../../core/dataset/panel.ts';
import type { Fold, Span } from '../../core/dataset/splits.ts';
import { logLoss } from '../../core/evaluation/calibration.ts';
import { drawdowns } from '../../core/evaluation/drawdown.ts';
import { quantileScores } from '../../core/evaluation/quantile-scores.ts';
import { barReturns, sharpe } from '../../core/evaluation/returns.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import { lowerBound, sliceCandles } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { alignColumn, alignMarket } from '../../core/trading/align.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { runBacktest } from '../../core/trading/run.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import { refit } from '../../learning/validation/refit.ts';
import { scoreSteps } from '../../learning/validation/score.ts';

/** What may be optimised, net of costs where money is meant. */
export const OBJECTIVES = {
  'net-return': { better: 'more', text: 'net return, in percent' },
  sharpe: { better: 'more', text: 'Sharpe ratio, annualised' },
  drawdown: { better: 'less', text: 'largest drawdown, in percent' },
  turnover: { better: 'less', text: 'traded value over capital' },
  'hit-rate': { better: 'more', text: 'right directions, in percent' },
  ic: { better: 'more', text: 'rank correlation of forecast and return' },
  'log-loss': { better: 'less', text: 'log loss of the probability of a rise' },
  pinball: { better: 'less', text: 'pinball loss of the quantiles, in percent' },
} as const;
export type ObjectiveName = keyof typeof OBJECTIVES;
export const OBJECTIVE_NAMES = Object.keys(OBJECTIVES) as readonly ObjectiveName[];

/** What a model did on one span that it was not fitted on. Absent: not defined, as a hit rate without an opinion. */
export interface SpanFigures {
  readonly fills: number;
  readonly figures: Readonly<Partial<Record<ObjectiveName, number>>>;
  /** Net returns of the account, bar by bar, or in sums of some that are as long for every trial. */
  readonly returns: Float64Array;
  /** Features that were chosen on the bars before the span, where a trial chooses. */
  readonly features?: readonly string[] | undefined;
}

/** A figure as samplers want it, lower is better; what is not defined is worse than anything. */
export const toLoss = (name: ObjectiveName, figure: number | undefined): number => {
  if (figure === undefined || !Number.isFinite(figure)) return 1e9;
  return OBJECTIVES[name].better === 'more' ? -figure : figure;
};
export const fromLoss = (name: ObjectiveName, loss: number): number =>
  OBJECTIVES[name].better === 'more' ? -loss : loss;

/**
 * Fits the model on the fold's training bars (`refit`: purge and embargo, early stopping on the last `validationPct`
 * percent of them) and measures it on the fold's test bars. Throws `UserError` where it cannot learn.
 */
export async function measureFold(
  entry: { readonly model: Model; readonly params: unknown },
  fold: Fold,
  task: {
    readonly panel: Panel;
    readonly validationPct: number;
    readonly seed: number;
    readonly rules: ExecutionRules;
    readonly signal: AbortSignal;
  },
): Promise<SpanFigures> {
  const { panel, rules, signal } = task;
  const { model, params } = entry;
  const fitted = await refit(entry, fold, {
    ...task,
    seed: deriveSeed(task.seed, `${model.id} ${fold.test.fromMs}`),
  });
  try {
    await giveWay(signal);
    const known = panelUntil(selectFeatures(panel, model.features(params)), fold.test.untilMs);
    const forecasts = await fitted.forecast(known, { sinceMs: fold.test.fromMs });
    await giveWay(signal);
    return await inTurns(measureSpan(known, forecasts, fold.test, rules), signal);
  } finally {
    fitted.dispose?.();
  }
}

/**
 * What forecasts did between two times, each with its own positions or with those `decided` on it. `stepMs`: returns are summed over
 * steps of that length from the span's start on.
 */
export function* measureSpan(
  panel: Panel,
  forecasts: readonly Forecast[],
  span: Span,
  rules: ExecutionRules,
  { decided = forecasts, stepMs }: { readonly decided?: readonly Forecast[]; readonly stepMs?: number } = {},
): Steps<SpanFigures> {
  const rows = panel.series.map(
    ({ candles }) => [lowerBound(candles.time, span.fromMs), lowerBound(candles.time, span.untilMs)] as const,
  );
  const market = alignMarket(
    panel.series.map(({ candles }, s) => sliceCandles(candles, ...rows[s])),
    panel.timeframe,
  );
  const run = runBacktest({
    market,
    targets: decided.map(({ position }, s) => alignColumn(market, s, position.subarray(...rows[s]))),
    instruments: panel.series.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
    rules,
  });
  const { initialBalance } = rules;
  const returns = barReturns(run.equity, initialBalance);
  yield;
  const score = yield* scoreSteps(panel, forecasts, span, rules);
  const sharpeRatio = sharpe(returns, (365 * 86_400_000) / TIMEFRAME_MS[panel.timeframe]);
  const figures: Partial<Record<ObjectiveName, number>> = {
    'net-return': 100 * ((run.equity.at(-1) ?? initialBalance) / initialBalance - 1),
    ...(sharpeRatio !== undefined && { sharpe: sharpeRatio }),
    drawdown:
      100 *
      drawdowns(run.equity, initialBalance).reduce((most, { depth }) => Math.max(most, Math.abs(depth)), 0),
    turnover:
      run.fills.reduce((sum, { baseAmount, price }) => sum + Math.abs(baseAmount * price), 0) /
      initialBalance,
    ...(score.directionalAccuracyPct !== undefined && { 'hit-rate': score.directionalAccuracyPct }),
    ...(score.informationCoefficient !== undefined && { ic: score.informationCoefficient }),
    ...probabilityFigures(panel, forecasts, rows),
  };
  const summed = stepMs === undefined ? returns : returnsBySteps(market.time, returns, span, stepMs);
  return { fills: run.fills.length, figures, returns: summed };
}

/** Sums over steps of a span; bars of several lengths come to columns of one. */
function returnsBySteps(
  time: Float64Array,
  returns: Float64Array,
  { fromMs, untilMs }: Span,
  stepMs: number,
): Float64Array {
  const sums = new Float64Array(Math.ceil((untilMs - fromMs) / stepMs));
  for (let i = 0; i < returns.length; i++) sums[Math.floor((time[i] - fromMs) / stepMs)] += returns[i];
  return sums;
}

/** Losses of what is stated beside positions, over all symbols. */
function probabilityFigures(
  { series, timeframe }: Panel,
  forecasts: readonly Forecast[],
  rows: readonly (readonly [number, number])[],
): { 'log-loss'?: number; pinball?: number } {
  const stated: number[] = [];
  const rises: number[] = [];
  const pinballs: number[] = [];
  for (const [s, { candles }] of series.entries()) {
    const { probabilityUp, quantiles, horizonBars } = forecasts[s];
    const [from, until] = rows[s];
    // The span's own bars alone: a label must not end behind it.
    const labels = forwardReturns(sliceCandles(candles, 0, until), timeframe, horizonBars).subarray(from);
    for (const [i, label] of labels.entries()) {
      const p = probabilityUp?.[from + i] ?? NaN;
      if (Number.isNaN(label) || Number.isNaN(p) || label === 0) continue;
      stated.push(p);
      rises.push(label > 0 ? 1 : 0);
    }
    if (quantiles === undefined) continue;
    const scores = quantileScores(
      quantiles.levels,
      quantiles.columns.map((column) => column.subarray(from, until)),
      labels,
    );
    if (scores !== undefined)
      pinballs.push(
        100 * (scores.coverage.reduce((sum, { pinball }) => sum + pinball, 0) / scores.coverage.length),
      );
  }
  return {
    ...(stated.length > 0 && { 'log-loss': logLoss(Float64Array.from(stated), Float64Array.from(rises)) }),
    ...(pinballs.length > 0 && { pinball: pinballs.reduce((sum, one) => sum + one, 0) / pinballs.length }),
  };
}
