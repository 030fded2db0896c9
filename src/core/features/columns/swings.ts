import { barsSinceHighest, barsSinceLowest } from './extremes.ts';
import type { Prices } from './indicators.ts';
import { type Column, zeros } from './plan.ts';

/** Bars on either side that a swing point must exceed; a swing is known that many bars later. */
const SWING = 5;

export interface SwingPoints {
  /** The last confirmed swing high; before the first one the highest high so far. */
  readonly high: Column;
  /** The last confirmed swing low; before the first one the lowest low so far. */
  readonly low: Column;
  /** ln(1 + bars since the later of the two), positive where it is the low. */
  readonly age: Column;
  /** 1 higher high and higher low, -1 lower high and lower low, 0 else. */
  readonly structure: Column;
}

/** Extremes of 5 bars on either side, each known once the fifth bar after it has closed. */
export function swingPoints(prices: Prices): SwingPoints {
  const memory = [-Infinity, Infinity, NaN, NaN, ...zeros(4)];
  const [high, low, age, structure] = prices.high.plan.formula('swings', seen(prices), 4, [SWING], memory);
  return { high, low, age, structure };
}

export interface Elliott {
  /** Waves of an impulse that are complete, 0 to 5, negative where it falls. */
  readonly count: Column;
  /** 1 in a rising impulse, of which 2 to 4 waves are complete; -1 in a falling one; 0 before and after. */
  readonly phase: Column;
}

/**
 * Elliott's impulse (Frost and Prechter 1978) counted on swing points that are known by the bar: they alternate, of
 * two highs or lows in a row the more extreme one stays. The longest count wins whose waves keep the rules: wave 2
 * ends inside wave 1, wave 3 beyond it, wave 4 outside wave 1, wave 5 beyond wave 3, which is not the shortest.
 */
export function elliott(prices: Prices): Elliott {
  const [count, phase] = prices.high.plan.formula('elliott', seen(prices), 2, [SWING], zeros(8));
  return { count, phase };
}

/** Highs and lows, and bars since the extremes of a swing's window. */
const seen = ({ high, low }: Prices): readonly Column[] => [
  high.keep(SWING),
  low.keep(SWING),
  barsSinceHighest(high, 2 * SWING + 1),
  barsSinceLowest(low, 2 * SWING + 1),
];
