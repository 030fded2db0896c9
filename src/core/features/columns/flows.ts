import { change, sign, times } from './arithmetic.ts';
import type { Prices } from './indicators.ts';
import { type Column, compute } from './plan.ts';

interface Traded extends Prices {
  readonly volume: Column;
}

/** Volume, signed by whether the close rose or fell. */
export const signedVolume = ({ close, volume }: Traded): Column => times(sign(change(close)), volume);

/** Volume, signed by where the close lies in the bar. */
export const accumulation = ({ high, low, close, volume }: Traded): Column =>
  compute('accumulation', [high, low, close, volume]);
