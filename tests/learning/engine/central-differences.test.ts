import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { expect, describe, it } from 'vitest';
import { compileProgram } from '../../../src/learning/engine/executor.ts';
import { interpretableAttention, multiHeadAttention } from '../../../src/learning/engine/layers/attention.ts';
import { causalConv1d } from '../../../src/learning/engine/layers/conv1d.ts';
import { gatedResidual } from '../../../src/learning/engine/layers/gated.ts';
import { graphAttention } from '../../../src/learning/engine/layers/graph-attention.ts';
import { gru } from '../../../src/learning/engine/layers/gru.ts';
import { layerNorm } from '../../../src/learning/engine/layers/layer-norm.ts';
import { lstm } from '../../../src/learning/engine/layers/lstm.ts';
import { fromSteps, toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import {
  binaryCrossEntropy,
  crossEntropy,
  meanSquared,
  quantileLoss,
  smoothL1,
} from '../../../src/learning/engine/losses.ts';
import { type Declare, defineNetwork, type Layer } from '../../../src/learning/engine/network.ts';
import { createPass } from '../../../src/learning/engine/program.ts';
import { openSession } from '../../../src/learning/engine/session.ts';
import { type Rank, type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { fill } from './golden.ts';
import { CASES, spread } from './kernel-cases.ts';

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime;

interface Argument {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
type Build = (...tensors: Tensor[]) => Tensor;

/** A number that every element of `output` moves differently. */
const weightedSum = (output: Tensor): Tensor<Rank.R0> =>
  tf.sum(tf.mul(output, tf.cos(tf.reshape(tf.range(0, output.size), output.shape))));

/**
 * The largest difference, relative to max(1, |slope|), between the gradient of `build` (weighted to a number) along
 * a direction and (L(x + h d) - L(x - h d)) / 2h, one direction for each argument. All in double precision, where
 * the difference itself is good to about 1e-9.
 */
async function gradientError(build: Build, inputs: readonly Argument[]): Promise<number> {
  const names = inputs.map((_, k) => `x${k}`);
  const { model } = compileProgram(
    {
      name: 'central differences',
      build: (source) => {
        const xs = names.map((name, k) => source.input(name, inputs[k].shape, 'float32'));
        const { value, grads } = tf.valueAndGrads((...all: Tensor[]) => {
          return weightedSum(build(...all));
        })(xs);
        return { value, ...Object.fromEntries(grads.map((gradient, k) => [`d${k}`, gradient])) };
      },
    },
    { float64: true },
  );
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  const run = async (values: readonly Float64Array[]): Promise<Record<string, Float64Array>> => {
    const feeds = names.map((name, k) => [name, new ort.Tensor('float64', values[k], inputs[k].shape)]);
    const found = await session.run(Object.fromEntries(feeds) as Record<string, OnnxRuntime.Tensor>);
    return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data as Float64Array]));
  };
  const at = inputs.map(({ values }) => Float64Array.from(values));
  const here = await run(at);
  const h = 1e-5;
  let worst = 0;
  for (let k = 0; k < inputs.length; k++) {
    const direction = at[k].map((_, i) => Math.sin(1 + 1.7 * i + k));
    const moved = (sign: number): Float64Array[] =>
      at.map((values, j) => (j === k ? values.map((value, i) => value + sign * h * direction[i]) : values));
    const [ahead, behind] = [await run(moved(1)), await run(moved(-1))];
    const difference = (ahead.value[0] - behind.value[0]) / (2 * h);
    const slope = here[`d${k}`].reduce((sum, value, i) => sum + value * direction[i], 0);
    const error = Math.abs(slope - difference) / Math.max(1, Math.abs(slope));
    if (!(error <= worst)) worst = error;
  }
  await session.release();
  return worst;
}

/** ONNX Runtime computes these in single precision only: their values here are JavaScript's doubles. */
const SINGLE: Readonly<Record<string, (x: number) => number>> = {
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Cosh: Math.cosh,
  Erf: erf,
  Sinh: Math.sinh,
  Tan: Math.tan,
};

