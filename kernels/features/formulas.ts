/** Formulas of single features: the groups in src/core/features/groups/ say what they are. */
import { bytes, column, larger, parameter, remembered, signOf, smaller, whole } from './columns';
import { log, logs } from './log';

// @ts-ignore: decorator
@external("env", "tanh")
declare function tanh(x: f64): f64;

const DAY_MS: f64 = 86400000;
const HOUR_MS: f64 = 3600000;

/* price */

/** Inputs: high, low, close. */
export function typicalDistance(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(close + i);
    store<f64>(out + i, (3 * now) / (load<f64>(high + i) + load<f64>(low + i) + now) - 1);
  }
}

/** Inputs: close, mean, squares. Parameter: length. */
export function bandPosition(args: usize, rows: i32): void {
  const close = column(args, 0);
  const means = column(args, 1);
  const squares = column(args, 2);
  const out = column(args, 3);
  const size = f64x2.splat(parameter(args, 0));
  const two = f64x2.splat(2);
  const zero = f64x2.splat(0);
  const middle = f64x2.splat(0.5);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const half = f64x2.mul(two, f64x2.sqrt(f64x2.div(v128.load(squares + i), size)));
    const bottom = f64x2.sub(v128.load(means + i), half);
    const share = f64x2.div(f64x2.sub(v128.load(close + i), bottom), f64x2.mul(two, half));
    v128.store(out + i, v128.bitselect(middle, share, f64x2.eq(half, zero)));
  }
}

/** Inputs: mean, deviation. */
export function bandWidth(args: usize, rows: i32): void {
  const means = column(args, 0);
  const deviations = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8)
    store<f64>(out + i, (4 * load<f64>(deviations + i)) / load<f64>(means + i));
}

/* volume */

/** Input: volume. */
export function volumeChange(args: usize, rows: i32): void {
  const volume = column(args, 0);
  const out = column(args, 1);
  const one = f64x2.splat(1);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const now = f64x2.add(one, v128.load(volume + i));
    const before = f64x2.add(one, v128.load(volume + i - 8));
    v128.store(out + i, logs(f64x2.div(now, before)));
  }
}

/** Inputs: mean, squares. Parameter: length. */
export function concentration(args: usize, rows: i32): void {
  const means = column(args, 0);
  const squares = column(args, 1);
  const out = column(args, 2);
  const length = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const even = length * load<f64>(means + i) * load<f64>(means + i);
    store<f64>(out + i, select<f64>(0, load<f64>(squares + i) / even, even == 0) + 1);
  }
}

export function empty(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 8) store<f64>(out + i, <f64>(load<f64>(x + i) == 0));
}

/** Inputs: change of the close, close, volume. */
export function forced(args: usize, rows: i32): void {
  const step = column(args, 0);
  const close = column(args, 1);
  const volume = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8)
    store<f64>(out + i, (load<f64>(step + i) / load<f64>(close + i - 8)) * load<f64>(volume + i));
}

/** Memory: total. */
export function runningTotal(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const state = remembered(args);
  let total = load<f64>(state);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    total += load<f64>(x + i);
    store<f64>(out + i, total);
  }
  store<f64>(state, total);
}

/** Inputs: high, low, close, volume. */
export function accumulation(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const close = column(args, 2);
  const volume = column(args, 3);
  const out = column(args, 4);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const h = load<f64>(high + i);
    const l = load<f64>(low + i);
    const place = (2 * load<f64>(close + i) - h - l) / (h - l);
    store<f64>(out + i, select<f64>(0, place, h - l == 0) * load<f64>(volume + i));
  }
}

