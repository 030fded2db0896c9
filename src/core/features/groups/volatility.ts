import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type FeatureKernel, kernel } from '../feature.ts';
import { RollingMax } from '../kernels/extremes.ts';
import { Atr, ratio, TrueRange } from '../kernels/indicators.ts';
import { Lag, RollingMean, RollingMoments } from '../kernels/rolling.ts';
import { Ema } from '../kernels/smoothing.ts';

const shared = {
  group: 'volatility',
  source: 'sample deviation of log returns',
  unit: 'fraction',
  inputs: ['close'],
} as const;
const ohlc = ['open', 'high', 'low', 'close'] as const;

const BARS = [5, 10, 20, 50, 100];
const DAYS = [5, 10, 20, 50];

const historical = kernel(
  shared,
  [
    ...BARS.map((bars) => ({
      name: `volatility_${bars}`,
      warmUp: bars,
      about: `deviation of ${bars} log returns, per bar`,
    })),
    ...DAYS.map((days) => ({
      name: `volatility_${days}d`,
      warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
      about: `deviation of the log returns of ${days} d, per bar`,
    })),
    { name: 'volatility_ratio_5_20', warmUp: 20, about: 'volatility of 5 / of 20; 1 when the latter is 0' },
    {
      name: 'volatility_ratio_20_100',
      warmUp: 100,
      about: 'volatility of 20 / of 100; 1 when the latter is 0',
    },
    {
      name: 'volatility_of_volatility_20',
      warmUp: 39,
      about: 'deviation of 20 values of volatility_20 / their mean; 0 when the mean is 0',
    },
    {
      name: 'volatility_score_200',
      warmUp: 219,
      unit: 'score',
      about: 'volatility_20 in deviations from its mean of 200; 0 when flat',
    },
    {
      name: 'downside_volatility_20',
      warmUp: 20,
      source: 'semideviation around 0',
      about: 'root of the mean squared negative log return of 20',
    },
    {
      name: 'upside_volatility_20',
      warmUp: 20,
      source: 'semideviation around 0',
      about: 'root of the mean squared positive log return of 20',
    },
    {
      name: 'largest_move_20',
      warmUp: 20,
      about: 'largest absolute log return of 20 bars',
    },
    {
      name: 'jump_share_50',
      warmUp: 51,
      source: 'Barndorff-Nielsen and Shephard 2004',
      about: '1 - bipower variation / realised variance of 50 bars, at least 0; 0 when there is no variance',
    },
  ],
  (timeframe) => {
    const windows = [...BARS, ...DAYS.map((days) => barsIn(days, timeframe))].map(
      (bars) => new RollingMoments(bars),
    );
    const previous = new Lag(1);
    const before = new Lag(1);
    const ofVolatility = new RollingMoments(20);
    const regime = new RollingMoments(200);
    const [down, up, squares, bipower] = [20, 20, 50, 50].map((bars) => new RollingMean(bars));
    const largest = new RollingMax(20);
    const base = windows.length;
    return ({ close }, out) => {
      const move = Math.log(close / previous.push(close));
      for (let i = 0; i < base; i++) {
        windows[i].push(move);
        out[i] = windows[i].deviation;
      }
      const now = out[2];
      ofVolatility.push(now);
      regime.push(now);
      out[base] = ratio(out[0], now, 1);
      out[base + 1] = ratio(now, out[4], 1);
      out[base + 2] = ratio(ofVolatility.deviation, ofVolatility.mean, 0);
      out[base + 3] = regime.score(now);
      out[base + 4] = root(down.push(move * Math.min(move, 0)));
      out[base + 5] = root(up.push(move * Math.max(move, 0)));
      out[base + 6] = largest.push(Math.abs(move));
      const last = before.push(move);
      const variance = squares.push(last !== last ? NaN : move * move);
      const smooth = bipower.push((Math.PI / 2) * Math.abs(move * last));
      out[base + 7] = Math.max(0, 1 - ratio(smooth, variance, 1));
    };
  },
);

