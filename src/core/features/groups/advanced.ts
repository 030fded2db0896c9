import { type FeatureKernel, kernel } from '../feature.ts';
import { RollingMax, RollingMin } from '../kernels/extremes.ts';
import { ratio } from '../kernels/indicators.ts';
import { Lag, RollingSum } from '../kernels/rolling.ts';
import { VolumeProfile } from '../kernels/volume-profile.ts';

const shared = {
  group: 'advanced',
  source: 'definition',
  unit: 'fraction',
  inputs: ['high', 'low', 'close'],
} as const;

const ichimoku = kernel(
  {
    ...shared,
    source: 'Hosoda, Ichimoku (9, 26, 52), displaced by 26 bars; only what is known at the close',
  },
  [
    { name: 'ichimoku_conversion', warmUp: 8, about: 'close / tenkan - 1, middle of the range of 9' },
    { name: 'ichimoku_base', warmUp: 25, about: 'close / kijun - 1, middle of the range of 26' },
    { name: 'ichimoku_span_a', warmUp: 51, about: 'close / senkou A drawn at this bar, 26 bars ago - 1' },
    { name: 'ichimoku_span_b', warmUp: 77, about: 'close / senkou B drawn at this bar, 26 bars ago - 1' },
    { name: 'ichimoku_lagging', warmUp: 26, about: 'chikou: close / close of 26 bars ago - 1' },
    { name: 'ichimoku_cross', warmUp: 25, about: '(tenkan - kijun) / close' },
    { name: 'ichimoku_cloud_thickness', warmUp: 77, about: '(senkou A - senkou B) / close at this bar' },
    {
      name: 'ichimoku_cloud_side',
      warmUp: 77,
      unit: 'score',
      about: '1 above the cloud, -1 below, 0 inside',
    },
    {
      name: 'ichimoku_future_cloud',
      warmUp: 51,
      about: '(senkou A - senkou B) / close of the cloud that will stand in 26 bars',
    },
    {
      name: 'ichimoku_score',
      warmUp: 77,
      unit: 'score',
      about: 'mean of the signs of cross, cloud side, future cloud and lagging line',
    },
  ],
  () => {
    const ranges = [9, 26, 52].map((bars) => ({ top: new RollingMax(bars), bottom: new RollingMin(bars) }));
    const middles = [0, 0, 0];
    const [lagA, lagB, lagClose] = [26, 26, 26].map((bars) => new Lag(bars));
    return ({ high, low, close }, out) => {
      for (let i = 0; i < ranges.length; i++)
        middles[i] = (ranges[i].top.push(high) + ranges[i].bottom.push(low)) / 2;
      const [conversion, base, futureB] = middles;
      const futureA = (conversion + base) / 2;
      const spanA = lagA.push(futureA);
      const spanB = lagB.push(futureB);
      out[0] = close / conversion - 1;
      out[1] = close / base - 1;
      out[2] = close / spanA - 1;
      out[3] = close / spanB - 1;
      out[4] = close / lagClose.push(close) - 1;
      out[5] = (conversion - base) / close;
      out[6] = (spanA - spanB) / close;
      out[7] = (Math.sign(close - spanA) + Math.sign(close - spanB)) / 2;
      out[7] = out[7] !== out[7] ? NaN : Math.trunc(out[7]);
      out[8] = (futureA - futureB) / close;
      out[9] = (Math.sign(out[5]) + out[7] + Math.sign(out[8]) + Math.sign(out[4])) / 4;
    };
  },
);

const FIBONACCI = [0.236, 0.382, 0.5, 0.618, 0.786];

const fibonacci = kernel(
  { ...shared, source: 'Fibonacci retracements of the range of 100 bars' },
  [
    ...FIBONACCI.map((level) => ({
      name: `fibonacci_distance_${Math.round(1000 * level)}`,
      warmUp: 99,
      about: `(close - (high - ${level} range)) / close, range of 100 bars`,
    })),
    {
      name: 'fibonacci_nearest',
      warmUp: 99,
      unit: 'fraction',
      about: 'distance of the close to the nearest level, / range of 100; 0 when flat',
    },
  ],
  () => {
    const top = new RollingMax(100);
    const bottom = new RollingMin(100);
    return ({ high, low, close }, out) => {
      const ceiling = top.push(high);
      const range = ceiling - bottom.push(low);
      let nearest = Infinity;
      for (let i = 0; i < FIBONACCI.length; i++) {
        const distance = close - (ceiling - FIBONACCI[i] * range);
        out[i] = distance / close;
        nearest = Math.min(nearest, Math.abs(distance));
      }
      out[FIBONACCI.length] = ratio(nearest, range, 0);
    };
  },
);

