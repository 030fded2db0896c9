import type { Random } from '../../../core/foundation/random.ts';

/** The last `capacity` transitions as columns; the oldest is overwritten. */
export interface Replay {
  readonly count: number;
  /** Takes in the observation at `from[fromAt]`, what was done, what it earned, and the observation at `to[toAt]`. */
  add(transition: Transition): void;
  /** Draws `rows` transitions with replacement. */
  sample(random: Random, rows: number, into: ReplaySample): void;
  snapshot(): ReplaySnapshot;
  restore(snapshot: ReplaySnapshot): void;
}

export interface Transition {
  readonly from: Float32Array;
  readonly fromAt: number;
  readonly action: number;
  readonly reward: number;
  /** What the value of `to` counts: gamma to the number of rewards summed; 0 after a termination. */
  readonly discount: number;
  readonly to: Float32Array;
  readonly toAt: number;
}

export interface ReplaySample {
  readonly observations: Float32Array;
  /** Indices. */
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly discounts: Float32Array;
  readonly nextObservations: Float32Array;
}

export interface ReplaySnapshot {
  readonly columns: readonly Float32Array[];
  readonly next: number;
}

export function createReplay(capacity: number, size: number): Replay {
  const observations = new Float32Array(capacity * size);
  const nextObservations = new Float32Array(capacity * size);
  const actions = new Float32Array(capacity);
  const rewards = new Float32Array(capacity);
  const discounts = new Float32Array(capacity);
  const columns = [observations, nextObservations, actions, rewards, discounts];
  let next = 0;
  let count = 0;
  return {
    get count() {
      return count;
    },
    add({ from, fromAt, action, reward, discount, to, toAt }) {
      for (let k = 0; k < size; k++) {
        observations[next * size + k] = from[fromAt + k];
        nextObservations[next * size + k] = to[toAt + k];
      }
      actions[next] = action;
      rewards[next] = reward;
      discounts[next] = discount;
      next = (next + 1) % capacity;
      if (count < capacity) count++;
    },
    sample(random, rows, into) {
      for (let b = 0; b < rows; b++) {
        const drawn = Math.floor(random() * count);
        for (let k = 0; k < size; k++) {
          into.observations[b * size + k] = observations[drawn * size + k];
          into.nextObservations[b * size + k] = nextObservations[drawn * size + k];
        }
        into.actions[b] = actions[drawn];
        into.rewards[b] = rewards[drawn];
        into.discounts[b] = discounts[drawn];
      }
    },
    snapshot: () => ({
      columns: columns.map((column) => column.slice(0, (column.length / capacity) * count)),
      next,
    }),
    restore(saved) {
      columns.forEach((column, i) => column.set(saved.columns[i]));
      next = saved.next;
      count = saved.columns[2].length;
    },
  };
}
