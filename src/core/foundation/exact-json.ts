import { z } from 'zod';

/** JSON of numbers to the bit: those that JSON has no word for are written as text, which `ExactNumber` reads back. */
export const exactJson = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => {
    if (one instanceof Float64Array || one instanceof Uint8Array) return Array.from(one, spelled);
    return typeof one === 'number' ? spelled(one) : one;
  });

const spelled = (value: number): number | string =>
  Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value);

/** A number that `exactJson` wrote. */
export const ExactNumber = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity', '-0'])])
  .transform(Number);
