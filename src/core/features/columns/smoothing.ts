import { type Column, derive } from './plan.ts';

/**
 * Exponential mean with weight `2 / (length + 1)` unless told, seeded with the simple mean of the first `length`
 * known values.
 */
export function ema(x: Column, length: number, weight = 2 / (length + 1)): Column {
  return derive(`ema ${length} ${weight}`, [x], (out, memory) => {
    const state = memory(2);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ys, at: to } = out;
      let count = state[0] | 0;
      let value = state[1];
      for (let i = 0; i < rows; i++) {
        const next = xs[at + i];
        if (next !== next) {
          ys[to + i] = NaN;
          continue;
        }
        if (count >= length) value += weight * (next - value);
        else {
          value += next;
          if (++count === length) value /= length;
        }
        ys[to + i] = count < length ? NaN : value;
      }
      state[0] = count;
      state[1] = value;
    };
  });
}

/** Wilder's mean: an exponential mean with weight `1 / length`, seeded with the simple mean. */
export const wilder = (x: Column, length: number): Column => ema(x, length, 1 / length);

/** Mean weighted 1, 2, ..., `length`, the latest most. */
export function linearMean(x: Column, length: number): Column {
  return derive(`linear mean ${length}`, [x.keep(length)], (out, memory) => {
    const state = memory(1);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ys, at: to } = out;
      let count = state[0] | 0;
      for (let i = 0; i < rows; i++) {
        if (xs[at + i] !== xs[at + i] || ++count < length) {
          ys[to + i] = NaN;
          continue;
        }
        let total = 0;
        const from = at + i - length;
        for (let k = 1; k <= length; k++) total += k * xs[from + k];
        ys[to + i] = (2 * total) / (length * (length + 1));
      }
      state[0] = count;
    };
  });
}