/** Inputs: price, volume. Outputs: price x volume of bars whose price rose, and of those whose price fell. */
export function moneyFlow(args: usize, rows: i32): void {
  const price = column(args, 0);
  const volume = column(args, 1);
  const paid = column(args, 2);
  const taken = column(args, 3);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const now = v128.load(price + i);
    const step = f64x2.sub(now, v128.load(price + i - 8));
    const money = f64x2.mul(now, v128.load(volume + i));
    // Unknown where the step is.
    const none = f64x2.sub(step, step);
    v128.store(paid + i, v128.bitselect(money, none, f64x2.gt(step, zero)));
    v128.store(taken + i, v128.bitselect(money, none, f64x2.lt(step, zero)));
  }
}

export function share(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const both = load<f64>(a + i) + load<f64>(b + i);
    store<f64>(out + i, select<f64>(50, (100 * load<f64>(a + i)) / both, both == 0));
  }
}

/** Inputs: money, volume, close. */
export function priceOf(args: usize, rows: i32): void {
  const money = column(args, 0);
  const volume = column(args, 1);
  const close = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const traded = load<f64>(volume + i);
    store<f64>(out + i, select(load<f64>(close + i), load<f64>(money + i) / traded, traded == 0));
  }
}

/** Inputs: time, price, volume. Memory: day, money, volume. Outputs: money and volume since midnight UTC. */
export function sinceMidnight(args: usize, rows: i32): void {
  const time = column(args, 0);
  const price = column(args, 1);
  const volume = column(args, 2);
  const paid = column(args, 3);
  const traded = column(args, 4);
  const state = remembered(args);
  let day = load<f64>(state);
  let dayMoney = load<f64>(state, 8);
  let dayVolume = load<f64>(state, 16);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const today = Math.floor(load<f64>(time + i) / DAY_MS);
    if (today != day) {
      day = today;
      dayMoney = 0;
      dayVolume = 0;
    }
    dayMoney += load<f64>(price + i) * load<f64>(volume + i);
    dayVolume += load<f64>(volume + i);
    store<f64>(paid + i, dayMoney);
    store<f64>(traded + i, dayVolume);
  }
  store<f64>(state, day);
  store<f64>(state, dayMoney, 8);
  store<f64>(state, dayVolume, 16);
}

/** Inputs: size, close, volume. */
export function perMillion(args: usize, rows: i32): void {
  const size = column(args, 0);
  const close = column(args, 1);
  const volume = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const millions = (load<f64>(close + i) * load<f64>(volume + i)) / 1e6;
    const x = load<f64>(size + i);
    store<f64>(out + i, select(0 * x, x / millions, millions == 0));
  }
}

/** Inputs: high, low. Memory: squared log range of the bar before. */
export function spread(args: usize, rows: i32): void {
  const high = column(args, 0);
  const low = column(args, 1);
  const out = column(args, 2);
  const scale = 3 - 2 * Math.SQRT2;
  const state = remembered(args);
  let before = load<f64>(state);
  // Both logarithms of a bar at once.
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const h = load<f64>(high + i);
    const h1 = load<f64>(high + i - 8);
    const l = load<f64>(low + i);
    const l1 = load<f64>(low + i - 8);
    const tops = f64x2.replace_lane(f64x2.splat(h), 1, larger(h1, h));
    const bottoms = f64x2.replace_lane(f64x2.splat(l), 1, smaller(l1, l));
    const ranges = logs(f64x2.div(tops, bottoms));
    const squares = f64x2.mul(ranges, ranges);
    const now = f64x2.extract_lane(squares, 0);
    const both = f64x2.extract_lane(squares, 1);
    const single = now + before;
    before = now;
    const alpha = (Math.sqrt(2 * single) - Math.sqrt(single)) / scale - Math.sqrt(both / scale);
    // 2 (e^alpha - 1) / (1 + e^alpha), at least 0
    const estimate = alpha < 0 ? 0 : 2 * tanh(alpha / 2);
    store<f64>(out + i, select(NaN, estimate, h1 != h1));
  }
  store<f64>(state, before);
}

/* volatility */

