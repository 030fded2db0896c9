/** Statistics of the last `length` values: src/core/features/columns/windows.ts says what they are. */
import { bytes, column, remembered, parameter } from './columns';

/** Bars between rebuilds: whole windows, not so few that starting over costs more than it adds up. */
function periodOf(length: i32): i32 {
  return length * ((31 + length) / length);
}

/** Parameters: length, divisor. Memory: count, phase, run, last, sum. */
export function total(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = <i32>parameter(args, 0);
  const divisor = parameter(args, 1);
  const state = remembered(args);
  const period = periodOf(length);
  const back = bytes(length);
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let run = <i32>load<f64>(state, 16);
  let last = load<f64>(state, 24);
  let sum = load<f64>(state, 32);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    run = select(run + 1, 1, value == last);
    last = value;
    if (count == length) sum += value - load<f64>(x + i - back);
    else if (value == value) {
      count++;
      sum += value;
    }
    if (count > 0 && ++phase == period) {
      phase = 0;
      if (count == length) {
        sum = 0;
        for (let j = x + i - back + 8; j <= x + i; j += 8) sum += load<f64>(j);
      }
    }
    const whole = select(sum, value * <f64>length, run < length);
    store<f64>(out + i, select(NaN, whole / divisor, count < length));
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, <f64>min(run, length), 16);
  store<f64>(state, last, 24);
  store<f64>(state, sum, 32);
}

/** Parameter: length. Memory: count, phase, run, last, shift, sums of values and squares. Outputs: mean, squares. */
export function moments(args: usize, rows: i32): void {
  const x = column(args, 0);
  const means = column(args, 1);
  const squares = column(args, 2);
  const length = <i32>parameter(args, 0);
  const size = <f64>length;
  const state = remembered(args);
  const period = periodOf(length);
  const back = bytes(length);
  let count = <i32>load<f64>(state);
  let phase = <i32>load<f64>(state, 8);
  let run = <i32>load<f64>(state, 16);
  let last = load<f64>(state, 24);
  let shift = load<f64>(state, 32);
  let sum1 = load<f64>(state, 40);
  let sum2 = load<f64>(state, 48);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    run = select(run + 1, 1, value == last);
    last = value;
    if (count == length) {
      const added = value - shift;
      const dropped = load<f64>(x + i - back) - shift;
      sum1 += added - dropped;
      sum2 += added * added - dropped * dropped;
    } else if (value == value) {
      if (count == 0) shift = value;
      const added = value - shift;
      count++;
      sum1 += added;
      sum2 += added * added;
    }
    if (count > 0 && ++phase == period) {
      phase = 0;
      if (count == length) {
        const from = x + i - back + 8;
        let whole: f64 = 0;
        for (let j = from; j <= x + i; j += 8) whole += load<f64>(j);
        shift = whole / size;
        sum1 = 0;
        sum2 = 0;
        for (let j = from; j <= x + i; j += 8) {
          const apart = load<f64>(j) - shift;
          sum1 += apart;
          sum2 += apart * apart;
        }
      }
    }
    if (count < length) {
      store<f64>(means + i, NaN);
      store<f64>(squares + i, NaN);
    } else if (run < length) {
      const spread = sum2 - (sum1 * sum1) / size;
      store<f64>(means + i, shift + sum1 / size);
      store<f64>(squares + i, select<f64>(spread, 0, spread > 0));
    } else {
      store<f64>(means + i, value);
      store<f64>(squares + i, 0);
    }
  }
  store<f64>(state, <f64>count);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, <f64>min(run, length), 16);
  store<f64>(state, last, 24);
  store<f64>(state, shift, 32);
  store<f64>(state, sum1, 40);
  store<f64>(state, sum2, 48);
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
  const length = <i32>parameter(args, 0);
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
  const length = <i32>parameter(args, 0);
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

/** Parameters: length, 1 for the largest or -1 for the smallest. Memory: known, phase, extreme, `ends` [length + 1]. */
export function extreme(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = <i32>parameter(args, 0);
  const direction = parameter(args, 1);
  const state = remembered(args);
  const ends = state + 24;
  let known = load<f64>(state) > 0;
  let phase = <i32>load<f64>(state, 8);
  let now = load<f64>(state, 16);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = direction * load<f64>(x + i);
    now = select(value, now, (phase == 0) | (value > now));
    // Chunks begin with the first known value.
    if (value != value) {
      store<f64>(out + i, NaN);
      continue;
    }
    if (++phase < length) {
      const before = load<f64>(ends + bytes(phase));
      const both = direction * select(before, now, before > now);
      store<f64>(out + i, select(both, NaN, known));
      continue;
    }
    store<f64>(out + i, direction * now);
    known = true;
    phase = 0;
    let best: f64 = -Infinity;
    let j = x + i;
    for (let k = length - 1; k >= 0; k--) {
      const past = direction * load<f64>(j);
      best = select(past, best, past > best);
      store<f64>(ends + bytes(k), best);
      j -= 8;
    }
  }
  store<f64>(state, known ? 1 : 0);
  store<f64>(state, <f64>phase, 8);
  store<f64>(state, now, 16);
}

/** Parameters: length, 1 for the largest or -1 for the smallest. Memory: count, extreme, bars since. */
export function age(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const length = <i32>parameter(args, 0);
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
