import { mean, variance } from '../../../core/foundation/moments.ts';
import { initialParameters, parameterCount, type TrainState } from '../../engine/weights.ts';
import type { VectorEnvironment, VectorSnapshot } from '../../../core/environments/vector.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../../../core/foundation/random.ts';
import { createKernel } from '../../learners/agent/kernel.ts';
import { adamControls, clipScale, type Mlp, refuseDivergence } from '../../learners/agent/mlp.ts';
import { estimateAdvantages } from '../../learners/agent/advantages.ts';
import { criticHere, criticOnThread } from './critic-side.ts';
import { createHalves, type Halves } from './halves.ts';
import { actorCriticParameters } from './network.ts';
import type { PpoParams } from './params.ts';
import { createCollector } from './rollout.ts';

/** Proximal policy optimisation of one agent in one vector of environments. */
export interface PpoLearner {
  /** Environment steps so far, all copies together. */
  readonly steps: number;
  /** One rollout and the updates from it. */
  iterate(): Promise<PpoProgress>;
  /** The weights, flat, and the statistics of the observations: what acts. */
  agent(): PpoAgentState;
  /** All that a resumed run needs to go on bit for bit. */
  state(): PpoState;
  restore(state: PpoState): void;
  dispose(): Promise<void>;
}

export interface PpoProgress {
  readonly policyLoss: number;
  readonly valueLoss: number;
  readonly entropy: number;
  readonly approxKl: number;
  readonly clipFraction: number;
  readonly steps: number;
  /** Mean return of the last 100 episodes; `undefined` before the first has ended. */
  readonly meanReward: number | undefined;
  /** 1 minus the share of the returns' variance that the critic missed; `undefined` when they never vary. */
  readonly explainedVariance: number | undefined;
  readonly learningRate: number;
  /** Epochs of updates that were made: fewer than `nEpochs` when the KL target ended them. */
  readonly epochs: number;
}