/** Bars on either side that a swing point must exceed; a swing is known that many bars later. */
const SWING = 5;

const swings = kernel(
  { ...shared, source: 'swing points: extremes of 5 bars on either side, used when confirmed' },
  [
    {
      name: 'swing_high_distance',
      warmUp: 0,
      about: 'last confirmed swing high / close - 1; the highest high before the first one',
    },
    {
      name: 'swing_low_distance',
      warmUp: 0,
      about: 'close / last confirmed swing low - 1; the lowest low before the first one',
    },
    {
      name: 'swing_position',
      warmUp: 0,
      unit: 'index',
      about: 'place of the close between the last swing low (0) and high (1); 0.5 when they are equal',
    },
    {
      name: 'swing_age',
      warmUp: 0,
      unit: 'log',
      about: 'ln(1 + bars since the later swing), positive when it is a low',
    },
    {
      name: 'swing_structure',
      warmUp: 0,
      unit: 'score',
      about: '1 higher high and higher low, -1 lower high and lower low, 0 else',
    },
  ],
  () => {
    const top = new RollingMax(2 * SWING + 1);
    const bottom = new RollingMin(2 * SWING + 1);
    const swing = { high: -Infinity, low: Infinity, highBefore: NaN, lowBefore: NaN };
    let [anyHigh, anyLow] = [false, false];
    let [highAge, lowAge] = [0, 0];
    return ({ high, low, close }, out) => {
      const highest = top.push(high);
      const lowest = bottom.push(low);
      highAge++;
      lowAge++;
      if (top.age === SWING) {
        if (anyHigh) swing.highBefore = swing.high;
        swing.high = highest;
        highAge = SWING;
        anyHigh = true;
      } else if (!anyHigh && high >= swing.high) {
        swing.high = high;
        highAge = 0;
      }
      if (bottom.age === SWING) {
        if (anyLow) swing.lowBefore = swing.low;
        swing.low = lowest;
        lowAge = SWING;
        anyLow = true;
      } else if (!anyLow && low <= swing.low) {
        swing.low = low;
        lowAge = 0;
      }
      out[0] = swing.high / close - 1;
      out[1] = close / swing.low - 1;
      out[2] = ratio(close - swing.low, swing.high - swing.low, 0.5);
      out[3] = lowAge < highAge ? Math.log1p(lowAge) : -Math.log1p(highAge);
      const rising = swing.high > swing.highBefore && swing.low > swing.lowBefore;
      const falling = swing.high < swing.highBefore && swing.low < swing.lowBefore;
      out[4] = rising ? 1 : falling ? -1 : 0;
    };
  },
);

const PROFILE_BARS = 120;

const profile = kernel(
  {
    ...shared,
    inputs: ['high', 'low', 'close', 'volume'],
    source: 'Steidlmayer, market profile: 24 price bins, value area 70 %',
  },
  [
    {
      name: 'profile_poc_distance',
      warmUp: PROFILE_BARS - 1,
      about: `close / point of control of ${PROFILE_BARS} bars - 1; bars count alike when none traded`,
    },
    { name: 'profile_vah_distance', warmUp: PROFILE_BARS - 1, about: 'close / value area high - 1' },
    { name: 'profile_val_distance', warmUp: PROFILE_BARS - 1, about: 'close / value area low - 1' },
    {
      name: 'profile_value_width',
      warmUp: PROFILE_BARS - 1,
      about: '(value area high - low) / point of control',
    },
    {
      name: 'profile_side',
      warmUp: PROFILE_BARS - 1,
      unit: 'score',
      about: '1 above the value area, -1 below, 0 inside',
    },
    {
      name: 'profile_entropy',
      warmUp: PROFILE_BARS - 1,
      unit: 'index',
      about: 'entropy of the shares of the bins / ln 24: 1 when volume is spread evenly; 0 when flat',
    },
  ],
  () => {
    const volumes = new VolumeProfile(PROFILE_BARS, 24, 0.7);
    return (bar, out) => {
      volumes.push(bar);
      const { pointOfControl, valueHigh, valueLow, entropy } = volumes;
      out[0] = bar.close / pointOfControl - 1;
      out[1] = bar.close / valueHigh - 1;
      out[2] = bar.close / valueLow - 1;
      out[3] = (valueHigh - valueLow) / pointOfControl;
      out[4] = valueHigh !== valueHigh ? NaN : bar.close > valueHigh ? 1 : bar.close < valueLow ? -1 : 0;
      out[5] = entropy;
    };
  },
);

