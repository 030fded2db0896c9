import { initialParameters, parameterCount, type TrainState } from '../../engine/weights.ts';
import type { VectorEnvironment, VectorSnapshot } from '../../../core/environments/vector.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createRandom, deriveSeed } from '../../../core/foundation/random.ts';
import { bestAction } from '../../learners/agent/actions.ts';
import { createKernel } from '../../learners/agent/kernel.ts';
import {
  adamControls,
  clipScale,
  createLearningMlp,
  createMlp,
  refuseDivergence,
} from '../../learners/agent/mlp.ts';
import { bestNextValues, qGradient } from './loss.ts';
import { createMultiStep, type MultiStepSnapshot } from './multi-step.ts';
import { qParameters, qShape, rankedFrom } from './network.ts';
import { ADAM_EPSILON, type DqnParams } from './params.ts';
import { createReplay, type ReplaySnapshot } from './replay.ts';

/** Deep Q-learning of one agent in one vector of environments with discrete actions. */
export interface DqnLearner {
  /** Environment steps so far, all copies together. */
  readonly steps: number;
  /** `trainFreq` steps of every environment, then, after `learningStarts`, `gradientSteps` updates. */
  iterate(): Promise<DqnProgress>;
  /** The weights of the online network, flat: what acts. */
  parameters(): Float32Array;
  /** All that a resumed run needs to go on bit for bit. */
  state(): DqnState;
  restore(state: DqnState): void;
  dispose(): Promise<void>;
}

export interface DqnProgress {
  readonly steps: number;
  /** Mean return of the last 100 episodes; `undefined` before the first has ended. */
  readonly meanReward: number | undefined;
  /** Mean over the updates of this call; `undefined` when there were none. */
  readonly loss: number | undefined;
  readonly exploration: number;
}

export interface DqnState {
  readonly train: TrainState;
  readonly target: Float32Array;
  readonly iterations: number;
  readonly recent: readonly number[];
  readonly replay: ReplaySnapshot;
  readonly multiStep: MultiStepSnapshot;
  readonly environment: VectorSnapshot;
}

const EPISODES_REMEMBERED = 100;
/** Multiply-adds of a minibatch from which ONNX Runtime makes the updates: below, what its runs cost beside them decides. */
const WIDE_FROM = 2_000_000;