/** Outputs: squares of falls and of rises. */
export function halves(args: usize, rows: i32): void {
  const x = column(args, 0);
  const down = column(args, 1);
  const up = column(args, 2);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const value = v128.load(x + i);
    const square = f64x2.mul(value, value);
    v128.store(down + i, v128.andnot(square, f64x2.gt(value, zero)));
    v128.store(up + i, v128.andnot(square, f64x2.lt(value, zero)));
  }
}

/** Outputs: squares, and pi / 2 of the products of successive sizes; both from the second value on. */
export function bipower(args: usize, rows: i32): void {
  const x = column(args, 0);
  const squares = column(args, 1);
  const products = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    const last = load<f64>(x + i - 8);
    store<f64>(squares + i, select(value * value, NaN, last == last));
    store<f64>(products + i, (Math.PI / 2) * Math.abs(value * last));
  }
}

/** Inputs: bipower variation, variance. */
export function jumpShare(args: usize, rows: i32): void {
  const smooth = column(args, 0);
  const variance = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const whole = load<f64>(variance + i);
    const jumps = select<f64>(0, 1 - load<f64>(smooth + i) / whole, whole == 0);
    store<f64>(out + i, larger(0, jumps));
  }
}

/** Inputs: log range, log of close / open. */
export function garmanKlass(args: usize, rows: i32): void {
  const range = column(args, 0);
  const body = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const width = load<f64>(range + i);
    const move = load<f64>(body + i);
    store<f64>(out + i, (width * width) / 2 - (2 * Math.LN2 - 1) * move * move);
  }
}

/** Inputs: open, high, low, close. */
export function rogersSatchell(args: usize, rows: i32): void {
  const open = column(args, 0);
  const high = column(args, 1);
  const low = column(args, 2);
  const close = column(args, 3);
  const out = column(args, 4);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const o = v128.load(open + i);
    const h = v128.load(high + i);
    const l = v128.load(low + i);
    const c = v128.load(close + i);
    const above = f64x2.mul(logs(f64x2.div(h, c)), logs(f64x2.div(h, o)));
    const below = f64x2.mul(logs(f64x2.div(l, c)), logs(f64x2.div(l, o)));
    v128.store(out + i, f64x2.add(above, below));
  }
}

/** Inputs: squares of overnight moves and of days, mean drift. Parameter: length. */
export function yangZhang(args: usize, rows: i32): void {
  const overnights = column(args, 0);
  const days = column(args, 1);
  const drifts = column(args, 2);
  const out = column(args, 3);
  const bars = parameter(args, 0);
  const weight = 0.34 / (1.34 + (bars + 1) / (bars - 1));
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const moves = (load<f64>(overnights + i) + weight * load<f64>(days + i)) / (bars - 1);
    store<f64>(out + i, moves + (1 - weight) * load<f64>(drifts + i));
  }
}

/** `ln(a / b of the bar before)` */
export function logGap(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, logs(f64x2.div(v128.load(a + i), v128.load(b + i - 8))));
}

/** Inputs: close, mean, range. */
export function keltner(args: usize, rows: i32): void {
  const close = column(args, 0);
  const means = column(args, 1);
  const ranges = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(close + i);
    const apart = now - load<f64>(means + i);
    const range = load<f64>(ranges + i);
    // A price that stopped moving leaves rounding above and a vanishing range below.
    store<f64>(out + i, select(0 * apart, apart / range, range < 1e-9 * now));
  }
}

/** Inputs: squares, range. */
export function squeeze(args: usize, rows: i32): void {
  const squares = column(args, 0);
  const ranges = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const wide = 3 * load<f64>(ranges + i);
    store<f64>(out + i, select<f64>(1, (4 * Math.sqrt(load<f64>(squares + i) / 20)) / wide, wide == 0));
  }
}

