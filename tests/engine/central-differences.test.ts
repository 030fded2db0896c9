import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { expect, describe, it } from 'vitest';
import { compileProgram } from '../../src/engine/executor.ts';
import { interpretableAttention, multiHeadAttention } from '../../src/engine/layers/attention.ts';
import { causalConv1d } from '../../src/engine/layers/conv1d.ts';
import { graphAttention } from '../../src/engine/layers/graph-attention.ts';
import { gru } from '../../src/engine/layers/gru.ts';
import { lstm } from '../../src/engine/layers/lstm.ts';
import { fromSteps, toSteps } from '../../src/engine/layers/sequence.ts';
import {
  binaryCrossEntropy,
  crossEntropy,
  meanSquared,
  quantileLoss,
  smoothL1,
} from '../../src/engine/losses.ts';
import { type Declare, defineNetwork, type Layer } from '../../src/engine/network.ts';
import { createPass } from '../../src/engine/program.ts';
import { type Tensor, tf } from '../../src/engine/tf.ts';
import { fill } from './golden.ts';
import { CASES, spread } from './kernel-cases.ts';

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof OnnxRuntime;

interface Argument {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
type Build = (...tensors: Tensor[]) => Tensor;

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
          const output = build(...all);
          return tf.sum(tf.mul(output, tf.cos(tf.reshape(tf.range(0, output.size), output.shape))));
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

/** ONNX Runtime computes these in single precision only. */
const SINGLE = ['Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Cosh', 'Erf', 'Sinh', 'Tan'];

describe('the gradient of a kernel is the slope of its values', () => {
  const smooth = CASES.filter(({ flat, kernels }) => flat !== true && !SINGLE.includes(kernels[0]));
  it.each(smooth.map((entry) => [entry.kernels.join(' + '), entry] as const))('%s', async (_, entry) => {
    const inputs = entry
      .shapes(2, 3, 4)
      .map((shape, k) => ({ shape, values: spread(shape, k, 5, entry.range) }));
    expect(await gradientError(entry.of, inputs)).toBeLessThan(1e-7);
  });
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
// Without layer norm: ONNX's operator keeps its statistics in single precision.
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
