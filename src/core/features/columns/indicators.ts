import { type Column, derive } from './plan.ts';
import { wilder } from './smoothing.ts';
import { mean } from './windows.ts';

/** A market's prices, row by row. */
export interface Prices {
  readonly open: Column;
  readonly high: Column;
  readonly low: Column;
  readonly close: Column;
}

/** `(high + low + close) / 3`. */
export const typical = ({ high, low, close }: Prices): Column =>
  derive('typical', [high, low, close], (out) => (rows) => {
    const { data: highs, at: i } = high;
    const { data: lows, at: j } = low;
    const { data: closes, at: k } = close;
    const { data: ys, at: to } = out;
    for (let row = 0; row < rows; row++)
      ys[to + row] = (highs[i + row] + lows[j + row] + closes[k + row]) / 3;
  });

/** `(a + b) / 2`. */
export const middle = (a: Column, b: Column): Column =>
  derive('middle', [a, b], (out) => (rows) => {
    const { data: xs, at: i } = a;
    const { data: ys, at: j } = b;
    const { data: zs, at: to } = out;
    for (let row = 0; row < rows; row++) zs[to + row] = (xs[i + row] + ys[j + row]) / 2;
  });

/** Wilder's true range; unknown on the first bar, which has no previous close. */
export const trueRange = ({ high, low, close }: Prices): Column =>
  derive('true range', [high, low, close.keep(1)], (out) => (rows) => {
    const { data: highs, at: i } = high;
    const { data: lows, at: j } = low;
    const { data: closes, at: k } = close;
    const { data: ys, at: to } = out;
    for (let row = 0; row < rows; row++) {
      const before = closes[k + row - 1];
      const top = highs[i + row];
      const bottom = lows[j + row];
      ys[to + row] = (top > before ? top : before) - (bottom < before ? bottom : before);
    }
  });

/** Average true range (Wilder 1978), first value after `length` true ranges. */
export const atr = (prices: Prices, length: number): Column => wilder(trueRange(prices), length);

/** Relative strength index (Wilder 1978), first value after `length` changes; 50 when the price never moved. */
export const rsi = (close: Column, length: number): Column =>
  derive(`rsi ${length}`, [close.keep(1)], (out, memory) => {
    const state = memory(3);
    const weight = 1 / length;
    const keep = 1 - weight;
    return (rows) => {
      const { data: xs, at } = close;
      const { data: ys, at: to } = out;
      let count = state[0] | 0;
      let gain = state[1];
      let loss = state[2];
      for (let i = 0; i < rows; i++) {
        const move = xs[at + i] - xs[at + i - 1];
        if (move !== move) {
          ys[to + i] = NaN;
          continue;
        }
        const up = move > 0 ? move : 0;
        const down = move < 0 ? -move : 0;
        if (count >= length) {
          gain = keep * gain + weight * up;
          loss = keep * loss + weight * down;
        } else {
          gain += up;
          loss += down;
          if (++count === length) {
            gain /= length;
            loss /= length;
          }
        }
        const both = gain + loss;
        ys[to + i] = count < length ? NaN : both === 0 ? 50 : (100 * gain) / both;
      }
      state[0] = count;
      state[1] = gain;
      state[2] = loss;
    };
  });

export interface Macd {
  readonly line: Column;
  readonly signal: Column;
}

/** MACD (Appel): fast minus slow exponential mean, and the exponential mean of that. */
export function macd(x: Column, { fast, slow, signal }: Record<'fast' | 'slow' | 'signal', number>): Macd {
  const [line, smooth] = x.plan.derive(
    `macd ${fast} ${slow} ${signal}`,
    [x],
    2,
    ([lines, signals], memory) => {
      const state = memory(4);
      const fastWeight = 2 / (fast + 1);
      const slowWeight = 2 / (slow + 1);
      const signalWeight = 2 / (signal + 1);
      return (rows) => {
        const { data: xs, at } = x;
        const { data: ls, at: lTo } = lines;
        const { data: ss, at: sTo } = signals;
        let count = state[0] | 0;
        let quick = state[1];
        let steady = state[2];
        let mean = state[3];
        for (let i = 0; i < rows; i++) {
          const value = xs[at + i];
          if (value !== value) {
            ls[lTo + i] = ss[sTo + i] = NaN;
            continue;
          }
          if (count >= fast) quick += fastWeight * (value - quick);
          else {
            quick += value;
            if (count + 1 === fast) quick /= fast;
          }
          if (count >= slow) steady += slowWeight * (value - steady);
          else {
            steady += value;
            if (count + 1 === slow) steady /= slow;
          }
          // The signal counts lines from the one of bar `slow` on.
          const seen = count + 1 - slow;
          const apart = quick - steady;
          if (seen >= signal) mean += signalWeight * (apart - mean);
          else if (seen >= 0) {
            mean += apart;
            if (seen + 1 === signal) mean /= signal;
          }
          ls[lTo + i] = seen < 0 ? NaN : apart;
          ss[sTo + i] = seen + 1 < signal ? NaN : mean;
          if (count < slow + signal) count++;
        }
        state[0] = count;
        state[1] = quick;
        state[2] = steady;
        state[3] = mean;
      };
    },
  );
  return { line, signal: smooth };
}