/** Inputs: means of the first four powers. Outputs: skewness, kurtosis. */
export function standardised(args: usize, rows: i32): void {
  const first = column(args, 0);
  const second = column(args, 1);
  const third = column(args, 2);
  const fourth = column(args, 3);
  const skewness = column(args, 4);
  const kurtosis = column(args, 5);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const m1 = load<f64>(first + i);
    const m2 = load<f64>(second + i);
    const m3 = load<f64>(third + i);
    const m4 = load<f64>(fourth + i);
    const variance = m2 - m1 * m1;
    const flat = (variance <= 1e-12 * m2) | (variance == 0);
    const skew = (m3 - 3 * m1 * m2 + 2 * m1 * m1 * m1) / (variance * Math.sqrt(variance));
    const tails = (m4 - 4 * m1 * m3 + 3 * m1 * m1 * (2 * m2 - m1 * m1)) / (variance * variance) - 3;
    store<f64>(skewness + i, select<f64>(0, skew, flat));
    store<f64>(kurtosis + i, select<f64>(0, tails, flat));
  }
}

/* momentum */

/** Outputs: rises and falls from the value before, each at least 0. */
export function gainsAndLosses(args: usize, rows: i32): void {
  const x = column(args, 0);
  const gains = column(args, 1);
  const losses = column(args, 2);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const move = f64x2.sub(v128.load(x + i), v128.load(x + i - 8));
    v128.store(gains + i, v128.andnot(move, f64x2.lt(move, zero)));
    v128.store(losses + i, v128.andnot(f64x2.neg(move), f64x2.gt(move, zero)));
  }
}

/** Inputs: low, close. */
export function pressure(args: usize, rows: i32): void {
  const low = column(args, 0);
  const close = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8)
    store<f64>(out + i, load<f64>(close + i) - smaller(load<f64>(low + i), load<f64>(close + i - 8)));
}

/** `100 (4 a + 2 b + c) / 7` */
export function weighted(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const c = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const both = (load<f64>(a + i) * 4) / 7 + (load<f64>(b + i) * 2) / 7;
    store<f64>(out + i, 100 * (both + load<f64>(c + i) / 7));
  }
}

/** Memory: smoothed place, transform. */
export function fisher(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const state = remembered(args);
  let smooth = load<f64>(state);
  let transform = load<f64>(state, 8);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    if (value != value) {
      store<f64>(out + i, NaN);
      continue;
    }
    smooth = min(0.999, max(-0.999, 0.66 * (value - 0.5) + 0.67 * smooth));
    transform = log((1 + smooth) / (1 - smooth)) / 2 + transform / 2;
    store<f64>(out + i, transform);
  }
  store<f64>(state, smooth);
  store<f64>(state, transform, 8);
}

/** Inputs: mean, squares. Parameter: length. */
export function momentumScore(args: usize, rows: i32): void {
  const means = column(args, 0);
  const squares = column(args, 1);
  const out = column(args, 2);
  const bars = parameter(args, 0);
  const scale = Math.sqrt(bars);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const deviation = Math.sqrt(load<f64>(squares + i) / (bars - 1));
    store<f64>(out + i, select<f64>(0, (load<f64>(means + i) * scale) / deviation, deviation == 0));
  }
}

/** 1 for a rise, 0 for a fall, a half where x did not move. */
export function rising(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const half = f64x2.splat(0.5);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const move = f64x2.sub(v128.load(x + i), v128.load(x + i - 8));
    v128.store(out + i, f64x2.add(half, f64x2.mul(half, signOf(move))));
  }
}

/** Parameter: bars. */
export function acceleration(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const back = bytes(whole(args, 0));
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const past = v128.load(x + i - back);
    const ends = f64x2.mul(v128.load(x + i), v128.load(x + i - 2 * back));
    v128.store(out + i, logs(f64x2.div(ends, f64x2.mul(past, past))));
  }
}

/* regime */

/** Below -.5: 0, above .5: 2, else 1. */
export function threeClasses(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const value = load<f64>(x + i);
    const kind = 1 + <f64>(<i32>(value > 0.5) - <i32>(value < -0.5));
    store<f64>(out + i, select(NaN, kind, value != value));
  }
}

