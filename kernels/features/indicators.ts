/** Indicators, each in one pass: src/core/features/columns/ says what they are. */
import { bytes, column, larger, parameter, remembered, smaller, whole } from './columns';

/** Inputs: high, low, close. */
export function typical(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const out = column(args, 3);
  const three = f64x2.splat(3);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const both = f64x2.add(v128.load(high + i), v128.load(low + i));
    v128.store(out + i, f64x2.div(f64x2.add(both, v128.load(close + i)), three));
  }
}

export function middle(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  const two = f64x2.splat(2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.div(f64x2.add(v128.load(a + i), v128.load(b + i)), two));
}

/** Inputs: high, low, close. */
export function trueRange(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const before = v128.load(close + i - 8);
    const top = v128.load(high + i);
    const bottom = v128.load(low + i);
    const most = v128.bitselect(top, before, f64x2.gt(top, before));
    const least = v128.bitselect(bottom, before, f64x2.lt(bottom, before));
    v128.store(out + i, f64x2.sub(most, least));
  }
}

/** Parameters: length, weight. Memory: count, value. */
export function ema(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = whole(args, 0);
  const weight = parameter(args, 1);
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let value = load<f64>(state, 8);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const next = load<f64>(x + i);
    if (next != next) {
      store<f64>(out + i, NaN);
      continue;
    }
    if (count >= length) value += weight * (next - value);
    else {
      value += next;
      if (++count == length) value /= <f64>length;
    }
    store<f64>(out + i, select(NaN, value, count < length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, value, 8);
}

/** Parameter: length. Memory: count. */
export function linearMean(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = whole(args, 0);
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    if (value != value || ++count < length) {
      store<f64>(out + i, NaN);
      continue;
    }
    let total: f64 = 0;
    const from = x + i - bytes(length);
    for (let k = 1; k <= length; k++) total += <f64>k * load<f64>(from + bytes(k));
    store<f64>(out + i, (2 * total) / <f64>(length * (length + 1)));
    count = min(count, length);
  }
  store<f64>(state, <f64>count);
}

/** Input: close. Parameter: length. Memory: count, gain, loss. */
export function rsi(args: usize, rows: i32): void {
  const close = column(args, 0);
  const out = column(args, 1);
  const length = whole(args, 0);
  const weight = 1 / parameter(args, 0);
  const keep = 1 - weight;
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let gain = load<f64>(state, 8);
  let loss = load<f64>(state, 16);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const move = load<f64>(close + i) - load<f64>(close + i - 8);
    if (move != move) {
      store<f64>(out + i, NaN);
      continue;
    }
    const up = larger(move, 0);
    const down = larger(-move, 0);
    if (count >= length) {
      gain = keep * gain + weight * up;
      loss = keep * loss + weight * down;
    } else {
      gain += up;
      loss += down;
      if (++count == length) {
        gain /= <f64>length;
        loss /= <f64>length;
      }
    }
    const both = gain + loss;
    store<f64>(out + i, select<f64>(NaN, select<f64>(50, (100 * gain) / both, both == 0), count < length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, gain, 8);
  store<f64>(state, loss, 16);
}

/** Parameters: fast, slow, signal. Memory: count and the three means. Outputs: line, signal. */
export function macd(args: usize, rows: i32): void {
  const x = column(args, 0);
  const lines = column(args, 1);
  const signals = column(args, 2);
  const fast = whole(args, 0);
  const slow = whole(args, 1);
  const signal = whole(args, 2);
  const fastWeight = 2 / <f64>(fast + 1);
  const slowWeight = 2 / <f64>(slow + 1);
  const signalWeight = 2 / <f64>(signal + 1);
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let quick = load<f64>(state, 8);
  let steady = load<f64>(state, 16);
  let mean = load<f64>(state, 24);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    if (value != value) {
      store<f64>(lines + i, NaN);
      store<f64>(signals + i, NaN);
      continue;
    }
    if (count >= fast) quick += fastWeight * (value - quick);
    else {
      quick += value;
      if (count + 1 == fast) quick /= <f64>fast;
    }
    if (count >= slow) steady += slowWeight * (value - steady);
    else {
      steady += value;
      if (count + 1 == slow) steady /= <f64>slow;
    }
    // The signal counts lines from the one of bar `slow` on.
    const seen = count + 1 - slow;
    const apart = quick - steady;
    if (seen >= signal) mean += signalWeight * (apart - mean);
    else if (seen >= 0) {
      mean += apart;
      if (seen + 1 == signal) mean /= <f64>signal;
    }
    store<f64>(lines + i, select(NaN, apart, seen < 0));
    store<f64>(signals + i, select(NaN, mean, seen + 1 < signal));
    count = min(count + 1, slow + signal);
  }
  store<f64>(state, <f64>count);
  store<f64>(state, quick, 8);
  store<f64>(state, steady, 16);
  store<f64>(state, mean, 24);
}

