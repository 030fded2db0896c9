import { normalCdf } from './statistics.ts';

/** How good stated quantiles of a return are. */
export interface QuantileScores {
  readonly samples: number;
  /** Level by level: the share of outcomes at or below the quantile, which should be the level. */
  readonly coverage: readonly {
    readonly level: number;
    readonly observed: number;
    readonly pinball: number;
  }[];
  /** Continuous ranked probability score, in the outcome's unit: twice the pinball loss over all levels. */
  readonly crps: number;
  /** Probability integral transform: share of outcomes in each gap between quantiles, and the share that should be. */
  readonly pit: readonly { readonly expected: number; readonly observed: number }[];
}

/**
 * Scores quantiles `columns[q][row]` of rising `levels` against outcomes. Rows with a NaN on either side do not
 * count. `undefined` without a row.
 */
export function quantileScores(
  levels: readonly number[],
  columns: readonly Float64Array[],
  outcome: Float64Array,
): QuantileScores | undefined {
  const below = levels.map(() => 0);
  const losses = levels.map(() => 0);
  const gaps = Array.from({ length: levels.length + 1 }, () => 0);
  let samples = 0;
  for (let row = 0; row < outcome.length; row++) {
    const y = outcome[row];
    if (Number.isNaN(y) || columns.some((column) => Number.isNaN(column[row]))) continue;
    samples++;
    let gap = levels.length;
    for (let q = levels.length - 1; q >= 0; q--) {
      losses[q] += pinball(levels[q], columns[q][row], y);
      if (y <= columns[q][row]) {
        below[q]++;
        gap = q;
      }
    }
    gaps[gap]++;
  }
  if (samples === 0) return undefined;
  const edges = [0, ...levels, 1];
  return {
    samples,
    coverage: levels.map((level, q) => ({
      level,
      observed: below[q] / samples,
      pinball: losses[q] / samples,
    })),
    crps:
      2 *
      integrate(
        levels,
        losses.map((loss) => loss / samples),
      ),
    pit: gaps.map((count, gap) => ({
      expected: edges[gap + 1] - edges[gap],
      observed: count / samples,
    })),
  };
}

/** Koenker & Bassett 1978: what stating `quantile` for the level costs when `outcome` comes. */
export const pinball = (level: number, quantile: number, outcome: number): number =>
  outcome >= quantile ? level * (outcome - quantile) : (1 - level) * (quantile - outcome);

/** CRPS of a normal forecast (Gneiting & Raftery 2007, eq. 21 with the sign turned). */
export function normalCrps(mean: number, deviation: number, outcome: number): number {
  const z = (outcome - mean) / deviation;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return deviation * (z * (2 * normalCdf(z) - 1) + 2 * density - 1 / Math.sqrt(Math.PI));
}

/** Over levels 0 to 1 by trapezoids; the loss of a level outside the stated ones is taken from the nearest. */
function integrate(levels: readonly number[], losses: readonly number[]): number {
  const last = levels.length - 1;
  let area = levels[0] * losses[0] + (1 - levels[last]) * losses[last];
  for (let q = 0; q < last; q++) area += ((losses[q] + losses[q + 1]) / 2) * (levels[q + 1] - levels[q]);
  return area;
}
