import { createParzen, type Parzen } from '../parzen.ts';
import { type Dimension, drawn, fill, isSingle, type Params, type Space } from '../space.ts';
import { finished, type Sampler, type Trial } from '../trial.ts';
import { bestByFronts } from '../pareto.ts';

export interface TpeOptions {
  /** Random trials before the first that is chosen. Default 10. */
  readonly startupTrials?: number;
  /** Candidates drawn from the good trials' density. Default 24. */
  readonly candidates?: number;
  /**
   * `joint` (default): parameters that every trial has are drawn together, the others one by one. `group`: parameters
   * that come together are drawn together, for spaces with conditions. `independent`: each by itself.
   */
  readonly mode?: 'joint' | 'group' | 'independent';
}

/**
 * Tree-structured Parzen estimator (Bergstra et al. 2011) with the choices of Optuna 5: of a tenth of the trials, 25 at
 * most, and of the others a density each; the candidate of the first that is likeliest against the second wins. Trials
 * that still run count among the others (constant liar), so that workers do not all try one place. Several objectives:
 * the tenth is the best fronts (Ozaki et al. 2022); infeasible trials come last.
 */
export function createTpe({ startupTrials = 10, candidates = 24, mode = 'joint' }: TpeOptions = {}): Sampler {
  return {
    suggest(space, trials, { number, random }) {
      const others = trials.filter((trial) => trial.number !== number && trial.state !== 'failed');
      const done = finished(others);
      if (done.length < startupTrials) return fill(space, (_name, dimension) => drawn(dimension, random));
      const objectives = done.find(({ values }) => values.length > 0)?.values.length ?? 1;
      const good = goodTrials(others, gamma(done.length, objectives));
      const search = (part: Space): Params => {
        const names = Object.keys(part);
        const sides: readonly Params[][] = [[], []];
        for (const trial of others)
          if (names.every((name) => trial.params[name] !== undefined))
            sides[good.has(trial) ? 0 : 1].push(trial.params);
        const [low, high] = sides.map((side): Parzen => createParzen(part, side));
        let best: Params = {};
        let bestGain = -Infinity;
        for (let c = 0; c < candidates; c++) {
          const candidate = low.draw(random);
          const gain = low.logDensity(candidate) - high.logDensity(candidate);
          if (gain <= bestGain && c > 0) continue;
          [best, bestGain] = [candidate, gain];
        }
        return best;
      };
      const together: Record<string, Params[string]> = {};
      for (const part of jointParts(space, done, mode)) Object.assign(together, search(part));
      return fill(space, (name, dimension) => {
        if (name in together) return together[name];
        if (isSingle(dimension)) return drawn(dimension, random);
        return search({ [name]: unconditional(dimension) })[name];
      });
    },
  };
}

/** How many trials count as good: a tenth, 25 at most where there is one objective. */
export const gamma = (trials: number, objectives = 1): number =>
  objectives > 1 ? Math.ceil(0.1 * trials) : Math.min(Math.ceil(0.1 * trials), 25);

const unconditional = (dimension: Dimension): Dimension => ({ ...dimension, when: {} });

/** The parts of the space that are drawn together. */
function jointParts(
  space: Space,
  done: readonly Trial[],
  mode: 'joint' | 'group' | 'independent',
): readonly Space[] {
  if (mode === 'independent') return [];
  const names = Object.keys(space).filter((name) => !isSingle(space[name]));
  const part = (chosen: readonly string[]): Space =>
    Object.fromEntries(chosen.map((name) => [name, unconditional(space[name])]));
  if (mode === 'joint') {
    const common = names.filter((name) => done.every(({ params }) => params[name] !== undefined));
    return common.length === 0 ? [] : [part(common)];
  }
  // Two parameters are of one group where every trial has both or neither.
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const pattern = done.map(({ params }) => (name in params ? '1' : '0')).join('');
    if (pattern.includes('1')) groups.set(pattern, [...(groups.get(pattern) ?? []), name]);
  }
  return [...groups.values()].map(part);
}

/** The best trials: complete and feasible ones first, then pruned ones by how far they came, then the least infeasible. */
function goodTrials(trials: readonly Trial[], count: number): ReadonlySet<Trial> {
  const feasible = trials.filter(({ state, violation }) => state !== 'running' && violation === 0);
  const complete = feasible.filter(({ state }) => state === 'complete');
  const pruned = feasible
    .filter(({ state }) => state === 'pruned')
    .sort((a, b) => reach(a)[0] - reach(b)[0] || reach(a)[1] - reach(b)[1]);
  const infeasible = trials
    .filter(({ state, violation }) => state !== 'running' && violation > 0)
    .sort((a, b) => a.violation - b.violation);
  return new Set([...bestByFronts(complete, count), ...pruned, ...infeasible].slice(0, count));
}

/** Later steps first, then lower values. */
function reach({ intermediate }: Trial): readonly [number, number] {
  if (intermediate.length === 0) return [1, 0];
  const [step, value] = intermediate.reduce((latest, one) => (one[0] > latest[0] ? one : latest));
  return [-step, Number.isNaN(value) ? Infinity : value];
}
