import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tf, type Tensor } from '../../../src/learning/engine/tf.ts';
import { compiledKernels } from '../../../src/learning/engine/trace/backend.ts';
import { distance, runCompiled } from './golden.ts';
import { CASES, float, spread } from './kernel-cases.ts';

describe('a compiled kernel computes what TF.js computes, forward and gradient', () => {
  it.each(CASES.map((entry) => [entry.kernels.join(' + '), entry] as const))('%s', async (_, entry) => {
    const size = fc.integer({ min: 2, max: 5 });
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.integer(), async (a, b, c, seed) => {
        const shapes = entry.shapes(a, b, c);
        const inputs = shapes.map((shape, k) => ({ shape, values: spread(shape, k, seed, entry.range) }));
        const names = inputs.map((_, k) => `x${k}`);
        const build = (tensors: Record<string, Tensor>): Record<string, Tensor> => {
          const xs = names.map((name) => tensors[name]);
          const value = float(entry.of(...xs));
          if (entry.flat) return { value };
          // A gradient that differs from element to element.
          const weight = tf.cos(tf.reshape(tf.range(0, value.size), value.shape));
          const grads = tf.grads((...all: Tensor[]) => tf.sum(tf.mul(entry.of(...all), weight)))(xs);
          return { value, ...Object.fromEntries(grads.map((gradient, k) => [`d${k}`, gradient])) };
        };
        const found = await runCompiled(Object.fromEntries(names.map((name, k) => [name, inputs[k]])), build);
        const expected = tf.tidy(() => {
          const tensors = build(
            Object.fromEntries(
              names.map((name, k) => [name, tf.tensor(inputs[k].values, [...inputs[k].shape])]),
            ),
          );
          return Object.entries(tensors).map(([name, tensor]) => [name, tensor.dataSync()] as const);
        });
        for (const [name, values] of expected)
          expect(distance(found[name], values), `${name} of shapes ${JSON.stringify(shapes)}`).toBeLessThan(
            2e-5,
          );
      }),
      { numRuns: 3, seed: 1, endOnFailure: true },
    );
  });
});

it('every kernel that is compiled has a case', () => {
  const covered = new Set(CASES.flatMap(({ kernels }) => kernels));
  expect(compiledKernels.filter((name) => !covered.has(name))).toEqual([]);
});
