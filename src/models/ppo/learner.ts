import { createExecutor } from '../../engine/executor.ts';
import type { Network } from '../../engine/network.ts';
import { adam } from '../../engine/optimizers.ts';
import { createPass, type Program, unflatten } from '../../engine/program.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import { createTrainer, type Loss } from '../../engine/trainer.ts';
import { parameterCount, parameterViews, type TrainState } from '../../engine/weights.ts';
import type { VectorEnvironment, VectorSnapshot } from '../../environments/vector.ts';
import { UserError } from '../../foundation/errors.ts';
import { createRandom, deriveSeed } from '../../foundation/random.ts';
import { rowMlp } from '../agent/mlp.ts';
import { estimateAdvantages } from './advantages.ts';
import { evaluateActions, type PpoMetric, ppoLoss } from './loss.ts';
import { FACTS, gatherMinibatch, shuffle } from './minibatches.ts';
import {
  ACTOR,
  actorCritic,
  type ActorCriticOutput,
  actorShape,
  CRITIC,
  criticShape,
  LOG_STD,
} from './network.ts';
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

export interface PpoProgress extends Readonly<Record<PpoMetric, number>> {
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

/** Gradient steps in one call of the engine; more of them make the graph slower to open, not faster to run. */
const LONGEST_UNROLL = 16;
const EPISODES_REMEMBERED = 100;

/** `totalSteps` is where linear schedules end. Throws `UserError` when the minibatches do not divide the rollout. */
export async function createPpo(options: {
  readonly environment: VectorEnvironment;
  readonly params: PpoParams;
  readonly seed: number;
  readonly totalSteps: number;
}): Promise<PpoLearner> {
  const { environment, params, seed, totalSteps } = options;
  const { batchSize, nEpochs, targetKl } = params;
  const space = environment.actions;
  const size = environment.observation.length;
  const rows = params.nSteps * environment.count;
  if (rows % batchSize !== 0) {
    throw new UserError(
      `PPO's batchSize ${batchSize} does not divide the ${rows} steps of a rollout (nSteps times nEnvs).`,
      { hint: 'Choose a batchSize that divides nSteps times nEnvs, such as 64 and 2048.' },
    );
  }
  const network = actorCritic(size, space, params);
  const batches = rows / batchSize;
  const unroll = targetKl === undefined ? unrollOf(batches * nEpochs) : 1;
  const width = space.kind === 'discrete' ? space.count : space.size;
  const trainer = await createTrainer({
    network,
    loss: lossOf(network, params),
    optimizer: adam({ epsilon: 1e-5 }),
    batch: {
      observations: { shape: [batchSize, size], type: 'float32' },
      actions: { shape: [batchSize, width], type: 'float32' },
      facts: { shape: [batchSize, FACTS.length], type: 'float32' },
    },
    seed,
    unroll,
    clipNorm: params.maxGradNorm,
  });
  const judge = await createExecutor(valueProgram(network, rows, size));
  const actor = rowMlp(ACTOR, actorShape(size, space, params));
  const critic = rowMlp(CRITIC, criticShape(size, params));
  const collector = createCollector(environment, params, { actor, critic });
  const { rollout, moments, rewardScale } = collector;
  const feeds = {
    observations: new Float32Array(unroll * batchSize * size),
    actions: new Float32Array(unroll * batchSize * width),
    facts: new Float32Array(unroll * batchSize * FACTS.length),
  };
  const order = new Int32Array(rows);
  const parameters = new Float32Array(parameterCount(network.parameters));
  let updates = 0;
  let recent: number[] = [];

  const play = async (): Promise<void> => {
    environment.reseed(deriveSeed(seed, `episodes.${updates}`));
    if (updates === 0) collector.begin();
    parameters.set(trainer.parameters());
    const views = parameterViews(network.parameters, parameters);
    actor.load(views);
    critic.load(views);
    collector.collect(createRandom(deriveSeed(seed, `actions.${updates}`)), views.get(LOG_STD));
    await judge.run(
      { parameters, observations: rollout.observations },
      { values: rollout.values },
      () => new Float32Array(),
    );
    estimateAdvantages(rollout, params);
    recent.push(...environment.finished.splice(0).map(({ reward }) => reward));
    recent = recent.slice(-EPISODES_REMEMBERED);
  };

  const learn = async (learningRate: number, clipRange: number) => {
    const random = createRandom(deriveSeed(seed, `minibatches.${updates}`));
    const sums: Record<PpoMetric, number> = {
      policyLoss: 0,
      valueLoss: 0,
      entropy: 0,
      approxKl: 0,
      clipFraction: 0,
    };
    const gather = { space, size, clipRange, normalizeAdvantage: params.normalizeAdvantage };
    let made = 0;
    for (let done = 0; done < batches * nEpochs; done += unroll) {
      for (let k = 0; k < unroll; k++) {
        const batch = (done + k) % batches;
        if (batch === 0) {
          for (let i = 0; i < rows; i++) order[i] = i;
          shuffle(order, random);
        }
        const rowsOfBatch = { from: batch * batchSize, batchSize };
        gatherMinibatch(rollout, order, rowsOfBatch, { feeds, row: k * batchSize }, gather);
      }
      const before = targetKl === undefined ? undefined : trainer.state();
      const { metrics } = await trainer.step(feeds, learningRate);
      for (const name of METRICS) for (const value of metrics[name]) sums[name] += value;
      made += unroll;
      if (before && targetKl !== undefined && metrics.approxKl[0] > 1.5 * targetKl) {
        // The step that would have gone too far is not taken.
        trainer.restore(before);
        break;
      }
    }
    const mean = (name: PpoMetric): number => sums[name] / made;
    return {
      epochs: Math.ceil(made / batches),
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
      await play();
      // As Stable-Baselines3, which counts the steps of the rollout before it looks at the schedule.
      const left = Math.max(0, 1 - ((updates + 1) * rows) / totalSteps);
      const learningRate = params.learningRate * (params.learningRateSchedule === 'linear' ? left : 1);
      const clipRange = params.clipRange * (params.clipRangeSchedule === 'linear' ? left : 1);
      const learned = await learn(learningRate, clipRange);
      updates++;
      return {
        steps: updates * rows,
        meanReward: meanOf(recent),
        explainedVariance: explainedVariance(rollout.values, rollout.returns),
        learningRate,
        ...learned,
      };
    },
    agent: () => ({
      parameters: trainer.parameters(),
      mean: moments.mean.slice(),
      variance: moments.variance.slice(),
    }),
    state: () => ({
      train: trainer.state(),
      updates,
      moments: saveMoments(moments),
      rewardMoments: saveMoments(rewardScale.moments),
      discountedReturns: Array.from(rewardScale.returns),
      recent: [...recent],
      environment: environment.snapshot(),
    }),
    restore(state) {
      trainer.restore(state.train);
      updates = state.updates;
      recent = [...state.recent];
      loadMoments(moments, state.moments);
      loadMoments(rewardScale.moments, state.rewardMoments);
      rewardScale.returns.set(state.discountedReturns);
      environment.restore(state.environment);
    },
    async dispose() {
      await trainer.dispose();
      await judge.release();
    },
  };
}

const METRICS = ['policyLoss', 'valueLoss', 'entropy', 'approxKl', 'clipFraction'] as const;

/** The longest run of gradient steps that divides all of them. */
function unrollOf(steps: number): number {
  let unroll = Math.min(LONGEST_UNROLL, steps);
  while (steps % unroll !== 0) unroll--;
  return unroll;
}

function lossOf(network: Network<Tensor, ActorCriticOutput>, params: PpoParams): Loss {
  return (pass, { observations, actions, facts }) => {
    const { actor, values } = network.forward(pass, observations);
    const [oldLogProbability, advantages, returns, oldValues, clipRange] = tf.unstack(facts, 1);
    return ppoLoss(
      {
        ...evaluateActions(actor, actions),
        values,
        oldLogProbability,
        advantages,
        returns,
        oldValues,
        clipRange,
      },
      params,
    );
  };
}

/** The critic over all observations of a rollout at once, with the parameters as an input. */
function valueProgram(network: Network<Tensor, ActorCriticOutput>, rows: number, size: number): Program {
  return {
    name: `${network.name} values`,
    build(inputs) {
      const flat = inputs.input('parameters', [parameterCount(network.parameters)], 'float32');
      const observations = inputs.input('observations', [rows, size], 'float32');
      const values = unflatten(network.parameters, flat);
      const pass = createPass(inputs, { training: false, values, rows, firstRow: 0, stepOffset: 0 });
      return { values: network.forward(pass, observations).values };
    },
  };
}

const meanOf = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

function explainedVariance(values: Float32Array, returns: Float32Array): number | undefined {
  const spread = varianceOf(returns);
  if (spread === 0) return undefined;
  return 1 - varianceOf(returns.map((value, i) => value - values[i])) / spread;
}

function varianceOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return squares / values.length;
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
