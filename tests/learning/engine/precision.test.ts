import { expect, it } from 'vitest';
import {
  arithmeticInUse,
  setDefaultDevice,
  setDefaultPrecision,
} from '../../../src/learning/engine/devices.ts';
import { compileProgram } from '../../../src/learning/engine/executor.ts';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { lstm } from '../../../src/learning/engine/layers/lstm.ts';
import { toSteps } from '../../../src/learning/engine/layers/sequence.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { decodeModel } from '../../../src/learning/engine/onnx/encode.ts';
import type { Precision } from '../../../src/learning/engine/onnx/graph.ts';
import { adam, sgd } from '../../../src/learning/engine/optimizers.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { trainProgram } from '../../../src/learning/engine/train-program.ts';
import { createTrainer, type TrainerOptions } from '../../../src/learning/engine/trainer.ts';
import { faultOf, tried, whyNotHalf } from '../../../src/learning/engine/use-precision.ts';
import { loadState, saveState, weightHash } from '../../../src/learning/engine/weights.ts';

const ROWS = 32;
const STEPS = 12;
const recurrent = defineNetwork('recurrent', (declare) => {
  const layer = lstm(declare, 'lstm', { inputs: 6, hidden: 16 });
  const last = dense(declare, 'last', { inputs: 16, outputs: 1 });
  return (pass, x: Tensor) => {
    const { hidden } = layer(pass, { steps: toSteps(x) }).final; // [16, rows]
    return last(pass, tf.transpose(hidden));
  };
});
const flat = defineNetwork('flat', (declare) => {
  const first = dense(declare, 'first', { inputs: 6, outputs: 32 });
  const last = dense(declare, 'last', { inputs: 32, outputs: 1 });
  return (pass, x: Tensor) => last(pass, tf.tanh(first(pass, x)));
});

const optionsOf = (network: typeof flat, shape: readonly number[], factor: number): TrainerOptions => ({
  network,
  optimizer: adam(),
  loss: (pass, { x, y }) => tf.mul(tf.mean(tf.square(tf.sub(network.forward(pass, x), y))), factor),
  batch: { x: { shape: [ROWS, ...shape], type: 'float32' }, y: { shape: [ROWS, 1], type: 'float32' } },
  seed: 3,
});

/** Every batch that of one function: its first input, halved. */
function batchesOf(shape: readonly number[], count: number) {
  const random = createRandom(5);
  const width = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, () => {
    const x = Float32Array.from({ length: ROWS * width }, () => normal(random));
    return { x, y: Float32Array.from({ length: ROWS }, (_, row) => x[row * width + width - 6] / 2) };
  });
}

async function trained(
  options: TrainerOptions,
  shape: readonly number[],
  precision: Precision,
  steps: number,
) {
  const trainer = await createTrainer({ ...options, precision, device: 'cpu' });
  const losses: number[] = [];
  const norms: number[] = [];
  for (const batch of batchesOf(shape, steps)) {
    const done = await trainer.step(batch, 0.01);
    losses.push(done.losses[0]);
    norms.push(done.gradientNorms[0]);
  }
  const state = trainer.state();
  await trainer.dispose();
  return { losses, norms, state };
}

interface Proto {
  readonly graph: { readonly node: readonly NodeProto[] };
}
interface NodeProto {
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly { readonly i?: number; readonly g?: Proto['graph'] }[];
}

/** Nodes of a graph and of the bodies in it. */
const allNodes = ({ node }: Proto['graph']): NodeProto[] =>
  node.flatMap((one) => [one, ...one.attribute.flatMap(({ g }) => (g ? allNodes(g) : []))]);

it.each([
  ['a perceptron', flat, [6]],
  ['a recurrent network, its loop as one node', recurrent, [10, 6]],
] as const)('%s trains in float16 as in float32, within its rounding', async (_, network, shape) => {
  const options = optionsOf(network, shape, 1);
  const single = await trained(options, shape, 'float32', STEPS);
  const half = await trained(options, shape, 'float16', STEPS);
  for (let k = 0; k < STEPS; k++) {
    expect(Math.abs(half.losses[k] / single.losses[k] - 1)).toBeLessThan(0.01);
    expect(Math.abs(half.norms[k] / single.norms[k] - 1)).toBeLessThan(0.01);
  }
  expect(weightHash(half.state.parameters)).not.toBe(weightHash(single.state.parameters));
});

