import { markedName } from '../../learning/ensemble/voters.ts';
import { type Assessment, confidence } from './assess.ts';
import { money } from './money.ts';
import type { TrialSummary } from './trial-summary.ts';
import { returnText } from './verdicts.ts';

/** What trading a strategy came to, for people: terminal and documents. */
export const STRATEGY_HEAD = [
  'strategy',
  'return %',
  '95 % CI',
  'Sharpe',
  '95 % CI',
  'drawdown %',
  'trades',
  'win %',
  'exposure %',
  'costs',
  'deflated Sharpe',
];

export function strategyRow(one: Assessment, barsPerYear: number, trials: TrialSummary): readonly string[] {
  const { metrics, strategy, run } = one;
  const sure = confidence(one, barsPerYear, trials);
  const interval = (band: { low: number; high: number } | undefined): string =>
    band === undefined ? '' : `${figure(band.low)} .. ${figure(band.high)}`;
  return [
    markedName(strategy.name, strategy.noSkill),
    returnText(one),
    interval(sure.totalReturnPct95),
    figure(metrics.sharpe, 2),
    interval(sure.sharpe95),
    figure(metrics.maxDrawdownPct),
    String(metrics.tradeCount),
    figure(metrics.winRatePct, 0),
    figure(metrics.averageExposurePct, 0),
    money(run.portfolio.feesQuote + run.portfolio.slippageQuote, run.portfolio.rules.initialBalance),
    strategy.kind === 'baseline' ? '' : figure(sure.deflatedSharpe, 2),
  ];
}

const figure = (value: number | undefined, digits = 1): string =>
  value === undefined ? '-' : value.toFixed(digits);
