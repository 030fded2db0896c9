import { comparisonLines, type PortfolioAssessment } from '../../lab/portfolio/assess.ts';
import type { Rebalance } from '../../lab/portfolio/walk-forward.ts';
import type { PortfolioBacktest } from '../workflows/portfolio.ts';
import { day, figure } from './text.ts';

/** A walk forward as a page of Markdown that says how to make it again. */
export function portfolioMarkdown(
  { source, comparison, task }: PortfolioBacktest,
  commandLine: string,
): string {
  const { assessments, bars } = comparison;
  const { time } = assessments[0].run;
  const first = assessments[0].run.rebalances;
  const joined = source.members.flatMap(({ symbol }, i) => {
    const at = first.find(({ weights }) => weights[i] !== 0);
    return at === undefined
      ? [`${symbol}: never`]
      : at === first[0]
        ? []
        : [`${symbol} from ${day(at.time)}`];
  });
  const head = [
    'strategy',
    'return %',
    'CAGR %',
    'volatility %',
    'Sharpe',
    '95 %',
    'less that of 1/N',
    '95 %',
    'drawdown %',
    'turnover a year',
    'costs',
    'deflated',
  ];
  const notes = assessments.flatMap(({ run }) => {
    const counted = new Map<string, number>();
    for (const note of run.rebalances.flatMap((one) => one.notes))
      counted.set(note, (counted.get(note) ?? 0) + 1);
    return [...counted].map(
      ([note, count]) => `- ${run.id}: ${note} (${count} of ${run.rebalances.length} times).`,
    );
  });
  return `# Portfolio

Written by one command, from candles of ${source.exchange} that it found in its store (SHA-256 of the datasets' hashes: ${source.fingerprint}):

    ${commandLine}

${source.synthetic ? '**These candles are SYNTHETIC: the figures say nothing about any market.**\n\n' : ''}${source.members.length} assets, ${source.timeframe}, ${day(time[0])} to ${day(time[time.length - 1])}: ${bars} bars after the first decision. Weights are chosen ${rebalanceText(task.rebalance)} on the last ${task.windowBars} returns (covariance: ${task.settings.covariance}), at the close, and fill at the next open with ${task.rules.feeBps} bp fee and ${task.rules.slippageBps} bp slippage. Long only unless the limits say otherwise. Funding of perpetuals is not in these candles and not in these figures.

An asset takes part as soon as it has a whole window${joined.length === 0 ? '' : `: ${joined.join(', ')}; the others from the start`}. Nothing is filled.

${comparisonLines(comparison).join(' ')}

${table(head, assessments.map(assessmentRow))}

Sharpe ratios are annualised, the risk-free rate is 0, cash earns 0; intervals: studentised circular block bootstrap, for differences of both series together. Deflated: the probability that the true ratio is above what the best of ${comparison.trials} strategies without skill would show. Turnover: sum of absolute changes of weights, in capitals; costs in quote currency for ${task.rules.initialBalance} at the start. Market capitalisations are not known, so there are no weights by them.

${notes.length === 0 ? '' : `What the strategies had to say:\n\n${notes.join('\n')}\n`}`;
}

const rebalanceText = (rebalance: Rebalance): string =>
  rebalance.kind === 'every'
    ? `every ${rebalance.bars} bars`
    : `when ${(100 * rebalance.share).toFixed(0)} % of the capital are out of place`;

const interval = (own: { readonly low: number; readonly high: number } | undefined): string =>
  own === undefined ? '-' : `${own.low.toFixed(2)} .. ${own.high.toFixed(2)}`;

/** One strategy's figures, in the order of the comparison's columns. */
export const assessmentRow = (one: PortfolioAssessment): readonly string[] => [
  one.run.id,
  figure(one.totalReturnPct),
  figure(one.cagrPct),
  figure(one.volatilityPct),
  figure(one.sharpe, 2),
  interval(one.sharpe95),
  figure(one.overEqualWeight?.difference, 2),
  interval(one.overEqualWeight?.interval),
  figure(one.maxDrawdownPct),
  figure(one.turnoverPerYear),
  figure(one.costsQuote, 0),
  figure(one.deflatedSharpe, 2),
];

/** Columns as wide as their widest cell, as the formatter of this repository wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((own) => own[i].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