export interface Movement {
  readonly plus: Column;
  readonly minus: Column;
  readonly adx: Column;
}

/** Directional movement (Wilder 1978): +DI and -DI after `length` changes, ADX after 2 `length` - 1. */
export function movement({ high, low, close }: Prices, length: number): Movement {
  const inputs = [high.keep(1), low.keep(1), close.keep(1)];
  const [plus, minus, adx] = high.plan.derive(
    `movement ${length}`,
    inputs,
    3,
    ([ups, downs, means], memory) => {
      const state = memory(5);
      const weight = 1 / length;
      const keep = 1 - weight;
      return (rows) => {
        const { data: hs, at: hAt } = high;
        const { data: ls, at: lAt } = low;
        const { data: cs, at: cAt } = close;
        const { data: ps, at: pTo } = ups;
        const { data: ms, at: mTo } = downs;
        const { data: as, at: aTo } = means;
        let count = state[0] | 0;
        let range = state[1];
        let up = state[2];
        let down = state[3];
        let mean = state[4];
        for (let i = 0; i < rows; i++) {
          const top = hs[hAt + i];
          const bottom = ls[lAt + i];
          const before = cs[cAt + i - 1];
          const rise = top - hs[hAt + i - 1];
          const fall = ls[lAt + i - 1] - bottom;
          if (before !== before) {
            ps[pTo + i] = ms[mTo + i] = as[aTo + i] = NaN;
            continue;
          }
          const width = (top > before ? top : before) - (bottom < before ? bottom : before);
          const rising = rise > fall && rise > 0 ? rise : 0;
          const falling = fall > rise && fall > 0 ? fall : 0;
          if (count >= length) {
            range = keep * range + weight * width;
            up = keep * up + weight * rising;
            down = keep * down + weight * falling;
          } else {
            range += width;
            up += rising;
            down += falling;
            if (count + 1 === length) {
              range /= length;
              up /= length;
              down /= length;
            }
          }
          if (count < 2 * length) count++;
          const plusIndex = range === 0 ? 0 : (100 * up) / range;
          const minusIndex = range === 0 ? 0 : (100 * down) / range;
          const both = plusIndex + minusIndex;
          const apart = plusIndex - minusIndex;
          const index = both === 0 ? 0 : (100 * (apart < 0 ? -apart : apart)) / both;
          const seen = count - length + 1;
          if (seen > length) mean += weight * (index - mean);
          else if (seen > 0) {
            mean += index;
            if (seen === length) mean /= length;
          }
          ps[pTo + i] = seen > 0 ? plusIndex : NaN;
          ms[mTo + i] = seen > 0 ? minusIndex : NaN;
          as[aTo + i] = seen >= length ? mean : NaN;
        }
        state[0] = count;
        state[1] = range;
        state[2] = up;
        state[3] = down;
        state[4] = mean;
      };
    },
  );
  return { plus, minus, adx };
}

/** Commodity channel index of x: the mean absolute deviation needs the whole window on each bar. */
export function cci(x: Column, length: number): Column {
  const means = mean(x, length);
  return derive(`cci ${length}`, [x.keep(length), means], (out) => (rows) => {
    const { data: xs, at } = x;
    const { data: ms, at: mAt } = means;
    const { data: ys, at: to } = out;
    for (let i = 0; i < rows; i++) {
      const centre = ms[mAt + i];
      // Two sums side by side: one would wait for itself on every addition.
      let even = 0;
      let odd = 0;
      let j = at + i;
      const first = j - length + 1;
      for (; j > first; j -= 2) {
        even += Math.abs(xs[j] - centre);
        odd += Math.abs(xs[j - 1] - centre);
      }
      if (j === first) even += Math.abs(xs[j] - centre);
      const total = even + odd;
      ys[to + i] = total === 0 ? 0 : ((xs[at + i] - centre) * length) / (0.015 * total);
    }
  });
}
