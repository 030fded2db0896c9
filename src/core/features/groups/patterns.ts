import { type FeatureKernel, kernel } from '../feature.ts';
import { ratio } from '../kernels/indicators.ts';
import { RollingMean } from '../kernels/rolling.ts';

const shared = {
  group: 'patterns',
  source: 'Nison 1991; bodies and shadows measured against the bar and the mean body of the 10 bars before',
  unit: 'flag',
  inputs: ['open', 'high', 'low', 'close'],
} as const;

const shape = kernel(
  { ...shared, unit: 'fraction', source: 'definition' },
  [
    { name: 'body_ratio', warmUp: 0, about: '|close - open| / (high - low); 0 when the bar has no range' },
    {
      name: 'upper_shadow_ratio',
      warmUp: 0,
      about: '(high - body top) / (high - low); 0 when the bar has no range',
    },
    {
      name: 'lower_shadow_ratio',
      warmUp: 0,
      about: '(body bottom - low) / (high - low); 0 when the bar has no range',
    },
    {
      name: 'shadow_balance',
      warmUp: 0,
      about: 'lower_shadow_ratio - upper_shadow_ratio',
    },
    {
      name: 'close_run',
      warmUp: 1,
      unit: 'bars',
      about: 'rising (positive) or falling (negative) closes in a row; 0 after an unchanged one',
    },
    {
      name: 'body_run',
      warmUp: 0,
      unit: 'bars',
      about: 'white (positive) or black (negative) bars in a row; 0 after one without a body',
    },
    { name: 'higher_high_run', warmUp: 1, unit: 'bars', about: 'bars in a row with a higher high' },
    { name: 'lower_low_run', warmUp: 1, unit: 'bars', about: 'bars in a row with a lower low' },
  ],
  () => {
    let high1 = NaN;
    let low1 = NaN;
    let close1 = NaN;
    let closes = 0;
    let bodies = 0;
    let highs = 0;
    let lows = 0;
    return ({ open, high, low, close }, out) => {
      const range = high - low;
      out[0] = ratio(Math.abs(close - open), range, 0);
      out[1] = ratio(high - Math.max(open, close), range, 0);
      out[2] = ratio(Math.min(open, close) - low, range, 0);
      out[3] = out[2] - out[1];
      closes = extend(closes, Math.sign(close - close1));
      bodies = extend(bodies, Math.sign(close - open));
      highs = high > high1 ? highs + 1 : 0;
      lows = low < low1 ? lows + 1 : 0;
      const known = close1 === close1;
      out[4] = known ? closes : NaN;
      out[5] = bodies;
      out[6] = known ? highs : NaN;
      out[7] = known ? lows : NaN;
      high1 = high;
      low1 = low;
      close1 = close;
      if (!known) closes = 0;
    };
  },
);

/** A run of `direction` continued, turned or ended. */
const extend = (run: number, direction: number): number =>
  direction === 0 ? 0 : Math.sign(run) === direction ? run + direction : direction;

/** The last three bars as candlestick books describe them; `mean` is the usual body size before each bar. */
interface Stick {
  open: number;
  high: number;
  low: number;
  close: number;
  top: number;
  bottom: number;
  body: number;
  range: number;
  direction: number;
  mean: number;
}

interface Pattern {
  readonly name: string;
  readonly about: string;
  /** 1 bullish, -1 bearish, 0 absent; for shapes without a direction 1 when present. */
  readonly found: (now: Stick, one: Stick, two: Stick) => number;
}

const long = (stick: Stick): boolean => stick.body > stick.mean;
const short = (stick: Stick): boolean => stick.body < stick.mean / 2;
const middle = (stick: Stick): number => (stick.top + stick.bottom) / 2;
const upper = (stick: Stick): number => stick.high - stick.top;
const lower = (stick: Stick): number => stick.bottom - stick.low;
const when = (condition: boolean, value = 1): number => (condition ? value : 0);

