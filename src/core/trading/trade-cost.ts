import type { Candles } from '../market/candles.ts';
import { createLiquidity, impactRate, type LiquidityColumns, seeLiquidity } from './liquidity.ts';
import type { ExecutionRules } from './rules.ts';

type CostRules = Pick<ExecutionRules, 'feeBps' | 'slippageBps'> & Partial<Pick<ExecutionRules, 'impact'>>;

/**
 * How much worse than the reference price a market order of `baseAmount` fills: what the core charges and what strategies
 * expect. A fixed rate, unless the rules model it from what is known of the symbol.
 */
export const slippageRate = (
  { slippageBps, impact }: Omit<CostRules, 'feeBps'>,
  known: LiquidityColumns,
  s: number,
  baseAmount: number,
): number => (impact === undefined ? slippageBps / 10_000 : impactRate(known, impact, s, baseAmount));

/** What a market order is expected to cost one way, fee and slippage together, as a fraction of its value. */
export const costOf = (feeBps: number, slippage: number): number =>
  (1 + feeBps / 10_000) * (1 + slippage) - 1;

/** The same for a decision that knows nothing of the market's depth: modelled slippage counts with the widest half spread. */
export const tradeCost = ({ feeBps, slippageBps, impact }: CostRules): number =>
  costOf(feeBps, (impact?.maxHalfSpreadBps ?? slippageBps) / 10_000);

/** What an order worth `quoteAmount` would cost one way at the open after each bar, as known at the bar's close. */
export function tradeCosts(candles: Candles, rules: CostRules, quoteAmount: number): Float64Array {
  const known = createLiquidity(1);
  return Float64Array.from(candles.close, (close, row) => {
    if (rules.impact !== undefined) seeLiquidity(known, rules.impact, candles, row, 0);
    return costOf(rules.feeBps, slippageRate(rules, known, 0, quoteAmount / close));
  });
}
