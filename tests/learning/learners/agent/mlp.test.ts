import { beforeAll, describe, expect, it } from 'vitest';
import { linear } from '../../../../src/learning/engine/layers/dense.ts';
import { type Tensor, tf } from '../../../../src/learning/engine/tf.ts';
import { initialParameters, parameterViews } from '../../../../src/learning/engine/weights.ts';
import { createRandom, normal } from '../../../../src/core/foundation/random.ts';
import { createKernel } from '../../../../src/learning/learners/agent/kernel.ts';
import {
  createLearningMlp,
  createMlp,
  mlpParameters,
  type MlpShape,
  refuseDivergence,
} from '../../../../src/learning/learners/agent/mlp.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const ROWS = 6;

function noisy(length: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => normal(random));
}

describe.each<MlpShape>([
  { activation: 'tanh', inputs: 7, hidden: [64, 32], outputs: 3 },
  { activation: 'tanh', inputs: 18, hidden: [10, 6, 5], outputs: 1 },
  { activation: 'relu', inputs: 4, hidden: [13], outputs: 2 },
])('the $activation network $inputs-$hidden-$outputs', (shape) => {
  const declared = mlpParameters('net', shape, 1);
  const parameters = initialParameters(declared, 3).map((value, i) => value + 0.1 * noisy(i + 1, 5)[i]);
  const input = noisy(ROWS * shape.inputs, 1);
  const pull = noisy(ROWS * shape.outputs, 2);

  /** The same network in TensorFlow.js. */
  const reference = (weights: readonly Tensor[]): Tensor => {
    let x: Tensor = tf.tensor2d(input, [ROWS, shape.inputs]);
    for (let l = 0; l < weights.length; l += 2) {
      x = linear(x, weights[l], weights[l + 1]);
      if (l + 2 < weights.length) x = shape.activation === 'tanh' ? tf.tanh(x) : tf.relu(x);
    }
    return x;
  };
  const tensors = (): Tensor[] => {
    const views = parameterViews(declared, parameters);
    return declared.map(({ name, shape: size }) => tf.tensor(views.get(name) ?? [], [...size]));
  };
  const learning = (rows: number) => {
    const kernel = createKernel();
    const mlp = createLearningMlp(kernel, shape, rows, 2);
    mlp.load(parameters, 0, 0);
    const block = kernel.allocate(input.length);
    block.values.set(input);
    mlp.forward(block.at, ROWS);
    for (let b = 0; b < ROWS; b++)
      mlp.delta.set(pull.subarray(b * shape.outputs, (b + 1) * shape.outputs), b * mlp.outputStride);
    return { mlp, at: block.at };
  };

  it('says what TensorFlow.js says', () => {
    const expected = reference(tensors()).dataSync();
    const { mlp } = learning(ROWS);
    for (let b = 0; b < ROWS; b++)
      for (let k = 0; k < shape.outputs; k++)
        expect(mlp.output[b * mlp.outputStride + k]).toBeCloseTo(expected[b * shape.outputs + k], 5);
  });

  it('says the same to the bit for one row as for many', () => {
    const { mlp } = learning(ROWS);
    const kernel = createKernel();
    const single = createMlp(kernel, shape, 1);
    single.load(parameters, 0);
    const row = kernel.allocate(shape.inputs);
    row.values.set(input.subarray(3 * shape.inputs, 4 * shape.inputs));
    single.forward(row.at, 1);
    const from = 3 * mlp.outputStride;
    expect([...single.output]).toEqual([...mlp.output.subarray(from, from + mlp.outputStride)]);
  });

  it('has the gradients of TensorFlow.js, and moves by them', () => {
    const { grads } = tf.valueAndGrads((...weights: Tensor[]) =>
      tf.sum(tf.mul(reference(weights), tf.tensor2d(pull, [ROWS, shape.outputs]))),
    )(tensors());
    const expected = grads.flatMap((gradient) => [...gradient.dataSync()]);
    // Twice as many rows as are used: what lies behind must not count.
    const { mlp, at } = learning(2 * ROWS);
    mlp.delta.fill(9, ROWS * mlp.outputStride);
    const squares = mlp.backward(at, ROWS);
    expect(squares).toBeCloseTo(
      expected.reduce((sum, value) => sum + value * value, 0),
      2,
    );
    // The first mean of Adam is a tenth of the gradient.
    mlp.update(1, { rate: 0, floor: 1 });
    const means = new Float32Array(mlp.count + 2);
    mlp.slots[0].store(means, 0);
    expected.forEach((value, k) => expect(10 * means[k]).toBeCloseTo(value, 3));
  });

  it('keeps no mean so small that processors are slow with it', () => {
    const { mlp, at } = learning(ROWS);
    mlp.backward(at, ROWS);
    mlp.update(1, { rate: 0, floor: 1 });
    mlp.delta.fill(0);
    mlp.backward(at, ROWS);
    for (let step = 0; step < 900; step++) mlp.update(1, { rate: 0, floor: 1 });
    const means = new Float32Array(mlp.count + 2);
    mlp.slots[0].store(means, 0);
    // 0.9 to the 900th is 7e-42: denormal, below 1.2e-38.
    expect(means.filter((mean) => mean !== 0 && Math.abs(mean) < 1.2e-38)).toHaveLength(0);
    expect(Math.max(...means)).toBeLessThan(1e-25);
  });

  it('gives back the parameters it took, before and after training', () => {
    const { mlp, at } = learning(ROWS);
    const stored = new Float32Array(mlp.count + 2);
    mlp.store(stored, 0);
    expect(stored.subarray(0, mlp.count)).toEqual(parameters);
    mlp.backward(at, ROWS);
    mlp.update(1, { rate: 0.1, floor: 1e-8 });
    mlp.store(stored, 0);
    const copy = createMlp(createKernel(), shape, 1);
    copy.load(stored, 0);
    const again = new Float32Array(mlp.count);
    copy.store(again, 0);
    expect(again).toEqual(stored.subarray(0, mlp.count));
    expect(again).not.toEqual(parameters);
  });
});

it('refuses a gradient that is not a number', () => {
  expect(() => refuseDivergence(NaN, 7)).toThrow('diverged at step 7: the gradient norm is NaN');
});