it.each([
  ['float16', 10],
  ['bfloat16', 16],
] as const)('every product of a %s graph reads what was cast, also inside a loop', (precision, type) => {
  const program = trainProgram(optionsOf(recurrent, [10, 6], 1));
  const { graph } = decodeModel(compileProgram(program, { precision }).model) as Proto;
  const nodes = allNodes(graph);
  const products = nodes.filter(({ op_type: op }) => ['Gemm', 'MatMul'].includes(op));
  const cast = new Set(
    nodes
      .filter(({ op_type: op, attribute }) => op === 'Cast' && Number(attribute[0].i) === type)
      .flatMap(({ output }) => output),
  );
  expect(products.length).toBeGreaterThan(5);
  expect(products.some((node) => !graph.node.includes(node))).toBe(true);
  for (const { input } of products) for (const name of input) expect(cast.has(name)).toBe(true);
  expect(nodes.filter(({ op_type: op }) => op.startsWith('Fused'))).toEqual([]);
});

it('gradients too small for float16 are saved by the scale', async () => {
  // float16 ends at 6e-8: gradients of a loss that is a ten-millionth of another vanish in its products.
  const options = { ...optionsOf(flat, [6], 1e-7), optimizer: sgd() };
  const single = await trained(options, [6], 'float32', 1);
  const half = await trained(options, [6], 'float16', 1);
  expect(half.norms[0] / single.norms[0]).toBeCloseTo(1, 1);
  expect(half.state.lossScale).toBe(2 ** 16);
});

it('a gradient that overflows halves the scale, and the step is taken again', async () => {
  const options = { ...optionsOf(flat, [6], 2_000), optimizer: sgd() };
  const single = await trained(options, [6], 'float32', 1);
  const half = await trained(options, [6], 'float16', 1);
  expect(half.state.lossScale).toBeLessThan(2 ** 16);
  expect(half.norms[0] / single.norms[0]).toBeCloseTo(1, 1);
  expect(half.state.step).toBe(1);
});

it('a training in float16 that stops and resumes ends with the same weights and scale', async () => {
  const options = { ...optionsOf(flat, [6], 2_000), precision: 'float16', device: 'cpu' } as const;
  const whole = await createTrainer(options);
  const first = await createTrainer(options);
  const second = await createTrainer(options);
  const batches = batchesOf([6], 10);
  for (const batch of batches) await whole.step(batch, 0.01);
  for (const batch of batches.slice(0, 5)) await first.step(batch, 0.01);
  const { index, blob } = saveState(flat.parameters, first.state());
  second.restore(loadState(flat.parameters, JSON.parse(JSON.stringify(index)), blob));
  for (const batch of batches.slice(5)) await second.step(batch, 0.01);
  expect(second.state().lossScale).toBe(whole.state().lossScale);
  expect(weightHash(second.parameters())).toBe(weightHash(whole.parameters()));
  await Promise.all([whole.dispose(), first.dispose(), second.dispose()]);
});

it('the processor stays single, and says why', async () => {
  expect(await whyNotHalf('float16')).toMatch(/processor would only convert to float16/);
});

it('what the settings say is found out once, when a network is trained that names no device', async () => {
  let asked = 0;
  setDefaultPrecision(async () => {
    asked++;
    return 'float16';
  });
  try {
    expect(asked).toBe(0);
    for (const device of [{}, {}, { device: 'cpu' }] as const) {
      const trainer = await createTrainer({ ...optionsOf(flat, [6], 1), ...device });
      expect(trainer.state().lossScale).toBe('device' in device ? undefined : 2 ** 16);
      await trainer.dispose();
    }
    expect(asked).toBe(1);
    expect(await arithmeticInUse()).toBe('cpu in float16');
  } finally {
    setDefaultPrecision(async () => 'float32');
  }
});

it('half precision is used only where a trial step is right and faster', async () => {
  const single = await tried('float32', 'cpu', 64);
  const half = await tried('float16', 'cpu', 64);
  expect(faultOf({ ...half, ms: 0.5 * single.ms }, single, 'float16')).toBeUndefined();
  expect(faultOf({ ...half, ms: single.ms }, single, 'float16')).toMatch(/takes .* ms, one in float32/);
  expect(faultOf({ ...half, loss: 1.1 * single.loss, ms: 0 }, single, 'float16')).toMatch(/gave a loss of/);
  expect(faultOf({ ...half, gradientNorm: NaN, ms: 0 }, single, 'float16')).toMatch(/gave a loss of/);
});

it('a network is trained on the device that the settings name', async () => {
  setDefaultDevice(process.platform === 'darwin' ? 'cuda' : 'coreml');
  try {
    const options = { ...optionsOf(flat, [6], 1), precision: 'float32' } as const;
    await expect(createTrainer(options)).rejects.toThrow(/is not available here/);
  } finally {
    setDefaultDevice('auto');
  }
});
