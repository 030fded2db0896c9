import { fanInUniform, orthogonal, zeros } from '../../engine/initializers.ts';
import type { NetworkLayer, NetworkLayers } from '../../../core/forecast/layers.ts';
import type { Parameter } from '../../engine/network.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Block, Kernel } from './kernel.ts';

export interface MlpShape {
  readonly inputs: number;
  /** Width of each hidden layer. */
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly activation: 'tanh' | 'relu';
}

/**
 * The parameters of a multilayer perceptron whose last layer is linear, as PyTorch lays them out: weight [out, in],
 * bias [out]. With `outputGain` the weights start orthogonal (gain sqrt 2 inside, `outputGain` last) and biases at 0,
 * else as torch.nn.Linear's.
 */
export function mlpParameters(name: string, shape: MlpShape, outputGain?: number): readonly Parameter[] {
  return layersOf(shape).flatMap(({ inputs, outputs }, i) => {
    const gain = i === shape.hidden.length ? outputGain : Math.SQRT2;
    const plain = fanInUniform(inputs);
    const isOrthogonal = outputGain !== undefined && gain !== undefined;
    return [
      {
        name: `${name}.${i}.weight`,
        shape: [outputs, inputs],
        initializer: isOrthogonal ? orthogonal(gain) : plain,
      },
      { name: `${name}.${i}.bias`, shape: [outputs], initializer: isOrthogonal ? zeros : plain },
    ];
  });
}

/** Networks side by side, as layers for one observation; `loose`: trained numbers beside them. */
export function mlpLayers(networks: Readonly<Record<string, MlpShape>>, loose = 0): NetworkLayers {
  const layers = Object.entries(networks).flatMap(([name, shape]) => layersOfOne(name, shape));
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, loose);
  const [{ inputs }] = Object.values(networks);
  return { inputs: [{ name: 'observation', shape: [1, inputs] }], layers, parameters };
}

const layersOfOne = (name: string, shape: MlpShape): readonly NetworkLayer[] =>
  layersOf(shape).map(({ inputs, outputs }, i) => ({
    kind: i < shape.hidden.length ? `dense, ${shape.activation}` : 'dense',
    name: `${name}.${i}`,
    depth: 0,
    inputs: [[1, inputs]],
    outputs: [[1, outputs]],
    parameters: outputs * (inputs + 1),
    times: 1,
  }));

const layersOf = ({ inputs, hidden, outputs }: MlpShape) => {
  const widths = [inputs, ...hidden, outputs];
  return widths.slice(1).map((width, i) => ({ inputs: widths[i], outputs: width }));
};

/** A network in a kernel's memory, for up to `rows` rows at a time. */
export interface Mlp {
  /** Numbers in the flat vector of `mlpParameters`. */
  readonly count: number;
  /** [rows, outputStride]: outputs of the last `forward`; what lies behind the outputs of a row is 0. */
  readonly output: Float32Array;
  readonly outputStride: number;
  /** Takes over parameters from a flat vector: the network's from `at` on, extra ones from `extraAt` on. */
  readonly load: (flat: Float32Array, at: number, extraAt?: number) => void;
  readonly store: (flat: Float32Array, at: number, extraAt?: number) => void;
  /** Moves every parameter the share `tau` of the way to those of a network of the same shape; 1 copies them. */
  approach(other: Mlp, tau: number): void;
  /** In an order of their own: for `approach`. */
  readonly parameters: Float32Array;
  /** Runs `rows` rows that lie one after another at address `input`. */
  forward(input: number, rows: number): void;
}

/** A network that learns. */
export interface LearningMlp extends Mlp {
  /** [rows, outputStride]: the gradient of the loss with respect to the outputs, for `backward`. */
  readonly delta: Float32Array;
  /** Parameters that the network does not use itself, and their gradient: the caller's. */
  readonly extra: Float32Array;
  readonly extraGradient: Float32Array;
  /** Gradients of all parameters, from `delta` and the last `forward` over the same rows; the square of their norm. */
  backward(input: number, rows: number): number;
  /** A step of Adam with the gradient counted `scale` times. */
  readonly update: (scale: number, controls: AdamControls) => void;
  readonly slots: readonly { readonly name: string; load: Mlp['load']; store: Mlp['store'] }[];
}

export interface AdamControls {
  readonly rate: number;
  readonly floor: number;
}

export const BETA_1 = 0.9;
export const BETA_2 = 0.999;

/** Adam's numbers for a step, counted from 1: m / c1 / (sqrt(v / c2) + eps) = (sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)). */
export function adamControls(step: number, learningRate: number, epsilon: number): AdamControls {
  const root = Math.sqrt(1 - BETA_2 ** step);
  return { rate: (learningRate * root) / (1 - BETA_1 ** step), floor: epsilon * root };
}

/** What a gradient of this norm counts so that none is longer than `maxNorm`, as torch's clip_grad_norm_. */
export const clipScale = (norm: number, maxNorm: number): number => Math.min(1, maxNorm / (norm + 1e-6));

/** Throws at a gradient that is not a number, before a step is made of it. */
export function refuseDivergence(norm: number, step: number): void {
  if (Number.isFinite(norm)) return;
  throw new UserError(`Training of the agent diverged at step ${step}: the gradient norm is ${norm}.`, {
    hint: 'Lower the learning rate, clip the gradient, or look for NaN in the inputs.',
  });
}

export function createMlp(kernel: Kernel, shape: MlpShape, rows: number): Mlp {
  return mlpOn(kernel, planOf(kernel, shape, rows, 0));
}