export interface PpoAgentState {
  readonly parameters: Float32Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

export interface PpoState {
  readonly train: TrainState;
  readonly updates: number;
  readonly moments: SavedMoments;
  readonly rewardMoments: SavedMoments;
  readonly discountedReturns: readonly number[];
  readonly recent: readonly number[];
  readonly environment: VectorSnapshot;
}

interface SavedMoments {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
  readonly count: number;
}

const EPISODES_REMEMBERED = 100;
const ADAM_EPSILON = 1e-5;

/** `totalSteps` is where linear schedules end. Throws `UserError` when the minibatches do not divide the rollout. */
export async function createPpo(options: {
  readonly environment: VectorEnvironment;
  readonly params: PpoParams;
  readonly seed: number;
  readonly totalSteps: number;
}): Promise<PpoLearner> {
  const { environment, params, seed, totalSteps } = options;
  const { batchSize, nEpochs, targetKl } = params;
  const { count, actions: space } = environment;
  const size = environment.observation.length;
  const rows = params.nSteps * count;
  if (rows % batchSize !== 0) {
    throw new UserError(
      `PPO's batchSize ${batchSize} does not divide the ${rows} steps of a rollout (nSteps times nEnvs).`,
      { hint: 'Choose a batchSize that divides nSteps times nEnvs, such as 64 and 2048.' },
    );
  }
  const kernel = createKernel();
  const task = { size, space, count, params };
  const halves = createHalves(kernel, task);
  const { actor, rollout, order, policyFigures } = halves;
  const collector = createCollector(kernel, environment, params, halves);
  const { moments, rewardScale } = collector;
  const declared = actorCriticParameters(size, space, params);
  const flat = flatVectors(halves, parameterCount(declared));
  flat.load(initialParameters(declared, seed));
  const critic = params.threads === 1 ? criticHere(halves) : await criticOnThread(kernel, task);
  let updates = 0;
  let steps = 0;
  let recent: number[] = [];

  const play = (): void => {
    environment.reseed(deriveSeed(seed, `episodes.${updates}`));
    if (updates === 0) collector.begin();
    collector.collect(createRandom(deriveSeed(seed, `actions.${updates}`)));
    estimateAdvantages(rollout, params);
    recent.push(...environment.finished.splice(0).map(({ reward }) => reward));
    recent = recent.slice(-EPISODES_REMEMBERED);
  };

  const learn = (learningRate: number, clipRange: number) => {
    const random = createRandom(deriveSeed(seed, `minibatches.${updates}`));
    for (let epoch = 0; epoch < nEpochs; epoch++)
      fillShuffled(order.subarray(epoch * rows, (epoch + 1) * rows), random);
    const sums = { policyLoss: 0, valueLoss: 0, entropy: 0, approxKl: 0, clipFraction: 0 };
    let made = 0;
    for (let from = 0; from < nEpochs * rows; from += batchSize) {
      critic.begin(from);
      const squares = actor.gradient(from, clipRange);
      const value = critic.end();
      const norm = Math.sqrt(squares + value.squares);
      sums.policyLoss += policyFigures.policyLoss;
      sums.valueLoss += value.loss;
      sums.entropy += policyFigures.entropy;
      sums.approxKl += policyFigures.approxKl;
      sums.clipFraction += policyFigures.clipFraction;
      made++;
      // The step that would go too far is not taken.
      if (targetKl !== undefined && policyFigures.approxKl > 1.5 * targetKl) break;
      refuseDivergence(norm, steps + 1);
      const scale = clipScale(norm, params.maxGradNorm);
      const controls = adamControls(steps + 1, learningRate, ADAM_EPSILON);
      critic.update(scale, controls);
      actor.update(scale, controls);
      steps++;
    }
    critic.settle();
    const mean = (name: keyof typeof sums): number => sums[name] / made;
    return {
      epochs: Math.ceil((made * batchSize) / rows),
      policyLoss: mean('policyLoss'),
      valueLoss: mean('valueLoss'),
      entropy: mean('entropy'),
      approxKl: mean('approxKl'),
      clipFraction: mean('clipFraction'),
    };
  };

  return {
    get steps() {
      return updates * rows;
    },
    async iterate() {
      play();
      // As Stable-Baselines3, which counts the steps of the rollout before it looks at the schedule.
      const left = Math.max(0, 1 - ((updates + 1) * rows) / totalSteps);
      const learningRate = params.learningRate * (params.learningRateSchedule === 'linear' ? left : 1);
      const clipRange = params.clipRange * (params.clipRangeSchedule === 'linear' ? left : 1);
      const learned = learn(learningRate, clipRange);
      updates++;
      return {
        steps: updates * rows,
        meanReward: mean(recent),
        explainedVariance: explainedVariance(rollout.values, rollout.returns),
        learningRate,
        ...learned,
      };
    },
    agent: () => ({
      parameters: flat.store(),
      mean: moments.mean.slice(),
      variance: moments.variance.slice(),
    }),
    state: () => ({
      train: { step: steps, parameters: flat.store(), slots: flat.storeSlots() },
      updates,
      moments: saveMoments(moments),
      rewardMoments: saveMoments(rewardScale.moments),
      discountedReturns: Array.from(rewardScale.returns),
      recent: [...recent],
      environment: environment.snapshot(),
    }),
    restore(state) {
      flat.load(state.train.parameters);
      flat.loadSlots(state.train.slots);
      steps = state.train.step;
      updates = state.updates;
      recent = [...state.recent];
      loadMoments(moments, state.moments);
      loadMoments(rewardScale.moments, state.rewardMoments);
      rewardScale.returns.set(state.discountedReturns);
      environment.restore(state.environment);
    },
    dispose: () => critic.dispose(),
  };
}

/** The parameters and Adam's vectors of both networks as flat vectors in the order of their declaration. */
function flatVectors({ actor, critic }: Halves, size: number) {
  const criticAt = actor.network.count;
  const extraAt = criticAt + critic.network.count;
  const stored = (a: Pick<Mlp, 'store'>, c: Pick<Mlp, 'store'>): Float32Array => {
    const values = new Float32Array(size);
    a.store(values, 0, extraAt);
    c.store(values, criticAt);
    return values;
  };
  const load = (values: Float32Array | undefined, a: Pick<Mlp, 'load'>, c: Pick<Mlp, 'load'>): void => {
    if (values?.length !== size)
      throw new Error(`A state of PPO has ${values?.length ?? 'no'} values; its networks have ${size}.`);
    a.load(values, 0, extraAt);
    c.load(values, criticAt);
  };
  return {
    store: () => stored(actor.network, critic.network),
    load: (values: Float32Array): void => load(values, actor.network, critic.network),
    storeSlots: () =>
      Object.fromEntries(
        actor.network.slots.map((slot, i) => [slot.name, stored(slot, critic.network.slots[i])]),
      ),
    loadSlots(slots: TrainState['slots']) {
      actor.network.slots.forEach((slot, i) => load(slots[slot.name], slot, critic.network.slots[i]));
    },
  };
}

/** Fills `order` with the numbers below its length in a random order. */
function fillShuffled(order: Int32Array, random: Random): void {
  for (let i = 0; i < order.length; i++) order[i] = i;
  shuffle(order, random);
}

function explainedVariance(values: Float32Array, returns: Float32Array): number | undefined {
  const spread = variance(returns, 0) ?? 0;
  if (spread === 0) return undefined;
  return (
    1 -
    (variance(
      returns.map((value, i) => value - values[i]),
      0,
    ) ?? 0) /
      spread
  );
}

type Moments = { readonly mean: Float64Array; readonly variance: Float64Array; count: number };
const saveMoments = ({ mean, variance, count }: Moments): SavedMoments => ({
  mean: Array.from(mean),
  variance: Array.from(variance),
  count,
});
function loadMoments(moments: Moments, { mean, variance, count }: SavedMoments): void {
  moments.mean.set(mean);
  moments.variance.set(variance);
  moments.count = count;
}