const wyckoff = kernel(
  {
    ...shared,
    unit: 'index',
    inputs: ['high', 'low', 'close', 'volume'],
    source: 'after Wyckoff: springs and upthrusts at the edge of the range, volume with and against the move',
  },
  [
    {
      name: 'spring_20',
      warmUp: 20,
      unit: 'flag',
      about: '1 when the low undercuts the lowest low of the 20 bars before and the close is back above it',
    },
    {
      name: 'upthrust_20',
      warmUp: 20,
      unit: 'flag',
      about: '1 when the high exceeds the highest high of the 20 bars before and the close is back below it',
    },
    {
      name: 'wyckoff_score',
      warmUp: 69,
      about:
        'mean of money flow of 50, balance of rising and falling volume of 50 and tanh(springs - upthrusts of 50): 1 accumulation, -1 distribution',
    },
  ],
  () => {
    const top = new RollingMax(20);
    const bottom = new RollingMin(20);
    const [topBefore, bottomBefore, closeBefore] = [1, 1, 1].map((bars) => new Lag(bars));
    const [flow, signed, volumes, tests] = [50, 50, 50, 50].map((bars) => new RollingSum(bars));
    return ({ high, low, close, volume }, out) => {
      const ceiling = topBefore.push(top.push(high));
      const floor = bottomBefore.push(bottom.push(low));
      const known = ceiling === ceiling;
      out[0] = known ? (low < floor && close > floor ? 1 : 0) : NaN;
      out[1] = known ? (high > ceiling && close < ceiling ? 1 : 0) : NaN;
      const total = volumes.push(volume);
      const location = ratio(2 * close - high - low, high - low, 0);
      const move = Math.sign(close - closeBefore.push(close));
      const pressure = ratio(flow.push(location * volume), total, 0);
      const balance = ratio(signed.push(move * volume), total, 0);
      out[2] = (pressure + balance + Math.tanh(tests.push(out[0] - out[1]))) / 3;
    };
  },
);

const heikinAshi = kernel(
  {
    ...shared,
    inputs: ['open', 'high', 'low', 'close'],
    source: 'Heikin-Ashi bars, the first opening at its own open',
  },
  [
    { name: 'heikin_ashi_body', warmUp: 0, about: '(close - open) / close of the averaged bar' },
    {
      name: 'heikin_ashi_run',
      warmUp: 0,
      unit: 'bars',
      about: 'averaged bars in a row of one direction, signed; 0 after one without a body',
    },
  ],
  () => {
    let previous = { open: NaN, close: NaN };
    let run = 0;
    return ({ open, high, low, close }, out) => {
      const averageClose = (open + high + low + close) / 4;
      const averageOpen = previous.open === previous.open ? (previous.open + previous.close) / 2 : open;
      previous = { open: averageOpen, close: averageClose };
      const direction = Math.sign(averageClose - averageOpen);
      run = direction === 0 ? 0 : Math.sign(run) === direction ? run + direction : direction;
      out[0] = (averageClose - averageOpen) / averageClose;
      out[1] = run;
    };
  },
);

export const advancedKernels: readonly FeatureKernel[] = [
  ichimoku,
  fibonacci,
  swings,
  profile,
  wyckoff,
  heikinAshi,
];
