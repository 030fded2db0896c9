import { barsSinceHighest, barsSinceLowest } from './extremes.ts';
import type { Prices } from './indicators.ts';
import type { Column } from './plan.ts';
import { SWING } from './swings.ts';

/** Turning points that a count of five waves needs: its origin and the end of each wave. */
const POINTS = 6;

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
export function elliott({ high, low }: Prices): Elliott {
  const topAge = barsSinceHighest(high, 2 * SWING + 1);
  const bottomAge = barsSinceLowest(low, 2 * SWING + 1);
  const inputs = [high.keep(SWING), low.keep(SWING), topAge, bottomAge];
  const [count, phase] = high.plan.derive('elliott', inputs, 2, ([counts, phases], memory) => {
    /** The newest turning point last, and behind them how many there are and whether the newest is a high (1). */
    const state = memory(POINTS + 2);
    const turn = (price: number, kind: 1 | -1): void => {
      const points = state[POINTS];
      const newest = state[POINTS - 1];
      if (points > 0 && state[POINTS + 1] === kind) {
        if (kind * (price - newest) > 0) state[POINTS - 1] = price;
        return;
      }
      if (points > 0 && kind * (price - newest) <= 0) return;
      state.copyWithin(0, 1, POINTS);
      state[POINTS - 1] = price;
      state[POINTS] = Math.min(POINTS, points + 1);
      state[POINTS + 1] = kind;
    };
    return (rows) => {
      const { data: highs, at: hAt } = high;
      const { data: lows, at: lAt } = low;
      const { data: tops, at: tAt } = topAge;
      const { data: bottoms, at: bAt } = bottomAge;
      const { data: cs, at: cTo } = counts;
      const { data: ps, at: pTo } = phases;
      let now = waves(state);
      for (let i = 0; i < rows; i++) {
        const top = tops[tAt + i] === SWING;
        const bottom = bottoms[bAt + i] === SWING;
        if (top) turn(highs[hAt + i - SWING], 1);
        if (bottom) turn(lows[lAt + i - SWING], -1);
        if (top || bottom) now = waves(state);
        cs[cTo + i] = now;
        const size = Math.abs(now);
        ps[pTo + i] = size >= 2 && size <= 4 ? Math.sign(now) : 0;
      }
    };
  });
  return { count, phase };
}

/** The most waves that the newest turning points complete, signed by the direction of the first. */
function waves(state: Float64Array): number {
  for (let count = Math.min(POINTS, state[POINTS]) - 1; count > 0; count--) {
    const origin = POINTS - 1 - count;
    const direction = state[origin + 1] > state[origin] ? 1 : -1;
    if (isImpulse(state, { origin, count, direction })) return direction * count;
  }
  return 0;
}

function isImpulse(
  points: Float64Array,
  { origin, count, direction }: { origin: number; count: number; direction: 1 | -1 },
): boolean {
  /** How far the end of wave `n` lies beyond that of wave `m`, in the direction of the impulse. */
  const beyond = (n: number, m: number): number => direction * (points[origin + n] - points[origin + m]);
  if (count >= 2 && beyond(2, 0) <= 0) return false;
  if (count >= 3 && beyond(3, 1) <= 0) return false;
  if (count >= 4 && beyond(4, 1) <= 0) return false;
  if (count < 5) return true;
  return beyond(5, 3) > 0 && beyond(3, 2) >= Math.min(beyond(1, 0), beyond(5, 4));
}
