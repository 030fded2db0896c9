import { describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { createKernel, type Kernel } from '../../../../src/learning/learners/agent/kernel.ts';
import { adamControls, clipScale } from '../../../../src/learning/learners/agent/mlp.ts';
import { distance, fill, golden, numbersAt } from '../../engine/golden.ts';

const noise = (kernel: Kernel, count: number, seed: number) => {
  const random = createRandom(seed);
  const block = kernel.allocate(count);
  for (let i = 0; i < count; i++) block.values[i] = normal(random);
  return block;
};

describe('the compiled kernel', () => {
  it.each([
    [4, 3, 8],
    [9, 5, 4],
    [1, 64, 20],
    [7, 2, 12],
  ])('multiplies [%d, %d] by [.., %d], turned or not, with and without bias', (rows, depth, columns) => {
    const kernel = createKernel();
    const a = noise(kernel, rows * depth, 1);
    const b = noise(kernel, depth * columns, 2);
    const bias = noise(kernel, columns, 3);
    const c = kernel.allocate(rows * columns);
    const guard = noise(kernel, 4, 4);
    const before = [...guard.values];
    for (const isTurned of [false, true]) {
      for (const withBias of [false, true]) {
        const [row, step] = isTurned ? [4, 4 * rows] : [4 * depth, 4];
        kernel.multiply(a.at, row, step, b.at, withBias ? bias.at : 0, c.at, rows, depth, columns);
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            let sum = withBias ? bias.values[j] : 0;
            for (let k = 0; k < depth; k++)
              sum += a.values[isTurned ? k * rows + i : i * depth + k] * b.values[k * columns + j];
            expect(c.values[i * columns + j]).toBeCloseTo(sum, 5);
          }
      }
    }
    expect([...guard.values]).toEqual(before);
  });

  it('turns matrices of any height', () => {
    const kernel = createKernel();
    const a = noise(kernel, 6 * 8, 1);
    const b = noise(kernel, 8 * 8, 2);
    kernel.transpose(a.at, b.at, 6, 8, 8);
    for (let i = 0; i < 8; i++)
      for (let k = 0; k < 8; k++) expect(b.values[k * 8 + i]).toBe(i < 6 ? a.values[i * 8 + k] : 0);
  });

  it('knows tanh to 4e-7 and its ends', () => {
    const kernel = createKernel();
    const inputs = [...Array.from({ length: 400 }, (_, i) => (i - 200) / 20), -50, 50, 0, 1e-5];
    const x = kernel.allocate(inputs.length);
    x.values.set(inputs);
    kernel.tanhForward(x.at, inputs.length);
    inputs.forEach((value, i) => expect(Math.abs(x.values[i] - Math.tanh(value))).toBeLessThan(4e-7));
  });

  it("takes PyTorch's steps of Adam", () => {
    const kernel = createKernel();
    const [p, m, v, gradient] = [0, 1, 2, 3].map(() => kernel.allocate(4));
    p.values.set(fill([3]));
    const path: number[] = [];
    for (let step = 1; step <= 5; step++) {
      // The gradient of sum((w - [1, -2, 0.5])²) + prod(w), as in the golden file.
      const [a, b, c] = p.values;
      gradient.values.set([2 * (a - 1) + b * c, 2 * (b + 2) + a * c, 2 * (c - 0.5) + a * b]);
      const { rate, floor } = adamControls(step, 0.1, 1e-5);
      kernel.adam(p.at, m.at, v.at, gradient.at, 4, 1, 0.9, 0.999, rate, floor);
      path.push(...p.values.subarray(0, 3));
    }
    expect(distance(path, numbersAt(golden('layers.json'), 'opt_adam_lr.1_eps1e-5'))).toBeLessThan(1e-5);
  });

  it('clips as PyTorch does', () => {
    const values = golden('layers.json');
    const [norm] = numbersAt(values, 'clip_grad_norm_.5', 'norm');
    const clipped = numbersAt(values, 'clip_grad_norm_.5', 'grad');
    const kernel = createKernel();
    const gradient = kernel.allocate(4);
    gradient.values.set(fill([3]).map((w) => 20 * w));
    const found = Math.sqrt(kernel.sumSquares(gradient.at, 4));
    expect(found).toBeCloseTo(norm, 5);
    clipped.forEach((value, k) => expect(gradient.values[k] * clipScale(found, 0.5)).toBeCloseTo(value, 6));
  });

  it('finds what another thread put where it allocates in the same order', () => {
    const first = createKernel();
    first.allocate(100_000);
    const { values } = first.allocate(3);
    values.set([1, 2, 3]);
    const second = createKernel(first.memory);
    second.allocate(100_000);
    expect([...second.allocate(3).values]).toEqual([1, 2, 3]);
  });
});
