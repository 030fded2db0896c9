import { join } from 'node:path';
import type { Model } from '../../core/forecast/model.ts';

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
