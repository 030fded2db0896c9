import { distance, growth, lag, minus, over, ratio, sign } from '../columns/arithmetic.ts';
import { elliott } from '../columns/elliott.ts';
import { highest, lowest } from '../columns/extremes.ts';
import { middle } from '../columns/indicators.ts';
import { type Column, derive } from '../columns/plan.ts';
import { run } from '../columns/runs.ts';
import { swingPoints } from '../columns/swings.ts';
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

const cloudSide = (of: Sources): Column => {
  const [a, b] = [spanA(of), spanB(of)];
  return derive('cloud side', [of.close, a, b], (out) => (rows) => {
    const { data: outData, at: outAt } = out;
    const { data: xs, at } = of.close;
    const { data: as, at: aAt } = a;
    const { data: bs, at: bAt } = b;
    for (let i = 0; i < rows; i++) {
      const sides = Math.sign(xs[at + i] - as[aAt + i]) + Math.sign(xs[at + i] - bs[bAt + i]);
      outData[outAt + i] = sides !== sides ? NaN : sides === 2 ? 1 : sides === -2 ? -1 : 0;
    }
  });
};

const meanOf = ([a, b, c, d]: readonly Column[]): Column =>
  derive('mean of four', [a, b, c, d], (out) => (rows) => {
    const { data: outData, at: outAt } = out;
    const { data: aData, at: aAt } = a;
    const { data: bData, at: bAt } = b;
    const { data: cData, at: cAt } = c;
    const { data: dData, at: dAt } = d;
    for (let i = 0; i < rows; i++)
      outData[outAt + i] = (aData[aAt + i] + bData[bAt + i] + cData[cAt + i] + dData[dAt + i]) / 4;
  });

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
    column: ({ high, low, close }) => {
      const top = highest(high, 100);
      const bottom = lowest(low, 100);
      return derive('fibonacci nearest', [close, top, bottom], (out) => (rows) => {
        const { data: topData, at: topAt } = top;
        const { data: bottomData, at: bottomAt } = bottom;
        const { data: closeData, at: closeAt } = close;
        const { data: outData, at: outAt } = out;
        for (let i = 0; i < rows; i++) {
          const ceiling = topData[topAt + i];
          const range = ceiling - bottomData[bottomAt + i];
          const now = closeData[closeAt + i];
          let nearest = Infinity;
          for (let k = 0; k < FIBONACCI.length; k++) {
            const apart = Math.abs(now - (ceiling - FIBONACCI[k] * range));
            if (apart < nearest) nearest = apart;
          }
          outData[outAt + i] = range === 0 ? 0 : range === range ? nearest / range : NaN;
        }
      });
    },
  },
]);

const retracement = ({ high, low, close }: Sources, level: number): Column => {
  const [top, bottom] = [highest(high, 100), lowest(low, 100)];
  return derive(`retracement ${level}`, [close, top, bottom], (out) => (rows) => {
    const { data: outData, at: outAt } = out;
    const { data: xs, at } = close;
    const { data: ts, at: tAt } = top;
    const { data: bs, at: bAt } = bottom;
    for (let i = 0; i < rows; i++) {
      const ceiling = ts[tAt + i];
      const now = xs[at + i];
      outData[outAt + i] = (now - (ceiling - level * (ceiling - bs[bAt + i]))) / now;
    }
  });
};

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
const side = (x: Column, bottom: Column, top: Column): Column =>
  derive('side of', [x, bottom, top], (out) => (rows) => {
    const { data: xData, at: xAt } = x;
    const { data: topData, at: topAt } = top;
    const { data: bottomData, at: bottomAt } = bottom;
    const { data: outData, at: outAt } = out;
    for (let i = 0; i < rows; i++) {
      const now = xData[xAt + i];
      const ceiling = topData[topAt + i];
      const below = now < bottomData[bottomAt + i] ? -1 : 0;
      outData[outAt + i] = ceiling !== ceiling ? NaN : now > ceiling ? 1 : below;
    }
  });

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

const spring = (low: Column, close: Column): Column => {
  const floor = lag(lowest(low, 20), 1);
  return derive('spring', [low, close, floor], (out) => (rows) => {
    const { data: floorData, at: floorAt } = floor;
    const { data: lowData, at: lowAt } = low;
    const { data: closeData, at: closeAt } = close;
    const { data: outData, at: outAt } = out;
    for (let i = 0; i < rows; i++) {
      const level = floorData[floorAt + i];
      const found = lowData[lowAt + i] < level && closeData[closeAt + i] > level;
      outData[outAt + i] = level !== level ? NaN : found ? 1 : 0;
    }
  });
};

const upthrust = (high: Column, close: Column): Column => {
  const ceiling = lag(highest(high, 20), 1);
  return derive('upthrust', [high, close, ceiling], (out) => (rows) => {
    const { data: ceilingData, at: ceilingAt } = ceiling;
    const { data: highData, at: highAt } = high;
    const { data: closeData, at: closeAt } = close;
    const { data: outData, at: outAt } = out;
    for (let i = 0; i < rows; i++) {
      const level = ceilingData[ceilingAt + i];
      const found = highData[highAt + i] > level && closeData[closeAt + i] < level;
      outData[outAt + i] = level !== level ? NaN : found ? 1 : 0;
    }
  });
};

const wyckoffScore = (pressure: Column, balance: Column, tests: Column): Column =>
  derive('wyckoff', [pressure, balance, tests], (out) => (rows) => {
    const { data: testsData, at: testsAt } = tests;
    const { data: outData, at: outAt } = out;
    const { data: pressureData, at: pressureAt } = pressure;
    const { data: balanceData, at: balanceAt } = balance;
    for (let i = 0; i < rows; i++) {
      const tested = Math.tanh(testsData[testsAt + i]);
      outData[outAt + i] = (pressureData[pressureAt + i] + balanceData[balanceAt + i] + tested) / 3;
    }
  });

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
  derive('heikin ashi', [open, high, low, close], (out, memory) => {
    const state = memory(2).fill(NaN);
    return (rows) => {
      const { data: openData, at: openAt } = open;
      const { data: highData, at: highAt } = high;
      const { data: lowData, at: lowAt } = low;
      const { data: closeData, at: closeAt } = close;
      const { data: outData, at: outAt } = out;
      let openBefore = state[0];
      let closeBefore = state[1];
      for (let i = 0; i < rows; i++) {
        const o = openData[openAt + i];
        const c = (o + highData[highAt + i] + lowData[lowAt + i] + closeData[closeAt + i]) / 4;
        openBefore = openBefore === openBefore ? (openBefore + closeBefore) / 2 : o;
        closeBefore = c;
        outData[outAt + i] = (c - openBefore) / c;
      }
      state[0] = openBefore;
      state[1] = closeBefore;
    };
  });

export const advancedFeatures: readonly Feature[] = [
  ...ichimoku,
  ...fibonacci,
  ...swings,
  ...waves,
  ...profile,
  ...wyckoff,
  ...heikinAshi,
];
