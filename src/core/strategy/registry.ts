import type { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../foundation/errors.ts';
import { suggest } from '../foundation/nearest.ts';
import { costAware } from './cost-aware.ts';
import { metaLabel } from './meta-label.ts';
import { own } from './own.ts';
import { quantile } from './quantile.ts';
import { sign } from './sign.ts';
import { Sizing, withSizing } from './sizing.ts';
import type { Strategy } from './strategy.ts';
import { threshold } from './threshold.ts';

/** Every built-in strategy, the default first. */
export const strategies: readonly Strategy[] = [costAware, threshold, quantile, metaLabel, own, sign];

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

/**
 * The strategy of that name with its parameters, absent ones by default; `sizing` among them says how large its positions are
 * (sizing.ts). Throws `UserError` for what it does not take.
 */
export function chooseStrategy(
  id: string,
  params: Readonly<Record<string, unknown>>,
  known: readonly Strategy[] = strategies,
): { readonly strategy: Strategy; readonly params: unknown } {
  const { sizing, ...own } = params;
  const strategy = findStrategy(id, known);
  const parsed = parseOr(strategy.params, own, `parameters of the strategy "${id}" are`, `strategies.${id}`);
  if (sizing === undefined) return { strategy, params: parsed };
  if (strategy.restates)
    throw new UserError(`The strategy "${id}" takes positions as models state them: it has no sizing.`, {
      hint: 'Leave out `sizing` in config.yaml, or choose another strategy.',
    });
  const size = parseOr(Sizing, sizing, 'sizing is', 'sizing');
  return { strategy: withSizing(strategy, parsed, size), params: { ...Object(parsed), sizing: size } };
}

function parseOr<T>(schema: z.ZodType<T>, value: unknown, what: string, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UserError(`The ${what} not valid.\n${issueLines(parsed.error).join('; ')}`, {
    hint: `Correct ${where} in config.yaml.`,
  });
}
