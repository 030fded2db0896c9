import { normal, type Random } from '../../core/foundation/random.ts';
import type { Initializer } from './network.ts';

const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);

const fillWith = (shape: readonly number[], draw: () => number): Float32Array => {
  const values = new Float32Array(size(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
};

/** All 0. */
export const zeros: Initializer = (shape) => new Float32Array(size(shape));
export const ones: Initializer = (shape) => new Float32Array(size(shape)).fill(1);
export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(size(shape)).fill(value);

/** U(-bound, bound). */
export const uniform =
  (bound: number): Initializer =>
  (shape, random) =>
    fillWith(shape, () => (2 * random() - 1) * bound);

/** N(0, deviation^2). */
export const gaussian =
  (deviation: number): Initializer =>
  (shape, random) =>
    fillWith(shape, () => normal(random) * deviation);

/** PyTorch's default for weights and biases of Linear and Conv1d: U(-1/sqrt(fanIn), 1/sqrt(fanIn)). */
export const fanInUniform = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn));

/** Glorot & Bengio 2010, uniform: for matrices [out, in]. */
export const xavierUniform: Initializer = (shape, random) => {
  const [fanOut, fanIn] = shape;
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
};

/** Saxe et al. 2014: a random matrix with orthonormal rows or columns, times `gain` (PyTorch's orthogonal_). */
export const orthogonal =
  (gain: number): Initializer =>
  (shape, random) => {
    const rows = shape[0];
    const columns = size(shape) / rows;
    const wide = columns > rows;
    const [count, length] = wide ? [rows, columns] : [columns, rows];
    const basis = orthonormal(count, length, random);
    const values = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) values[r * columns + c] = gain * (wide ? basis[r][c] : basis[c][r]);
    return values;
  };

/** Gram-Schmidt on Gaussian vectors, each projected twice for accuracy. */
function orthonormal(count: number, length: number, random: Random): Float64Array[] {
  const basis: Float64Array[] = [];
  while (basis.length < count) {
    const vector = Float64Array.from({ length }, () => normal(random));
    for (let round = 0; round < 2; round++)
      for (const other of basis) {
        const overlap = dot(vector, other);
        for (let i = 0; i < length; i++) vector[i] -= overlap * other[i];
      }
    const norm = Math.sqrt(dot(vector, vector));
    basis.push(vector.map((value) => value / norm));
  }
  return basis;
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0);
