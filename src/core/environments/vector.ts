import { invariant } from '../foundation/errors.ts';
import { createRandom, deriveSeed } from '../foundation/random.ts';
import { type ActionSpace, actionWidth, type Environment } from './environment.ts';

/** Copies of one environment stepped together; row i of every column belongs to copy i. */
export interface VectorEnvironment {
  readonly id: string;
  readonly count: number;
  readonly observation: readonly string[];
  readonly actions: ActionSpace;
  /** [count, observation.length]: what the agent sees now, after an automatic reset where an episode ended. */
  readonly observations: Float32Array;
  /** [count, observation.length]: the observation after the step, before a reset: bootstrap from it when truncated. */
  readonly nextObservations: Float32Array;
  /** [count] */
  readonly rewards: Float64Array;
  readonly terminated: Uint8Array;
  readonly truncated: Uint8Array;
  /** Return and length of the episodes that ended, oldest first; the caller may empty it. */
  readonly finished: { readonly reward: number; readonly steps: number }[];
  /** Episodes start with numbers from this seed from now on; `resetAll` also starts them all anew. */
  reseed(seed: number): void;
  resetAll(): void;
  /** `actions` [count, width]. */
  step(actions: Float32Array): void;
  snapshot(): VectorSnapshot;
  restore(snapshot: VectorSnapshot): void;
}

export interface VectorSnapshot {
  readonly environments: readonly (readonly number[])[];
  readonly observations: readonly number[];
  readonly steps: readonly number[];
  readonly episodeRewards: readonly number[];
}

/** Steps `environments`, all of one kind, side by side and restarts each when its episode ends. */
export function vectorise(environments: readonly Environment[]): VectorEnvironment {
  const [first] = environments;
  invariant(first !== undefined, 'a vector of environments has at least one');
  const { id, observation, actions: space, maxSteps } = first;
  for (const other of environments)
    invariant(other.observation.join() === observation.join(), 'environments of a vector are of one kind');
  const count = environments.length;
  const size = observation.length;
  const width = actionWidth(space);
  const observations = new Float32Array(count * size);
  const nextObservations = new Float32Array(count * size);
  const rewards = new Float64Array(count);
  const terminated = new Uint8Array(count);
  const truncated = new Uint8Array(count);
  const steps = new Int32Array(count);
  const episodeRewards = new Float64Array(count);
  const finished: { reward: number; steps: number }[] = [];
  let randoms = environments.map((_, i) => createRandom(i));

  const reset = (i: number): void => {
    environments[i].reset(randoms[i], observations, i * size);
    steps[i] = 0;
    episodeRewards[i] = 0;
  };
  return {
    id,
    count,
    observation,
    actions: space,
    observations,
    nextObservations,
    rewards,
    terminated,
    truncated,
    finished,
    reseed(seed) {
      randoms = environments.map((_, i) => createRandom(deriveSeed(seed, `environment.${i}`)));
    },
    resetAll() {
      for (let i = 0; i < count; i++) reset(i);
    },
    step(actions) {
      for (let i = 0; i < count; i++) {
        const environment = environments[i];
        const at = i * size;
        const reward = environment.step(actions, i * width, nextObservations, at);
        rewards[i] = reward;
        episodeRewards[i] += reward;
        steps[i]++;
        terminated[i] = environment.terminated ? 1 : 0;
        truncated[i] = !environment.terminated && steps[i] >= maxSteps ? 1 : 0;
        if (terminated[i] === 1 || truncated[i] === 1) {
          finished.push({ reward: episodeRewards[i], steps: steps[i] });
          reset(i);
        } else for (let k = 0; k < size; k++) observations[at + k] = nextObservations[at + k];
      }
    },
    snapshot: () => ({
      environments: environments.map((environment) => environment.snapshot()),
      observations: Array.from(observations),
      steps: Array.from(steps),
      episodeRewards: Array.from(episodeRewards),
    }),
    restore(saved) {
      environments.forEach((environment, i) => environment.restore(saved.environments[i]));
      observations.set(saved.observations);
      steps.set(saved.steps);
      episodeRewards.set(saved.episodeRewards);
    },
  };
}
