import { type Column, derive } from './plan.ts';

/** Bars in a row of one direction (1 or -1), signed; 0 after one without any. */
export const run = (direction: Column): Column =>
  derive('run', [direction], (out, memory) => {
    const state = memory(1);
    return (rows) => {
      const { data: outData, at: outAt } = out;
      const { data: xs, at } = direction;
      let length = state[0];
      for (let i = 0; i < rows; i++) {
        const now = xs[at + i];
        if (now > 0) length = length > 0 ? length + 1 : 1;
        else if (now < 0) length = length < 0 ? length - 1 : -1;
        else length = 0;
        outData[outAt + i] = now === now ? length : NaN;
      }
      state[0] = length;
    };
  });

/** Bars in a row in which x was above 0. */
export const rises = (x: Column): Column =>
  derive('rises', [x], (out, memory) => {
    const state = memory(1);
    return (rows) => {
      const { data: outData, at: outAt } = out;
      const { data: xs, at } = x;
      let length = state[0];
      for (let i = 0; i < rows; i++) {
        const now = xs[at + i];
        length = now > 0 ? length + 1 : 0;
        outData[outAt + i] = now === now ? length : NaN;
      }
      state[0] = length;
    };
  });
