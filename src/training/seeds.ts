import { join } from 'node:path';
import { deviation, mean } from '../evaluation/statistics.ts';
import type { Model } from '../models/model.ts';

/**
 * A run may train a model several times, from different seeds, to tell what it learned from luck. The first of them,
 * number 1, is the one that forecasts; the others only show how much the figures vary.
 */
export const seedNumbers = (
  { stochastic }: Model,
  { seeds }: { readonly seeds: number },
): readonly number[] => Array.from({ length: stochastic ? seeds : 1 }, (_, i) => i + 1);

/** What one of them is called in the log and among the snapshots. */
export const seedName = (id: string, number: number): string => (number === 1 ? id : `${id}-seed-${number}`);

/** Where it lies: `<run>/<model>`, `<run>/seeds/<model>/<number>`. */
export const seedFolder = (runPath: string, id: string, number: number): string =>
  number === 1 ? join(runPath, id) : join(runPath, 'seeds', id, String(number));

/** Figures of several seeds in two: standard deviation of the sample. */
export interface Spread {
  readonly mean: number;
  /** Absent for a single value. */
  readonly deviation?: number;
}

/** `undefined` when a seed does not have the figure. */
export function spread(values: readonly (number | undefined)[]): Spread | undefined {
  const known = Float64Array.from(values.filter((value) => value !== undefined));
  const centre = mean(known);
  if (centre === undefined || known.length < values.length) return undefined;
  const width = deviation(known);
  return { mean: centre, ...(width !== undefined && { deviation: width }) };
}

/** As in "51.3 +- 0.8"; "-" where it is not known. */
export const spreadText = (of: Spread | undefined, digits: number): string =>
  of === undefined
    ? '-'
    : `${of.mean.toFixed(digits)}${of.deviation === undefined ? '' : ` +- ${of.deviation.toFixed(digits)}`}`;
