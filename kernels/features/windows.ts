/** Statistics of the last `length` values: src/core/features/columns/windows.ts says what they are. */
import { bytes, column, parameter, remembered, whole } from './columns';

/** Bars between rebuilds: whole windows, not so few that starting over costs more than it adds up. */
function periodOf(length: i32): i32 {
  return length * ((31 + length) / length);
}

/** Parameters: length, divisor. Memory: count, phase, run, nothing, sum. */
export function total(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = whole(args, 0);
  const size = parameter(args, 0);
  const divisor = parameter(args, 1);
  const state = remembered(args);
  const period = periodOf(length);
  const back = bytes(length);
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let run = <i32>load<f64>(state, 16);
  let sum = load<f64>(state, 32);
  const end = bytes(rows);
  let i: usize = 0;
  for (; i < end && count < length; i += 8) {
    const value = load<f64>(x + i);
    run = runAt(x + i, run);
    if (value == value) {
      count++;
      sum += value;
    }
    if (count > 0 && ++phase == period) {
      phase = 0;
      if (count == length) sum = sumOf(x + i - back + 8, x + i);
    }
    const whole = select(sum, value * size, run < length);
    store<f64>(out + i, select(NaN, whole / divisor, count < length));
  }
  const divisors = f64x2.splat(divisor);
  while (i < end) {
    // To the next rebuild, then that row.
    const rebuild = i + bytes(period - phase) - 8;
    const until = min(end, rebuild);
    const from = i;
    const runBefore = run;
    let longest = run;
    phase += <i32>((until - from) >> 3);
    for (; i + 8 < until; i += 16) {
      const values = v128.load(x + i);
      const moves = f64x2.sub(values, v128.load(x + i - back));
      const first = sum + f64x2.extract_lane(moves, 0);
      sum = first + f64x2.extract_lane(moves, 1);
      const sums = f64x2.replace_lane(f64x2.splat(first), 1, sum);
      v128.store(out + i, f64x2.div(sums, divisors));
      const equal = i64x2.bitmask(f64x2.eq(values, v128.load(x + i - 8)));
      if (equal) {
        run = select(run + 1, 1, equal & 1);
        longest = max(longest, run);
        run = select(run + 1, 1, equal & 2);
        longest = max(longest, run);
      } else run = 1;
    }
    if (i < until) {
      sum += load<f64>(x + i) - load<f64>(x + i - back);
      store<f64>(out + i, sum / divisor);
      run = runAt(x + i, run);
      longest = max(longest, run);
      i += 8;
    }
    if (longest >= length) {
      let same = runBefore;
      for (let j = from; j < until; j += 8) {
        same = runAt(x + j, same);
        if (same >= length) store<f64>(out + j, (load<f64>(x + j) * size) / divisor);
      }
    }
    if (i < end) {
      phase = 0;
      run = runAt(x + i, run);
      sum = sumOf(x + i - back + 8, x + i);
      store<f64>(out + i, select(sum, load<f64>(x + i) * size, run < length) / divisor);
      i += 8;
    }
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, <f64>min(run, length), 16);
  store<f64>(state, sum, 32);
}

/** How many equal values in a row there are at `at`, after `run` of them at the row before. */
// @ts-ignore: decorator
@inline
function runAt(at: usize, run: i32): i32 {
  return select(run + 1, 1, load<f64>(at) == load<f64>(at - 8));
}

/** Sum of the values from one address to another: four at a time, so that an addition need not wait for the one before. */
function sumOf(from: usize, to: usize): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (; from + 24 <= to; from += 32) {
    low = f64x2.add(low, v128.load(from));
    high = f64x2.add(high, v128.load(from, 16));
  }
  low = f64x2.add(low, high);
  let sum = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (; from <= to; from += 8) sum += load<f64>(from);
  return sum;
}

