import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { Change, ratio } from '../kernels/indicators.ts';
import { Latest } from '../kernels/latest.ts';
import { Lag, RollingMean, RollingMoments } from '../kernels/rolling.ts';

const shared = {
  group: 'cross-exchange',
  source: 'Makarov and Schoar 2020, Trading and arbitrage in cryptocurrency markets',
  unit: 'fraction',
  inputs: ['close'],
} as const;

const week = (timeframe: Timeframe): number => barsIn(7, timeframe) - 1;
const day = (timeframe: Timeframe): number => barsIn(1, timeframe) - 1;

const gap = observing(
  shared,
  [{ input: 'other-exchange', columns: ['close', 'volume'] }],
  [
    { name: 'exchange_gap', warmUp: 0, about: "the other exchange's close / close - 1" },
    { name: 'exchange_gap_mean_1d', warmUp: day, about: 'mean of exchange_gap over the bars of 1 d' },
    {
      name: 'exchange_gap_score_7d',
      warmUp: week,
      unit: 'score',
      about: 'exchange_gap in deviations from its mean over the bars of 7 d; 0 when flat',
    },
    { name: 'exchange_lead_1', warmUp: 1, about: "the other exchange's return of the bar less the own one" },
    {
      name: 'exchange_volume_share',
      warmUp: 0,
      inputs: ['volume'],
      about: "volume / sum of both exchanges' volumes; 0.5 when nothing traded",
    },
  ],
  (timeframe) => {
    const other = new Latest();
    const mean = new RollingMean(barsIn(1, timeframe));
    const moments = new RollingMoments(barsIn(7, timeframe));
    const own = new Lag(1);
    const theirs = new Lag(1);
    return {
      observe: [other.observe],
      step: ({ time, close, volume }, out) => {
        if (other.timeMs !== time) return;
        const [price, traded] = other.values;
        const value = price / close - 1;
        out[0] = value;
        out[1] = mean.push(value);
        moments.push(value);
        out[2] = moments.score(value);
        out[3] = price / theirs.push(price) - close / own.push(close);
        out[4] = ratio(volume, volume + traded, 0.5);
      },
    };
  },
);

const triangle = observing(
  { ...shared, source: 'triangular parity of three prices of one exchange' },
  [
    { input: 'cross-pair', columns: ['close'] },
    { input: 'benchmark', columns: ['close'] },
  ],
  [
    {
      name: 'triangular_gap',
      warmUp: 0,
      about:
        'price in the benchmark asset x close of the benchmark / close - 1; none for the benchmark itself',
    },
    {
      name: 'triangular_gap_score_7d',
      warmUp: week,
      unit: 'score',
      about: 'triangular_gap in deviations from its mean over the bars of 7 d; 0 when flat',
    },
  ],
  (timeframe) => {
    const cross = new Latest();
    const benchmark = new Latest();
    const moments = new RollingMoments(barsIn(7, timeframe));
    return {
      observe: [cross.observe, benchmark.observe],
      step: ({ time, close }, out) => {
        if (cross.timeMs !== time || benchmark.timeMs !== time) return;
        out[0] = (cross.values[0] * benchmark.values[0]) / close - 1;
        moments.push(out[0]);
        out[1] = moments.score(out[0]);
      },
    };
  },
);

const fundingSpread = observing(
  { ...shared, inputs: [] },
  [
    { input: 'funding', columns: ['rate'] },
    { input: 'other-funding', columns: ['rate'] },
  ],
  [
    {
      name: 'funding_spread',
      warmUp: 0,
      about: "newest funding rate less the other exchange's, each per its own interval",
    },
    { name: 'funding_spread_change', warmUp: 1, about: 'change of funding_spread from the bar before' },
  ],
  () => {
    const rate = new Latest();
    const other = new Latest();
    const change = new Change();
    return {
      observe: [rate.observe, other.observe],
      step: (_, out) => {
        if (rate.values.length === 0 || other.values.length === 0) return;
        out[0] = rate.values[0] - other.values[0];
        out[1] = change.push(out[0]);
      },
    };
  },
);

export const crossExchangeFeatures: readonly Feature[] = [...gap, ...triangle, ...fundingSpread];
