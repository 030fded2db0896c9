import type { Random } from '../../../core/foundation/random.ts';

/** Examples that are remembered, by their numbers, so that what was learned of them can be learned again. */
export interface Memory {
  /** Shows it one more example of a group, such as a market regime. */
  see(example: number, group: number): void;
  /** What it holds now, group by group. */
  held(): readonly (readonly number[])[];
  /** `count` examples, drawn with replacement: each group as likely as the next, then each of its examples. */
  draw(count: number): Int32Array;
}

/**
 * Reservoir sampling (Vitter 1985, algorithm R) with one reservoir for each group, all of one size: whatever has been seen
 * more often has no more places. `capacity` is shared among `groups`; every example that a group has shown is held with the
 * same probability.
 */
export function createMemory(capacity: number, groups: number, random: Random): Memory {
  const size = Math.max(1, Math.floor(capacity / groups));
  const reservoirs = Array.from({ length: groups }, (): number[] => []);
  const seen = new Float64Array(groups);
  return {
    see(example, group) {
      const own = reservoirs[group];
      seen[group]++;
      if (own.length < size) own.push(example);
      else {
        const place = Math.floor(random() * seen[group]);
        if (place < size) own[place] = example;
      }
    },
    held: () => reservoirs,
    draw(count) {
      const filled = reservoirs.filter(({ length }) => length > 0);
      return Int32Array.from({ length: filled.length === 0 ? 0 : count }, () => {
        const own = filled[Math.floor(random() * filled.length)];
        return own[Math.floor(random() * own.length)];
      });
    },
  };
}