/** Inputs: high, low, close. Parameter: length. Memory: count, range, up, down, mean. Outputs: +DI, -DI, ADX. */
export function movement(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const ups = column(args, 3);
  const downs = column(args, 4);
  const means = column(args, 5);
  const length = whole(args, 0);
  const size = parameter(args, 0);
  const weight = 1 / size;
  const keep = 1 - weight;
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let range = load<f64>(state, 8);
  let up = load<f64>(state, 16);
  let down = load<f64>(state, 24);
  let mean = load<f64>(state, 32);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const top = load<f64>(high + i);
    const bottom = load<f64>(low + i);
    const before = load<f64>(close + i - 8);
    const rise = top - load<f64>(high + i - 8);
    const fall = load<f64>(low + i - 8) - bottom;
    if (before != before) {
      store<f64>(ups + i, NaN);
      store<f64>(downs + i, NaN);
      store<f64>(means + i, NaN);
      continue;
    }
    const width = larger(top, before) - smaller(bottom, before);
    const rising = rise * <f64>((rise > fall) & (rise > 0));
    const falling = fall * <f64>((fall > rise) & (fall > 0));
    if (count >= length) {
      range = keep * range + weight * width;
      up = keep * up + weight * rising;
      down = keep * down + weight * falling;
    } else {
      range += width;
      up += rising;
      down += falling;
      if (count + 1 == length) {
        range /= size;
        up /= size;
        down /= size;
      }
    }
    count = min(count + 1, 2 * length);
    const still = range == 0;
    const plusIndex = select<f64>(0, (100 * up) / range, still);
    const minusIndex = select<f64>(0, (100 * down) / range, still);
    const both = plusIndex + minusIndex;
    const index = select<f64>(0, (100 * Math.abs(plusIndex - minusIndex)) / both, both == 0);
    const seen = count - length + 1;
    if (seen > length) mean += weight * (index - mean);
    else if (seen > 0) {
      mean += index;
      if (seen == length) mean /= size;
    }
    store<f64>(ups + i, select(plusIndex, NaN, seen > 0));
    store<f64>(downs + i, select(minusIndex, NaN, seen > 0));
    store<f64>(means + i, select(mean, NaN, seen >= length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, range, 8);
  store<f64>(state, up, 16);
  store<f64>(state, down, 24);
  store<f64>(state, mean, 32);
}

/** Inputs: x and its mean. Parameter: length. The mean absolute deviation needs the whole window on each bar. */
export function cci(args: usize, rows: i32): void {
  const x = column(args, 0);
  const means = column(args, 1);
  const out = column(args, 2);
  const length = whole(args, 0);
  const size = parameter(args, 0);
  const back = bytes(length);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const centre = load<f64>(means + i);
    const centres = f64x2.splat(centre);
    // The newest and every second value before it in one lane, those between in the other.
    let sums = f64x2.splat(0);
    const first = x + i - back + 8;
    let j = x + i - 8;
    for (; j >= first; j -= 16) sums = f64x2.add(sums, f64x2.abs(f64x2.sub(v128.load(j), centres)));
    let even = f64x2.extract_lane(sums, 1);
    const odd = f64x2.extract_lane(sums, 0);
    if (length & 1) even += Math.abs(load<f64>(first) - centre);
    const total = even + odd;
    const value = ((load<f64>(x + i) - centre) * size) / (0.015 * total);
    store<f64>(out + i, select<f64>(0, value, total == 0));
  }
}

