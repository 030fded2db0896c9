import { actionWidth } from '../../../core/environments/environment.ts';
import {
  createMoments,
  createRewardScale,
  type RewardScale,
  type RunningMoments,
  scaleRewards,
  standardise,
  updateMoments,
} from '../../../core/environments/normalise.ts';
import type { VectorEnvironment } from '../../../core/environments/vector.ts';
import type { Random } from '../../../core/foundation/random.ts';
import { boundActions, sampleAction } from '../../learners/agent/actions.ts';
import type { Kernel } from '../../learners/agent/kernel.ts';
import type { Halves } from './halves.ts';
import type { PpoParams } from './params.ts';

export interface Collector {
  /** Statistics of the observations; used where the parameters ask for it. */
  readonly moments: RunningMoments;
  readonly rewardScale: RewardScale;
  /** Starts the environments; a resumed run does not. */
  begin(): void;
  /** Plays `nSteps` steps of every environment with the present networks and fills the rollout. */
  collect(random: Random): void;
}

export function createCollector(
  kernel: Kernel,
  environment: VectorEnvironment,
  params: PpoParams,
  { rollout, actor: { network: actor }, critic: { network: critic } }: Halves,
): Collector {
  const { count, actions: space } = environment;
  const { nSteps, gamma, clipObs, clipReward, normalizeObservation, normalizeReward } = params;
  const size = environment.observation.length;
  const width = actionWidth(space);
  const moments = createMoments(size);
  const rewardScale = createRewardScale(count);
  const taken = new Float32Array(count * width);
  const bounded = new Float32Array(count * width);
  const seen = kernel.allocate(count * size);
  const rewards = new Float64Array(count);
  const ended = (i: number): boolean => environment.terminated[i] === 1 || environment.truncated[i] === 1;

  const view = (values: Float32Array): void => {
    if (normalizeObservation) standardise(moments, values, count, seen.values, clipObs);
    else seen.values.set(values);
  };
  const learnMoments = (): void => {
    if (normalizeObservation) updateMoments(moments, environment.observations, count);
  };
  const act = (t: number, random: Random): void => {
    const first = t * count;
    view(environment.observations);
    rollout.observations.set(seen.values, first * size);
    actor.forward(seen.at, count);
    for (let i = 0; i < count; i++) {
      const said = { said: actor.output, from: i * actor.outputStride, logStd: actor.extra };
      rollout.logProbabilities[first + i] = sampleAction(space, said, random, taken, i * width);
    }
    rollout.actions.set(taken, first * width);
    boundActions(space, taken, bounded);
    environment.step(bounded);
  };
  const earn = (t: number): void => {
    const first = t * count;
    rewards.set(environment.rewards);
    if (normalizeReward) scaleRewards(rewardScale, rewards, ended, { gamma, clip: clipReward });
    if (environment.truncated.includes(1)) {
      view(environment.nextObservations);
      critic.forward(seen.at, count);
      for (let i = 0; i < count; i++)
        if (environment.truncated[i] === 1) rewards[i] += gamma * critic.output[i * critic.outputStride];
    }
    for (let i = 0; i < count; i++) {
      rollout.rewards[first + i] = rewards[i];
      rollout.ended[first + i] = ended(i) ? 1 : 0;
    }
  };
  const valueAll = (): void => {
    const rows = nSteps * count;
    const most = Math.max(params.batchSize, count);
    for (let from = 0; from < rows; from += most) {
      const used = Math.min(most, rows - from);
      critic.forward(rollout.observationsAt + 4 * from * size, used);
      for (let b = 0; b < used; b++) rollout.values[from + b] = critic.output[b * critic.outputStride];
    }
    view(environment.observations);
    critic.forward(seen.at, count);
    for (let i = 0; i < count; i++) rollout.lastValues[i] = critic.output[i * critic.outputStride];
  };
  return {
    moments,
    rewardScale,
    begin() {
      environment.resetAll();
      learnMoments();
    },
    collect(random) {
      for (let t = 0; t < nSteps; t++) {
        act(t, random);
        learnMoments();
        earn(t);
      }
      valueAll();
    },
  };
}