/** Inputs: close, means of 50 and 200. Parameter: 1 for above, -1 for below. */
export function onSide(args: usize, rows: i32): void {
  const close = column(args, 0);
  const middle = column(args, 1);
  const long = column(args, 2);
  const out = column(args, 3);
  const side = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const level = side * load<f64>(long + i);
    const both = (side * load<f64>(close + i) > level) & (side * load<f64>(middle + i) > level);
    store<f64>(out + i, select<f64>(NaN, <f64>both, level != level));
  }
}

/** Inputs: close and three means. */
export function alignment(args: usize, rows: i32): void {
  const close = column(args, 0);
  const fast = column(args, 1);
  const slow = column(args, 2);
  const slowest = column(args, 3);
  const out = column(args, 4);
  const three = f64x2.splat(3);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const b = v128.load(fast + i);
    const c = v128.load(slow + i);
    const first = f64x2.add(
      signOf(f64x2.sub(v128.load(close + i), b)),
      signOf(f64x2.sub(b, c)),
    );
    const sum = f64x2.add(first, signOf(f64x2.sub(c, v128.load(slowest + i))));
    v128.store(out + i, f64x2.div(sum, three));
  }
}

/** Memory: side, bars since. */
export function sinceCross(args: usize, rows: i32): void {
  const x = column(args, 0);
  const out = column(args, 1);
  const state = remembered(args);
  let last = load<f64>(state);
  let since = load<f64>(state, 8);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(x + i);
    if (now != now) {
      store<f64>(out + i, NaN);
      continue;
    }
    since = now == last ? since + 1 : 0;
    last = now;
    store<f64>(out + i, now * log(1 + since));
  }
  store<f64>(state, last);
  store<f64>(state, since, 8);
}

/** Inputs: what gives the sign, size. */
export function signedBy(args: usize, rows: i32): void {
  const witness = column(args, 0);
  const size = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 16)
    v128.store(out + i, f64x2.mul(v128.load(size + i), signOf(v128.load(witness + i))));
}

/** Inputs: way, path. */
export function efficiency(args: usize, rows: i32): void {
  const way = column(args, 0);
  const path = column(args, 1);
  const out = column(args, 2);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const length = load<f64>(path + i);
    const part = select<f64>(0, Math.abs(load<f64>(way + i)) / length, length == 0);
    store<f64>(out + i, select<f64>(1, part, part > 1));
  }
}

/** Inputs: sum of ranges, range. Parameter: length. */
export function choppiness(args: usize, rows: i32): void {
  const total = column(args, 0);
  const width = column(args, 1);
  const out = column(args, 2);
  const whole = f64x2.splat(log(parameter(args, 0)));
  const hundred = f64x2.splat(100);
  const zero = f64x2.splat(0);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const sum = v128.load(total + i);
    const range = v128.load(width + i);
    const flat = v128.or(f64x2.eq(sum, zero), f64x2.eq(range, zero));
    const value = f64x2.div(f64x2.mul(hundred, logs(f64x2.div(sum, range))), whole);
    v128.store(out + i, v128.bitselect(hundred, value, flat));
  }
}

/** Inputs: squares over 1, 2, 4, 8 and 16 bars. */
export function scaling(args: usize, rows: i32): void {
  const one = column(args, 0);
  const two = column(args, 1);
  const four = column(args, 2);
  const eight = column(args, 3);
  const sixteen = column(args, 4);
  const out = column(args, 5);
  const zero = f64x2.splat(0);
  const half = f64x2.splat(0.5);
  const divisor = f64x2.splat(20 * Math.LN2);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const s1 = v128.load(one + i);
    const s2 = v128.load(two + i);
    const s4 = v128.load(four + i);
    const s8 = v128.load(eight + i);
    const s16 = v128.load(sixteen + i);
    const inner = v128.or(v128.or(f64x2.eq(s2, zero), f64x2.eq(s4, zero)), f64x2.eq(s8, zero));
    const flat = v128.or(v128.or(f64x2.eq(s1, zero), f64x2.eq(s16, zero)), inner);
    // Least squares on five points one doubling apart, of which the middle one has no weight: twice the slope
    // between the outer ones and once that between the inner ones.
    const outer = f64x2.div(s16, s1);
    const both = f64x2.mul(f64x2.mul(outer, outer), f64x2.div(s8, s2));
    v128.store(out + i, v128.bitselect(half, f64x2.div(logs(both), divisor), flat));
  }
}

