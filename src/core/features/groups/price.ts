import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type FeatureKernel, kernel } from '../feature.ts';
import { RollingMax, RollingMin } from '../kernels/extremes.ts';
import { ratio } from '../kernels/indicators.ts';
import { Lag, RollingMean, RollingMoments } from '../kernels/rolling.ts';
import { Ema } from '../kernels/smoothing.ts';

const shared = { group: 'price', source: 'definition', unit: 'fraction', inputs: ['close'] } as const;

const RETURN_BARS = [1, 2, 3, 5, 10, 15, 30];
const MEAN_BARS = [7, 25, 99, 200];
const RANGE_BARS = [20, 50, 100, 200];

const returns = kernel(
  shared,
  RETURN_BARS.flatMap((bars) => [
    { name: `return_${bars}`, warmUp: bars, about: `close / close ${bars} bars ago - 1` },
    { name: `log_return_${bars}`, warmUp: bars, unit: 'log', about: `ln(close / close ${bars} bars ago)` },
  ]),
  () => {
    const lags = RETURN_BARS.map((bars) => ({ close: new Lag(bars), level: new Lag(bars) }));
    return ({ close }, out) => {
      const level = Math.log(close);
      for (let i = 0; i < lags.length; i++) {
        out[2 * i] = close / lags[i].close.push(close) - 1;
        out[2 * i + 1] = level - lags[i].level.push(level);
      }
    };
  },
);

const dayReturns = kernel(
  shared,
  [1, 3, 7].flatMap((days) => [
    {
      name: `return_${days}d`,
      warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
      about: `close / close of the bars of ${days} d ago - 1`,
    },
  ]),
  (timeframe) => {
    const lags = [1, 3, 7].map((days) => new Lag(barsIn(days, timeframe)));
    return ({ close }, out) => {
      for (let i = 0; i < lags.length; i++) out[i] = close / lags[i].push(close) - 1;
    };
  },
);

const bar = kernel(
  { ...shared, inputs: ['open', 'high', 'low', 'close'] },
  [
    { name: 'open_gap', warmUp: 1, inputs: ['open', 'close'], about: 'open / previous close - 1' },
    { name: 'bar_return', warmUp: 0, inputs: ['open', 'close'], about: 'close / open - 1' },
    {
      name: 'close_location',
      warmUp: 0,
      about: '(close - low) / (high - low); 0.5 when the bar has no range',
    },
    {
      name: 'typical_distance',
      warmUp: 0,
      about: 'close / typical price - 1, typical = (high + low + close) / 3',
    },
  ],
  () => {
    const previous = new Lag(1);
    return ({ open, high, low, close }, out) => {
      out[0] = open / previous.push(close) - 1;
      out[1] = close / open - 1;
      out[2] = ratio(close - low, high - low, 0.5);
      out[3] = (3 * close) / (high + low + close) - 1;
    };
  },
);

const means = kernel(
  { ...shared, source: 'moving averages 7/25/99 of exchange charts, 200 of trend followers' },
  [
    ...MEAN_BARS.flatMap((bars) => [
      { name: `sma_distance_${bars}`, warmUp: bars - 1, about: `close / simple mean of ${bars} closes - 1` },
      {
        name: `ema_distance_${bars}`,
        warmUp: bars - 1,
        about: `close / exponential mean of ${bars} closes - 1, seeded with the simple mean`,
      },
    ]),
    { name: 'ma_spread_7_25', warmUp: 24, about: 'simple mean of 7 / simple mean of 25 - 1' },
    { name: 'ma_spread_25_99', warmUp: 98, about: 'simple mean of 25 / simple mean of 99 - 1' },
    { name: 'ma_spread_99_200', warmUp: 199, about: 'simple mean of 99 / simple mean of 200 - 1' },
  ],
  () => {
    const simple = MEAN_BARS.map((bars) => new RollingMean(bars));
    const exponential = MEAN_BARS.map((bars) => new Ema(bars));
    const now = new Float64Array(MEAN_BARS.length);
    return ({ close }, out) => {
      for (let i = 0; i < now.length; i++) {
        now[i] = simple[i].push(close);
        out[2 * i] = close / now[i] - 1;
        out[2 * i + 1] = close / exponential[i].push(close) - 1;
      }
      for (let i = 1; i < now.length; i++) out[2 * now.length + i - 1] = now[i - 1] / now[i] - 1;
    };
  },
);

const bands = kernel(
  { ...shared, source: 'Bollinger 2001: mean of 20, population deviation, width 2' },
  [
    {
      name: 'bollinger_position',
      warmUp: 19,
      about: '(close - lower band) / (upper - lower); 0.5 when the window is flat',
    },
    { name: 'bollinger_width', warmUp: 19, about: '(upper band - lower band) / middle' },
    {
      name: 'price_score_50',
      warmUp: 49,
      unit: 'score',
      about: 'close in deviations from its mean of 50; 0 when flat',
    },
    {
      name: 'price_score_200',
      warmUp: 199,
      unit: 'score',
      about: 'close in deviations from its mean of 200; 0 when flat',
    },
  ],
  () => {
    const [short, middle, long] = [20, 50, 200].map((bars) => new RollingMoments(bars));
    return ({ close }, out) => {
      short.push(close);
      middle.push(close);
      long.push(close);
      const width = 4 * short.populationDeviation;
      out[0] = ratio(close - (short.mean - width / 2), width, 0.5);
      out[1] = width / short.mean;
      out[2] = middle.score(close);
      out[3] = long.score(close);
    };
  },
);

const levels = kernel(
  { ...shared, inputs: ['high', 'low', 'close'], source: 'Donchian channel: highest high, lowest low' },
  RANGE_BARS.flatMap((bars) => [
    {
      name: `resistance_distance_${bars}`,
      warmUp: bars - 1,
      about: `highest high of ${bars} bars / close - 1`,
    },
    { name: `support_distance_${bars}`, warmUp: bars - 1, about: `close / lowest low of ${bars} bars - 1` },
    {
      name: `range_position_${bars}`,
      warmUp: bars - 1,
      about: `place of the close between the lowest low and the highest high of ${bars} bars; 0.5 when flat`,
    },
  ]),
  () => {
    const highs = RANGE_BARS.map((bars) => new RollingMax(bars));
    const lows = RANGE_BARS.map((bars) => new RollingMin(bars));
    return ({ high, low, close }, out) => {
      for (let i = 0; i < highs.length; i++) {
        const top = highs[i].push(high);
        const bottom = lows[i].push(low);
        out[3 * i] = top / close - 1;
        out[3 * i + 1] = close / bottom - 1;
        out[3 * i + 2] = ratio(close - bottom, top - bottom, 0.5);
      }
    };
  },
);

export const priceKernels: readonly FeatureKernel[] = [returns, dayReturns, bar, means, bands, levels];
