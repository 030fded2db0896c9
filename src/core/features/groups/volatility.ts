import type { Timeframe } from '../../market/timeframe.ts';
import {
  abs,
  change,
  distance,
  minus,
  over,
  ratio,
  root,
  scaled,
  times,
  where,
} from '../columns/arithmetic.ts';
import { highest } from '../columns/extremes.ts';
import { atr, trueRange } from '../columns/indicators.ts';
import { type Column, compute } from '../columns/plan.ts';
import { logGap, logMove, logRatio } from '../columns/returns.ts';
import { ema } from '../columns/smoothing.ts';
import { deviation, mean, moments, rootMean, score } from '../columns/windows.ts';
import { barsIn, type Feature, features, type Sources } from '../feature.ts';

const shared = {
  group: 'volatility',
  source: 'sample deviation of log returns',
  unit: 'fraction',
  inputs: ['close'],
} as const;
const ohlc = ['open', 'high', 'low', 'close'] as const;

const volatility = (close: Column, bars: number): Column => deviation(logMove(close), bars);

const historical = features(shared, [
  ...[5, 10, 20, 50, 100].map((bars) => ({
    name: `volatility_${bars}`,
    warmUp: bars,
    about: `deviation of ${bars} log returns, per bar`,
    column: ({ close }: Sources) => volatility(close, bars),
  })),
  ...[5, 10, 20, 50].map((days) => ({
    name: `volatility_${days}d`,
    warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
    about: `deviation of the log returns of ${days} d, per bar`,
    column: ({ close, timeframe }: Sources) => volatility(close, barsIn(days, timeframe)),
  })),
  {
    name: 'volatility_ratio_5_20',
    warmUp: 20,
    about: 'volatility of 5 / of 20; 1 when the latter is 0',
    column: ({ close }) => ratio(volatility(close, 5), volatility(close, 20), 1),
  },
  {
    name: 'volatility_ratio_20_100',
    warmUp: 100,
    about: 'volatility of 20 / of 100; 1 when the latter is 0',
    column: ({ close }) => ratio(volatility(close, 20), volatility(close, 100), 1),
  },
  {
    name: 'volatility_of_volatility_20',
    warmUp: 39,
    about: 'deviation of 20 values of volatility_20 / their mean; 0 when the mean is 0',
    column: ({ close }) => {
      const now = volatility(close, 20);
      return ratio(deviation(now, 20), moments(now, 20).mean, 0);
    },
  },
  {
    name: 'volatility_score_200',
    warmUp: 219,
    unit: 'score',
    about: 'volatility_20 in deviations from its mean of 200; 0 when flat',
    column: ({ close }) => score(volatility(close, 20), 200),
  },
  {
    name: 'downside_volatility_20',
    warmUp: 20,
    source: 'semideviation around 0',
    about: 'root of the mean squared negative log return of 20',
    column: ({ close }) => rootMean(halves(logMove(close)).down, 20),
  },
  {
    name: 'upside_volatility_20',
    warmUp: 20,
    source: 'semideviation around 0',
    about: 'root of the mean squared positive log return of 20',
    column: ({ close }) => rootMean(halves(logMove(close)).up, 20),
  },
  {
    name: 'largest_move_20',
    warmUp: 20,
    about: 'largest absolute log return of 20 bars',
    column: ({ close }) => highest(abs(logMove(close)), 20),
  },
  {
    name: 'jump_share_50',
    warmUp: 51,
    source: 'Barndorff-Nielsen and Shephard 2004',
    about: '1 - bipower variation / realised variance of 50 bars, at least 0; 0 when there is no variance',
    column: ({ close }) => jumpShare(logMove(close)),
  },
]);

/** Squares of falls and of rises. */
function halves(move: Column): { readonly down: Column; readonly up: Column } {
  const [down, up] = move.plan.formula('halves', [move], 2);
  return { down, up };
}

function jumpShare(move: Column): Column {
  // Both from the second move on, when there are two that follow each other.
  const [squares, products] = move.plan.formula('bipower', [move.keep(1)], 2);
  return compute('jumpShare', [mean(products, 50), mean(squares, 50)]);
}

const squared = (x: Column): Column => times(x, x);
const lnRange = ({ high, low }: Sources): Column => logRatio(high, low);

/** ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2 */
const garmanKlass = (of: Sources): Column =>
  compute('garmanKlass', [lnRange(of), logRatio(of.close, of.open)]);

/** ln(h/c) ln(h/o) + ln(l/c) ln(l/o) */
const rogersSatchell = ({ open, high, low, close }: Sources): Column =>
  compute('rogersSatchell', [open, high, low, close]);

/** x from the second bar on. */
const later = (x: Column, close: Column): Column => where(change(close), x);

function yangZhang(of: Sources, bars: number): Column {
  const overnights = moments(logGap(of.open, of.close), bars).squares;
  const days = moments(later(logRatio(of.close, of.open), of.close), bars).squares;
  const drifts = mean(later(rogersSatchell(of), of.close), bars);
  return root(compute('yangZhang', [overnights, days, drifts], [bars]));
}

