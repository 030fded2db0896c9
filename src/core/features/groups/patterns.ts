import { type FeatureKernel, kernel } from '../feature.ts';
import { ratio } from '../kernels/indicators.ts';
import { RollingMean } from '../kernels/rolling.ts';

const shared = {
  group: 'patterns',
  source: "Nison 1991, with TA-Lib's default candle settings",
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

/**
 * A bar as TA-Lib's candle settings see it: what is long, short or near is measured against the bars before it.
 * Prices never gap where a market does not close, so patterns that TA-Lib defines by a gap have their own names
 * here, `gapless_...`: the same but for the gap.
 */
interface Stick {
  open: number;
  high: number;
  low: number;
  close: number;
  top: number;
  bottom: number;
  body: number;
  /** 1 white, also without a body, or -1 black. */
  color: number;
  upper: number;
  lower: number;
  /** Mean body of the 10 bars before: above it a body is long, below it short. */
  usual: number;
  /** A tenth of the mean range of the 10 bars before: below it a body is a doji's and a shadow very short. */
  slight: number;
  /** A fifth of the mean range of the 5 bars before. */
  near: number;
  /** Three fifths of it. */
  far: number;
}

interface Pattern {
  readonly name: string;
  readonly about: string;
  /** 1 bullish, -1 bearish, 0 absent; for shapes without a direction 1 when present. */
  readonly found: (now: Stick, one: Stick, two: Stick, three: Stick) => number;
}

const long = (stick: Stick): boolean => stick.body > stick.usual;
const short = (stick: Stick): boolean => stick.body < stick.usual;
const doji = (stick: Stick): boolean => stick.body <= stick.slight;
const bare = (stick: Stick): boolean => stick.upper < stick.slight;
const footless = (stick: Stick): boolean => stick.lower < stick.slight;
const when = (condition: boolean, value = 1): number => (condition ? value : 0);

const hammerShape = (stick: Stick): boolean => short(stick) && stick.lower > stick.body && bare(stick);
const starShape = (stick: Stick): boolean => short(stick) && stick.upper > stick.body && footless(stick);

const PATTERNS: readonly Pattern[] = [
  {
    name: 'doji',
    about: 'body at most a tenth of the usual range',
    found: (now) => when(doji(now)),
  },
  {
    name: 'dragonfly_doji',
    about: 'doji with a lower but no upper shadow',
    found: (now) => when(doji(now) && bare(now) && now.lower > now.slight),
  },
  {
    name: 'gravestone_doji',
    about: 'doji with an upper but no lower shadow',
    found: (now) => when(doji(now) && footless(now) && now.upper > now.slight),
  },
  {
    name: 'hammer',
    about: 'short body above a longer lower shadow, no upper one, at or below the previous low',
    found: (now, one) => when(hammerShape(now) && now.bottom <= one.low + one.near),
  },
  {
    name: 'hanging_man',
    about: "a hammer's shape at or above the previous high",
    found: (now, one) => when(hammerShape(now) && now.bottom >= one.high - one.near, -1),
  },
  {
    name: 'gapless_inverted_hammer',
    about: 'short body below a longer upper shadow, no lower one, opening at or below the previous body',
    found: (now, one) => when(starShape(now) && now.open <= one.bottom),
  },
  {
    name: 'gapless_shooting_star',
    about: "an inverted hammer's shape, opening at or above the previous body",
    found: (now, one) => when(starShape(now) && now.open >= one.top, -1),
  },
  {
    name: 'engulfing',
    about: 'the body covers the previous one of the other color',
    found: (now, one) =>
      when(
        now.color !== one.color &&
          now.top >= one.top &&
          now.bottom <= one.bottom &&
          (now.top > one.top || now.bottom < one.bottom),
        now.color,
      ),
  },
  {
    name: 'harami',
    about: 'a short body inside the previous, long one; signed against the color of that',
    found: (now, one) =>
      when(long(one) && now.body <= now.usual && now.top <= one.top && now.bottom >= one.bottom, -one.color),
  },
  {
    name: 'gapless_piercing',
    about:
      'long white after long black: opens at or below its close, closes above its middle, below its open',
    found: (now, one) =>
      when(
        one.color < 0 &&
          now.color > 0 &&
          long(one) &&
          long(now) &&
          now.open <= one.close &&
          now.close > one.close + 0.5 * one.body &&
          now.close < one.open,
      ),
  },
  {
    name: 'gapless_dark_cloud',
    about: 'black after long white: opens at or above its close, closes below its middle, above its open',
    found: (now, one) =>
      when(
        one.color > 0 &&
          now.color < 0 &&
          long(one) &&
          now.open >= one.close &&
          now.close < one.close - 0.5 * one.body &&
          now.close > one.open,
        -1,
      ),
  },
  {
    name: 'gapless_morning_star',
    about:
      'long black, short body opening at or below its close, then white closing above .3 of the first body',
    found: (now, one, two) =>
      when(
        two.color < 0 &&
          now.color > 0 &&
          long(two) &&
          one.body <= one.usual &&
          one.open <= two.close &&
          long(now) &&
          now.close > two.close + 0.3 * two.body,
      ),
  },
  {
    name: 'gapless_evening_star',
    about:
      'long white, short body opening at or above its close, then black closing below .3 of the first body',
    found: (now, one, two) =>
      when(
        two.color > 0 &&
          now.color < 0 &&
          long(two) &&
          one.body <= one.usual &&
          one.open >= two.close &&
          long(now) &&
          now.close < two.close - 0.3 * two.body,
        -1,
      ),
  },
  {
    name: 'three_soldiers',
    about: 'three white bars closing higher and near their highs, each opening in or near the previous body',
    found: (now, one, two) =>
      when(steps(now, one) && steps(one, two) && bare(two) && two.color > 0 && long(now)),
  },
  {
    name: 'three_crows',
    about:
      'after a white bar three black ones closing lower and near their lows, each opening in the previous body',
    found: (now, one, two, three) =>
      when(
        three.color > 0 &&
          three.high > two.close &&
          two.color < 0 &&
          footless(two) &&
          falls(now, one) &&
          falls(one, two),
        -1,
      ),
  },
  {
    name: 'marubozu',
    about: 'long body without shadows',
    found: (now) => when(long(now) && bare(now) && footless(now), now.color),
  },
  {
    name: 'spinning_top',
    about: 'short body with both shadows longer than it; signed by its color',
    found: (now) => when(short(now) && now.upper > now.body && now.lower > now.body, now.color),
  },
  {
    name: 'inside_bar',
    about: 'high and low inside the previous bar',
    found: (now, one) => when(now.high < one.high && now.low > one.low),
  },
  {
    name: 'outside_bar',
    about: 'high and low beyond the previous bar; signed by the direction of the body',
    found: (now, one) => when(now.high > one.high && now.low < one.low, Math.sign(now.close - now.open)),
  },
  {
    name: 'tweezer',
    about: 'opposite bodies with lows (bullish) or highs (bearish) within 5 % of the previous range',
    found: (now, one) =>
      one.open > one.close && now.close > now.open
        ? when(Math.abs(now.low - one.low) <= 0.05 * (one.high - one.low))
        : when(
            one.close > one.open &&
              now.open > now.close &&
              Math.abs(now.high - one.high) <= 0.05 * (one.high - one.low),
            -1,
          ),
  },
];

const steps = (now: Stick, one: Stick): boolean =>
  now.color > 0 &&
  bare(now) &&
  now.close > one.close &&
  now.open > one.open &&
  now.open <= one.close + one.near &&
  now.body > one.body - one.far;

const falls = (now: Stick, one: Stick): boolean =>
  now.color < 0 && footless(now) && now.close < one.close && now.open < one.open && now.open > one.close;

const WARM_UP = 13;
const UNDIRECTED = ['doji', 'dragonfly_doji', 'gravestone_doji', 'spinning_top', 'inside_bar'];

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
    const [ranges, recent] = [10, 5].map((bars) => new RollingMean(bars));
    let [three, two, one, now] = [0, 1, 2, 3].map(blank);
    let [usual, range10, range5] = [NaN, NaN, NaN];
    return ({ open, high, low, close }, out) => {
      const oldest = three;
      three = two;
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
      now.color = close >= open ? 1 : -1;
      now.upper = high - now.top;
      now.lower = now.bottom - low;
      now.usual = usual;
      now.slight = 0.1 * range10;
      now.near = 0.2 * range5;
      now.far = 0.6 * range5;
      usual = bodies.push(now.body);
      range10 = ranges.push(high - low);
      range5 = recent.push(high - low);
      const ready = three.usual === three.usual;
      let balance = 0;
      for (let i = 0; i < PATTERNS.length; i++) {
        out[i] = ready ? FOUND[i](now, one, two, three) : NaN;
        if (DIRECTED[i]) balance += out[i];
      }
      out[PATTERNS.length] = ratio(now.body, now.usual, 1);
      out[PATTERNS.length + 1] = balance;
    };
  },
);

const blank = (): Stick => ({
  open: NaN,
  high: NaN,
  low: NaN,
  close: NaN,
  top: NaN,
  bottom: NaN,
  body: NaN,
  color: NaN,
  upper: NaN,
  lower: NaN,
  usual: NaN,
  slight: NaN,
  near: NaN,
  far: NaN,
});

const FOUND = PATTERNS.map(({ found }) => found);
const DIRECTED = PATTERNS.map(({ name }) => !UNDIRECTED.includes(name));

export const patternKernels: readonly FeatureKernel[] = [shape, candlesticks];
