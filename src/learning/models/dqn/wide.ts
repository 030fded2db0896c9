import type { Random } from '../../../core/foundation/random.ts';
import { createExecutor } from '../../engine/executor.ts';
import { flushTiny } from '../../engine/layers/recurrence.ts';
import type { Parameter } from '../../engine/network.ts';
import { smoothL1 } from '../../engine/losses.ts';
import { clipFactor, globalNorm, type Optimizer } from '../../engine/optimizers.ts';
import { unflatten } from '../../engine/program.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import { createTrainer } from '../../engine/trainer.ts';
import { parameterCount, type TrainState } from '../../engine/weights.ts';
import { adamControls, BETA_1, BETA_2 } from '../../learners/agent/mlp.ts';
import { ADAM_EPSILON, type DqnParams } from './params.ts';
import type { Replay } from './replay.ts';

/** Updates of a wide network by ONNX Runtime, which has the processor's widest vectors; the kernel has 128 bits. */
export interface WideUpdates {
  /** `gradientSteps` updates on drawn minibatches; the mean of their losses. */
  learn(replay: Replay, random: Random, target: Float32Array): Promise<number>;
  /** Flat. */
  parameters(): Float32Array;
  state(): TrainState;
  restore(state: TrainState): void;
  dispose(): Promise<void>;
}

/** Most updates in one run: what a run costs beside its arithmetic is paid once for all of them. */
const MOST_UNROLLED = 32;

/** The same updates as the kernel's, within rounding; without double Q-learning, where each update changes the next one's targets. */
export async function createWideUpdates(options: {
  readonly declared: readonly Parameter[];
  readonly inputs: number;
  readonly actionCount: number;
  readonly params: DqnParams;
  readonly seed: number;
}): Promise<WideUpdates> {
  const { declared, inputs, actionCount, params, seed } = options;
  const { batchSize, gradientSteps, dueling } = params;
  const unroll = largestDivisor(gradientSteps, MOST_UNROLLED);
  const rows = unroll * batchSize;
  /** What each action is worth, [actions, rows]: the activations and not the weights are what a product packs. */
  const worth = (valueOf: (parameter: Parameter) => Tensor, observations: Tensor): Tensor => {
    let x = tf.transpose(observations);
    for (let at = 0; at < declared.length; at += 2) {
      const bias = tf.reshape(valueOf(declared[at + 1]), [-1, 1]);
      x = tf.add(tf.matMul(valueOf(declared[at]), x), bias);
      if (at + 2 < declared.length) x = tf.relu(x);
    }
    if (!dueling) return x;
    const [state, advantages] = tf.split(x, [1, actionCount], 0);
    return tf.add(state, tf.sub(advantages, tf.mean(advantages, 0, true)));
  };
  const trainer = await createTrainer({
    network: { name: 'dqn', parameters: declared },
    loss: (pass, { observations, chosen, targets }) => {
      const values = worth((one) => pass.value(one), observations);
      return smoothL1(tf.sum(tf.mul(values, tf.transpose(chosen)), 0), targets);
    },
    optimizer: clippedAdam(params.maxGradNorm),
    batch: {
      observations: { shape: [batchSize, inputs], type: 'float32' },
      chosen: { shape: [batchSize, actionCount], type: 'float32' },
      targets: { shape: [batchSize], type: 'float32' },
    },
    seed,
    unroll,
    device: 'cpu',
  });
  const best = await createExecutor(
    {
      name: 'dqn target',
      build(given) {
        const flat = given.input('parameters', [parameterCount(declared)], 'float32');
        const values = unflatten(declared, flat);
        const valueOf = (parameter: Parameter): Tensor => values.get(parameter) ?? flat;
        const observations = given.input('observations', [rows, inputs], 'float32');
        return { best: tf.max(worth(valueOf, observations), 0) };
      },
    },
    { device: 'cpu' },
  );
  const column = (): Float32Array => new Float32Array(rows);
  const drawn = {
    observations: new Float32Array(rows * inputs),
    nextObservations: new Float32Array(rows * inputs),
    actions: column(),
    rewards: column(),
    discounts: column(),
  };
  const chosen = new Float32Array(rows * actionCount);
  const next = column();
  const targets = column();
  return {
    async learn(replay, random, target) {
      let total = 0;
      for (let done = 0; done < gradientSteps; done += unroll) {
        replay.sample(random, rows, drawn);
        await best.run(
          { parameters: target, observations: drawn.nextObservations },
          { best: next },
          () => next,
        );
        chosen.fill(0);
        for (let row = 0; row < rows; row++) {
          chosen[row * actionCount + drawn.actions[row]] = 1;
          targets[row] = drawn.rewards[row] + drawn.discounts[row] * next[row];
        }
        const feeds = { observations: drawn.observations, chosen, targets };
        for (const loss of (await trainer.step(feeds, params.learningRate)).losses) total += loss;
      }
      return total / gradientSteps;
    },
    parameters: () => trainer.parameters(),
    state: () => trainer.state(),
    restore: (state) => trainer.restore(state),
    async dispose() {
      await trainer.dispose();
      await best.release();
    },
  };
}

/**
 * As the kernel has it: its slots are its own, so a state of one serves the other. The clipped gradient is not written out: its factor goes into those of
 * the means, one pass over the parameters instead of three.
 */
const clippedAdam = (maxNorm: number): Optimizer => ({
  name: 'adam',
  slots: ['mean', 'square'],
  controlCount: 2,
  controls: (step, learningRate) => {
    const { rate, floor } = adamControls(step, learningRate, ADAM_EPSILON);
    return [rate, floor];
  },
  update({ parameters, gradient, slots, controls: [rate, floor] }) {
    const clip = clipFactor(globalNorm(gradient), maxNorm);
    const added = tf.mul(gradient, tf.mul(clip, 1 - BETA_1));
    const addedSquare = tf.mul(tf.square(gradient), tf.mul(tf.square(clip), 1 - BETA_2));
    const mean = tf.add(tf.mul(slots[0], BETA_1), added);
    const square = tf.add(tf.mul(slots[1], BETA_2), addedSquare);
    const change = tf.div(tf.mul(mean, rate), tf.add(tf.sqrt(square), floor));
    return { parameters: tf.sub(parameters, change), slots: [mean, square] };
  },
  settle: ([mean, square]) => [flushTiny(mean), square],
});

function largestDivisor(of: number, most: number): number {
  let divisor = Math.min(of, most);
  while (of % divisor !== 0) divisor--;
  return divisor;
}
