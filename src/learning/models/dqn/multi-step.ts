import type { VectorEnvironment } from '../../../core/environments/vector.ts';
import type { DqnParams } from './params.ts';
import type { Replay } from './replay.ts';

/**
 * Steps the environments and remembers each state with the discounted sum of its next `nSteps` rewards and the state
 * after them (Sutton & Barto 2018, 7.1). What is left at the end of an episode bootstraps from its last state after
 * a truncation, and from nothing after a termination.
 */
export interface MultiStep {
  step(actions: Float32Array): void;
  snapshot(): MultiStepSnapshot;
  restore(snapshot: MultiStepSnapshot): void;
}

export interface MultiStepSnapshot {
  /** Of each environment: the states that still wait for rewards, oldest first. */
  readonly waiting: readonly (readonly Waiting[])[];
}

interface Waiting {
  readonly observation: Float32Array;
  readonly action: number;
  reward: number;
  rewards: number;
}

export function createMultiStep(
  environment: VectorEnvironment,
  { nSteps, gamma }: Pick<DqnParams, 'nSteps' | 'gamma'>,
  replay: Replay,
): MultiStep {
  const { count, observations, nextObservations, rewards, terminated, truncated } = environment;
  const size = environment.observation.length;
  let waiting: Waiting[][] = Array.from({ length: count }, () => []);

  const remember = (i: number, { observation, action, reward, rewards: summed }: Waiting): void =>
    replay.add({
      from: observation,
      fromAt: 0,
      action,
      reward,
      discount: terminated[i] === 1 ? 0 : gamma ** summed,
      to: nextObservations,
      toAt: i * size,
    });
  return {
    step(actions) {
      for (let i = 0; i < count; i++)
        waiting[i].push({
          observation: observations.slice(i * size, (i + 1) * size),
          action: actions[i],
          reward: 0,
          rewards: 0,
        });
      environment.step(actions);
      for (let i = 0; i < count; i++) {
        const queue = waiting[i];
        for (const entry of queue) entry.reward += gamma ** entry.rewards++ * rewards[i];
        const ended = terminated[i] === 1 || truncated[i] === 1;
        while (queue.length > 0 && (ended || queue[0].rewards === nSteps)) {
          const [oldest] = queue.splice(0, 1);
          remember(i, oldest);
        }
      }
    },
    snapshot: () => ({ waiting: copyOf(waiting) }),
    restore(saved) {
      waiting = copyOf(saved.waiting);
    },
  };
}

const copyOf = (waiting: readonly (readonly Waiting[])[]): Waiting[][] =>
  waiting.map((queue) => queue.map((entry) => ({ ...entry, observation: entry.observation.slice() })));
