import { change, sign, times } from './arithmetic.ts';
import type { Prices } from './indicators.ts';
import { type Column, derive } from './plan.ts';

interface Traded extends Prices {
  readonly volume: Column;
}

/** Volume, signed by whether the close rose or fell. */
export const signedVolume = ({ close, volume }: Traded): Column => times(sign(change(close)), volume);

/** Volume, signed by where the close lies in the bar. */
export const accumulation = ({ high, low, close, volume }: Traded): Column =>
  derive('accumulation', [high, low, close, volume], (out) => (rows) => {
    const { data: outData, at: outAt } = out;
    const { data: hs, at: hAt } = high;
    const { data: ls, at: lAt } = low;
    const { data: cs, at: cAt } = close;
    const { data: vs, at: vAt } = volume;
    for (let i = 0; i < rows; i++) {
      const h = hs[hAt + i];
      const l = ls[lAt + i];
      const place = h - l === 0 ? 0 : (2 * cs[cAt + i] - h - l) / (h - l);
      outData[outAt + i] = place * vs[vAt + i];
    }
  });