/** Inputs: variance of many bars, of one. Parameter: bars. */
export function varianceRatio(args: usize, rows: i32): void {
  const many = column(args, 0);
  const one = column(args, 1);
  const out = column(args, 2);
  const bars = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const square = load<f64>(many + i);
    const below = bars * load<f64>(one + i);
    const value = select<f64>(1, square / below, below == 0);
    store<f64>(out + i, select(NaN, value, square != square));
  }
}

/* advanced */

/** Inputs: close and both spans. */
export function cloudSide(args: usize, rows: i32): void {
  const close = column(args, 0);
  const a = column(args, 1);
  const b = column(args, 2);
  const out = column(args, 3);
  const half = f64x2.splat(0.5);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const now = v128.load(close + i);
    const sides = f64x2.add(
      signOf(f64x2.sub(now, v128.load(a + i))),
      signOf(f64x2.sub(now, v128.load(b + i))),
    );
    // 2 becomes 1, a 1 from lying on one of them 0.
    v128.store(out + i, f64x2.trunc(f64x2.mul(half, sides)));
  }
}

export function meanOfFour(args: usize, rows: i32): void {
  const a = column(args, 0);
  const b = column(args, 1);
  const c = column(args, 2);
  const d = column(args, 3);
  const out = column(args, 4);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const sum = load<f64>(a + i) + load<f64>(b + i) + load<f64>(c + i) + load<f64>(d + i);
    store<f64>(out + i, sum / 4);
  }
}

/** Inputs: close, top, bottom. Parameter: level. */
export function retracement(args: usize, rows: i32): void {
  const close = column(args, 0);
  const top = column(args, 1);
  const bottom = column(args, 2);
  const out = column(args, 3);
  const level = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const ceiling = load<f64>(top + i);
    const now = load<f64>(close + i);
    store<f64>(out + i, (now - (ceiling - level * (ceiling - load<f64>(bottom + i)))) / now);
  }
}

/** Inputs: close, top, bottom. Memory: the five levels. */
export function nearestLevel(args: usize, rows: i32): void {
  const close = column(args, 0);
  const top = column(args, 1);
  const bottom = column(args, 2);
  const out = column(args, 3);
  const levels = remembered(args);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const ceiling = load<f64>(top + i);
    const range = ceiling - load<f64>(bottom + i);
    const now = load<f64>(close + i);
    let nearest: f64 = Infinity;
    for (let k: usize = 0; k < 40; k += 8) {
      const apart = Math.abs(now - (ceiling - load<f64>(levels + k) * range));
      nearest = smaller(apart, nearest);
    }
    store<f64>(out + i, select<f64>(0, select(nearest / range, NaN, range == range), range == 0));
  }
}

/** Inputs: x, bottom, top. */
export function sideOf(args: usize, rows: i32): void {
  const x = column(args, 0);
  const bottom = column(args, 1);
  const top = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const now = load<f64>(x + i);
    const ceiling = load<f64>(top + i);
    const above = <i32>(now > ceiling);
    const side = <f64>(above - (<i32>(now < load<f64>(bottom + i)) & ~above));
    store<f64>(out + i, select(NaN, side, ceiling != ceiling));
  }
}

/** Inputs: extreme, close, level. Parameter: 1 where the extreme undercuts the level, -1 where it exceeds it. */
export function spring(args: usize, rows: i32): void {
  const edge = column(args, 0);
  const close = column(args, 1);
  const levels = column(args, 2);
  const out = column(args, 3);
  const side = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const level = side * load<f64>(levels + i);
    const found = (side * load<f64>(edge + i) < level) & (side * load<f64>(close + i) > level);
    store<f64>(out + i, select<f64>(NaN, <f64>found, level != level));
  }
}