/** Parameter: length. Memory: count, phase, run, nothing, shift, sums of values and squares. Outputs: mean, squares. */
export function moments(args: usize, rows: i32): void {
  const x = column(args, 0);
  const means = column(args, 1);
  const squares = column(args, 2);
  const length = whole(args, 0);
  const share = 1 / parameter(args, 0);
  const state = remembered(args);
  const period = periodOf(length);
  const back = bytes(length);
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let run = <i32>load<f64>(state, 16);
  let shift = load<f64>(state, 32);
  /** Sums of the distances from `shift` and of their squares. */
  let sums = v128.load(state, 40);
  const end = bytes(rows);
  const shares = f64x2.splat(share);
  let i: usize = 0;
  while (i < end) {
    // Until the window is full row by row, then to the next rebuild.
    const full = count == length;
    const rebuild = i + bytes(period - phase) - 8;
    const until = full ? min(end, rebuild) : i;
    const shifts = f64x2.splat(shift);
    const from = i;
    const runBefore = run;
    let longest = run;
    phase += <i32>((until - from) >> 3);
    for (; i < until; i += 16) {
      const values = v128.load(x + i);
      const added = f64x2.sub(values, shifts);
      const dropped = f64x2.sub(v128.load(x + i - back), shifts);
      const moves = f64x2.sub(added, dropped);
      const growths = f64x2.sub(f64x2.mul(added, added), f64x2.mul(dropped, dropped));
      const first = f64x2.add(sums, v128.shuffle<f64>(moves, growths, 0, 2));
      sums = f64x2.add(first, v128.shuffle<f64>(moves, growths, 1, 3));
      const sums1 = v128.shuffle<f64>(first, sums, 0, 2);
      write(means + i, squares + i, shifts, sums1, v128.shuffle<f64>(first, sums, 1, 3), shares);
      const equal = i64x2.bitmask(f64x2.eq(values, v128.load(x + i - 8)));
      if (i + 8 == until) {
        // One row too many.
        sums = first;
        run = select(run + 1, 1, equal & 1);
        longest = max(longest, run);
      } else if (equal) {
        run = select(run + 1, 1, equal & 1);
        longest = max(longest, run);
        run = select(run + 1, 1, equal & 2);
        longest = max(longest, run);
      } else run = 1;
    }
    if (longest >= length) {
      let same = runBefore;
      for (let j = from; j < until; j += 8) {
        same = runAt(x + j, same);
        if (same < length) continue;
        store<f64>(means + j, load<f64>(x + j));
        store<f64>(squares + j, 0);
      }
    }
    i = until;
    if (i >= end) break;
    const value = load<f64>(x + i);
    run = runAt(x + i, run);
    if (!full && value == value) {
      if (count == 0) shift = value;
      const added = value - shift;
      count++;
      sums = f64x2.add(sums, f64x2.replace_lane(f64x2.splat(added), 1, added * added));
    }
    if (count > 0 && ++phase == period) {
      phase = 0;
      if (count == length) {
        shift = sumOf(x + i - back + 8, x + i) * share;
        sums = apartFrom(shift, x + i - back + 8, x + i);
      }
    }
    if (count < length) {
      store<f64>(means + i, NaN);
      store<f64>(squares + i, NaN);
    } else if (run >= length) {
      store<f64>(means + i, value);
      store<f64>(squares + i, 0);
    } else {
      const sums1 = v128.shuffle<f64>(sums, sums, 0, 0);
      write(means + i, squares + i, f64x2.splat(shift), sums1, v128.shuffle<f64>(sums, sums, 1, 1), shares);
    }
    i += 8;
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, <f64>min(run, length), 16);
  store<f64>(state, shift, 32);
  v128.store(state, sums, 40);
}

// @ts-ignore: decorator
@inline
function write(mean: usize, square: usize, shifts: v128, sums1: v128, sums2: v128, shares: v128): void {
  const apart = f64x2.mul(sums1, shares);
  const spread = f64x2.sub(sums2, f64x2.mul(sums1, apart));
  v128.store(mean, f64x2.add(shifts, apart));
  v128.store(square, v128.and(spread, f64x2.gt(spread, f64x2.splat(0))));
}

