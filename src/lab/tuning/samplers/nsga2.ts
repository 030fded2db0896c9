import type { Random } from '../../../core/foundation/random.ts';
import { fronts } from '../pareto.ts';
import { drawn, fill } from '../space.ts';
import type { Sampler, Trial } from '../trial.ts';

/**
 * NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002) for several objectives: parents by tournament on front and crowding,
 * uniform crossover, one parameter in so many drawn anew; infeasible trials lose to feasible ones. Generations are blocks
 * of `populationSize` trials in the order of their numbers.
 */
export const createNsga2 = ({ populationSize = 50 }: { readonly populationSize?: number } = {}): Sampler => ({
  suggest(space, trials, { number, random }) {
    const generation = Math.floor(number / populationSize);
    const parents = population(trials, generation, populationSize);
    if (parents.length < 2) return fill(space, (_name, dimension) => drawn(dimension, random));
    const [one, other] = [tournament(parents, random), tournament(parents, random)];
    const rate = 1 / Object.keys(space).length;
    return fill(space, (name, dimension) => {
      const from = random() < 0.5 ? one.params : other.params;
      const value = from[name] ?? one.params[name] ?? other.params[name];
      return value === undefined || random() < rate ? drawn(dimension, random) : value;
    });
  },
});

interface Ranked extends Trial {
  readonly rank: number;
  readonly crowding: number;
}

/** The survivors of all generations before this one. */
function population(trials: readonly Trial[], generation: number, size: number): readonly Ranked[] {
  let survivors: readonly Ranked[] = [];
  for (let g = 0; g < generation; g++) {
    const born = trials.filter(
      ({ number, state }) => Math.floor(number / size) === g && state === 'complete',
    );
    survivors = ranked([...survivors, ...born]).slice(0, size);
  }
  return survivors;
}

/** By front, then by crowding; infeasible ones behind, by violation. */
function ranked(trials: readonly Trial[]): readonly Ranked[] {
  const feasible = trials.filter(({ violation }) => violation === 0);
  const ordered: Ranked[] = [];
  for (const [rank, front] of fronts(feasible).entries()) {
    const distance = new Map(front.map((trial) => [trial, 0]));
    for (let o = 0; o < front[0].values.length; o++) {
      const sorted = [...front].sort((a, b) => a.values[o] - b.values[o]);
      const span = sorted[sorted.length - 1].values[o] - sorted[0].values[o] || 1;
      for (const [i, trial] of sorted.entries()) {
        const [below, above] = [sorted[i - 1], sorted[i + 1]];
        const gap = below && above ? (above.values[o] - below.values[o]) / span : Infinity;
        distance.set(trial, (distance.get(trial) ?? 0) + gap);
      }
    }
    ordered.push(
      ...front
        .map((trial) => ({ ...trial, rank, crowding: distance.get(trial) ?? 0 }))
        .sort((a, b) => b.crowding - a.crowding),
    );
  }
  const worst = ordered.length === 0 ? 0 : ordered[ordered.length - 1].rank + 1;
  const infeasible = trials
    .filter(({ violation }) => violation > 0)
    .sort((a, b) => a.violation - b.violation);
  return [...ordered, ...infeasible.map((trial, i) => ({ ...trial, rank: worst + i, crowding: 0 }))];
}

function tournament(parents: readonly Ranked[], random: Random): Trial {
  const [a, b] = [0, 1].map(() => parents[Math.floor(random() * parents.length)]);
  return a.rank < b.rank || (a.rank === b.rank && a.crowding >= b.crowding) ? a : b;
}
