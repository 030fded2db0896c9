import { UserError } from '../foundation/errors.ts';
import { suggest } from '../foundation/nearest.ts';
import { costAware } from './cost-aware.ts';
import { own } from './own.ts';
import { quantile } from './quantile.ts';
import { sign } from './sign.ts';
import type { Strategy } from './strategy.ts';
import { threshold } from './threshold.ts';

/** Every built-in strategy, the default first. */
export const strategies: readonly Strategy[] = [costAware, threshold, quantile, own, sign];

/** Throws `UserError` with the nearest id for one that is not there. */
export function findStrategy(id: string, known: readonly Strategy[] = strategies): Strategy {
  const found = known.find((strategy) => strategy.id === id);
  if (found !== undefined) return found;
  throw new UserError(`Unknown strategy "${id}".`, {
    hint: suggest(
      id,
      known.map((strategy) => strategy.id),
    ),
  });
}