/** Sums of the distances from `shift`, and of their squares, of the values from one address to another. */
function apartFrom(shift: f64, from: usize, to: usize): v128 {
  let sums = f64x2.splat(0);
  let both = f64x2.splat(0);
  const shifts = f64x2.splat(shift);
  for (; from + 8 <= to; from += 16) {
    const apart = f64x2.sub(v128.load(from), shifts);
    sums = f64x2.add(sums, apart);
    both = f64x2.add(both, f64x2.mul(apart, apart));
  }
  let sum1 = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  let sum2 = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  if (from <= to) {
    const apart = load<f64>(from) - shift;
    sum1 += apart;
    sum2 += apart * apart;
  }
  return f64x2.replace_lane(f64x2.splat(sum1), 1, sum2);
}

/** Parameter: length - 1. */
export function score(args: usize, rows: i32): void {
  const x = column(args, 0);
  const means = column(args, 1);
  const squares = column(args, 2);
  const out = column(args, 3);
  const count = f64x2.splat(parameter(args, 0));
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const spread = v128.load(squares + i);
    const apart = f64x2.sub(v128.load(x + i), v128.load(means + i));
    const value = f64x2.div(apart, f64x2.sqrt(f64x2.div(spread, count)));
    v128.store(out + i, v128.bitselect(zero, value, f64x2.eq(spread, zero)));
  }
}

/** Inputs: x, y and their means. Parameter: length. Memory: count, phase, shifts, sums, sum of products. */
export function pairs(args: usize, rows: i32): void {
  const x = column(args, 0);
  const y = column(args, 1);
  const meansX = column(args, 2);
  const meansY = column(args, 3);
  const out = column(args, 4);
  const length = whole(args, 0);
  const back = bytes(length);
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let shiftX = load<f64>(state, 16);
  let shiftY = load<f64>(state, 24);
  let sumX = load<f64>(state, 32);
  let sumY = load<f64>(state, 40);
  let product = load<f64>(state, 48);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const a = load<f64>(x + i);
    const b = load<f64>(y + i);
    if (a != a || b != b) {
      store<f64>(out + i, NaN);
      continue;
    }
    if (count < length) count++;
    else {
      const goneX = load<f64>(x + i - back) - shiftX;
      const goneY = load<f64>(y + i - back) - shiftY;
      sumX -= goneX;
      sumY -= goneY;
      product -= goneX * goneY;
    }
    sumX += a - shiftX;
    sumY += b - shiftY;
    product += (a - shiftX) * (b - shiftY);
    if (++phase == length) {
      phase = 0;
      shiftX = load<f64>(meansX + i);
      shiftY = load<f64>(meansY + i);
      sumX = 0;
      sumY = 0;
      product = 0;
      for (let j = i - back + 8; <isize>j <= <isize>i; j += 8) {
        const apartX = load<f64>(x + j) - shiftX;
        const apartY = load<f64>(y + j) - shiftY;
        sumX += apartX;
        sumY += apartY;
        product += apartX * apartY;
      }
    }
    store<f64>(out + i, select(NaN, product - (sumX * sumY) / <f64>length, count < length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, shiftX, 16);
  store<f64>(state, shiftY, 24);
  store<f64>(state, sumX, 32);
  store<f64>(state, sumY, 40);
  store<f64>(state, product, 48);
}

/** Inputs: sums of products, squares of x, squares of y. */
export function correlation(args: usize, rows: i32): void {
  const products = column(args, 0);
  const squaresX = column(args, 1);
  const squaresY = column(args, 2);
  const out = column(args, 3);
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const minusOne = f64x2.splat(-1);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const scale = f64x2.sqrt(f64x2.mul(v128.load(squaresX + i), v128.load(squaresY + i)));
    let value = f64x2.div(v128.load(products + i), scale);
    value = v128.bitselect(zero, value, f64x2.eq(scale, zero));
    value = v128.bitselect(one, value, f64x2.gt(value, one));
    v128.store(out + i, v128.bitselect(minusOne, value, f64x2.lt(value, minusOne)));
  }
}

