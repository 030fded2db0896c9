/** Candlestick patterns: src/core/features/columns/candlesticks.ts says what they are. */
import { bytes, column, larger, smaller } from './columns';

/** Inputs: open, high, low, close. Outputs: body, upper and lower shadow. */
export function sticks(args: usize, rows: i32): void {
  const open = column(args, 0);
  const high = column(args, 1);
  const low = column(args, 2);
  const close = column(args, 3);
  const bodies = column(args, 4);
  const uppers = column(args, 5);
  const lowers = column(args, 6);
  for (let i: usize = 0; i < bytes(rows); i += 16) {
    const o = v128.load(open + i);
    const c = v128.load(close + i);
    const white = f64x2.gt(c, o);
    const top = v128.bitselect(c, o, white);
    const bottom = v128.bitselect(o, c, white);
    v128.store(bodies + i, f64x2.sub(top, bottom));
    v128.store(uppers + i, f64x2.sub(v128.load(high + i), top));
    v128.store(lowers + i, f64x2.sub(bottom, v128.load(low + i)));
  }
}

/** What a bar looks like, as bits. */
const WHITE: i32 = 1;
const LONG: i32 = 2;
const BARE: i32 = 4;
const FOOTLESS: i32 = 8;

/** Inputs: open, close, body, usual body, upper and lower shadow, slight. Output: the four bits above as a number. */
export function looks(args: usize, rows: i32): void {
  const open = column(args, 0);
  const close = column(args, 1);
  const body = column(args, 2);
  const usual = column(args, 3);
  const upper = column(args, 4);
  const lower = column(args, 5);
  const slight = column(args, 6);
  const out = column(args, 7);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    const little = load<f64>(slight + i);
    const white = <i32>(load<f64>(close + i) >= load<f64>(open + i));
    const long = <i32>(load<f64>(body + i) > load<f64>(usual + i));
    const bare = <i32>(load<f64>(upper + i) < little);
    const footless = <i32>(load<f64>(lower + i) < little);
    store<f64>(out + i, <f64>(white | (long << 1) | (bare << 2) | (footless << 3)));
  }
}

// @ts-ignore: decorator
@inline
function found(args: usize, k: usize, i: usize, unknown: bool, value: i32): void {
  store<f64>(column(args, 11 + k) + i, select<f64>(NaN, <f64>value, unknown));
}

/**
 * Inputs: open, high, low, close, upper and lower shadow, what is usual, slight, near and far, and looks. Outputs: the
 * patterns by number, then their balance. All without jumps: what a bar looks like cannot be foreseen.
 */
