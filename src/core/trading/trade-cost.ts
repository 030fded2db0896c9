import { type Candles, lowerBound } from '../market/candles.ts';
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

/**
 * The same of each symbol, by what the bars before `asOfMs` say of its spread, volume and volatility, for an order of all that
 * may be held of it at the start. Before any bar is known, and without a model of slippage, it is that of `tradeCost`.
 */
export function tradeCostsFrom(
  rules: CostRules & Pick<ExecutionRules, 'initialBalance' | 'maxPositionPct'>,
): (candles: Candles, asOfMs: number) => number {
  const plain = tradeCost(rules);
  const { impact, feeBps, initialBalance, maxPositionPct } = rules;
  if (impact === undefined) return () => plain;
  return (candles, asOfMs) => {
    const until = lowerBound(candles.time, asOfMs);
    if (until === 0) return plain;
    const known = createLiquidity(1);
    for (let row = Math.max(0, until - SEEN * impact.windowBars); row < until; row++)
      seeLiquidity(known, impact, candles, row, 0);
    const amount = (initialBalance * maxPositionPct) / 100 / candles.close[until - 1];
    return costOf(feeBps, impactRate(known, impact, 0, amount));
  };
}

/** Exponential means have forgotten what lies so many times their length back. */
const SEEN = 10;

/** What an order worth `quoteAmount` would cost one way at the open after each bar, as known at the bar's close. */
export function tradeCosts(candles: Candles, rules: CostRules, quoteAmount: number): Float64Array {
  const known = createLiquidity(1);
  return Float64Array.from(candles.close, (close, row) => {
    if (rules.impact !== undefined) seeLiquidity(known, rules.impact, candles, row, 0);
    return costOf(rules.feeBps, slippageRate(rules, known, 0, quoteAmount / close));
  });
}
