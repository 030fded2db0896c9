import { type FeatureKernel, kernel } from '../feature.ts';
import { RollingMax, RollingMin } from '../kernels/extremes.ts';
import { Change, DirectionalMovement, ratio, TrueRange } from '../kernels/indicators.ts';
import {
  Lag,
  RollingLine,
  RollingMean,
  RollingMoments,
  RollingPairs,
  RollingSum,
} from '../kernels/rolling.ts';
import { ParabolicStop, SuperTrend } from '../kernels/trailing.ts';

const shared = { group: 'regime', source: 'definition', unit: 'flag', inputs: ['close'] } as const;
const hlc = ['high', 'low', 'close'] as const;

const direction = kernel(
  { ...shared, unit: 'percent', inputs: hlc, source: 'Wilder 1978, directional movement' },
  [
    { name: 'plus_di_14', warmUp: 14, about: '+DI of 14; 0 when there is no range' },
    { name: 'minus_di_14', warmUp: 14, about: '-DI of 14; 0 when there is no range' },
    { name: 'adx_14', warmUp: 27, about: 'average directional index of 14; 0 when there is no movement' },
    { name: 'di_spread_14', warmUp: 14, about: '+DI - -DI' },
    { name: 'adx_14_change_5', warmUp: 32, about: 'adx_14 - adx_14 of 5 bars ago' },
    { name: 'trending', warmUp: 27, unit: 'flag', about: '1 when adx_14 is above 25' },
    { name: 'ranging', warmUp: 27, unit: 'flag', about: '1 when adx_14 is below 20' },
  ],
  () => {
    const movement = new DirectionalMovement(14);
    const past = new Lag(5);
    return (bar, out) => {
      movement.push(bar);
      const { plus, minus, adx } = movement;
      out[0] = plus;
      out[1] = minus;
      out[2] = adx;
      out[3] = plus - minus;
      out[4] = adx - past.push(adx);
      out[5] = flag(adx > 25, adx);
      out[6] = flag(adx < 20, adx);
    };
  },
);

const market = kernel(
  shared,
  [
    {
      name: 'bull',
      warmUp: 199,
      about: '1 when the close is above its mean of 200 and the mean of 50 is too',
    },
    {
      name: 'bear',
      warmUp: 199,
      about: '1 when the close is below its mean of 200 and the mean of 50 is too',
    },
    {
      name: 'mean_alignment',
      warmUp: 98,
      unit: 'score',
      about: 'order of close and its means of 7, 25 and 99: 1 all rising, -1 all falling',
    },
    {
      name: 'bars_since_cross',
      warmUp: 199,
      unit: 'log',
      about: 'ln(1 + bars since the means of 50 and 200 last crossed), signed by which is above',
    },
    {
      name: 'volatility_class',
      warmUp: 219,
      unit: 'category',
      about: 'volatility of 20 against its mean of 200: 0 calm, 1 usual, 2 turbulent (half a deviation)',
    },
    {
      name: 'slope_20',
      warmUp: 19,
      unit: 'fraction',
      source: 'least squares on ln close',
      about: 'slope of the regression line of 20, per bar',
    },
    {
      name: 'slope_50',
      warmUp: 49,
      unit: 'fraction',
      source: 'least squares on ln close',
      about: 'slope of the regression line of 50, per bar',
    },
    {
      name: 'trend_strength_20',
      warmUp: 19,
      unit: 'index',
      source: 'least squares on ln close',
      about: 'R squared of the regression line of 20, signed by the slope',
    },
    {
      name: 'trend_strength_50',
      warmUp: 49,
      unit: 'index',
      source: 'least squares on ln close',
      about: 'R squared of the regression line of 50, signed by the slope',
    },
  ],
  () => {
    const [m7, m25, m50, m99, m200] = [7, 25, 50, 99, 200].map((bars) => new RollingMean(bars));
    const previous = new Lag(1);
    const volatility = new RollingMoments(20);
    const usual = new RollingMoments(200);
    const lines = [20, 50].map((bars) => new RollingLine(bars));
    let side = 0;
    let since = 0;
    return ({ close }, out) => {
      const middle = m50.push(close);
      const long = m200.push(close);
      out[0] = flag(close > long && middle > long, long);
      out[1] = flag(close < long && middle < long, long);
      const fast = m7.push(close);
      const slow = m25.push(close);
      const slowest = m99.push(close);
      out[2] = (Math.sign(close - fast) + Math.sign(fast - slow) + Math.sign(slow - slowest)) / 3;
      const above = Math.sign(middle - long);
      if (above === above) {
        since = above === side ? since + 1 : 0;
        side = above;
      }
      out[3] = long === long ? side * Math.log1p(since) : NaN;
      volatility.push(Math.log(close / previous.push(close)));
      usual.push(volatility.deviation);
      const score = usual.score(volatility.deviation);
      out[4] = score !== score ? NaN : score < -0.5 ? 0 : score > 0.5 ? 2 : 1;
      for (let i = 0; i < lines.length; i++) {
        lines[i].push(Math.log(close));
        out[5 + i] = lines[i].slope;
        out[7 + i] = lines[i].rSquared * Math.sign(lines[i].slope);
      }
    };
  },
);

