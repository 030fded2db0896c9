import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { BacktestRun } from '../../core/trading/run.ts';

/** What each fill is charged, as a clause: `fee 10 bp and slippage 5 bp per side`. */
export const costWords = ({ feeBps, feeTiers, slippageBps, impact }: ExecutionRules): string => {
  const fee =
    feeTiers === undefined
      ? `fee ${feeBps} bp`
      : `fee ${feeTiers[0].takerBps} bp for takers and ${feeTiers[0].makerBps} bp for makers${feeTiers.length > 1 ? ', less by turnover,' : ''}`;
  return impact === undefined
    ? `${fee} and slippage ${slippageBps} bp per side`
    : `${fee} per side, slippage by spread (half of it at most ${impact.maxHalfSpreadBps} bp) and market impact of past bars`;
};

/** What becomes of a decision at a close. */
export const entryWords = ({ entry }: Pick<ExecutionRules, 'entry'>): string => {
  if (entry === undefined) return 'fill at the next open';
  const { kind, offsetPct, parts, bars, postOnly } = entry;
  const orders =
    kind === 'stop'
      ? `a stop order ${offsetPct} % beyond it`
      : parts === 1
        ? `a limit order ${offsetPct} % better`
        : `${parts} limit orders from there to ${offsetPct} % better`;
  return `enter by ${orders}${postOnly && kind === 'limit' ? ' (post-only)' : ''}, good for ${bars} bar${bars === 1 ? '' : 's'}, and leave at the next open`;
};

/** Fee and slippage of a run per side, in basis points of what it traded; what its rules say if it never did. */
export function chargedBps({ portfolio }: BacktestRun): number {
  const { feesQuote, slippageQuote, turnoverQuote, rules } = portfolio;
  return turnoverQuote === 0 || (rules.impact === undefined && rules.feeTiers === undefined)
    ? rules.feeBps + rules.slippageBps
    : (1e4 * (feesQuote + slippageQuote)) / turnoverQuote;
}