export function patterns(args: usize, rows: i32): void {
  const open = column(args, 0);
  const high = column(args, 1);
  const low = column(args, 2);
  const close = column(args, 3);
  const upper = column(args, 4);
  const lower = column(args, 5);
  const usual = column(args, 6);
  const slight = column(args, 7);
  const near = column(args, 8);
  const far = column(args, 9);
  const looked = column(args, 10);
  for (let i: usize = 0; i < bytes(rows); i += 8) {
    // Unknown before the body of three bars ago had ten before it.
    const first = load<f64>(usual + i - 24);
    const unknown = first != first;
    const o = load<f64>(open + i);
    const h = load<f64>(high + i);
    const l = load<f64>(low + i);
    const c = load<f64>(close + i);
    const o1 = load<f64>(open + i - 8);
    const h1 = load<f64>(high + i - 8);
    const l1 = load<f64>(low + i - 8);
    const c1 = load<f64>(close + i - 8);
    const o2 = load<f64>(open + i - 16);
    const c2 = load<f64>(close + i - 16);
    const t = larger(c, o);
    const b = smaller(c, o);
    const t1 = larger(c1, o1);
    const b1 = smaller(c1, o1);
    const size = t - b;
    const size1 = t1 - b1;
    const size2 = Math.abs(c2 - o2);
    const up = load<f64>(upper + i);
    const down = load<f64>(lower + i);
    const mean0 = load<f64>(usual + i);
    const slight0 = load<f64>(slight + i);
    const near1 = load<f64>(near + i - 8);
    const look = <i32>load<f64>(looked + i);
    const look1 = <i32>load<f64>(looked + i - 8);
    const look2 = <i32>load<f64>(looked + i - 16);
    const look3 = <i32>load<f64>(looked + i - 24);
    const white = look & WHITE;
    const white1 = look1 & WHITE;
    const white2 = look2 & WHITE;
    const long = (look & LONG) >> 1;
    const long1 = (look1 & LONG) >> 1;
    const long2 = (look2 & LONG) >> 1;
    const bare = (look & BARE) >> 2;
    const footless = (look & FOOTLESS) >> 3;
    /** 1 for white, -1 for black. */
    const color = 2 * white - 1;
    const color1 = 2 * white1 - 1;

    const doji = <i32>(size <= slight0);
    found(args, 0, i, unknown, doji);
    found(args, 1, i, unknown, doji & bare & <i32>(down > slight0));
    found(args, 2, i, unknown, doji & footless & <i32>(up > slight0));

    const short = <i32>(size < mean0);
    const hammer = short & <i32>(down > size) & bare;
    const hammers = hammer & <i32>(b <= l1 + near1);
    const hangs = -(hammer & <i32>(b >= h1 - near1));
    const star = short & <i32>(up > size) & footless;
    const inverted = star & <i32>(o <= b1);
    const shoots = -(star & <i32>(o >= t1));
    found(args, 3, i, unknown, hammers);
    found(args, 4, i, unknown, hangs);
    found(args, 5, i, unknown, inverted);
    found(args, 6, i, unknown, shoots);

    const covers = (white ^ white1) & <i32>(t >= t1) & <i32>(b <= b1) & (<i32>(t > t1) | <i32>(b < b1));
    const engulfing = covers * color;
    const harami = -(long1 & <i32>(size <= mean0) & <i32>(t <= t1) & <i32>(b >= b1)) * color1;
    found(args, 7, i, unknown, engulfing);
    found(args, 8, i, unknown, harami);

    const half = 0.5 * size1;
    const piercing =
      (white & ~white1 & long1 & long) & <i32>(o <= c1) & <i32>(c > c1 + half) & <i32>(c < o1);
    const cloud = -(
      (white1 & ~white & long1) & <i32>(o >= c1) & <i32>(c < c1 - half) & <i32>(c > o1)
    );
    found(args, 9, i, unknown, piercing);
    found(args, 10, i, unknown, cloud);

    const rested = long2 & long & <i32>(size1 <= load<f64>(usual + i - 8));
    const third = 0.3 * size2;
    const morning = rested & ~white2 & white & <i32>(o1 <= c2) & <i32>(c > c2 + third);
    const evening = -(rested & white2 & ~white & <i32>(o1 >= c2) & <i32>(c < c2 - third) & 1);
    found(args, 11, i, unknown, morning);
    found(args, 12, i, unknown, evening);

    let soldiers = white & white1 & white2 & long & bare & ((look1 & look2 & BARE) >> 2);
    soldiers &= <i32>(c > c1) & <i32>(c1 > c2) & <i32>(o > o1) & <i32>(o1 > o2);
    soldiers &= <i32>(o <= c1 + near1) & <i32>(o1 <= c2 + load<f64>(near + i - 16));
    soldiers &= <i32>(size > size1 - load<f64>(far + i - 8));
    soldiers &= <i32>(size1 > size2 - load<f64>(far + i - 16));
    let crows = (~(white | white1 | white2) & 1) & footless & ((look1 & look2 & FOOTLESS) >> 3);
    crows &= <i32>(c < c1) & <i32>(c1 < c2) & <i32>(o < o1) & <i32>(o > c1) & <i32>(o1 < o2) & <i32>(o1 > c2);
    crows &= (look3 & WHITE) & <i32>(load<f64>(high + i - 24) > c2);
    crows = -crows;
    found(args, 13, i, unknown, soldiers);
    found(args, 14, i, unknown, crows);

    const marubozu = (long & bare & footless) * color;
    found(args, 15, i, unknown, marubozu);
    found(args, 16, i, unknown, (short & <i32>(up > size) & <i32>(down > size)) * color);
    found(args, 17, i, unknown, <i32>(h < h1) & <i32>(l > l1));
    const outside = (<i32>(h > h1) & <i32>(l < l1)) * (<i32>(c > o) - <i32>(c < o));
    found(args, 18, i, unknown, outside);
    const even = 0.05 * (h1 - l1);
    const rose = <i32>(c > o) & <i32>(o1 > c1) & <i32>(Math.abs(l - l1) <= even);
    const fell = <i32>(c < o) & <i32>(o1 < c1) & <i32>(Math.abs(h - h1) <= even);
    const tweezer = rose - fell;
    found(args, 19, i, unknown, tweezer);
    const balance =
      hammers + hangs + inverted + shoots + engulfing + harami + piercing + cloud + morning + evening +
      soldiers + crows + marubozu + outside + tweezer;
    found(args, 20, i, unknown, balance);
  }
}
