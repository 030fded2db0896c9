import { z } from 'zod';
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

/** The strategy of that name with its parameters, absent ones by default. Throws `UserError` for what it does not take. */
export function chooseStrategy(
  id: string,
  params: Readonly<Record<string, unknown>>,
  known: readonly Strategy[] = strategies,
): { readonly strategy: Strategy; readonly params: unknown } {
  const strategy = findStrategy(id, known);
  const parsed = strategy.params.safeParse(params);
  if (parsed.success) return { strategy, params: parsed.data };
  throw new UserError(
    `The parameters of the strategy "${id}" are not valid.\n${z.prettifyError(parsed.error)}`,
    {
      hint: `Correct strategies.${id} in config.yaml.`,
    },
  );
}