/** Inputs: x, its mean and squares. Parameter: length. Memory: count, phase, shift, sum, weighted sum. */
export function line(args: usize, rows: i32): void {
  const x = column(args, 0);
  const means = column(args, 1);
  const squares = column(args, 2);
  const slopes = column(args, 3);
  const fits = column(args, 4);
  const length = whole(args, 0);
  const back = bytes(length);
  const state = remembered(args);
  const lastIndex = <f64>(length - 1);
  const size = <f64>length;
  const indexSquares = (size * (size * size - 1)) / 12;
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let shift = load<f64>(state, 16);
  let sum = load<f64>(state, 24);
  let weighted = load<f64>(state, 32);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    if (value != value) {
      store<f64>(slopes + i, NaN);
      store<f64>(fits + i, NaN);
      continue;
    }
    if (count == 0) shift = value;
    const added = value - shift;
    if (count < length) {
      weighted += added * <f64>count;
      sum += added;
      count++;
    } else {
      const dropped = load<f64>(x + i - back) - shift;
      weighted += added * lastIndex - (sum - dropped);
      sum += added - dropped;
    }
    if (++phase == length) {
      phase = 0;
      shift = load<f64>(means + i);
      sum = 0;
      weighted = 0;
      const from = x + i - back + 8;
      for (let j = 0; j < length; j++) {
        const apart = load<f64>(from + bytes(j)) - shift;
        sum += apart;
        weighted += apart * <f64>j;
      }
    }
    const spread = load<f64>(squares + i);
    const covariance = weighted - (lastIndex / 2) * sum;
    const fit = (covariance * covariance) / (indexSquares * spread);
    const flat = spread == 0;
    const short = count < length;
    store<f64>(slopes + i, select<f64>(NaN, select<f64>(0, covariance / indexSquares, flat), short));
    store<f64>(fits + i, select<f64>(NaN, select<f64>(0, select<f64>(1, fit, fit > 1), flat), short));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, shift, 16);
  store<f64>(state, sum, 24);
  store<f64>(state, weighted, 32);
}

/** Parameter: bars. Unknown where the earlier value is. */
export function largerOfTwo(args: usize, rows: i32): void {
  const x = column(args, 0);
  const before = x - bytes(whole(args, 0));
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.pmax(v128.load(before + i), v128.load(x + i)));
}

/** Parameter: bars. Unknown where the earlier value is. */
export function smallerOfTwo(args: usize, rows: i32): void {
  const x = column(args, 0);
  const before = x - bytes(whole(args, 0));
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.pmin(v128.load(before + i), v128.load(x + i)));
}

/** Parameters: length, 1 for the largest or -1 for the smallest. Memory: count, extreme, bars since. */
export function age(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = whole(args, 0);
  const direction = parameter(args, 1);
  const state = remembered(args);
  let count = <i32>load<f64>(state);
  let best = load<f64>(state, 8);
  let since = <i32>load<f64>(state, 16);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = direction * load<f64>(x + i);
    const newest = (count == 0) | (value >= best);
    best = select(value, best, newest);
    since = select(0, since + 1, newest);
    if (since == length) {
      best = value;
      since = 0;
      let j = x + i;
      for (let k = 1; k < length; k++) {
        j -= 8;
        const past = direction * load<f64>(j);
        since = select(k, since, past > best);
        best = select(past, best, past > best);
      }
    }
    count = min(count + 1, length);
    store<f64>(out + i, select<f64>(NaN, <f64>since, count < length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, best, 8);
  store<f64>(state, <f64>since, 16);
}