const memory = kernel(
  { ...shared, unit: 'index' },
  [
    ...[10, 20, 50].map((bars) => ({
      name: `efficiency_${bars}`,
      warmUp: bars,
      source: 'Kaufman 1995, efficiency ratio',
      about: `|change over ${bars} bars| / sum of |changes|; 0 when the price never moved`,
    })),
    {
      name: 'choppiness_14',
      warmUp: 14,
      unit: 'percent',
      inputs: hlc,
      source: 'Dreiss, choppiness index',
      about: '100 log(sum of true ranges / range of 14) / log 14; 100 when flat',
    },
    {
      name: 'hurst_100',
      warmUp: 115,
      source: 'scaling of the deviation of log price changes over 1, 2, 4, 8 and 16 bars',
      about: 'slope of log deviation on log lag, windows of 100: .5 random walk, more trending; .5 when flat',
    },
    {
      name: 'variance_ratio_2',
      warmUp: 51,
      source: 'Lo and MacKinlay 1988',
      about: 'variance of 2-bar log returns / 2 variance of 1-bar ones, 50 values; 1 when flat',
    },
    {
      name: 'variance_ratio_5',
      warmUp: 54,
      source: 'Lo and MacKinlay 1988',
      about: 'variance of 5-bar log returns / 5 variance of 1-bar ones, 50 values; 1 when flat',
    },
    {
      name: 'autocorrelation_1_50',
      warmUp: 51,
      about: 'correlation of successive log returns over 50 pairs; 0 when flat',
    },
    {
      name: 'autocorrelation_1_200',
      warmUp: 201,
      about: 'correlation of successive log returns over 200 pairs; 0 when flat',
    },
    {
      name: 'volatility_clustering_100',
      warmUp: 101,
      about: 'correlation of successive absolute log returns over 100 pairs; 0 when flat',
    },
  ],
  () => {
    const change = new Change();
    const efficiency = [10, 20, 50].map((bars) => ({ ago: new Lag(bars), path: new RollingSum(bars) }));
    const range = new TrueRange();
    const ranges = new RollingSum(14);
    const top = new RollingMax(14);
    const bottom = new RollingMin(14);
    const scales = HURST_LAGS.map((bars) => ({ ago: new Lag(bars), moments: new RollingMoments(100) }));
    const [last, ago2, ago5] = [1, 2, 5].map((bars) => new Lag(bars));
    const [one, two, five] = [50, 50, 50].map((bars) => new RollingMoments(bars));
    const before = new Lag(1);
    const [pairs50, pairs200] = [50, 200].map((bars) => new RollingPairs(bars));
    const clusters = new RollingPairs(100);
    return (bar, out) => {
      const { high, low, close } = bar;
      const step = Math.abs(change.push(close));
      for (let i = 0; i < efficiency.length; i++) {
        const { ago, path } = efficiency[i];
        out[i] = Math.min(1, ratio(Math.abs(close - ago.push(close)), path.push(step), 0));
      }
      const total = ranges.push(range.push(bar));
      const width = top.push(high) - bottom.push(low);
      out[3] = total === 0 || width === 0 ? 100 : (100 * Math.log(total / width)) / Math.log(14);

      const price = Math.log(close);
      for (let i = 0; i < scales.length; i++) scales[i].moments.push(price - scales[i].ago.push(price));
      out[4] = scaling(scales);

      const move = price - last.push(price);
      one.push(move);
      two.push(price - ago2.push(price));
      five.push(price - ago5.push(price));
      const variance = one.squares;
      out[5] = known(two.squares, ratio(two.squares, 2 * variance, 1));
      out[6] = known(five.squares, ratio(five.squares, 5 * variance, 1));

      const previous = before.push(move);
      pairs50.push(previous, move);
      pairs200.push(previous, move);
      clusters.push(Math.abs(previous), Math.abs(move));
      out[7] = pairs50.correlation;
      out[8] = pairs200.correlation;
      out[9] = clusters.correlation;
    };
  },
);

const trailing = kernel(
  { ...shared, inputs: hlc, unit: 'fraction' },
  [
    {
      name: 'supertrend_distance',
      warmUp: 10,
      source: 'Seban, SuperTrend (10, 3)',
      about: 'close / SuperTrend line - 1: positive in an uptrend',
    },
    {
      name: 'parabolic_distance',
      warmUp: 1,
      source: 'Wilder 1978, parabolic stop and reverse (.02, .2)',
      about: 'close / stop - 1: positive when long',
    },
  ],
  () => {
    const trend = new SuperTrend(10, 3);
    const stop = new ParabolicStop(0.02, 0.2);
    return (bar, out) => {
      out[0] = bar.close / trend.push(bar) - 1;
      out[1] = bar.close / stop.push(bar) - 1;
    };
  },
);

const HURST_LAGS = [1, 2, 4, 8, 16];

/** Slope of ln deviation on ln lag; .5, a random walk, when a deviation is 0. */
function scaling(scales: readonly { readonly moments: RollingMoments }[]): number {
  const [one, two, , eight, sixteen] = scales;
  if (scales.some(({ moments }) => moments.squares === 0)) return 0.5;
  // Least squares on five points one doubling apart, of which the middle one has no weight.
  const outer = Math.log(sixteen.moments.squares / one.moments.squares) / 2;
  const inner = Math.log(eight.moments.squares / two.moments.squares) / 2;
  return (2 * outer + inner) / (10 * Math.LN2);
}

/** `value`, unknown while `witness` is. */
const known = (witness: number, value: number): number => (witness !== witness ? NaN : value);

/** 1 or 0, unknown while `witness` is. */
const flag = (condition: boolean, witness: number): number => known(witness, condition ? 1 : 0);

export const regimeKernels: readonly FeatureKernel[] = [direction, market, memory, trailing];
