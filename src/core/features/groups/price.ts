import type { Timeframe } from '../../market/timeframe.ts';
import { change, distance, growth, lag, log, place } from '../columns/arithmetic.ts';
import { highest, lowest } from '../columns/extremes.ts';
import { type Column, compute } from '../columns/plan.ts';
import { ema } from '../columns/smoothing.ts';
import { mean, moments, populationDeviation, score } from '../columns/windows.ts';
import { barsIn, type Feature, features, type Sources } from '../feature.ts';

const shared = { group: 'price', source: 'definition', unit: 'fraction', inputs: ['close'] } as const;

const returns = features(
  shared,
  [1, 2, 3, 5, 10, 15, 30].flatMap((bars) => [
    {
      name: `return_${bars}`,
      warmUp: bars,
      about: `close / close ${bars} bars ago - 1`,
      column: ({ close }) => growth(close, bars),
    },
    {
      name: `log_return_${bars}`,
      warmUp: bars,
      unit: 'log',
      about: `ln(close / close ${bars} bars ago)`,
      column: ({ close }) => change(log(close), bars),
    },
  ]),
);

const dayReturns = features(
  shared,
  [1, 3, 7].map((days) => ({
    name: `return_${days}d`,
    warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
    about: `close / close of the bars of ${days} d ago - 1`,
    column: ({ close, timeframe }) => growth(close, barsIn(days, timeframe)),
  })),
);

const bar = features({ ...shared, inputs: ['open', 'high', 'low', 'close'] }, [
  {
    name: 'open_gap',
    warmUp: 1,
    inputs: ['open', 'close'],
    about: 'open / previous close - 1',
    column: ({ open, close }) => distance(open, lag(close, 1)),
  },
  {
    name: 'bar_return',
    warmUp: 0,
    inputs: ['open', 'close'],
    about: 'close / open - 1',
    column: ({ open, close }) => distance(close, open),
  },
  {
    name: 'close_location',
    warmUp: 0,
    about: '(close - low) / (high - low); 0.5 when the bar has no range',
    column: ({ high, low, close }) => place(close, low, high),
  },
  {
    name: 'typical_distance',
    warmUp: 0,
    about: 'close / typical price - 1, typical = (high + low + close) / 3',
    column: (of) => typicalDistance(of),
  },
]);

const typicalDistance = ({ high, low, close }: Sources): Column =>
  compute('typicalDistance', [high, low, close]);

const means = features(
  { ...shared, source: 'moving averages 7/25/99 of exchange charts, 200 of trend followers' },
  [
    ...[7, 25, 99, 200].flatMap((bars) => [
      {
        name: `sma_distance_${bars}`,
        warmUp: bars - 1,
        about: `close / simple mean of ${bars} closes - 1`,
        column: ({ close }: { close: Column }) => distance(close, mean(close, bars)),
      },
      {
        name: `ema_distance_${bars}`,
        warmUp: bars - 1,
        about: `close / exponential mean of ${bars} closes - 1, seeded with the simple mean`,
        column: ({ close }: { close: Column }) => distance(close, ema(close, bars)),
      },
    ]),
    ...[
      [7, 25],
      [25, 99],
      [99, 200],
    ].map(([fast, slow]) => ({
      name: `ma_spread_${fast}_${slow}`,
      warmUp: slow - 1,
      about: `simple mean of ${fast} / simple mean of ${slow} - 1`,
      column: ({ close }: { close: Column }) => distance(mean(close, fast), mean(close, slow)),
    })),
  ],
);

const bands = features({ ...shared, source: 'Bollinger 2001: mean of 20, population deviation, width 2' }, [
  {
    name: 'bollinger_position',
    warmUp: 19,
    about: '(close - lower band) / (upper - lower); 0.5 when the window is flat',
    column: ({ close }) => bandPosition(close, 20),
  },
  {
    name: 'bollinger_width',
    warmUp: 19,
    about: '(upper band - lower band) / middle',
    column: ({ close }) => bandWidth(close, 20),
  },
  ...[50, 200].map((bars) => ({
    name: `price_score_${bars}`,
    warmUp: bars - 1,
    unit: 'score' as const,
    about: `close in deviations from its mean of ${bars}; 0 when flat`,
    column: ({ close }: { close: Column }) => score(close, bars),
  })),
]);

function bandPosition(close: Column, bars: number): Column {
  const { mean: middle, squares } = moments(close, bars);
  return compute('bandPosition', [close, middle, squares], [bars]);
}

const bandWidth = (close: Column, bars: number): Column =>
  compute('bandWidth', [moments(close, bars).mean, populationDeviation(close, bars)]);

const levels = features(
  { ...shared, inputs: ['high', 'low', 'close'], source: 'Donchian channel: highest high, lowest low' },
  [20, 50, 100, 200].flatMap((bars) => [
    {
      name: `resistance_distance_${bars}`,
      warmUp: bars - 1,
      about: `highest high of ${bars} bars / close - 1`,
      column: ({ high, close }) => distance(highest(high, bars), close),
    },
    {
      name: `support_distance_${bars}`,
      warmUp: bars - 1,
      about: `close / lowest low of ${bars} bars - 1`,
      column: ({ low, close }) => distance(close, lowest(low, bars)),
    },
    {
      name: `range_position_${bars}`,
      warmUp: bars - 1,
      about: `place of the close between the lowest low and the highest high of ${bars} bars; 0.5 when flat`,
      column: ({ high, low, close }) => place(close, lowest(low, bars), highest(high, bars)),
    },
  ]),
);

export const priceFeatures: readonly Feature[] = [
  ...returns,
  ...dayReturns,
  ...bar,
  ...means,
  ...bands,
  ...levels,
];