/** Inputs: high, low, close, range. Parameter: width. Memory, unknown at first but the third: top, bottom, rising, close. */
export function superTrend(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const range = column(args, 3);
  const out = column(args, 4);
  const width = parameter(args, 0);
  const state = remembered(args);
  let top = load<f64>(state);
  let bottom = load<f64>(state, 8);
  let rising = load<f64>(state, 16) == 1;
  let before = load<f64>(state, 24);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const centre = (load<f64>(high + i) + load<f64>(low + i)) / 2;
    const upper = centre + width * load<f64>(range + i);
    const lower = centre - width * load<f64>(range + i);
    const now = load<f64>(close + i);
    // A band only tightens while the price stays on its side; comparisons with NaN start it.
    top = select(top, upper, (upper >= top) & (before <= top));
    bottom = select(bottom, lower, (lower <= bottom) & (before >= bottom));
    rising = now > top ? true : now < bottom ? false : rising;
    before = now;
    store<f64>(out + i, select(bottom, top, rising));
  }
  store<f64>(state, top);
  store<f64>(state, bottom, 8);
  store<f64>(state, rising ? 1 : 0, 16);
  store<f64>(state, before, 24);
}

/** Inputs: high, low. Parameters: step, most. Memory, unknown at first: stop, extreme, pace, long. */
export function parabolicStop(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const out = column(args, 2);
  const step = parameter(args, 0);
  const most = parameter(args, 1);
  const state = remembered(args);
  let stop = load<f64>(state);
  let extreme = load<f64>(state, 8);
  let pace = load<f64>(state, 16);
  let long = load<f64>(state, 24) == 1;
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const top = load<f64>(high + i);
    const bottom = load<f64>(low + i);
    let topBefore = load<f64>(high + i - 8);
    let bottomBefore = load<f64>(low + i - 8);
    if (topBefore != topBefore) {
      store<f64>(out + i, NaN);
      continue;
    }
    if (stop != stop) {
      const fall = bottomBefore - bottom;
      long = !(fall > 0 && fall > top - topBefore);
      stop = long ? bottomBefore : topBefore;
      extreme = long ? top : bottom;
      pace = step;
      // Before its first advance the second bar counts as the one before it, as in TA-Lib.
      topBefore = top;
      bottomBefore = bottom;
    }
    // The stop never enters the range of the last two bars.
    const ceiling = larger(topBefore, top);
    const floor = smaller(bottomBefore, bottom);
    if (long ? bottom <= stop : top >= stop) {
      long = !long;
      stop = long ? Math.min(extreme, floor) : Math.max(extreme, ceiling);
      extreme = long ? top : bottom;
      pace = step;
    } else if (long ? top > extreme : bottom < extreme) {
      extreme = long ? top : bottom;
      pace = Math.min(most, pace + step);
    }
    store<f64>(out + i, stop);
    stop += pace * (extreme - stop);
    stop = long ? Math.min(stop, floor) : Math.max(stop, ceiling);
  }
  store<f64>(state, stop);
  store<f64>(state, extreme, 8);
  store<f64>(state, pace, 16);
  store<f64>(state, long ? 1 : 0, 24);
}

/** Input: direction (1, -1 or 0). Memory: length. */
export function run(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const state = remembered(args);
  let length = load<f64>(state);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(x + i);
    const up = larger(length, 0) + 1;
    const down = larger(-length, 0) + 1;
    length = up * <f64>(now > 0) - down * <f64>(now < 0);
    store<f64>(out + i, select(length, NaN, now == now));
  }
  store<f64>(state, length);
}

/** Memory: length. */
export function rises(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const state = remembered(args);
  let length = load<f64>(state);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(x + i);
    length = (length + 1) * <f64>(now > 0);
    store<f64>(out + i, select(length, NaN, now == now));
  }
  store<f64>(state, length);
}