const ranges = features(
  { ...shared, inputs: ohlc, source: 'range estimators' },
  [10, 20, 50].flatMap((bars) => [
    {
      name: `parkinson_${bars}`,
      warmUp: bars - 1,
      source: 'Parkinson 1980',
      about: `root of the mean of ln(high / low)^2 / (4 ln 2) over ${bars} bars`,
      column: (of) => rootMean(scaled(squared(lnRange(of)), 1 / (4 * Math.LN2)), bars),
    },
    {
      name: `garman_klass_${bars}`,
      warmUp: bars - 1,
      source: 'Garman and Klass 1980',
      about: `root of the mean of ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2 over ${bars} bars, at least 0`,
      column: (of) => rootMean(garmanKlass(of), bars),
    },
    {
      name: `rogers_satchell_${bars}`,
      warmUp: bars - 1,
      source: 'Rogers and Satchell 1991',
      about: `root of the mean of ln(h/c) ln(h/o) + ln(l/c) ln(l/o) over ${bars} bars`,
      column: (of) => rootMean(rogersSatchell(of), bars),
    },
    {
      name: `yang_zhang_${bars}`,
      warmUp: bars,
      source: 'Yang and Zhang 2000, k = .34 / (1.34 + (n + 1) / (n - 1))',
      about: `root of open variance + k close variance + (1 - k) Rogers-Satchell over ${bars} bars`,
      column: (of) => yangZhang(of, bars),
    },
  ]),
);

const width = ({ high, low, close }: Sources): Column => over(minus(high, low), close);
const relativeAtr = (of: Sources, bars: number): Column => over(atr(of, bars), of.close);
const relativeRange = (of: Sources): Column => over(trueRange(of), of.close);

const trueRanges = features({ ...shared, inputs: ['high', 'low', 'close'], source: 'Wilder 1978' }, [
  { name: 'true_range', warmUp: 1, about: 'true range / close', column: relativeRange },
  ...[7, 14, 28].map((bars) => ({
    name: `atr_${bars}`,
    warmUp: bars,
    about: `average true range of ${bars} / close`,
    column: (of: Sources) => relativeAtr(of, bars),
  })),
  {
    name: 'atr_ratio_7_28',
    warmUp: 28,
    about: 'average true range of 7 / of 28; 1 when the latter is 0',
    column: (of) => ratio(relativeAtr(of, 7), relativeAtr(of, 28), 1),
  },
  {
    name: 'true_range_ratio_14',
    warmUp: 14,
    about: 'true range / average true range of 14; 1 when it is 0',
    column: (of) => ratio(relativeRange(of), relativeAtr(of, 14), 1),
  },
  { name: 'high_low_range', warmUp: 0, about: '(high - low) / close', column: width },
  {
    name: 'high_low_range_mean_20',
    warmUp: 19,
    about: 'mean of 20 values of (high - low) / close',
    column: (of) => mean(width(of), 20),
  },
  {
    name: 'high_low_range_score_50',
    warmUp: 49,
    unit: 'score',
    about: '(high - low) / close in deviations from its mean of 50; 0 when flat',
    column: (of) => score(width(of), 50),
  },
  {
    name: 'keltner_position',
    warmUp: 19,
    unit: 'score',
    source: 'Keltner channel: exponential mean of 20, average true range of 10',
    about: '(close - mean) / average true range; 0 when the range is below a billionth of the close',
    column: (of) => keltner(of.close, ema(of.close, 20), atr(of, 10)),
  },
  {
    name: 'squeeze',
    warmUp: 19,
    unit: 'index',
    source: 'Carter, TTM squeeze (Bollinger 2 over Keltner 1.5)',
    about: 'Bollinger width / Keltner width, below 1 when squeezed; 1 when the latter is 0',
    column: (of) => squeeze(moments(of.close, 20).squares, atr(of, 10)),
  },
  {
    name: 'ulcer_14',
    warmUp: 26,
    source: 'Martin 1987, ulcer index',
    about: 'root of the mean squared fall below the highest close of 14, over 14 bars',
    column: ({ close }) => rootMean(squared(distance(close, highest(close, 14))), 14),
  },
]);

const keltner = (close: Column, centre: Column, channel: Column): Column =>
  compute('keltner', [close, centre, channel]);

const squeeze = (squares: Column, channel: Column): Column => compute('squeeze', [squares, channel]);

const recursive = features({ ...shared, source: 'RiskMetrics 1996' }, [
  ...[94, 97].map((decay) => ({
    name: `ewma_volatility_${decay}`,
    warmUp: 20,
    about: `root of the exponentially weighted squared log return, decay .${decay}, seeded with 20 returns`,
    column: ({ close }: Sources) => root(ema(squared(logMove(close)), 20, 1 - decay / 100)),
  })),
  ...[1, 7, 30].map((days) => ({
    name: `realised_volatility_${days}d`,
    warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
    source: 'Corsi 2009, HAR terms',
    about: `root of the mean squared log return of the bars of ${days} d, per bar`,
    column: ({ close, timeframe }: Sources) => rootMean(squared(logMove(close)), barsIn(days, timeframe)),
  })),
  {
    name: 'skewness_50',
    warmUp: 50,
    unit: 'index',
    source: 'third standardised moment',
    about: 'skewness of 50 log returns; 0 when they do not vary',
    column: ({ close }) => standardised(close).skewness,
  },
  {
    name: 'kurtosis_50',
    warmUp: 50,
    unit: 'index',
    source: 'fourth standardised moment, minus 3',
    about: 'excess kurtosis of 50 log returns; 0 when they do not vary',
    column: ({ close }) => standardised(close).kurtosis,
  },
]);

/** Third and fourth standardised moments of 50 log returns. */
function standardised(close: Column): { readonly skewness: Column; readonly kurtosis: Column } {
  // In hundredths, so that fourth powers keep their digits.
  const percent = scaled(logMove(close), 100);
  const square = squared(percent);
  const powers = [percent, square, times(square, percent), squared(square)].map((power) => mean(power, 50));
  const [skewness, kurtosis] = close.plan.formula('standardised', powers, 2);
  return { skewness, kurtosis };
}

export const volatilityFeatures: readonly Feature[] = [...historical, ...ranges, ...trueRanges, ...recursive];
