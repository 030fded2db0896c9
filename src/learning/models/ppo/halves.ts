import { type ActionSpace, actionWidth } from '../../../core/environments/environment.ts';
import type { Kernel } from '../../learners/agent/kernel.ts';
import { type AdamControls, createLearningMlp, type LearningMlp } from '../../learners/agent/mlp.ts';
import { type PolicyFigures, policyGradient, valueGradient } from './loss.ts';
import { actorShape, criticShape } from './network.ts';
import type { PpoParams } from './params.ts';

/** What `nSteps` steps of every environment gave, laid out [nSteps, count, ...], in the kernel's memory. */
export interface Rollout {
  /** Address of `observations`. */
  readonly observationsAt: number;
  readonly observations: Float32Array;
  readonly actions: Float32Array;
  readonly logProbabilities: Float32Array;
  /** Scaled where asked for; a truncated step holds gamma times the value it was cut off from. */
  readonly rewards: Float32Array;
  readonly values: Float32Array;
  readonly ended: Uint8Array;
  readonly lastValues: Float32Array;
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

/** All that tells where things lie in the memory: plain data, so that a second thread can be told. */
export interface PpoTask {
  /** Entries of an observation. */
  readonly size: number;
  readonly space: ActionSpace;
  /** Environments. */
  readonly count: number;
  readonly params: Pick<
    PpoParams,
    | 'nSteps'
    | 'batchSize'
    | 'nEpochs'
    | 'netArch'
    | 'activation'
    | 'logStdInit'
    | 'entCoef'
    | 'vfCoef'
    | 'clipRangeVf'
    | 'normalizeAdvantage'
  >;
}

/**
 * Actor or critic: the two share nothing but their inputs and the norm of their common gradient, so each can learn on
 * a thread of its own.
 */
export interface Half {
  readonly network: LearningMlp;
  /** Computes the gradient over the rows `order[from]` to `order[from + batchSize]`; the square of its norm. */
  gradient(from: number, clipRange: number): number;
  /** A step of Adam with the gradient counted `scale` times. */
  update(scale: number, controls: AdamControls): void;
}

export interface Halves {
  readonly actor: Half;
  readonly critic: Half;
  /** Of the minibatch that the actor saw last. */
  readonly policyFigures: Readonly<PolicyFigures>;
  /** Of the minibatch that the critic saw last. */
  readonly valueLoss: () => number;
  readonly rollout: Rollout;
  /** [nEpochs, rows of a rollout]: the order in which each epoch sees the rows. */
  readonly order: Int32Array;
}

/** Both networks with all they read, always at the same addresses of the kernel's memory. */
export function createHalves(kernel: Kernel, task: PpoTask): Halves {
  const { size, space, count, params } = task;
  const { batchSize, nEpochs, entCoef, normalizeAdvantage } = params;
  const rows = params.nSteps * count;
  const rollout = createRollout(kernel, task);
  const orderBlock = kernel.allocate(nEpochs * rows);
  const order = new Int32Array(kernel.memory.buffer, orderBlock.at, nEpochs * rows);
  const mostRows = Math.max(batchSize, count);
  const logStds = space.kind === 'box' ? space.size : 0;
  const actorNetwork = createLearningMlp(kernel, actorShape(size, space, params), mostRows, logStds);
  const criticNetwork = createLearningMlp(kernel, criticShape(size, params), mostRows);
  const seenByActor = kernel.allocate(batchSize * size);
  const seenByCritic = kernel.allocate(batchSize * size);

  const gather = (from: number, columns: readonly (readonly [Float32Array, Float32Array, number])[]) => {
    for (const [source, into, width] of columns)
      for (let b = 0; b < batchSize; b++) {
        const at = order[from + b] * width;
        for (let k = 0; k < width; k++) into[b * width + k] = source[at + k];
      }
  };
  const policyFigures: PolicyFigures = { policyLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0 };
  const policy = {
    rows: batchSize,
    actions: new Float32Array(batchSize * actionWidth(space)),
    oldLogProbabilities: new Float32Array(batchSize),
    advantages: new Float32Array(batchSize),
  };
  const policyColumns = [
    [rollout.observations, seenByActor.values, size],
    [rollout.actions, policy.actions, actionWidth(space)],
    [rollout.logProbabilities, policy.oldLogProbabilities, 1],
    [rollout.advantages, policy.advantages, 1],
  ] as const;
  const actorOutput = outputOf(actorNetwork);

  let valueLoss = 0;
  const value = {
    rows: batchSize,
    returns: new Float32Array(batchSize),
    oldValues: new Float32Array(batchSize),
  };
  const valueColumns = [
    [rollout.observations, seenByCritic.values, size],
    [rollout.returns, value.returns, 1],
    [rollout.values, value.oldValues, 1],
  ] as const;
  const criticOutput = outputOf(criticNetwork);

  return {
    rollout,
    order,
    policyFigures,
    valueLoss: () => valueLoss,
    actor: {
      network: actorNetwork,
      gradient(from, clipRange) {
        gather(from, policyColumns);
        if (normalizeAdvantage) normalise(policy.advantages);
        actorNetwork.forward(seenByActor.at, batchSize);
        policyGradient(space, policy, actorOutput, { clipRange, entCoef }, policyFigures);
        return actorNetwork.backward(seenByActor.at, batchSize);
      },
      update: actorNetwork.update,
    },
    critic: {
      network: criticNetwork,
      gradient(from) {
        gather(from, valueColumns);
        criticNetwork.forward(seenByCritic.at, batchSize);
        valueLoss = valueGradient(value, criticOutput, params);
        return criticNetwork.backward(seenByCritic.at, batchSize);
      },
      update: criticNetwork.update,
    },
  };
}

const outputOf = (network: LearningMlp) => ({
  said: network.output,
  delta: network.delta,
  stride: network.outputStride,
  logStd: network.extra,
  logStdGradient: network.extraGradient,
});

/** Mean 0 and (sample) deviation 1. */
function normalise(values: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  const scale = 1 / (Math.sqrt(squares / (values.length - 1)) + 1e-8);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) * scale;
}

function createRollout(kernel: Kernel, { size, space, count, params }: PpoTask): Rollout {
  const rows = params.nSteps * count;
  const column = (): Float32Array => kernel.allocate(rows).values;
  const observations = kernel.allocate(rows * size);
  return {
    observationsAt: observations.at,
    observations: observations.values,
    actions: kernel.allocate(rows * actionWidth(space)).values,
    logProbabilities: column(),
    rewards: column(),
    values: column(),
    ended: new Uint8Array(rows),
    lastValues: new Float32Array(count),
    advantages: column(),
    returns: column(),
  };
}
