import {
  createHalvingPruner,
  createHyperbandPruner,
  createPatientPruner,
  createPercentilePruner,
  createWilcoxonPruner,
  type Pruner,
} from './pruners.ts';
import { createCmaEs } from './samplers/cma-es.ts';
import { createGridSampler } from './samplers/grid.ts';
import { createNsga2 } from './samplers/nsga2.ts';
import { createRandomSampler } from './samplers/random.ts';
import { createSobolSampler } from './samplers/sobol.ts';
import { createTpe } from './samplers/tpe.ts';
import type { Sampler, Trial } from './trial.ts';

/** Ways to choose what is tried next, by the names that a study keeps. */
export const SAMPLERS = [
  'tpe',
  'tpe-group',
  'tpe-independent',
  'random',
  'grid',
  'sobol',
  'cma-es',
  'nsga2',
] as const;
type SamplerName = (typeof SAMPLERS)[number];

const samplers: Readonly<Record<SamplerName, (seed: number) => Sampler>> = {
  tpe: () => createTpe(),
  'tpe-group': () => createTpe({ mode: 'group' }),
  'tpe-independent': () => createTpe({ mode: 'independent' }),
  random: createRandomSampler,
  grid: createGridSampler,
  sobol: createSobolSampler,
  'cma-es': () => createCmaEs(),
  nsga2: () => createNsga2(),
};
export const createSampler = (name: SamplerName, seed: number): Sampler => samplers[name](seed);

/** Ways to stop what is not worth going on with. */
export const PRUNERS = [
  'none',
  'median',
  'percentile',
  'halving',
  'hyperband',
  'wilcoxon',
  'patient',
] as const;
type PrunerName = (typeof PRUNERS)[number];

/** `steps`: how many a whole trial reports. */
const pruners: Readonly<Record<PrunerName, (steps: number) => Pruner>> = {
  none: () => () => false,
  median: () => onMeans(createPercentilePruner({ warmupSteps: 1 })),
  percentile: () => onMeans(createPercentilePruner({ percentile: 25, warmupSteps: 1 })),
  halving: () => onMeans(createHalvingPruner({ reductionFactor: 2 })),
  hyperband: (steps) =>
    onMeans(createHyperbandPruner({ maxResource: Math.max(steps, 1), reductionFactor: 2 })),
  wilcoxon: () => createWilcoxonPruner(),
  patient: () => onMeans(createPatientPruner(createPercentilePruner(), { patience: 2 })),
};

/** Folds differ more than trials do: what these compare at a step is the mean so far. */
const onMeans =
  (pruner: Pruner): Pruner =>
  (trial, others) =>
    pruner(withMeans(trial), others.map(withMeans));

/** The trial with means over the steps so far in place of each step's own value. */
export function withMeans(trial: Trial): Trial {
  let sum = 0;
  const intermediate = trial.intermediate.map(([step, value], i): readonly [number, number] => {
    sum += value;
    return [step, sum / (i + 1)];
  });
  return { ...trial, intermediate };
}
export const createPruner = (name: PrunerName, steps: number): Pruner => pruners[name](steps);