/** `extra`: parameters beside the network's own, all 0 at first. */
export function createLearningMlp(kernel: Kernel, shape: MlpShape, rows: number, extra = 0): LearningMlp {
  const plan = planOf(kernel, shape, rows, extra);
  const { layers, parameters, size, activation } = plan;
  const gradient = kernel.allocate(size);
  const [mean, square] = [kernel.allocate(size), kernel.allocate(size)];
  const deltas = layers.map(({ stride }) => kernel.allocate(rows * stride));
  const turned = layers.map(({ inputs, stride }) => kernel.allocate(pad(inputs) * stride));
  const { tanhBackward, reluBackward } = kernel;
  const activateBack = activation === 'tanh' ? tanhBackward : reluBackward;
  const extraAt = size - pad(extra);
  return {
    ...mlpOn(kernel, plan),
    delta: deltas[layers.length - 1].values,
    extra: parameters.values.subarray(extraAt, extraAt + extra),
    extraGradient: gradient.values.subarray(extraAt, extraAt + extra),
    backward(input, used) {
      for (let l = layers.length - 1; l >= 0; l--) {
        const { inputs, outputs, stride, weight, bias } = layers[l];
        const below = l === 0 ? input : layers[l - 1].result.at;
        const belowStride = l === 0 ? inputs : layers[l - 1].stride;
        const delta = deltas[l].at;
        const weightGradient = gradient.at + 4 * weight;
        kernel.multiply(below, 4, 4 * belowStride, delta, 0, weightGradient, inputs, used, stride);
        kernel.sumColumns(delta, gradient.at + 4 * bias, used, stride);
        if (l === 0) continue;
        kernel.transpose(parameters.at + 4 * weight, turned[l].at, inputs, stride, belowStride);
        kernel.multiply(delta, 4 * stride, 4, turned[l].at, 0, deltas[l - 1].at, used, outputs, belowStride);
        activateBack(below, deltas[l - 1].at, used * belowStride);
      }
      return kernel.sumSquares(gradient.at, size);
    },
    update(scale, { rate, floor }) {
      kernel.adam(parameters.at, mean.at, square.at, gradient.at, size, scale, BETA_1, BETA_2, rate, floor);
    },
    slots: [
      { name: 'mean', ...copiesOf(plan, mean) },
      { name: 'square', ...copiesOf(plan, square) },
    ],
  };
}

/** The network's own layout: weights [in, stride] and biases [stride] with zeros behind the outputs. */
interface Plan {
  readonly activation: MlpShape['activation'];
  readonly layers: readonly {
    readonly inputs: number;
    readonly outputs: number;
    /** Width of a row of results: outputs up to the next multiple of 4. */
    readonly stride: number;
    /** Where weight and bias start in the parameters. */
    readonly weight: number;
    readonly bias: number;
    readonly result: Block;
  }[];
  readonly extra: number;
  readonly size: number;
  readonly parameters: Block;
}

const pad = (count: number): number => 4 * Math.ceil(count / 4);

function planOf(kernel: Kernel, shape: MlpShape, rows: number, extra: number): Plan {
  let size = 0;
  const layers = layersOf(shape).map(({ inputs, outputs }) => {
    const stride = pad(outputs);
    const weight = size;
    const bias = weight + inputs * stride;
    size = bias + stride;
    return { inputs, outputs, stride, weight, bias, result: kernel.allocate(rows * stride) };
  });
  size += pad(extra);
  return { activation: shape.activation, layers, extra, size, parameters: kernel.allocate(size) };
}

function mlpOn(kernel: Kernel, plan: Plan): Mlp {
  const { layers, parameters } = plan;
  const { tanhForward, reluForward } = kernel;
  const activate = plan.activation === 'tanh' ? tanhForward : reluForward;
  const last = layers[layers.length - 1];
  return {
    count: countOf(layers),
    parameters: parameters.values,
    output: last.result.values,
    outputStride: last.stride,
    ...copiesOf(plan, parameters),
    approach(other, tau) {
      const own = parameters.values;
      if (tau === 1) own.set(other.parameters);
      else for (let k = 0; k < own.length; k++) own[k] += tau * (other.parameters[k] - own[k]);
    },
    forward(input, rows) {
      let from = input;
      let fromStride = layers[0].inputs;
      for (let l = 0; l < layers.length; l++) {
        const { inputs, stride, weight, bias, result } = layers[l];
        kernel.multiply(
          from,
          4 * fromStride,
          4,
          parameters.at + 4 * weight,
          parameters.at + 4 * bias,
          result.at,
          rows,
          inputs,
          stride,
        );
        if (l + 1 < layers.length) activate(result.at, rows * stride);
        from = result.at;
        fromStride = stride;
      }
    },
  };
}

const countOf = (layers: Plan['layers']): number =>
  layers.reduce((sum, { inputs, outputs }) => sum + (inputs + 1) * outputs, 0);

/** Between a block in the network's layout and PyTorch's flat one. */
function copiesOf({ layers, extra, size }: Plan, { values }: Block): Pick<Mlp, 'load' | 'store'> {
  const walk = (visit: (own: number, flat: number) => void, at: number, extraAt = at + countOf(layers)) => {
    let flat = at;
    for (const { inputs, outputs, stride, weight, bias } of layers) {
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs; i++) visit(weight + i * stride + o, flat++);
      for (let o = 0; o < outputs; o++) visit(bias + o, flat++);
    }
    for (let k = 0; k < extra; k++) visit(size - pad(extra) + k, extraAt + k);
  };
  return {
    load(flat, at, extraAt) {
      walk((own, from) => (values[own] = flat[from]), at, extraAt);
    },
    store(flat, at, extraAt) {
      walk((own, to) => (flat[to] = values[own]), at, extraAt);
    },
  };
}
