import { type Column, derive } from './plan.ts';

/** Largest value of the last `length`; unknown until the window is full. */
export const highest = (x: Column, length: number): Column => extreme(x, length, 1);

/** Smallest value of the last `length`; unknown until the window is full. */
export const lowest = (x: Column, length: number): Column => extreme(x, length, -1);

/**
 * Chunks of `length` values: a window is the end of one chunk and the beginning of the next, whose extremes are
 * known from running through each once (van Herk 1992; Gil and Werman 1993). Three comparisons a bar, whatever
 * the length.
 */
function extreme(x: Column, length: number, direction: 1 | -1): Column {
  return derive(`extreme ${direction * length}`, [x.keep(length)], (out, memory) => {
    const state = memory(3);
    /** `ends[k]`: extreme of the last chunk from its k-th value on. */
    const ends = memory(length + 1);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ys, at: to } = out;
      let known = state[0] > 0;
      let phase = state[1] | 0;
      let now = state[2];
      for (let i = 0; i < rows; i++) {
        const value = direction * xs[at + i];
        if (phase === 0 || value > now) now = value;
        // Chunks begin with the first known value.
        if (value !== value) {
          ys[to + i] = NaN;
          continue;
        }
        if (++phase < length) {
          const before = ends[phase];
          ys[to + i] = known ? direction * (before > now ? before : now) : NaN;
          continue;
        }
        ys[to + i] = direction * now;
        known = true;
        phase = 0;
        let best = -Infinity;
        for (let k = length - 1, j = at + i; k >= 0; k--, j--) {
          const past = direction * xs[j];
          if (past > best) best = past;
          ends[k] = best;
        }
      }
      state[0] = known ? 1 : 0;
      state[1] = phase;
      state[2] = now;
    };
  });
}

/** Bars since the largest of the last `length` values, the latest of equals; unknown until the window is full. */
export const barsSinceHighest = (x: Column, length: number): Column => age(x, length, 1);

/** Bars since the smallest of the last `length` values, the latest of equals. */
export const barsSinceLowest = (x: Column, length: number): Column => age(x, length, -1);

function age(x: Column, length: number, direction: 1 | -1): Column {
  return derive(`age ${direction * length}`, [x.keep(length)], (out, memory) => {
    const state = memory(3);
    return (rows) => {
      const { data: xs, at } = x;
      const { data: ys, at: to } = out;
      let count = state[0] | 0;
      let best = state[1];
      let since = state[2] | 0;
      for (let i = 0; i < rows; i++) {
        const value = direction * xs[at + i];
        if (count === 0 || value >= best) {
          best = value;
          since = 0;
        } else if (++since === length) {
          best = value;
          since = 0;
          for (let k = 1; k < length; k++) {
            const past = direction * xs[at + i - k];
            if (past > best) {
              best = past;
              since = k;
            }
          }
        }
        if (count < length) count++;
        ys[to + i] = count < length ? NaN : since;
      }
      state[0] = count;
      state[1] = best;
      state[2] = since;
    };
  });
}
