import { type ActionSpace, actionWidth } from '../../environments/environment.ts';
import {
  createMoments,
  createRewardScale,
  type RewardScale,
  type RunningMoments,
  scaleRewards,
  standardise,
  updateMoments,
} from '../../environments/normalise.ts';
import type { VectorEnvironment } from '../../environments/vector.ts';
import type { Random } from '../../foundation/random.ts';
import { boundActions, sampleAction } from '../agent/actions.ts';
import type { RowMlp } from '../agent/mlp.ts';
import type { PpoParams } from './params.ts';

/** What `nSteps` steps of every environment gave, laid out [nSteps, count, ...]. */
export interface Rollout {
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

export interface Collector {
  readonly rollout: Rollout;
  /** Statistics of the observations; used where the parameters ask for it. */
  readonly moments: RunningMoments;
  readonly rewardScale: RewardScale;
  /** Starts the environments; a resumed run does not. */
  begin(): void;
  /** Plays `nSteps` steps with the weights that actor and critic were loaded with; leaves `values` to the caller. */
  collect(random: Random, logStd: Float32Array | undefined): void;
}

export function createCollector(
  environment: VectorEnvironment,
  params: PpoParams,
  { actor, critic }: { readonly actor: RowMlp; readonly critic: RowMlp },
): Collector {
  const { count, actions: space } = environment;
  const { nSteps, gamma, clipObs, clipReward, normalizeObservation, normalizeReward } = params;
  const size = environment.observation.length;
  const width = actionWidth(space);
  const rollout = emptyRollout(nSteps, count, size, space);
  const moments = createMoments(size);
  const rewardScale = createRewardScale(count);
  const taken = new Float32Array(count * width);
  const bounded = new Float32Array(count * width);
  const seen = new Float32Array(count * size);
  const cutOff = new Float32Array(count * size);
  const rewards = new Float64Array(count);
  const ended = (i: number): boolean => environment.terminated[i] === 1 || environment.truncated[i] === 1;

  const view = (values: Float32Array, into: Float32Array): void => {
    if (normalizeObservation) standardise(moments, values, count, into, clipObs);
    else into.set(values);
  };
  const learnMoments = (): void => {
    if (normalizeObservation) updateMoments(moments, environment.observations, count);
  };
  return {
    rollout,
    moments,
    rewardScale,
    begin() {
      environment.resetAll();
      learnMoments();
    },
    collect(random, logStd) {
      for (let t = 0; t < nSteps; t++) {
        const first = t * count;
        view(environment.observations, seen);
        rollout.observations.set(seen, first * size);
        for (let i = 0; i < count; i++) {
          const said = actor.run(seen, i * size);
          rollout.logProbabilities[first + i] = sampleAction(space, said, logStd, random, taken, i * width);
        }
        rollout.actions.set(taken, first * width);
        boundActions(space, taken, bounded);
        environment.step(bounded);
        learnMoments();
        rewards.set(environment.rewards);
        if (normalizeReward) scaleRewards(rewardScale, rewards, ended, { gamma, clip: clipReward });
        let viewed = false;
        for (let i = 0; i < count; i++) {
          let reward = rewards[i];
          if (environment.truncated[i] === 1) {
            if (!viewed) view(environment.nextObservations, cutOff);
            viewed = true;
            reward += gamma * critic.run(cutOff, i * size)[0];
          }
          rollout.rewards[first + i] = reward;
          rollout.ended[first + i] = ended(i) ? 1 : 0;
        }
      }
      view(environment.observations, seen);
      for (let i = 0; i < count; i++) rollout.lastValues[i] = critic.run(seen, i * size)[0];
    },
  };
}

function emptyRollout(nSteps: number, count: number, size: number, space: ActionSpace): Rollout {
  const rows = nSteps * count;
  const column = (): Float32Array => new Float32Array(rows);
  return {
    observations: new Float32Array(rows * size),
    actions: new Float32Array(rows * actionWidth(space)),
    logProbabilities: column(),
    rewards: column(),
    values: column(),
    ended: new Uint8Array(rows),
    lastValues: new Float32Array(count),
    advantages: column(),
    returns: column(),
  };
}
