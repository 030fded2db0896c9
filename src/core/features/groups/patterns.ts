import { abs, lag, minus, ratio, sign } from '../columns/arithmetic.ts';
import type { Column } from '../columns/plan.ts';
import { candlestickPatterns, type PatternName, sticks } from '../columns/candlesticks.ts';
import { rises, run } from '../columns/runs.ts';
import { mean } from '../columns/windows.ts';
import { type Feature, features, type Sources } from '../feature.ts';

const shared = {
  group: 'patterns',
  source: "Nison 1991, with TA-Lib's default candle settings",
  unit: 'flag',
  inputs: ['open', 'high', 'low', 'close'],
} as const;

const range = ({ high, low }: Sources): Column => minus(high, low);

const shape = features({ ...shared, unit: 'fraction', source: 'definition' }, [
  {
    name: 'body_ratio',
    warmUp: 0,
    about: '|close - open| / (high - low); 0 when the bar has no range',
    column: (of) => ratio(abs(minus(of.close, of.open)), range(of), 0),
  },
  {
    name: 'upper_shadow_ratio',
    warmUp: 0,
    about: '(high - body top) / (high - low); 0 when the bar has no range',
    column: (of) => ratio(sticks(of).upper, range(of), 0),
  },
  {
    name: 'lower_shadow_ratio',
    warmUp: 0,
    about: '(body bottom - low) / (high - low); 0 when the bar has no range',
    column: (of) => ratio(sticks(of).lower, range(of), 0),
  },
  {
    name: 'shadow_balance',
    warmUp: 0,
    about: 'lower_shadow_ratio - upper_shadow_ratio',
    column: (of) => minus(ratio(sticks(of).lower, range(of), 0), ratio(sticks(of).upper, range(of), 0)),
  },
  {
    name: 'close_run',
    warmUp: 1,
    unit: 'bars',
    about: 'rising (positive) or falling (negative) closes in a row; 0 after an unchanged one',
    column: ({ close }) => run(sign(minus(close, lag(close, 1)))),
  },
  {
    name: 'body_run',
    warmUp: 0,
    unit: 'bars',
    about: 'white (positive) or black (negative) bars in a row; 0 after one without a body',
    column: ({ open, close }) => run(sign(minus(close, open))),
  },
  {
    name: 'higher_high_run',
    warmUp: 1,
    unit: 'bars',
    about: 'bars in a row with a higher high',
    column: ({ high }) => rises(minus(high, lag(high, 1))),
  },
  {
    name: 'lower_low_run',
    warmUp: 1,
    unit: 'bars',
    about: 'bars in a row with a lower low',
    column: ({ low }) => rises(minus(lag(low, 1), low)),
  },
]);

/**
 * What each pattern looks like: candlesticks.ts writes it out. Prices never gap where a market does not close, so
 * patterns that TA-Lib defines by a gap have their own names here, `gapless_...`: the same but for the gap.
 */
const PATTERNS: Readonly<Record<PatternName, string>> = {
  doji: 'body at most a tenth of the usual range',
  dragonfly_doji: 'doji with a lower but no upper shadow',
  gravestone_doji: 'doji with an upper but no lower shadow',
  hammer: 'short body above a longer lower shadow, no upper one, at or below the previous low',
  hanging_man: "a hammer's shape at or above the previous high",
  gapless_inverted_hammer:
    'short body below a longer upper shadow, no lower one, opening at or below the previous body',
  gapless_shooting_star: "an inverted hammer's shape, opening at or above the previous body",
  engulfing: 'the body covers the previous one of the other color',
  harami: 'a short body inside the previous, long one; signed against the color of that',
  gapless_piercing:
    'long white after long black: opens at or below its close, closes above its middle, below its open',
  gapless_dark_cloud:
    'black after long white: opens at or above its close, closes below its middle, above its open',
  gapless_morning_star:
    'long black, short body opening at or below its close, then white closing above .3 of the first body',
  gapless_evening_star:
    'long white, short body opening at or above its close, then black closing below .3 of the first body',
  three_soldiers:
    'three white bars closing higher and near their highs, each opening in or near the previous body',
  three_crows:
    'after a white bar three black ones closing lower and near their lows, each opening in the previous body',
  marubozu: 'long body without shadows',
  spinning_top: 'short body with both shadows longer than it; signed by its color',
  inside_bar: 'high and low inside the previous bar',
  outside_bar: 'high and low beyond the previous bar; signed by the direction of the body',
  tweezer: 'opposite bodies with lows (bullish) or highs (bearish) within 5 % of the previous range',
};

const WARM_UP = 13;

const candlesticks = features(shared, [
  ...Object.entries(PATTERNS).map(([name, about]) => ({
    name,
    about,
    warmUp: WARM_UP,
    column: (of: Sources) => candlestickPatterns(of)[name],
  })),
  {
    name: 'body_size_10',
    warmUp: 10,
    unit: 'fraction',
    about: 'body / mean body of the 10 bars before; 1 when that is 0',
    column: (of) => ratio(sticks(of).body, lag(mean(sticks(of).body, 10), 1), 1),
  },
  {
    name: 'pattern_balance',
    warmUp: WARM_UP,
    unit: 'score',
    about: 'bullish minus bearish patterns with a direction on this bar',
    column: (of) => candlestickPatterns(of)['balance'],
  },
]);

export const patternFeatures: readonly Feature[] = [...shape, ...candlesticks];
