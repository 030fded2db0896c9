import { highest, lowest } from './extremes.ts';
import { type Prices, typical } from './indicators.ts';
import { type Column, zeros } from './plan.ts';
import { sum } from './windows.ts';

export interface Profile {
  /** Middle of the bin with the most volume, the lowest of equals. */
  readonly pointOfControl: Column;
  /** Edges of the bins around it that hold the value area. */
  readonly valueHigh: Column;
  readonly valueLow: Column;
  /** Entropy of the bins' shares over its maximum. */
  readonly entropy: Column;
}

/**
 * Volume of the last `length` bars by typical price, in `count` bins of equal width between their lowest low and
 * highest high; the value area holds `share` of it. Unknown until the window is full. Where nothing was traded
 * every bar counts alike.
 */
export function volumeProfile(
  of: Prices & { readonly volume: Column },
  { length, count, share }: { readonly length: number; readonly count: number; readonly share: number },
): Profile {
  const [price, volume] = [typical(of).keep(length), of.volume.keep(length)];
  const inputs = [price, volume, highest(of.high, length), lowest(of.low, length), sum(volume, length)];
  const memory = [NaN, NaN, NaN, ...zeros(3 + 3 * count + length)];
  const parameters = [length, count, share];
  const [pointOfControl, valueLow, valueHigh, entropy] = price.plan.formula(
    'profile',
    inputs,
    4,
    parameters,
    memory,
  );
  return { pointOfControl, valueHigh, valueLow, entropy };
}
