/** Swing points and the waves between them: src/core/features/columns/ says what they are. */
import { bytes, column, parameter, remembered, whole } from './columns';
import { log } from './log';

/**
 * Inputs: high, low, bars since the highest and since the lowest of a swing. Parameter: bars after which a swing is known.
 * Memory: both swings, the ones before (unknown at first), whether there was one, bars since. Outputs: high, low, age,
 * structure.
 */
export function swings(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const topAge = column(args, 2);
  const bottomAge = column(args, 3);
  const tops = column(args, 4);
  const bottoms = column(args, 5);
  const ages = column(args, 6);
  const structures = column(args, 7);
  const swing = parameter(args, 0);
  const back = bytes(whole(args, 0));
  const state = remembered(args);
  let top = load<f64>(state);
  let bottom = load<f64>(state, 8);
  let topBefore = load<f64>(state, 16);
  let bottomBefore = load<f64>(state, 24);
  let anyTop = load<f64>(state, 32) == 1;
  let anyBottom = load<f64>(state, 40) == 1;
  let sinceTop = load<f64>(state, 48);
  let sinceBottom = load<f64>(state, 56);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    sinceTop++;
    sinceBottom++;
    if (load<f64>(topAge + i) == swing) {
      if (anyTop) topBefore = top;
      top = load<f64>(high + i - back);
      sinceTop = swing;
      anyTop = true;
    } else if (!anyTop && load<f64>(high + i) >= top) {
      top = load<f64>(high + i);
      sinceTop = 0;
    }
    if (load<f64>(bottomAge + i) == swing) {
      if (anyBottom) bottomBefore = bottom;
      bottom = load<f64>(low + i - back);
      sinceBottom = swing;
      anyBottom = true;
    } else if (!anyBottom && load<f64>(low + i) <= bottom) {
      bottom = load<f64>(low + i);
      sinceBottom = 0;
    }
    store<f64>(tops + i, top);
    store<f64>(bottoms + i, bottom);
    store<f64>(ages + i, sinceBottom < sinceTop ? log(1 + sinceBottom) : -log(1 + sinceTop));
    const rising = (top > topBefore) & (bottom > bottomBefore);
    const falling = (top < topBefore) & (bottom < bottomBefore);
    store<f64>(structures + i, <f64>(<i32>rising - <i32>falling));
  }
  store<f64>(state, top);
  store<f64>(state, bottom, 8);
  store<f64>(state, topBefore, 16);
  store<f64>(state, bottomBefore, 24);
  store<f64>(state, anyTop ? 1 : 0, 32);
  store<f64>(state, anyBottom ? 1 : 0, 40);
  store<f64>(state, sinceTop, 48);
  store<f64>(state, sinceBottom, 56);
}

/** Turning points that a count of five waves needs: its origin and the end of each wave. */
const POINTS = 6;
const COUNT: usize = 48;
const KIND: usize = 56;

/**
 * Inputs and parameter as of swings(). Memory: turning points, the newest last; how many there are; whether the newest is
 * a high (1). Outputs: waves complete, phase.
 */
export function elliott(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const topAge = column(args, 2);
  const bottomAge = column(args, 3);
  const counts = column(args, 4);
  const phases = column(args, 5);
  const swing = parameter(args, 0);
  const back = bytes(whole(args, 0));
  const state = remembered(args);
  let now = waves(state);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const top = load<f64>(topAge + i) == swing;
    const bottom = load<f64>(bottomAge + i) == swing;
    if (top | bottom) {
      if (top) turn(state, load<f64>(high + i - back), 1);
      if (bottom) turn(state, load<f64>(low + i - back), -1);
      now = waves(state);
    }
    const size = abs(now);
    store<f64>(counts + i, <f64>now);
    store<f64>(phases + i, size >= 2 && size <= 4 ? (now > 0 ? 1 : -1) : 0);
  }
}

/** Of two highs or two lows in a row the more extreme one stays. */
function turn(state: usize, price: f64, kind: f64): void {
  const points = load<f64>(state, COUNT);
  const newest = load<f64>(state, COUNT - 8);
  const beyond = kind * (price - newest) > 0;
  if (points > 0 && load<f64>(state, KIND) == kind) {
    if (beyond) store<f64>(state, price, COUNT - 8);
    return;
  }
  if (points > 0 && !beyond) return;
  for (let k: usize = 0; k < COUNT - 8; k += 8) store<f64>(state + k, load<f64>(state + k, 8));
  store<f64>(state, price, COUNT - 8);
  store<f64>(state, min(points + 1, <f64>POINTS), COUNT);
  store<f64>(state, kind, KIND);
}

/** The most waves that the newest turning points complete, signed by the direction of the first. */
function waves(state: usize): i32 {
  for (let count = <i32>load<f64>(state, COUNT) - 1; count > 0; count--) {
    const origin = state + bytes(POINTS - 1 - count);
    const direction: f64 = load<f64>(origin, 8) > load<f64>(origin) ? 1 : -1;
    if (isImpulse(origin, count, direction)) return <i32>direction * count;
  }
  return 0;
}

function isImpulse(points: usize, count: i32, direction: f64): bool {
  if (count >= 2 && beyond(points, direction, 2, 0) <= 0) return false;
  if (count >= 3 && beyond(points, direction, 3, 1) <= 0) return false;
  if (count >= 4 && beyond(points, direction, 4, 1) <= 0) return false;
  if (count < 5) return true;
  const shorter = min(beyond(points, direction, 1, 0), beyond(points, direction, 5, 4));
  return beyond(points, direction, 5, 3) > 0 && beyond(points, direction, 3, 2) >= shorter;
}

/** How far the end of wave `n` lies beyond that of wave `m`, in the direction of the impulse. */
// @ts-ignore: decorator
@inline
function beyond(points: usize, direction: f64, n: usize, m: usize): f64 {
  return direction * (load<f64>(points + (n << 3)) - load<f64>(points + (m << 3)));
}
