/** Volume by price: src/core/features/columns/volume-profile.ts says what it is. */
import { bytes, column, larger, parameter, remembered, whole } from './columns';
import { log, logs } from './log';

/**
 * Inputs: price, volume, highest high, lowest low, volume of the window. Parameters: length, count, share. Memory:
 * ceiling, floor and volume of the bar before (unknown at first), where in `places` the next bar stands, peak, sum of
 * terms; then `bins`, `traders` and `terms` [count] and `places` [length]. Outputs: point of control, value area's low
 * and high, entropy.
 */
export function profile(args: usize, rows: i32): void {
  const price = column(args, 0);
  const volume = column(args, 1);
  const top = column(args, 2);
  const bottom = column(args, 3);
  const traded = column(args, 4);
  const controls = column(args, 5);
  const lows = column(args, 6);
  const highs = column(args, 7);
  const spreads = column(args, 8);
  const length = whole(args, 0);
  const count = whole(args, 1);
  const share = parameter(args, 2);
  const last = count - 1;
  const greatest = log(parameter(args, 1));
  const state = remembered(args);
  const bins = state + 48;
  /** Bars in each bin that traded: without one the bin holds 0, whatever rounding left of those that went. */
  const traders = bins + bytes(count);
  /** `b ln b` of each bin. */
  const terms = traders + bytes(count);
  /** The bin of each bar in the window. */
  const places = terms + bytes(count);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const ceiling = load<f64>(top + i);
    const floor = load<f64>(bottom + i);
    const total = load<f64>(traded + i);
    const at = <i32>load<f64>(state, 24);
    const next = at + 1 == length ? 0 : at + 1;
    store<f64>(state, <f64>next, 24);
    if (total != total || ceiling == floor) {
      const level = total == total ? ceiling : NaN;
      store<f64>(controls + i, level);
      store<f64>(lows + i, level);
      store<f64>(highs + i, level);
      store<f64>(spreads + i, total == total ? 0 : NaN);
      store<f64>(state, NaN);
      continue;
    }
    // The bins stand while the range does; a rebuild once a window keeps rounding from piling up.
    const alike = total == 0;
    const stands =
      ceiling == load<f64>(state) &&
      floor == load<f64>(state, 8) &&
      at > 0 &&
      alike == (load<f64>(state, 16) == 0);
    store<f64>(state, ceiling);
    store<f64>(state, floor, 8);
    store<f64>(state, total, 16);
    const perPrice = <f64>count / (ceiling - floor);
    let peak = <i32>load<f64>(state, 32);
    let sum = load<f64>(state, 40);
    if (stands) {
      const old = <i32>load<f64>(places + bytes(at));
      const oldBin = bins + bytes(old);
      const oldTraders = traders + bytes(old);
      const gone: f64 = alike ? 1 : load<f64>(volume + i - bytes(length));
      if (gone > 0) store<f64>(oldTraders, load<f64>(oldTraders) - 1);
      const left = load<f64>(oldBin) - gone;
      const rest = load<f64>(oldTraders) == 0 || left < 0 ? 0 : left;
      store<f64>(oldBin, rest);
      const bin = min(last, <i32>((load<f64>(price + i) - floor) * perPrice));
      const weight: f64 = alike ? 1 : load<f64>(volume + i);
      store<f64>(places + bytes(at), <f64>bin);
      if (weight > 0) store<f64>(traders + bytes(bin), load<f64>(traders + bytes(bin)) + 1);
      const more = load<f64>(bins + bytes(bin)) + weight;
      store<f64>(bins + bytes(bin), more);
      const both = termsOf(f64x2.replace_lane(f64x2.splat(rest), 1, more));
      const term = f64x2.extract_lane(both, 0);
      const grown = f64x2.extract_lane(both, 1);
      sum += term - load<f64>(terms + bytes(old));
      store<f64>(terms + bytes(old), term);
      sum += grown - load<f64>(terms + bytes(bin));
      store<f64>(terms + bytes(bin), grown);
      if (old == peak && gone > 0) {
        peak = highestOf(bins, count);
      } else {
        const most = load<f64>(bins + bytes(peak));
        if (more > most || (more == most && bin < peak)) peak = bin;
      }
    } else {
      clear(bins, 2 * bytes(count));
      // The oldest bar of the window stands right behind the newest.
      const oldest = i - bytes(length - 1);
      const behind = i - bytes(next - 1);
      place(price + oldest, places + bytes(next), length - next, floor, perPrice, <f64>last);
      place(price + behind, places, next, floor, perPrice, <f64>last);
      if (alike) {
        for (let k: usize = 0; k < bytes(length); k += 8) {
          const bin = bins + bytes(<i32>load<f64>(places + k));
          store<f64>(bin, load<f64>(bin) + 1);
        }
        memory.copy(traders, bins, bytes(count));
      } else {
        fill(places + bytes(next), volume + oldest, length - next, bins, traders);
        fill(places, volume + behind, next, bins, traders);
      }
      peak = highestOf(bins, count);
      sum = 0;
      for (let k: usize = 0; k < bytes(count); k += 16) {
        const two = termsOf(v128.load(bins + k));
        store<f64>(terms + k, f64x2.extract_lane(two, 0));
        sum += f64x2.extract_lane(two, 0);
        if (k + 8 == bytes(count)) break;
        store<f64>(terms + k, f64x2.extract_lane(two, 1), 8);
        sum += f64x2.extract_lane(two, 1);
      }
    }
    store<f64>(state, <f64>peak, 32);
    store<f64>(state, sum, 40);
    const whole = alike ? <f64>length : total;
    const enough = share * whole;
    let from = peak;
    let to = peak;
    let held = load<f64>(bins + bytes(peak));
    while (held < enough && (from > 0 || to < last)) {
      const below: f64 = from > 0 ? load<f64>(bins + bytes(from - 1)) : -1;
      const above: f64 = to < last ? load<f64>(bins + bytes(to + 1)) : -1;
      // Whichever side is wider; without a jump, which nobody could foresee.
      const up = <i32>(above >= below);
      held += larger(above, below);
      to += up;
      from -= 1 - up;
    }
    const width = (ceiling - floor) / <f64>count;
    store<f64>(controls + i, floor + (<f64>peak + 0.5) * width);
    store<f64>(lows + i, floor + <f64>from * width);
    store<f64>(highs + i, floor + <f64>(to + 1) * width);
    const spread = log(whole) - sum / whole;
    store<f64>(spreads + i, spread > 0 ? spread / greatest : 0);
  }
}

