import { type Spread, spread, spreadText } from '../../core/evaluation/spread.ts';
import type { Traded } from './assess.ts';

/** One strategy from every seed: a single run where no chance is in it. */
export interface SeedRuns {
  readonly name: string;
  /** The first is the one that forecasts. */
  readonly runs: readonly Traded[];
}

const FIGURES = {
  totalReturnPct: ({ metrics }) => metrics.totalReturnPct,
  sharpe: ({ metrics }) => metrics.sharpe,
  maxDrawdownPct: ({ metrics }) => metrics.maxDrawdownPct,
  tradeCount: ({ metrics }) => metrics.tradeCount,
  costsQuote: ({ run }) => run.portfolio.feesQuote + run.portfolio.slippageQuote,
} satisfies Readonly<Record<string, (one: Traded) => number | undefined>>;

/** Mean and deviation over the seeds of what matters most. */
export const overSeeds = ({
  runs,
}: SeedRuns): Readonly<Record<keyof typeof FIGURES, Spread | undefined>> => ({
  totalReturnPct: spread(runs.map(FIGURES.totalReturnPct)),
  sharpe: spread(runs.map(FIGURES.sharpe)),
  maxDrawdownPct: spread(runs.map(FIGURES.maxDrawdownPct)),
  tradeCount: spread(runs.map(FIGURES.tradeCount)),
  costsQuote: spread(runs.map(FIGURES.costsQuote)),
});

/** As a table for people, in the terminal and in the report. */
export const SEED_HEAD = ['strategy', 'seeds', 'return %', 'Sharpe', 'max drawdown %', 'trades', 'costs'];

export function seedRow(of: SeedRuns): readonly string[] {
  const { totalReturnPct, sharpe, maxDrawdownPct, tradeCount, costsQuote } = overSeeds(of);
  return [
    of.name,
    of.runs.length > 1 ? String(of.runs.length) : 'no chance in it',
    spreadText(totalReturnPct, 1),
    spreadText(sharpe, 2),
    spreadText(maxDrawdownPct, 1),
    spreadText(tradeCount, 0),
    spreadText(costsQuote, 0),
  ];
}