const PATTERNS: readonly Pattern[] = [
  {
    name: 'doji',
    about: 'body at most 10 % of the range',
    found: (now) => when(now.range > 0 && now.body <= 0.1 * now.range),
  },
  {
    name: 'dragonfly_doji',
    about: 'doji with at most 10 % upper shadow',
    found: (now) => when(now.range > 0 && now.body <= 0.1 * now.range && upper(now) <= 0.1 * now.range),
  },
  {
    name: 'gravestone_doji',
    about: 'doji with at most 10 % lower shadow',
    found: (now) => when(now.range > 0 && now.body <= 0.1 * now.range && lower(now) <= 0.1 * now.range),
  },
  {
    name: 'hammer',
    about: 'after a falling close: lower shadow at least twice the body, upper at most 10 % of the range',
    found: (now, one, two) => when(one.close < two.close && hammerShape(now)),
  },
  {
    name: 'hanging_man',
    about: "a hammer's shape after a rising close",
    found: (now, one, two) => when(one.close > two.close && hammerShape(now), -1),
  },
  {
    name: 'inverted_hammer',
    about: 'after a falling close: upper shadow at least twice the body, lower at most 10 % of the range',
    found: (now, one, two) => when(one.close < two.close && starShape(now)),
  },
  {
    name: 'shooting_star',
    about: "an inverted hammer's shape after a rising close",
    found: (now, one, two) => when(one.close > two.close && starShape(now), -1),
  },
  {
    name: 'engulfing',
    about: 'the body covers the previous, opposite body',
    found: (now, one) =>
      when(
        now.direction * one.direction < 0 &&
          now.top >= one.top &&
          now.bottom <= one.bottom &&
          now.body > one.body,
        now.direction,
      ),
  },
  {
    name: 'harami',
    about: 'the body lies inside the previous, long and opposite body',
    found: (now, one) =>
      when(
        now.direction * one.direction < 0 && long(one) && now.top < one.top && now.bottom > one.bottom,
        now.direction,
      ),
  },
  {
    name: 'piercing',
    about: 'after a long black bar, opens at or below its close and closes above its middle, below its open',
    found: (now, one) =>
      when(
        one.direction < 0 &&
          long(one) &&
          now.open <= one.close &&
          now.close > middle(one) &&
          now.close < one.open,
      ),
  },
  {
    name: 'dark_cloud',
    about: 'after a long white bar, opens at or above its close and closes below its middle, above its open',
    found: (now, one) =>
      when(
        one.direction > 0 &&
          long(one) &&
          now.open >= one.close &&
          now.close < middle(one) &&
          now.close > one.open,
        -1,
      ),
  },
  {
    name: 'morning_star',
    about: 'long black, short body, then white closing above the middle of the first',
    found: (now, one, two) =>
      when(two.direction < 0 && long(two) && short(one) && now.direction > 0 && now.close > middle(two)),
  },
  {
    name: 'evening_star',
    about: 'long white, short body, then black closing below the middle of the first',
    found: (now, one, two) =>
      when(two.direction > 0 && long(two) && short(one) && now.direction < 0 && now.close < middle(two), -1),
  },
  {
    name: 'three_soldiers',
    about: 'three white bars, each opening in the previous body and closing near its high',
    found: (now, one, two) => when(marching(now, one, two, 1)),
  },
  {
    name: 'three_crows',
    about: 'three black bars, each opening in the previous body and closing near its low',
    found: (now, one, two) => when(marching(now, one, two, -1), -1),
  },
  {
    name: 'marubozu',
    about: 'long body of at least 95 % of the range',
    found: (now) => when(long(now) && now.body >= 0.95 * now.range, now.direction),
  },
  {
    name: 'spinning_top',
    about: 'short body with both shadows longer than it',
    found: (now) => when(short(now) && upper(now) > now.body && lower(now) > now.body),
  },
  {
    name: 'inside_bar',
    about: 'high and low inside the previous bar',
    found: (now, one) => when(now.high < one.high && now.low > one.low),
  },
  {
    name: 'outside_bar',
    about: 'high and low beyond the previous bar; signed by the direction of the body',
    found: (now, one) => when(now.high > one.high && now.low < one.low, now.direction),
  },
  {
    name: 'tweezer',
    about: 'opposite bodies with lows (bullish) or highs (bearish) within 5 % of the previous range',
    found: (now, one) =>
      one.direction < 0 && now.direction > 0
        ? when(Math.abs(now.low - one.low) <= 0.05 * one.range)
        : when(
            one.direction > 0 && now.direction < 0 && Math.abs(now.high - one.high) <= 0.05 * one.range,
            -1,
          ),
  },
];