// @ts-ignore: decorator
@inline
function clear(at: usize, length: usize): void {
  for (let k: usize = 0; k < length; k += 8) store<f64>(at + k, 0);
}

/** The bins of `count` bars. */
function place(prices: usize, places: usize, count: i32, floor: f64, perPrice: f64, last: f64): void {
  const floors = f64x2.splat(floor);
  const scale = f64x2.splat(perPrice);
  const lasts = f64x2.splat(last);
  const end = bytes(count);
  for (let k: usize = 0; k < end; k += 16) {
    const bins = f64x2.trunc(f64x2.mul(f64x2.sub(v128.load(prices + k), floors), scale));
    const kept = f64x2.pmin(lasts, bins);
    if (k + 8 < end) v128.store(places + k, kept);
    else store<f64>(places + k, f64x2.extract_lane(kept, 0));
  }
}

/** Adds the volumes of `count` bars to their bins, the oldest first. */
function fill(places: usize, volumes: usize, count: i32, bins: usize, traders: usize): void {
  for (let k: usize = 0; k < bytes(count); k += 8) {
    const bin = bytes(<i32>load<f64>(places + k));
    const weight = load<f64>(volumes + k);
    store<f64>(bins + bin, load<f64>(bins + bin) + weight);
    if (weight > 0) store<f64>(traders + bin, load<f64>(traders + bin) + 1);
  }
}

/** `x ln x`, 0 where x is. */
// @ts-ignore: decorator
@inline
function termsOf(x: v128): v128 {
  // Any number that takes no detour will do where x is 0.
  const some = v128.bitselect(f64x2.splat(1.2), x, f64x2.eq(x, f64x2.splat(0)));
  return f64x2.mul(x, logs(some));
}

/** The first of the largest. */
function highestOf(bins: usize, count: i32): i32 {
  let peak = 0;
  let most = load<f64>(bins);
  for (let k = 1; k < count; k++) {
    const value = load<f64>(bins + bytes(k));
    peak = select(k, peak, value > most);
    most = select(value, most, value > most);
  }
  return peak;
}