/** `totalSteps` sets the pace at which exploration falls. Throws `UserError` for continuous actions. */
export async function createDqn(options: {
  readonly environment: VectorEnvironment;
  readonly params: DqnParams;
  readonly seed: number;
  readonly totalSteps: number;
  /** Multiply-adds of a minibatch from which updates are ONNX Runtime's; its bits depend on the processor. */
  readonly wideFrom?: number;
}): Promise<DqnLearner> {
  const { environment, params, seed, totalSteps, wideFrom = WIDE_FROM } = options;
  const { batchSize, trainFreq, gradientSteps, learningStarts, tau } = params;
  const { count, actions: space } = environment;
  if (space.kind !== 'discrete') {
    throw new UserError(`DQN chooses among actions; "${environment.id}" takes continuous ones.`, {
      hint: 'Use PPO there.',
    });
  }
  const size = environment.observation.length;
  const actionCount = space.count;
  const kernel = createKernel();
  const shape = qShape(size, actionCount, params);
  const mostRows = Math.max(batchSize, count);
  const online = createLearningMlp(kernel, shape, mostRows);
  const target = createMlp(kernel, shape, mostRows);
  const declared = qParameters(size, actionCount, params);
  online.load(initialParameters(declared, seed), 0);
  target.approach(online, 1);
  const isWide = !params.doubleQ && batchSize * parameterCount(declared) >= wideFrom;
  const wide = isWide
    ? await (
        await import('./wide.ts')
      ).createWideUpdates({ declared, inputs: size, actionCount, params, seed })
    : undefined;
  const seen = kernel.allocate(count * size);
  const observations = kernel.allocate(batchSize * size);
  const nextObservations = kernel.allocate(batchSize * size);
  const column = (): Float32Array => new Float32Array(batchSize);
  const nextValues = column();
  const batch = {
    observations: observations.values,
    nextObservations: nextObservations.values,
    actions: column(),
    rewards: column(),
    discounts: column(),
    targets: column(),
  };
  const layout = { rows: batchSize, actionCount, dueling: params.dueling };
  const replay = createReplay(Math.min(params.bufferSize, totalSteps), size);
  const multiStep = createMultiStep(environment, params, replay);
  const chosen = new Float32Array(count);
  const targetEvery = Math.max(Math.floor(params.targetUpdateInterval / count), 1);
  let iterations = 0;
  let steps = 0;
  let recent: number[] = [];

  const explorationAt = (step: number): number => {
    const { explorationFraction, explorationInitialEps: first, explorationFinalEps: last } = params;
    const done = explorationFraction === 0 ? 1 : Math.min(1, step / totalSteps / explorationFraction);
    return first + done * (last - first);
  };

  const play = (): void => {
    environment.reseed(deriveSeed(seed, `episodes.${iterations}`));
    const random = createRandom(deriveSeed(seed, `actions.${iterations}`));
    if (iterations === 0) environment.resetAll();
    for (let t = 0; t < trainFreq; t++) {
      const calls = iterations * trainFreq + t;
      const exploration = calls * count < learningStarts ? 1 : explorationAt(calls * count);
      let isAsked = false;
      for (let i = 0; i < count; i++) {
        if (random() < exploration) {
          chosen[i] = Math.floor(random() * actionCount);
          continue;
        }
        if (!isAsked) {
          seen.values.set(environment.observations);
          online.forward(seen.at, count);
          isAsked = true;
        }
        bestAction(space, online.output, i * online.outputStride + rankedFrom(params), chosen, i);
      }
      multiStep.step(chosen);
      if ((calls + 1) % targetEvery === 0) target.approach(online, tau);
    }
    recent.push(...environment.finished.splice(0).map(({ reward }) => reward));
    recent = recent.slice(-EPISODES_REMEMBERED);
  };

  const learn = async (): Promise<number> => {
    const random = createRandom(deriveSeed(seed, `minibatches.${iterations}`));
    if (wide) {
      const loss = await wide.learn(replay, random, flat(target.store));
      online.load(wide.parameters(), 0);
      return loss;
    }
    let total = 0;
    for (let done = 0; done < gradientSteps; done++) {
      replay.sample(random, batchSize, batch);
      target.forward(nextObservations.at, batchSize);
      if (params.doubleQ) online.forward(nextObservations.at, batchSize);
      bestNextValues(target, params.doubleQ ? online : target, layout, nextValues);
      for (let b = 0; b < batchSize; b++)
        batch.targets[b] = batch.rewards[b] + batch.discounts[b] * nextValues[b];
      online.forward(observations.at, batchSize);
      total += qGradient(online, batch, layout, online.delta);
      const norm = Math.sqrt(online.backward(observations.at, batchSize));
      refuseDivergence(norm, steps + 1);
      online.update(
        clipScale(norm, params.maxGradNorm),
        adamControls(steps + 1, params.learningRate, ADAM_EPSILON),
      );
      steps++;
    }
    return total / gradientSteps;
  };

  const flat = (store: (values: Float32Array, at: number) => void): Float32Array => {
    const values = new Float32Array(parameterCount(declared));
    store(values, 0);
    return values;
  };
  const stepsDone = (): number => iterations * trainFreq * count;
  return {
    get steps() {
      return stepsDone();
    },
    async iterate() {
      play();
      const ready = stepsDone() + trainFreq * count > learningStarts && replay.count > 0;
      const loss = ready ? await learn() : undefined;
      iterations++;
      const mean = recent.reduce((sum, reward) => sum + reward, 0) / recent.length;
      return {
        steps: stepsDone(),
        meanReward: recent.length === 0 ? undefined : mean,
        loss,
        exploration: explorationAt(stepsDone()),
      };
    },
    parameters: () => flat(online.store),
    state: () => ({
      train: wide?.state() ?? {
        step: steps,
        parameters: flat(online.store),
        slots: Object.fromEntries(online.slots.map(({ name, store }) => [name, flat(store)])),
      },
      target: flat(target.store),
      iterations,
      recent: [...recent],
      replay: replay.snapshot(),
      multiStep: multiStep.snapshot(),
      environment: environment.snapshot(),
    }),
    restore(state) {
      online.load(state.train.parameters, 0);
      for (const { name, load } of online.slots) load(state.train.slots[name], 0);
      steps = state.train.step;
      wide?.restore(state.train);
      target.load(state.target, 0);
      iterations = state.iterations;
      recent = [...state.recent];
      replay.restore(state.replay);
      multiStep.restore(state.multiStep);
      environment.restore(state.environment);
    },
    dispose: async () => wide?.dispose(),
  };
}
