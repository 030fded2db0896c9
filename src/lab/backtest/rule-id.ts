import { createHash } from 'node:crypto';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';

/**
 * Identifies a decision rule: who decides, with which weights, under which rules. What trading costs and how much
 * capital there is decide nothing; neither does the range of bars it is tried on.
 */
export function ruleId(strategy: string, weights: unknown, rules: ExecutionRules, risk?: RiskRules): string {
  const { initialBalance: _, feeBps: __, slippageBps: ___, impact: ____, ...decides } = rules;
  return createHash('sha256')
    .update(canonicalJson([strategy, weights, decides, ...(risk === undefined ? [] : [risk])]))
    .digest('hex')
    .slice(0, 32);
}

/** Keys in order, so that equal values have equal texts. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
