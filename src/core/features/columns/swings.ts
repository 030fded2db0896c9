import { barsSinceHighest, barsSinceLowest } from './extremes.ts';
import type { Prices } from './indicators.ts';
import type { Column } from './plan.ts';

/** Bars on either side that a swing point must exceed; a swing is known that many bars later. */
export const SWING = 5;

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
export function swingPoints({ high, low }: Prices): SwingPoints {
  const [topAge, bottomAge] = [barsSinceHighest(high, 2 * SWING + 1), barsSinceLowest(low, 2 * SWING + 1)];
  const inputs = [high.keep(SWING), low.keep(SWING), topAge, bottomAge];
  const [highs, lows, ages, structures] = high.plan.derive('swings', inputs, 4, (outs, memory) => {
    const [tops, bottoms, a, s] = outs;
    const state = memory(8);
    state.set([-Infinity, Infinity, NaN, NaN, 0, 0, 0, 0]);
    return (rows) => {
      const { data: topAgeData, at: topAgeAt } = topAge;
      const { data: bottomAgeData, at: bottomAgeAt } = bottomAge;
      const { data: topsData, at: topsAt } = tops;
      const { data: bottomsData, at: bottomsAt } = bottoms;
      const { data: aData, at: aAt } = a;
      const { data: sData, at: sAt } = s;
      const { data: hs, at: hAt } = high;
      const { data: ls, at: lAt } = low;
      let top = state[0];
      let bottom = state[1];
      let topBefore = state[2];
      let bottomBefore = state[3];
      let anyTop = state[4];
      let anyBottom = state[5];
      let sinceTop = state[6];
      let sinceBottom = state[7];
      for (let i = 0; i < rows; i++) {
        sinceTop++;
        sinceBottom++;
        if (topAgeData[topAgeAt + i] === SWING) {
          if (anyTop === 1) topBefore = top;
          top = hs[hAt + i - SWING];
          sinceTop = SWING;
          anyTop = 1;
        } else if (anyTop === 0 && hs[hAt + i] >= top) {
          top = hs[hAt + i];
          sinceTop = 0;
        }
        if (bottomAgeData[bottomAgeAt + i] === SWING) {
          if (anyBottom === 1) bottomBefore = bottom;
          bottom = ls[lAt + i - SWING];
          sinceBottom = SWING;
          anyBottom = 1;
        } else if (anyBottom === 0 && ls[lAt + i] <= bottom) {
          bottom = ls[lAt + i];
          sinceBottom = 0;
        }
        topsData[topsAt + i] = top;
        bottomsData[bottomsAt + i] = bottom;
        aData[aAt + i] = sinceBottom < sinceTop ? Math.log1p(sinceBottom) : -Math.log1p(sinceTop);
        sData[sAt + i] =
          top > topBefore && bottom > bottomBefore ? 1 : top < topBefore && bottom < bottomBefore ? -1 : 0;
      }
      state[0] = top;
      state[1] = bottom;
      state[2] = topBefore;
      state[3] = bottomBefore;
      state[4] = anyTop;
      state[5] = anyBottom;
      state[6] = sinceTop;
      state[7] = sinceBottom;
    };
  });
  return { high: highs, low: lows, age: ages, structure: structures };
}