const ranges = kernel(
  { ...shared, inputs: ohlc, source: 'range estimators' },
  [
    ...[10, 20, 50].flatMap((bars) => [
      {
        name: `parkinson_${bars}`,
        warmUp: bars - 1,
        source: 'Parkinson 1980',
        about: `root of the mean of ln(high / low)^2 / (4 ln 2) over ${bars} bars`,
      },
      {
        name: `garman_klass_${bars}`,
        warmUp: bars - 1,
        source: 'Garman and Klass 1980',
        about: `root of the mean of ln(h/l)^2 / 2 - (2 ln 2 - 1) ln(c/o)^2 over ${bars} bars, at least 0`,
      },
      {
        name: `rogers_satchell_${bars}`,
        warmUp: bars - 1,
        source: 'Rogers and Satchell 1991',
        about: `root of the mean of ln(h/c) ln(h/o) + ln(l/c) ln(l/o) over ${bars} bars`,
      },
      {
        name: `yang_zhang_${bars}`,
        warmUp: bars,
        source: 'Yang and Zhang 2000, k = .34 / (1.34 + (n + 1) / (n - 1))',
        about: `root of open variance + k close variance + (1 - k) Rogers-Satchell over ${bars} bars`,
      },
    ]),
  ],
  () => {
    const windows = [10, 20, 50].map((bars) => ({
      parkinson: new RollingMean(bars),
      garmanKlass: new RollingMean(bars),
      rogersSatchell: new RollingMean(bars),
      rogersSatchellLater: new RollingMean(bars),
      overnight: new RollingMoments(bars),
      intraday: new RollingMoments(bars),
      weight: 0.34 / (1.34 + (bars + 1) / (bars - 1)),
      bars,
    }));
    const previous = new Lag(1);
    return ({ open, high, low, close }, out) => {
      const range = Math.log(high / low);
      const body = Math.log(close / open);
      const gap = Math.log(open / previous.push(close));
      const drift =
        Math.log(high / close) * Math.log(high / open) + Math.log(low / close) * Math.log(low / open);
      for (let i = 0; i < windows.length; i++) {
        const window = windows[i];
        const at = 4 * i;
        out[at] = root(window.parkinson.push((range * range) / (4 * Math.LN2)));
        out[at + 1] = root(window.garmanKlass.push((range * range) / 2 - (2 * Math.LN2 - 1) * body * body));
        out[at + 2] = root(window.rogersSatchell.push(drift));
        const late = gap !== gap ? NaN : 0;
        window.overnight.push(gap);
        window.intraday.push(body + late);
        out[at + 3] = root(
          (window.overnight.squares + window.weight * window.intraday.squares) / (window.bars - 1) +
            (1 - window.weight) * window.rogersSatchellLater.push(drift + late),
        );
      }
    };
  },
);

const trueRanges = kernel(
  { ...shared, inputs: ['high', 'low', 'close'], source: 'Wilder 1978' },
  [
    { name: 'true_range', warmUp: 1, about: 'true range / close' },
    ...[7, 14, 28].map((bars) => ({
      name: `atr_${bars}`,
      warmUp: bars,
      about: `average true range of ${bars} / close`,
    })),
    { name: 'atr_ratio_7_28', warmUp: 28, about: 'average true range of 7 / of 28; 1 when the latter is 0' },
    {
      name: 'true_range_ratio_14',
      warmUp: 14,
      about: 'true range / average true range of 14; 1 when it is 0',
    },
    { name: 'high_low_range', warmUp: 0, inputs: ['high', 'low', 'close'], about: '(high - low) / close' },
    { name: 'high_low_range_mean_20', warmUp: 19, about: 'mean of 20 values of (high - low) / close' },
    {
      name: 'high_low_range_score_50',
      warmUp: 49,
      unit: 'score',
      about: '(high - low) / close in deviations from its mean of 50; 0 when flat',
    },
    {
      name: 'keltner_position',
      warmUp: 19,
      unit: 'score',
      source: 'Keltner channel: exponential mean of 20, average true range of 10',
      about: '(close - mean) / average true range; 0 when the range is below a billionth of the close',
    },
    {
      name: 'squeeze',
      warmUp: 19,
      unit: 'index',
      source: 'Carter, TTM squeeze (Bollinger 2 over Keltner 1.5)',
      about: 'Bollinger width / Keltner width, below 1 when squeezed; 1 when the latter is 0',
    },
    {
      name: 'ulcer_14',
      warmUp: 26,
      source: 'Martin 1987, ulcer index',
      about: 'root of the mean squared fall below the highest close of 14, over 14 bars',
    },
  ],
  () => {
    const range = new TrueRange();
    const [short, middle, long, keltner] = [7, 14, 28, 10].map((bars) => new Atr(bars));
    const rangeMean = new RollingMean(20);
    const rangeScore = new RollingMoments(50);
    const mean = new Ema(20);
    const band = new RollingMoments(20);
    const top = new RollingMax(14);
    const falls = new RollingMean(14);
    return (bar, out) => {
      const { high, low, close } = bar;
      const width = (high - low) / close;
      out[0] = range.push(bar) / close;
      out[1] = short.push(bar) / close;
      out[2] = middle.push(bar) / close;
      out[3] = long.push(bar) / close;
      out[4] = ratio(out[1], out[3], 1);
      out[5] = ratio(out[0], out[2], 1);
      out[6] = width;
      out[7] = rangeMean.push(width);
      rangeScore.push(width);
      out[8] = rangeScore.score(width);
      const channel = keltner.push(bar);
      const distance = close - mean.push(close);
      // A price that stopped moving leaves rounding above and a vanishing range below.
      out[9] = channel < 1e-9 * close ? 0 * distance : distance / channel;
      band.push(close);
      out[10] = ratio(4 * band.populationDeviation, 3 * channel, 1);
      const fall = close / top.push(close) - 1;
      out[11] = root(falls.push(fall * fall));
    };
  },
);

