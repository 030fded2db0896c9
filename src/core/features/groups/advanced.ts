import { distance, growth, lag, minus, over, ratio, sign } from '../columns/arithmetic.ts';
import { highest, lowest } from '../columns/extremes.ts';
import { middle } from '../columns/indicators.ts';
import { type Column, compute } from '../columns/plan.ts';
import { run } from '../columns/runs.ts';
import { elliott, swingPoints } from '../columns/swings.ts';
import { accumulation, signedVolume } from '../columns/flows.ts';
import { volumeProfile } from '../columns/volume-profile.ts';
import { sum } from '../columns/windows.ts';
import { type Feature, features, type Sources } from '../feature.ts';

const shared = {
  group: 'advanced',
  source: 'definition',
  unit: 'fraction',
  inputs: ['high', 'low', 'close'],
} as const;

/** Middle of the range of `bars` bars. */
const centre = ({ high, low }: Sources, bars: number): Column =>
  middle(highest(high, bars), lowest(low, bars));
const tenkan = (of: Sources): Column => centre(of, 9);
const kijun = (of: Sources): Column => centre(of, 26);
const futureA = (of: Sources): Column => middle(tenkan(of), kijun(of));
const futureB = (of: Sources): Column => centre(of, 52);
const spanA = (of: Sources): Column => lag(futureA(of), 26);
const spanB = (of: Sources): Column => lag(futureB(of), 26);

const ichimoku = features(
  {
    ...shared,
    source: 'Hosoda, Ichimoku (9, 26, 52), displaced by 26 bars; only what is known at the close',
  },
  [
    {
      name: 'ichimoku_conversion',
      warmUp: 8,
      about: 'close / tenkan - 1, middle of the range of 9',
      column: (of) => distance(of.close, tenkan(of)),
    },
    {
      name: 'ichimoku_base',
      warmUp: 25,
      about: 'close / kijun - 1, middle of the range of 26',
      column: (of) => distance(of.close, kijun(of)),
    },
    {
      name: 'ichimoku_span_a',
      warmUp: 51,
      about: 'close / senkou A drawn at this bar, 26 bars ago - 1',
      column: (of) => distance(of.close, spanA(of)),
    },
    {
      name: 'ichimoku_span_b',
      warmUp: 77,
      about: 'close / senkou B drawn at this bar, 26 bars ago - 1',
      column: (of) => distance(of.close, spanB(of)),
    },
    {
      name: 'ichimoku_lagging',
      warmUp: 26,
      about: 'chikou: close / close of 26 bars ago - 1',
      column: ({ close }) => growth(close, 26),
    },
    {
      name: 'ichimoku_cross',
      warmUp: 25,
      about: '(tenkan - kijun) / close',
      column: (of) => over(minus(tenkan(of), kijun(of)), of.close),
    },
    {
      name: 'ichimoku_cloud_thickness',
      warmUp: 77,
      about: '(senkou A - senkou B) / close at this bar',
      column: (of) => over(minus(spanA(of), spanB(of)), of.close),
    },
    {
      name: 'ichimoku_cloud_side',
      warmUp: 77,
      unit: 'score',
      about: '1 above the cloud, -1 below, 0 inside',
      column: (of) => cloudSide(of),
    },
    {
      name: 'ichimoku_future_cloud',
      warmUp: 51,
      about: '(senkou A - senkou B) / close of the cloud that will stand in 26 bars',
      column: (of) => over(minus(futureA(of), futureB(of)), of.close),
    },
    {
      name: 'ichimoku_score',
      warmUp: 77,
      unit: 'score',
      about: 'mean of the signs of cross, cloud side, future cloud and lagging line',
      column: (of) => {
        const cross = sign(minus(tenkan(of), kijun(of)));
        const future = sign(minus(futureA(of), futureB(of)));
        return meanOf([cross, cloudSide(of), future, sign(growth(of.close, 26))]);
      },
    },
  ],
);

const cloudSide = (of: Sources): Column => compute('cloudSide', [of.close, spanA(of), spanB(of)]);

const meanOf = ([a, b, c, d]: readonly Column[]): Column => compute('meanOfFour', [a, b, c, d]);

const FIBONACCI = [0.236, 0.382, 0.5, 0.618, 0.786];

const fibonacci = features({ ...shared, source: 'Fibonacci retracements of the range of 100 bars' }, [
  ...FIBONACCI.map((level) => ({
    name: `fibonacci_distance_${Math.round(1000 * level)}`,
    warmUp: 99,
    about: `(close - (high - ${level} range)) / close, range of 100 bars`,
    column: (of: Sources) => retracement(of, level),
  })),
  {
    name: 'fibonacci_nearest',
    warmUp: 99,
    about: 'distance of the close to the nearest level, / range of 100; 0 when flat',
    column: ({ high, low, close }) =>
      compute('nearestLevel', [close, highest(high, 100), lowest(low, 100)], [], FIBONACCI),
  },
]);

const retracement = ({ high, low, close }: Sources, level: number): Column =>
  compute('retracement', [close, highest(high, 100), lowest(low, 100)], [level]);

