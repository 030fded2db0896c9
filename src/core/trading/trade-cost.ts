import type { ExecutionRules } from './rules.ts';

/** What a market order is expected to cost one way, fee and slippage together, as a fraction of its value. */
export const tradeCost = ({ feeBps, slippageBps }: Pick<ExecutionRules, 'feeBps' | 'slippageBps'>): number =>
  (1 + feeBps / 10_000) * (1 + slippageBps / 10_000) - 1;
