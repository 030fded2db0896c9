import { deriveSeed } from '../../../core/foundation/random.ts';
import { atUnit, drawn, fill } from '../space.ts';
import type { Sampler } from '../trial.ts';

/** Primitive polynomials and first direction numbers of dimensions 2, 3, ... (Joe & Kuo 2008, new-joe-kuo-6.21201). */
const DIRECTIONS: readonly (readonly [polynomial: number, ...initial: number[]])[] = [
  [3, 1], [7, 1, 3], [11, 1, 3, 1], [13, 1, 1, 1], [19, 1, 1, 3, 3], [25, 1, 3, 5, 13], [37, 1, 1, 5, 5, 17],
  [41, 1, 1, 5, 5, 5], [47, 1, 1, 7, 11, 19], [55, 1, 1, 5, 1, 1], [59, 1, 1, 1, 3, 11], [61, 1, 3, 5, 5, 31],
  [67, 1, 3, 3, 9, 7, 49], [91, 1, 1, 1, 15, 21, 21], [97, 1, 3, 1, 13, 27, 49], [103, 1, 1, 1, 15, 7, 5],
  [109, 1, 3, 1, 15, 13, 25], [115, 1, 1, 5, 5, 19, 61], [131, 1, 3, 7, 11, 23, 15, 103],
  [137, 1, 3, 7, 13, 13, 15, 69], [143, 1, 1, 3, 13, 7, 35, 63], [145, 1, 3, 5, 9, 1, 25, 53],
  [157, 1, 3, 1, 13, 9, 35, 107], [167, 1, 3, 1, 5, 27, 61, 31], [171, 1, 1, 5, 11, 19, 41, 61],
  [185, 1, 3, 5, 3, 3, 13, 69], [191, 1, 1, 7, 13, 1, 19, 1], [193, 1, 3, 7, 5, 13, 19, 59],
  [203, 1, 1, 3, 9, 25, 29, 41], [211, 1, 3, 5, 13, 23, 1, 55], [213, 1, 3, 7, 3, 13, 59, 17],
]; // prettier-ignore

/**
 * Sobol's sequence: the n-th trial is its n-th point, so that any number of workers and any order of their results try the
 * same points. Shifted by the seed (a digital shift); parameters beyond the 32nd are drawn at random.
 */
export const createSobolSampler = (seed: number): Sampler => ({
  suggest(space, _trials, { number, random }) {
    let axis = 0;
    return fill(space, (name, dimension) => {
      const at = axis++;
      if (at > DIRECTIONS.length) return drawn(dimension, random);
      const shift = deriveSeed(seed, name);
      return atUnit(dimension, ((sobol(at, number + 1) ^ shift) >>> 0) / 2 ** 32);
    });
  },
});

/** The `index`-th point (in Gray code order) on an axis, from 0, as 32 bits behind the point. */
export function sobol(axis: number, index: number): number {
  const directions = directionsOf(axis);
  let gray = index ^ (index >>> 1);
  let point = 0;
  for (let bit = 0; gray > 0; bit++, gray >>>= 1) if (gray & 1) point ^= directions[bit];
  return point >>> 0;
}

const known = new Map<number, Uint32Array>();

function directionsOf(axis: number): Uint32Array {
  const before = known.get(axis);
  if (before !== undefined) return before;
  const directions = new Uint32Array(32);
  const [polynomial, ...initial] = axis === 0 ? [1] : DIRECTIONS[axis - 1];
  const degree = initial.length;
  for (let i = 0; i < 32; i++) {
    if (axis === 0) directions[i] = 2 ** (31 - i);
    else if (i < degree) directions[i] = initial[i] << (31 - i);
    else {
      directions[i] = directions[i - degree] ^ (directions[i - degree] >>> degree);
      for (let k = 1; k < degree; k++)
        if ((polynomial >>> (degree - k)) & 1) directions[i] ^= directions[i - k];
    }
  }
  known.set(axis, directions);
  return directions;
}