const recursive = kernel(
  { ...shared, source: 'RiskMetrics 1996' },
  [
    {
      name: 'ewma_volatility_94',
      warmUp: 20,
      about: 'root of the exponentially weighted squared log return, decay .94, seeded with 20 returns',
    },
    {
      name: 'ewma_volatility_97',
      warmUp: 20,
      about: 'root of the exponentially weighted squared log return, decay .97, seeded with 20 returns',
    },
    ...[1, 7, 30].map((days) => ({
      name: `realised_volatility_${days}d`,
      warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
      source: 'Corsi 2009, HAR terms',
      about: `root of the mean squared log return of the bars of ${days} d, per bar`,
    })),
    {
      name: 'skewness_50',
      warmUp: 50,
      unit: 'index',
      source: 'third standardised moment',
      about: 'skewness of 50 log returns; 0 when they do not vary',
    },
    {
      name: 'kurtosis_50',
      warmUp: 50,
      unit: 'index',
      source: 'fourth standardised moment, minus 3',
      about: 'excess kurtosis of 50 log returns; 0 when they do not vary',
    },
  ],
  (timeframe) => {
    const previous = new Lag(1);
    const decays = [0.94, 0.97].map((decay) => new Ema(20, 1 - decay));
    const terms = [1, 7, 30].map((days) => new RollingMean(barsIn(days, timeframe)));
    const powers = [1, 2, 3, 4].map(() => new RollingMean(50));
    return ({ close }, out) => {
      const move = Math.log(close / previous.push(close));
      const square = move * move;
      for (let i = 0; i < decays.length; i++) out[i] = Math.sqrt(decays[i].push(square));
      for (let i = 0; i < terms.length; i++) out[2 + i] = root(terms[i].push(square));
      // In hundredths, so that fourth powers keep their digits.
      const percent = 100 * move;
      const m1 = powers[0].push(percent);
      const m2 = powers[1].push(percent * percent);
      const m3 = powers[2].push(percent * percent * percent);
      const m4 = powers[3].push(percent * percent * (percent * percent));
      const variance = m2 - m1 * m1;
      const flat = variance <= 1e-12 * m2 || variance === 0;
      out[5] = flat ? 0 : (m3 - 3 * m1 * m2 + 2 * m1 * m1 * m1) / (variance * Math.sqrt(variance));
      out[6] = flat ? 0 : (m4 - 4 * m1 * m3 + 3 * m1 * m1 * (2 * m2 - m1 * m1)) / (variance * variance) - 3;
    };
  },
);

/** Square root of a mean that rounding may have left a hair below 0. */
const root = (value: number): number => Math.sqrt(Math.max(0, value));

export const volatilityKernels: readonly FeatureKernel[] = [historical, ranges, trueRanges, recursive];