/** The series of DLMF 7.6.1; for |x| <= 2, 40 terms are exact to about 1e-14. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 40; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe('the gradient of a kernel is the slope of its values', () => {
  const smooth = CASES.filter(({ flat, kernels }) => flat !== true && !(kernels[0] in SINGLE));
  it.each(smooth.map((entry) => [entry.kernels.join(' + '), entry] as const))('%s', async (_, entry) => {
    const inputs = entry
      .shapes(2, 3, 4)
      .map((shape, k) => ({ shape, values: spread(shape, k, 5, entry.range) }));
    expect(await gradientError(entry.of, inputs)).toBeLessThan(1e-7);
  });
});

describe('the single-precision gradient of a kernel is the slope of the function in doubles', () => {
  const single = CASES.filter(({ kernels }) => kernels[0] in SINGLE);
  it.each(single.map((entry) => [entry.kernels[0], entry] as const))('%s', async (name, { of, range }) => {
    const shape = [2, 3, 4];
    const x = spread(shape, 0, 5, range);
    const { model } = compileProgram({
      name,
      build: (source) => ({ slope: tf.grad((at) => of(at))(source.input('x', shape, 'float32')) }),
    });
    const session = await openSession(model);
    const slope = new Float32Array(x.length);
    await session.run({ x }, { slope });
    await session.release();
    const h = 1e-5;
    x.forEach((at, i) => {
      const expected = (SINGLE[name](at + h) - SINGLE[name](at - h)) / (2 * h);
      expect(Math.abs(slope[i] - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(1e-6);
    });
  });
  it('all of them', () => expect(single.length).toBe(Object.keys(SINGLE).length));
});

/** A layer as a function of its input and its parameters, all of them arguments. */
function layerCase(
  shape: readonly number[],
  build: (declare: Declare) => Layer,
): { readonly of: Build; readonly inputs: readonly Argument[] } {
  const network = defineNetwork('layer', build);
  const of: Build = (x, ...parameters) => {
    const pass = createPass(
      { input: () => tf.scalar(0), random: () => tf.scalar(0) },
      {
        training: false,
        values: new Map(network.parameters.map((parameter, i) => [parameter, parameters[i]])),
        rows: shape[0],
        firstRow: 0,
        stepOffset: 0,
      },
    );
    return network.forward(pass, x);
  };
  const shapes = [shape, ...network.parameters.map((parameter) => parameter.shape)];
  return { of, inputs: shapes.map((size, k) => ({ shape: size, values: fill(size, 0.7 * k) })) };
}

const sequence = [2, 5, 3];
const LAYERS: readonly (readonly [string, ReturnType<typeof layerCase>])[] = [
  [
    'LSTM',
    layerCase(sequence, (declare) => {
      const layer = lstm(declare, 'l', { inputs: 3, hidden: 4 });
      return (pass, x) => fromSteps(layer(pass, { steps: toSteps(x) }).steps);
    }),
  ],
  [
    'GRU',
    layerCase(sequence, (declare) => {
      const layer = gru(declare, 'g', { inputs: 3, hidden: 4 });
      return (pass, x) => fromSteps(layer(pass, { steps: toSteps(x) }));
    }),
  ],
  ['layer norm', layerCase(sequence, (declare) => layerNorm(declare, 'n', { size: 3, epsilon: 0.1 }))],
  [
    'gated residual network with context and projection',
    layerCase([4, 5], (declare) => {
      const sizes = { inputs: 3, hidden: 4, outputs: 6, context: 2 };
      const layer = gatedResidual(declare, 'g', sizes);
      return (pass, input) => {
        const [x, context] = tf.split(input, [3, 2], 1);
        return layer(pass, { x, context });
      };
    }),
  ],
  [
    'causal convolution',
    layerCase(sequence, (declare) =>
      causalConv1d(declare, 'c', { inputs: 3, outputs: 2, width: 3, dilation: 2 }),
    ),
  ],
  [
    'causal attention in blocks',
    layerCase([1, 130, 4], (declare) => {
      const layer = multiHeadAttention(declare, 'a', { size: 4, heads: 2, causal: true });
      return (pass, x) => layer(pass, x).output;
    }),
  ],
  [
    'interpretable attention',
    layerCase([2, 5, 4], (declare) => {
      const layer = interpretableAttention(declare, 'a', { size: 4, heads: 2 });
      return (pass, x) => layer(pass, { x, at: [4, 2] }).output;
    }),
  ],
  [
    'graph attention',
    layerCase([4, 3], (declare) => {
      const layer = graphAttention(declare, 'g', { inputs: 3, outputs: 2 });
      return (pass, x) => layer(pass, { x, edges: tf.ones([4, 4]) }).output;
    }),
  ],
];
it.each(LAYERS)(
  'the gradient of %s, parameters included, is the slope of its values',
  async (_, { of, inputs }) => {
    expect(await gradientError(of, inputs)).toBeLessThan(1e-7);
  },
);

it.each(LAYERS)(
  'the gradient of the gradient of %s, parameters included, is the slope of its gradient',
  async (_, { of, inputs }) => {
    const gradient: Build = (...all) => {
      const first = tf.grads((...xs: Tensor[]) => tf.sum(tf.square(of(...xs))))(all);
      return tf.concat(first.map((x) => tf.reshape(x, [-1])));
    };
    expect(await gradientError(gradient, inputs)).toBeLessThan(1e-7);
  },
);

const LOSSES: readonly (readonly [string, Build])[] = [
  ['mean squared', meanSquared],
  ['smooth L1', smoothL1],
  ['binary cross-entropy', binaryCrossEntropy],
  ['cross-entropy', (x) => crossEntropy(x, tf.tensor1d([0, 2, 1, 1], 'int32'), [1, 2, 3])],
  ['quantile', (x, y) => quantileLoss(x, tf.slice(y, [0, 0], [-1, 1]), [0.1, 0.5, 0.9])],
];
it.each(LOSSES)('the gradient of the %s loss is the slope of its values', async (_, of) => {
  const inputs = [0, 1]
    .slice(0, of.length)
    .map((k) => ({ shape: [4, 3], values: spread([4, 3], k, 3, [0.05, 0.95]) }));
  expect(await gradientError(of, inputs)).toBeLessThan(1e-7);
});
