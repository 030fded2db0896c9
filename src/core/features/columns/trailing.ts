import type { Prices } from './indicators.ts';
import { type Column, derive } from './plan.ts';

/** SuperTrend line: below the price in an uptrend, above it in a downtrend; unknown until the `range` is. */
export const superTrend = ({ high, low, close }: Prices, range: Column, width: number): Column =>
  derive(`supertrend ${width}`, [high, low, close, range], (out, memory) => {
    const state = memory(4).fill(NaN);
    state[2] = 1;
    return (rows) => {
      const { data: outData, at: outAt } = out;
      const { data: hs, at: hAt } = high;
      const { data: ls, at: lAt } = low;
      const { data: cs, at: cAt } = close;
      const { data: rs, at: rAt } = range;
      let top = state[0];
      let bottom = state[1];
      let rising = state[2];
      let before = state[3];
      for (let i = 0; i < rows; i++) {
        const middle = (hs[hAt + i] + ls[lAt + i]) / 2;
        const upper = middle + width * rs[rAt + i];
        const lower = middle - width * rs[rAt + i];
        const now = cs[cAt + i];
        // A band only tightens while the price stays on its side; comparisons with NaN start it.
        if (!(upper >= top && before <= top)) top = upper;
        if (!(lower <= bottom && before >= bottom)) bottom = lower;
        if (now > top) rising = 1;
        else if (now < bottom) rising = 0;
        before = now;
        outData[outAt + i] = rising === 1 ? bottom : top;
      }
      state[0] = top;
      state[1] = bottom;
      state[2] = rising;
      state[3] = before;
    };
  });

/**
 * Wilder's parabolic stop and reverse as TA-Lib computes it: the stop for the bar just closed; unknown on the
 * first bar. It begins at the first bar's low, or at its high where the second bar fell further than it rose; a
 * bar that touches the stop reverses it.
 */
export const parabolicStop = (
  { high, low }: Prices,
  { step, most }: { readonly step: number; readonly most: number },
): Column =>
  derive(`parabolic ${step} ${most}`, [high.keep(1), low.keep(1)], (out, memory) => {
    const state = memory(4).fill(NaN);
    return (rows) => {
      const { data: outData, at: outAt } = out;
      const { data: hs, at: hAt } = high;
      const { data: ls, at: lAt } = low;
      let stop = state[0];
      let extreme = state[1];
      let pace = state[2];
      let long = state[3];
      for (let i = 0; i < rows; i++) {
        const top = hs[hAt + i];
        const bottom = ls[lAt + i];
        let topBefore = hs[hAt + i - 1];
        let bottomBefore = ls[lAt + i - 1];
        if (topBefore !== topBefore) {
          outData[outAt + i] = NaN;
          continue;
        }
        if (stop !== stop) {
          const fall = bottomBefore - bottom;
          long = fall > 0 && fall > top - topBefore ? 0 : 1;
          stop = long === 1 ? bottomBefore : topBefore;
          extreme = long === 1 ? top : bottom;
          pace = step;
          // Before its first advance the second bar counts as the one before it, as in TA-Lib.
          topBefore = top;
          bottomBefore = bottom;
        }
        // The stop never enters the range of the last two bars.
        const ceiling = topBefore > top ? topBefore : top;
        const floor = bottomBefore < bottom ? bottomBefore : bottom;
        if (long === 1 ? bottom <= stop : top >= stop) {
          long = 1 - long;
          stop = long === 1 ? Math.min(extreme, floor) : Math.max(extreme, ceiling);
          extreme = long === 1 ? top : bottom;
          pace = step;
        } else if (long === 1 ? top > extreme : bottom < extreme) {
          extreme = long === 1 ? top : bottom;
          pace = Math.min(most, pace + step);
        }
        outData[outAt + i] = stop;
        stop += pace * (extreme - stop);
        stop = long === 1 ? Math.min(stop, floor) : Math.max(stop, ceiling);
      }
      state[0] = stop;
      state[1] = extreme;
      state[2] = pace;
      state[3] = long;
    };
  });