/** Inputs: pressure, balance, tests. */
export function wyckoffScore(args: usize, rows: i32): void {
  const pressures = column(args, 0);
  const balances = column(args, 1);
  const tests = column(args, 2);
  const out = column(args, 3);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const sum = load<f64>(pressures + i) + load<f64>(balances + i) + tanh(load<f64>(tests + i));
    store<f64>(out + i, sum / 3);
  }
}

/** Inputs: open, high, low, close. Memory, unknown at first: open and close of the averaged bar before. */
export function heikinBody(args: usize, rows: i32): void {
  const open = column(args, 0);
  const high = column(args, 1);
  const low = column(args, 2);
  const close = column(args, 3);
  const out = column(args, 4);
  const state = remembered(args);
  let openBefore = load<f64>(state);
  let closeBefore = load<f64>(state, 8);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const o = load<f64>(open + i);
    const c = (o + load<f64>(high + i) + load<f64>(low + i) + load<f64>(close + i)) / 4;
    openBefore = openBefore == openBefore ? (openBefore + closeBefore) / 2 : o;
    closeBefore = c;
    store<f64>(out + i, (c - openBefore) / c);
  }
  store<f64>(state, openBefore);
  store<f64>(state, closeBefore, 8);
}

/* time; the parameter before all others is the bar's length in ms */

/** Parameters: length, from, to, in hours: 1 where a bar closes from `from` to before `to` o'clock UTC. */
export function between(args: usize, rows: i32): void {
  const time = column(args, 0);
  const out = column(args, 1);
  const length = parameter(args, 0);
  const from = parameter(args, 1) * HOUR_MS;
  const to = parameter(args, 2) * HOUR_MS;
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const close = load<f64>(time + i) + length;
    const ms = close - DAY_MS * Math.floor(close / DAY_MS);
    store<f64>(out + i, <f64>((ms >= from) & (ms < to)));
  }
}

export function hoursToFunding(args: usize, rows: i32): void {
  const time = column(args, 0);
  const out = column(args, 1);
  const length = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const close = load<f64>(time + i) + length;
    const hour = (close - DAY_MS * Math.floor(close / DAY_MS)) / HOUR_MS;
    store<f64>(out + i, 8 - (hour - 8 * Math.floor(hour / 8)));
  }
}

export function missingBars(args: usize, rows: i32): void {
  const time = column(args, 0);
  const out = column(args, 1);
  const length = parameter(args, 0);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const passed = load<f64>(time + i) - load<f64>(time + i - 8);
    store<f64>(out + i, Math.floor(passed / length + 0.5) - 1);
  }
}

/** Parameters: length, how many. Memory: when the halvings were, in order. */
export function sinceHalving(args: usize, rows: i32): void {
  const time = column(args, 0);
  const out = column(args, 1);
  const length = parameter(args, 0);
  const halvings = remembered(args);
  const end = halvings + bytes(whole(args, 1));
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const close = load<f64>(time + i) + length;
    let last = load<f64>(halvings);
    for (let k = halvings; k < end; k += 8) last = select(load<f64>(k), last, load<f64>(k) <= close);
    store<f64>(out + i, (close - last) / DAY_MS);
  }
}

/**
 * What a table says of the minute in which a bar closes, in the day or in time. Parameters: length, 1 for the minute of
 * the day. Memory: a value a minute.
 */
export function ofMinute(args: usize, rows: i32): void {
  const time = column(args, 0);
  const out = column(args, 1);
  const length = parameter(args, 0);
  const table = remembered(args);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const close = load<f64>(time + i) + length;
    const minute = <i32>((close - DAY_MS * Math.floor(close / DAY_MS)) / 60000);
    store<f64>(out + i, load<f64>(table + bytes(minute)));
  }
}
