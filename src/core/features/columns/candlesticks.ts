import { lag, minus, scaled } from './arithmetic.ts';
import type { Prices } from './indicators.ts';
import { type Column, compute } from './plan.ts';
import { mean } from './windows.ts';

/** The parts of bars. */
export interface Sticks {
  readonly body: Column;
  readonly upper: Column;
  readonly lower: Column;
}

export function sticks({ open, high, low, close }: Prices): Sticks {
  const [body, upper, lower] = open.plan.formula('sticks', [open, high, low, close], 3);
  return { body, upper, lower };
}

const PATTERN_NAMES = [
  'doji',
  'dragonfly_doji',
  'gravestone_doji',
  'hammer',
  'hanging_man',
  'gapless_inverted_hammer',
  'gapless_shooting_star',
  'engulfing',
  'harami',
  'gapless_piercing',
  'gapless_dark_cloud',
  'gapless_morning_star',
  'gapless_evening_star',
  'three_soldiers',
  'three_crows',
  'marubozu',
  'spinning_top',
  'inside_bar',
  'outside_bar',
  'tweezer',
] as const;

export type PatternName = (typeof PATTERN_NAMES)[number];

/**
 * Candlestick patterns: 1 bullish, -1 bearish, 0 absent; for shapes without a direction 1 when present. `balance`
 * is the sum of those with a direction. What is long, short, slight or near is measured as TA-Lib does by
 * default: a body against the mean of the 10 before, shadows against a tenth of the mean range of the 10 before,
 * nearness by a fifth of that of the 5 before. Unknown on the first 13 bars.
 */
export function candlestickPatterns(prices: Prices): Readonly<Record<string, Column>> {
  const { open, high, low, close } = prices;
  const { body, upper, lower } = sticks(prices);
  const range = minus(high, low);
  const usual = lag(mean(body, 10), 1);
  const slight = scaled(lag(mean(range, 10), 1), 0.1);
  const near = scaled(lag(mean(range, 5), 1), 0.2);
  const far = scaled(lag(mean(range, 5), 1), 0.6);
  const looks = compute('looks', [open, close, body, usual, upper, lower, slight]);
  const inputs = [
    open.keep(2),
    high.keep(3),
    low.keep(1),
    close.keep(2),
    upper,
    lower,
    usual.keep(3),
    slight,
    near.keep(2),
    far.keep(2),
    looks.keep(3),
  ];
  const columns = open.plan.formula('patterns', inputs, PATTERN_NAMES.length + 1);
  return Object.fromEntries([...PATTERN_NAMES, 'balance'].map((name, i) => [name, columns[i]]));
}
