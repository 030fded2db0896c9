import type { Tensor } from './tf.ts';
import { tf } from './tf.ts';

/** One update rule over the flat parameter vector, written in TF.js and compiled with the step. */
export interface Optimizer {
  readonly name: string;
  /** Names of its state vectors, zero at the start. */
  readonly slots: readonly string[];
  /** Numbers that change with the step (from 1) and the learning rate, computed in f64. */
  controls(step: number, learningRate: number): readonly number[];
  readonly controlCount: number;
  update(state: OptimizerInputs): { readonly parameters: Tensor; readonly slots: readonly Tensor[] };
  /** What is kept of the slots behind the last step of a run. Absent: all of them as they are. */
  settle?(slots: readonly Tensor[]): readonly Tensor[];
}

export interface OptimizerInputs {
  readonly parameters: Tensor;
  readonly gradient: Tensor;
  readonly slots: readonly Tensor[];
  /** Of shape [1] each. */
  readonly controls: readonly Tensor[];
}

/** Stochastic gradient descent; with `momentum`, optionally Nesterov's, as in torch.optim.SGD. */
export function sgd(options: { readonly momentum?: number; readonly nesterov?: boolean } = {}): Optimizer {
  const { momentum = 0, nesterov = false } = options;
  return {
    name: 'sgd',
    slots: momentum === 0 ? [] : ['velocity'],
    controlCount: 1,
    controls: (_, learningRate) => [learningRate],
    update({ parameters, gradient, slots, controls: [learningRate] }) {
      if (momentum === 0)
        return { parameters: tf.sub(parameters, tf.mul(gradient, learningRate)), slots: [] };
      const velocity = tf.add(tf.mul(slots[0], momentum), gradient);
      const direction = nesterov ? tf.add(gradient, tf.mul(velocity, momentum)) : velocity;
      return { parameters: tf.sub(parameters, tf.mul(direction, learningRate)), slots: [velocity] };
    },
  };
}

/** torch.optim.RMSprop without momentum: Hinton's lecture 6e. */
export function rmsprop(options: { readonly alpha?: number; readonly epsilon?: number } = {}): Optimizer {
  const { alpha = 0.99, epsilon = 1e-8 } = options;
  return {
    name: 'rmsprop',
    slots: ['square'],
    controlCount: 1,
    controls: (_, learningRate) => [learningRate],
    update({ parameters, gradient, slots, controls: [learningRate] }) {
      const square = tf.add(tf.mul(slots[0], alpha), tf.mul(tf.square(gradient), 1 - alpha));
      const change = tf.div(tf.mul(gradient, learningRate), tf.add(tf.sqrt(square), epsilon));
      return { parameters: tf.sub(parameters, change), slots: [square] };
    },
  };
}

/** Of Adam (Kingma & Ba 2015). */
export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Kingma & Ba 2015, as torch.optim.Adam. */
export function adam(options: AdamOptions = {}): Optimizer {
  return adamFamily('adam', options, 0);
}

/** Loshchilov & Hutter 2019, as torch.optim.AdamW: the decay acts on every parameter, outside the moments. */
export function adamw(options: AdamOptions & { readonly weightDecay?: number } = {}): Optimizer {
  return adamFamily('adamw', options, options.weightDecay ?? 0.01);
}

function adamFamily(name: string, options: AdamOptions, weightDecay: number): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  return {
    name,
    slots: ['mean', 'square'],
    controlCount: weightDecay === 0 ? 2 : 3,
    controls(step, learningRate) {
      // m / c1 / (sqrt(v / c2) + eps)  =  (sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)), and the slots hold the sums
      // m / (1 - beta1) and v / (1 - beta2): two passes over the vectors less.
      const root = Math.sqrt((1 - beta2 ** step) / (1 - beta2));
      const rate = (learningRate * root * (1 - beta1)) / (1 - beta1 ** step);
      const decay = weightDecay === 0 ? [] : [1 - learningRate * weightDecay];
      return [rate, epsilon * root, ...decay];
    },
    update({ parameters, gradient, slots, controls: [rate, floor, decay] }) {
      const mean = tf.add(tf.mul(slots[0], beta1), gradient);
      const square = tf.add(tf.mul(slots[1], beta2), tf.square(gradient));
      const change = tf.div(tf.mul(mean, rate), tf.add(tf.sqrt(square), floor));
      const kept = weightDecay === 0 ? parameters : tf.mul(parameters, decay);
      return { parameters: tf.sub(kept, change), slots: [mean, square] };
    },
  };
}

/** `gradient` scaled so that its norm is at most `maxNorm`, as torch's clip_grad_norm_. */
export const clipByNorm = (gradient: Tensor, norm: Tensor, maxNorm: number): Tensor =>
  tf.mul(gradient, clipFactor(norm, maxNorm));

/** What `clipByNorm` scales by. */
export const clipFactor = (norm: Tensor, maxNorm: number): Tensor =>
  tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1);

export const globalNorm = (gradient: Tensor): Tensor => tf.sqrt(tf.sum(tf.square(gradient)));
