import { abs, change, distance, lag, log, minus, sign } from '../columns/arithmetic.ts';
import { highest, lowest } from '../columns/extremes.ts';
import { atr, movement, trueRange } from '../columns/indicators.ts';
import { type Column, compute, zeros } from '../columns/plan.ts';
import { logMove } from '../columns/returns.ts';
import { parabolicStop, superTrend } from '../columns/trailing.ts';
import { correlation, deviation, line, mean, moments, score, sum } from '../columns/windows.ts';
import { type Feature, features, type Sources } from '../feature.ts';

const shared = { group: 'regime', source: 'definition', unit: 'flag', inputs: ['close'] } as const;
const hlc = ['high', 'low', 'close'] as const;

const adx = (of: Sources): Column => movement(of, 14).adx;

const direction = features(
  { ...shared, unit: 'percent', inputs: hlc, source: 'Wilder 1978, directional movement' },
  [
    {
      name: 'plus_di_14',
      warmUp: 14,
      about: '+DI of 14; 0 when there is no range',
      column: (of) => movement(of, 14).plus,
    },
    {
      name: 'minus_di_14',
      warmUp: 14,
      about: '-DI of 14; 0 when there is no range',
      column: (of) => movement(of, 14).minus,
    },
    {
      name: 'adx_14',
      warmUp: 27,
      about: 'average directional index of 14; 0 when there is no movement',
      column: adx,
    },
    {
      name: 'di_spread_14',
      warmUp: 14,
      about: '+DI - -DI',
      column: (of) => minus(movement(of, 14).plus, movement(of, 14).minus),
    },
    {
      name: 'adx_14_change_5',
      warmUp: 32,
      about: 'adx_14 - adx_14 of 5 bars ago',
      column: (of) => change(adx(of), 5),
    },
    {
      name: 'trending',
      warmUp: 27,
      unit: 'flag',
      about: '1 when adx_14 is above 25',
      column: (of) => beyond(adx(of), 25, 1),
    },
    {
      name: 'ranging',
      warmUp: 27,
      unit: 'flag',
      about: '1 when adx_14 is below 20',
      column: (of) => beyond(adx(of), 20, -1),
    },
  ],
);

/** 1 where x lies above `level`, or below it for `side` -1; unknown where x is. */
const beyond = (x: Column, level: number, side: 1 | -1): Column => compute('beyond', [x], [level, side]);

const market = features(shared, [
  {
    name: 'bull',
    warmUp: 199,
    about: '1 when the close is above its mean of 200 and the mean of 50 is too',
    column: ({ close }) => onSide(close, 1),
  },
  {
    name: 'bear',
    warmUp: 199,
    about: '1 when the close is below its mean of 200 and the mean of 50 is too',
    column: ({ close }) => onSide(close, -1),
  },
  {
    name: 'mean_alignment',
    warmUp: 98,
    unit: 'score',
    about: 'order of close and its means of 7, 25 and 99: 1 all rising, -1 all falling',
    column: ({ close }) => alignment(close, mean(close, 7), mean(close, 25), mean(close, 99)),
  },
  {
    name: 'bars_since_cross',
    warmUp: 199,
    unit: 'log',
    about: 'ln(1 + bars since the means of 50 and 200 last crossed), signed by which is above',
    column: ({ close }) => sinceCross(sign(minus(mean(close, 50), mean(close, 200)))),
  },
  {
    name: 'volatility_class',
    warmUp: 219,
    unit: 'category',
    about: 'volatility of 20 against its mean of 200: 0 calm, 1 usual, 2 turbulent (half a deviation)',
    column: ({ close }) => compute('threeClasses', [score(deviation(logMove(close), 20), 200)]),
  },
  ...[20, 50].flatMap((bars) => [
    {
      name: `slope_${bars}`,
      warmUp: bars - 1,
      unit: 'fraction' as const,
      source: 'least squares on ln close',
      about: `slope of the regression line of ${bars}, per bar`,
      column: ({ close }: Sources) => line(log(close), bars).slope,
    },
    {
      name: `trend_strength_${bars}`,
      warmUp: bars - 1,
      unit: 'index' as const,
      source: 'least squares on ln close',
      about: `R squared of the regression line of ${bars}, signed by the slope`,
      column: ({ close }: Sources) => {
        const { slope, rSquared } = line(log(close), bars);
        return signedBy(slope, rSquared);
      },
    },
  ]),
]);