const hammerShape = (stick: Stick): boolean =>
  stick.range > 0 && lower(stick) >= 2 * stick.body && upper(stick) <= 0.1 * stick.range && stick.body > 0;

const starShape = (stick: Stick): boolean =>
  stick.range > 0 && upper(stick) >= 2 * stick.body && lower(stick) <= 0.1 * stick.range && stick.body > 0;

function marching(now: Stick, one: Stick, two: Stick, direction: number): boolean {
  return (
    closesNearExtreme(now, direction) &&
    closesNearExtreme(one, direction) &&
    closesNearExtreme(two, direction) &&
    opensInside(now, one) &&
    opensInside(one, two)
  );
}

const closesNearExtreme = (stick: Stick, direction: number): boolean =>
  stick.direction === direction && (direction > 0 ? upper(stick) : lower(stick)) <= 0.25 * stick.range;

const opensInside = (stick: Stick, before: Stick): boolean =>
  stick.open >= before.bottom && stick.open <= before.top;

const WARM_UP = 12;

const candlesticks = kernel(
  shared,
  [
    ...PATTERNS.map(({ name, about }) => ({ name, about, warmUp: WARM_UP })),
    {
      name: 'body_size_10',
      warmUp: 10,
      unit: 'fraction',
      about: 'body / mean body of the 10 bars before; 1 when that is 0',
    },
    {
      name: 'pattern_balance',
      warmUp: WARM_UP,
      unit: 'score',
      about: 'bullish minus bearish patterns with a direction on this bar',
    },
  ],
  () => {
    const bodies = new RollingMean(10);
    let [two, one, now] = [0, 1, 2].map((): Stick => ({
      open: NaN,
      high: NaN,
      low: NaN,
      close: NaN,
      top: NaN,
      bottom: NaN,
      body: NaN,
      range: NaN,
      direction: 0,
      mean: NaN,
    }));
    let mean = NaN;
    return ({ open, high, low, close }, out) => {
      const oldest = two;
      two = one;
      one = now;
      now = oldest;
      now.open = open;
      now.high = high;
      now.low = low;
      now.close = close;
      now.top = Math.max(open, close);
      now.bottom = Math.min(open, close);
      now.body = now.top - now.bottom;
      now.range = high - low;
      now.direction = close > open ? 1 : close < open ? -1 : 0;
      now.mean = mean;
      mean = bodies.push(now.body);
      const ready = two.mean === two.mean;
      let balance = 0;
      for (let i = 0; i < PATTERNS.length; i++) {
        out[i] = ready ? FOUND[i](now, one, two) : NaN;
        if (DIRECTED[i]) balance += out[i];
      }
      out[PATTERNS.length] = ratio(now.body, now.mean, 1);
      out[PATTERNS.length + 1] = balance;
    };
  },
);

const FOUND = PATTERNS.map(({ found }) => found);
const UNDIRECTED = ['doji', 'dragonfly_doji', 'gravestone_doji', 'spinning_top', 'inside_bar'];
const DIRECTED = PATTERNS.map(({ name }) => !UNDIRECTED.includes(name));

export const patternKernels: readonly FeatureKernel[] = [shape, candlesticks];
