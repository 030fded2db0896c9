import { bestByFronts } from './pareto.ts';
import { type Dimension, isSingle, type Space, stepOf, toNumber } from './space.ts';
import { logNormalMass } from './truncated-normal.ts';
import type { Trial } from './trial.ts';

const GRID = 50;
const TOP_SHARE = 0.1;

/**
 * PED-ANOVA (Watanabe, Bansal & Hutter 2023): how much the best tenth of the trials differs from all of them, parameter
 * by parameter; shares of the sum. A parameter under a condition counts by how often it was there. Empty with fewer than two complete trials.
 */
export function importanceOf(space: Space, trials: readonly Trial[]): Readonly<Record<string, number>> {
  const complete = trials.filter(
    ({ state, values }) => state === 'complete' && values.every(Number.isFinite),
  );
  if (complete.length < 2) return {};
  const top = new Set(topShare(complete));
  const raw = Object.entries(space).map(([name, dimension]): [string, number] => {
    const all = complete.filter(({ params }) => name in params);
    const best = all.filter((trial) => top.has(trial));
    if (isSingle(dimension) || all.length < 2 || best.length === 0) return [name, 0];
    const share = (best.length / top.size) ** 2 / (all.length / complete.length);
    const [above, below] = [best, all].map((some) =>
      gridDensity(
        dimension,
        some.map(({ params }) => toNumber(dimension, params[name])),
      ),
    );
    const divergence = below.reduce((sum, density, i) => sum + density * (above[i] / density - 1) ** 2, 0);
    return [name, share * divergence];
  });
  const sum = raw.reduce((total, [, value]) => total + value, 0);
  return Object.fromEntries(
    raw
      .map(([name, value]): [string, number] => [name, sum === 0 ? 0 : value / sum])
      .sort((a, b) => b[1] - a[1]),
  );
}

/** The best tenth, with all that equal the worst of them. */
function topShare(trials: readonly Trial[]): readonly Trial[] {
  const count = Math.ceil(TOP_SHARE * trials.length);
  if (trials[0].values.length > 1) return bestByFronts(trials, count);
  const cutoff = trials.map(({ values }) => values[0]).sort((a, b) => a - b)[count - 1];
  return trials.filter(({ values }) => values[0] <= cutoff);
}

/** Probabilities of the grid's cells, by a density estimate with Scott's bandwidth and a uniform prior of weight 1. */
function gridDensity(dimension: Dimension, seen: readonly number[]): readonly number[] {
  const counts =
    dimension.kind === 'categorical'
      ? choiceCounts(seen, dimension.choices.length)
      : gridCounts(dimension, seen);
  const cells = counts.flatMap((count, cell) => (count > 0 ? [cell] : []));
  const weights = cells.map((cell) => counts[cell]);
  const total = weights.reduce((sum, weight) => sum + weight, 0) + 1;
  if (dimension.kind === 'categorical') {
    const kernels = cells.length + 1;
    const row = (own: number, at: number): number =>
      ((own === at ? 1 : 0) + 1 / kernels) / (1 + counts.length / kernels);
    return counts.map(
      (_, at) =>
        (cells.reduce((sum, cell, k) => sum + weights[k] * row(cell, at), 0) + 1 / counts.length) / total +
        1e-12,
    );
  }
  const high = counts.length - 1;
  const sigma = bandwidth(cells, weights);
  const mass = (centre: number, width: number, from: number, until: number): number =>
    Math.exp(logNormalMass((from - centre) / width, (until - centre) / width));
  const kernel = (centre: number, width: number, at: number): number =>
    mass(centre, width, at - 0.5, at + 0.5) / mass(centre, width, -0.5, high + 0.5);
  return counts.map(
    (_, at) =>
      (cells.reduce((sum, cell, k) => sum + weights[k] * kernel(cell, sigma, at), 0) +
        kernel(high / 2, high + 1, at)) /
        total +
      1e-12,
  );
}

function bandwidth(cells: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = cells.reduce((sum, cell, k) => sum + cell * weights[k], 0) / total;
  const variance =
    cells.reduce((sum, cell, k) => sum + (cell - mean) ** 2 * weights[k], 0) / Math.max(1, total - 1);
  const cumulated = weights.map((_, k) => weights.slice(0, k + 1).reduce((sum, weight) => sum + weight, 0));
  const first = cumulated.findIndex((sum) => sum >= Math.floor(total / 4));
  const third = cumulated.findIndex((sum) => sum > Math.floor((total * 3) / 4));
  const range = cells[third < 0 ? cells.length - 1 : third] - cells[Math.max(first, 0)];
  return Math.max(1.059 * Math.min(range / 1.34, Math.sqrt(variance)) * total ** -0.2, 0.5 / 1.64);
}

function choiceCounts(seen: readonly number[], choices: number): number[] {
  const counts = new Array<number>(choices).fill(0);
  for (const choice of seen) counts[choice]++;
  return counts;
}

function gridCounts(
  dimension: Exclude<Dimension, { kind: 'categorical' }>,
  seen: readonly number[],
): number[] {
  const { kind, log } = dimension;
  const step = stepOf(dimension);
  let cells = GRID;
  if (kind === 'int' && log)
    cells = Math.min(Math.ceil(Math.log2(dimension.high - dimension.low + 1)) + 1, GRID);
  else if (step !== undefined)
    cells = Math.min(Math.round((dimension.high - dimension.low) / step) + 1, GRID);
  const scaled = (value: number): number => (log ? Math.log(value) : value);
  const [low, high] = [scaled(dimension.low), scaled(dimension.high)];
  const width = (high - low) / (cells - 1);
  const counts = new Array<number>(cells).fill(0);
  for (const value of seen)
    counts[Math.min(Math.max(Math.ceil((scaled(value) - low) / width - 0.5), 0), cells - 1)]++;
  return counts;
}
