import { type Column, compute, zeros } from './plan.ts';
import { wilder } from './smoothing.ts';
import { mean } from './windows.ts';

/** A market's prices, row by row. */
export interface Prices {
  readonly open: Column;
  readonly high: Column;
  readonly low: Column;
  readonly close: Column;
}

/** `(high + low + close) / 3`. */
export const typical = ({ high, low, close }: Prices): Column => compute('typical', [high, low, close]);

/** `(a + b) / 2`. */
export const middle = (a: Column, b: Column): Column => compute('middle', [a, b]);

/** Wilder's true range; unknown on the first bar, which has no previous close. */
export const trueRange = ({ high, low, close }: Prices): Column =>
  compute('trueRange', [high, low, close.keep(1)]);

/** Average true range (Wilder 1978), first value after `length` true ranges. */
export const atr = (prices: Prices, length: number): Column => wilder(trueRange(prices), length);

/** Relative strength index (Wilder 1978), first value after `length` changes; 50 when the price never moved. */
export const rsi = (close: Column, length: number): Column =>
  compute('rsi', [close.keep(1)], [length], zeros(3));

export interface Macd {
  readonly line: Column;
  readonly signal: Column;
}

/** MACD (Appel): fast minus slow exponential mean, and the exponential mean of that. */
export function macd(x: Column, { fast, slow, signal }: Record<'fast' | 'slow' | 'signal', number>): Macd {
  const [line, smooth] = x.plan.formula('macd', [x], 2, [fast, slow, signal], zeros(4));
  return { line, signal: smooth };
}

export interface Movement {
  readonly plus: Column;
  readonly minus: Column;
  readonly adx: Column;
}

/** Directional movement (Wilder 1978): +DI and -DI after `length` changes, ADX after 2 `length` - 1. */
export function movement({ high, low, close }: Prices, length: number): Movement {
  const inputs = [high.keep(1), low.keep(1), close.keep(1)];
  const [plus, minus, adx] = high.plan.formula('movement', inputs, 3, [length], zeros(5));
  return { plus, minus, adx };
}

/** Commodity channel index of x: the mean absolute deviation needs the whole window on each bar. */
export const cci = (x: Column, length: number): Column =>
  compute('cci', [x.keep(length), mean(x, length)], [length]);