const swings = features(
  { ...shared, source: 'swing points: extremes of 5 bars on either side, used when confirmed' },
  [
    {
      name: 'swing_high_distance',
      warmUp: 0,
      about: 'last confirmed swing high / close - 1; the highest high before the first one',
      column: (of) => distance(swingPoints(of).high, of.close),
    },
    {
      name: 'swing_low_distance',
      warmUp: 0,
      about: 'close / last confirmed swing low - 1; the lowest low before the first one',
      column: (of) => distance(of.close, swingPoints(of).low),
    },
    {
      name: 'swing_position',
      warmUp: 0,
      unit: 'index',
      about: 'place of the close between the last swing low (0) and high (1); 0.5 when they are equal',
      column: (of) => {
        const { high, low } = swingPoints(of);
        return ratio(minus(of.close, low), minus(high, low), 0.5);
      },
    },
    {
      name: 'swing_age',
      warmUp: 0,
      unit: 'log',
      about: 'ln(1 + bars since the later swing), positive when it is a low',
      column: (of) => swingPoints(of).age,
    },
    {
      name: 'swing_structure',
      warmUp: 0,
      unit: 'score',
      about: '1 higher high and higher low, -1 lower high and lower low, 0 else',
      column: (of) => swingPoints(of).structure,
    },
  ],
);

const waves = features(
  {
    ...shared,
    unit: 'score',
    source: 'Elliott 1938; rules of Frost and Prechter 1978, on confirmed swing points',
  },
  [
    {
      name: 'elliott_count',
      warmUp: 0,
      about: 'complete waves of an impulse, 0 to 5, negative where it falls; the most that keep the rules',
      column: (of) => elliott(of).count,
    },
    {
      name: 'elliott_phase',
      warmUp: 0,
      about: '1 in a rising impulse with 2 to 4 complete waves, -1 in a falling one, 0 before and after',
      column: (of) => elliott(of).phase,
    },
  ],
);

const PROFILE_BARS = 120;
const profileOf = (of: Sources) => volumeProfile(of, { length: PROFILE_BARS, count: 24, share: 0.7 });

const profile = features(
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
      column: (of) => distance(of.close, profileOf(of).pointOfControl),
    },
    {
      name: 'profile_vah_distance',
      warmUp: PROFILE_BARS - 1,
      about: 'close / value area high - 1',
      column: (of) => distance(of.close, profileOf(of).valueHigh),
    },
    {
      name: 'profile_val_distance',
      warmUp: PROFILE_BARS - 1,
      about: 'close / value area low - 1',
      column: (of) => distance(of.close, profileOf(of).valueLow),
    },
    {
      name: 'profile_value_width',
      warmUp: PROFILE_BARS - 1,
      about: '(value area high - low) / point of control',
      column: (of) => {
        const { valueHigh, valueLow, pointOfControl } = profileOf(of);
        return over(minus(valueHigh, valueLow), pointOfControl);
      },
    },
    {
      name: 'profile_side',
      warmUp: PROFILE_BARS - 1,
      unit: 'score',
      about: '1 above the value area, -1 below, 0 inside',
      column: (of) => {
        const { valueHigh, valueLow } = profileOf(of);
        return side(of.close, valueLow, valueHigh);
      },
    },
    {
      name: 'profile_entropy',
      warmUp: PROFILE_BARS - 1,
      unit: 'index',
      about: 'entropy of the shares of the bins / ln 24: 1 when volume is spread evenly; 0 when flat',
      column: (of) => profileOf(of).entropy,
    },
  ],
);

/** 1 above `top`, -1 below `bottom`, 0 between. */
const side = (x: Column, bottom: Column, top: Column): Column => compute('sideOf', [x, bottom, top]);

const wyckoff = features(
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
      column: ({ low, close }) => spring(low, close),
    },
    {
      name: 'upthrust_20',
      warmUp: 20,
      unit: 'flag',
      about: '1 when the high exceeds the highest high of the 20 bars before and the close is back below it',
      column: ({ high, close }) => upthrust(high, close),
    },
    {
      name: 'wyckoff_score',
      warmUp: 69,
      about:
        'mean of money flow of 50, balance of rising and falling volume of 50 and tanh(springs - upthrusts of 50): 1 accumulation, -1 distribution',
      column: (of) => {
        const traded = sum(of.volume, 50);
        const pressure = ratio(sum(accumulation(of), 50), traded, 0);
        const balance = ratio(sum(signedVolume(of), 50), traded, 0);
        const tests = sum(minus(spring(of.low, of.close), upthrust(of.high, of.close)), 50);
        return wyckoffScore(pressure, balance, tests);
      },
    },
  ],
);

const spring = (low: Column, close: Column): Column =>
  compute('spring', [low, close, lag(lowest(low, 20), 1)], [1]);

const upthrust = (high: Column, close: Column): Column =>
  compute('spring', [high, close, lag(highest(high, 20), 1)], [-1]);

const wyckoffScore = (pressure: Column, balance: Column, tests: Column): Column =>
  compute('wyckoffScore', [pressure, balance, tests]);

const heikinAshi = features(
  {
    ...shared,
    inputs: ['open', 'high', 'low', 'close'],
    source: 'Heikin-Ashi bars, the first opening at its own open',
  },
  [
    {
      name: 'heikin_ashi_body',
      warmUp: 0,
      about: '(close - open) / close of the averaged bar',
      column: (of) => heikinBody(of),
    },
    {
      name: 'heikin_ashi_run',
      warmUp: 0,
      unit: 'bars',
      about: 'averaged bars in a row of one direction, signed; 0 after one without a body',
      column: (of) => run(sign(heikinBody(of))),
    },
  ],
);

const heikinBody = ({ open, high, low, close }: Sources): Column =>
  compute('heikinBody', [open, high, low, close], [], [NaN, NaN]);

export const advancedFeatures: readonly Feature[] = [
  ...ichimoku,
  ...fibonacci,
  ...swings,
  ...waves,
  ...profile,
  ...wyckoff,
  ...heikinAshi,
];