/** 1 where the close and its mean of 50 both lie above the mean of 200, or below it for `side` -1. */
const onSide = (close: Column, side: 1 | -1): Column =>
  compute('onSide', [close, mean(close, 50), mean(close, 200)], [side]);

const alignment = (close: Column, fast: Column, slow: Column, slowest: Column): Column =>
  compute('alignment', [close, fast, slow, slowest]);

const sinceCross = (side: Column): Column => compute('sinceCross', [side], [], zeros(2));

const signedBy = (witness: Column, size: Column): Column => compute('signedBy', [witness, size]);

const memory = features({ ...shared, unit: 'index' }, [
  ...[10, 20, 50].map((bars) => ({
    name: `efficiency_${bars}`,
    warmUp: bars,
    source: 'Kaufman 1995, efficiency ratio',
    about: `|change over ${bars} bars| / sum of |changes|; 0 when the price never moved`,
    column: ({ close }: Sources) => efficiency(change(close, bars), sum(abs(change(close)), bars)),
  })),
  {
    name: 'choppiness_14',
    warmUp: 14,
    unit: 'percent',
    inputs: hlc,
    source: 'Dreiss, choppiness index',
    about: '100 log(sum of true ranges / range of 14) / log 14; 100 when flat',
    column: (of) => choppiness(sum(trueRange(of), 14), minus(highest(of.high, 14), lowest(of.low, 14))),
  },
  {
    name: 'hurst_100',
    warmUp: 115,
    source: 'scaling of the deviation of log price changes over 1, 2, 4, 8 and 16 bars',
    about: 'slope of log deviation on log lag, windows of 100: .5 random walk, more trending; .5 when flat',
    column: ({ close }) =>
      scaling([1, 2, 4, 8, 16].map((bars) => moments(change(log(close), bars), 100).squares)),
  },
  ...[2, 5].map((bars) => ({
    name: `variance_ratio_${bars}`,
    warmUp: 49 + bars,
    source: 'Lo and MacKinlay 1988',
    about: `variance of ${bars}-bar log returns / ${bars} variance of 1-bar ones, 50 values; 1 when flat`,
    column: ({ close }: Sources) => {
      const variance = (count: number): Column => moments(change(log(close), count), 50).squares;
      return varianceRatio(variance(bars), variance(1), bars);
    },
  })),
  ...[50, 200].map((bars) => ({
    name: `autocorrelation_1_${bars}`,
    warmUp: bars + 1,
    about: `correlation of successive log returns over ${bars} pairs; 0 when flat`,
    column: ({ close }: Sources) => selfCorrelation(change(log(close)), bars),
  })),
  {
    name: 'volatility_clustering_100',
    warmUp: 101,
    about: 'correlation of successive absolute log returns over 100 pairs; 0 when flat',
    column: ({ close }) => selfCorrelation(abs(change(log(close))), 100),
  },
]);

/** `|way| / path`, at most 1; 0 where nothing moved. */
const efficiency = (way: Column, path: Column): Column => compute('efficiency', [way, path]);

const choppiness = (total: Column, width: Column): Column => compute('choppiness', [total, width], [14]);

/** Slope of ln deviation on ln lag; .5, a random walk, where a deviation is 0. */
const scaling = ([one, two, four, eight, sixteen]: readonly Column[]): Column =>
  compute('scaling', [one, two, four, eight, sixteen]);

const varianceRatio = (many: Column, one: Column, bars: number): Column =>
  compute('varianceRatio', [many, one], [bars]);

/** Correlation of x with the value before it. */
function selfCorrelation(x: Column, bars: number): Column {
  const before = lag(x, 1);
  return correlation(before, x, bars);
}

const trailing = features({ ...shared, inputs: hlc, unit: 'fraction' }, [
  {
    name: 'supertrend_distance',
    warmUp: 10,
    source: 'Seban, SuperTrend (10, 3)',
    about: 'close / SuperTrend line - 1: positive in an uptrend',
    column: (of) => distance(of.close, superTrend(of, atr(of, 10), 3)),
  },
  {
    name: 'parabolic_distance',
    warmUp: 1,
    source: 'Wilder 1978, parabolic stop and reverse (.02, .2)',
    about: 'close / stop - 1: positive when long',
    column: (of) => distance(of.close, parabolicStop(of, { step: 0.02, most: 0.2 })),
  },
]);

export const regimeFeatures: readonly Feature[] = [...direction, ...market, ...memory, ...trailing];
