import { money, moneyUnit } from '../../lab/backtest/money.ts';
import { confidence, type Traded } from '../../lab/backtest/assess.ts';
import { cashReturnPct } from '../../lab/backtest/benchmarks.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { SEED_HEAD, seedRow } from '../../lab/backtest/seeds.ts';
import { returnText } from '../../lab/backtest/verdicts.ts';
import { markedName } from '../../learning/ensemble/voters.ts';
import { renderTable, type Section } from './page.ts';
import { band, figure } from './text.ts';

export const STRATEGY_HEAD = [
  'strategy',
  'kind',
  'return %',
  '95 % CI',
  'Sharpe',
  '95 % CI',
  'max drawdown %',
  'trades',
  'win %',
  'exposure %',
  'costs',
];

export function strategyRows(
  { ensemble, members, benchmark, setting }: Backtest,
  about: Provenance,
): readonly (readonly string[])[] {
  return [ensemble, ...members, benchmark].map((one) => {
    const sure = confidence(one, setting.barsPerYear, about.trials);
    const { metrics, run } = one;
    return [
      markedName(one.strategy.name, one.strategy.noSkill),
      one.strategy.kind,
      returnText(one),
      band(sure.totalReturnPct95),
      figure(metrics.sharpe, 2),
      band(sure.sharpe95),
      figure(metrics.maxDrawdownPct),
      String(metrics.tradeCount),
      figure(metrics.winRatePct, 0),
      figure(metrics.averageExposurePct, 0),
      money(run.portfolio.feesQuote + run.portfolio.slippageQuote, run.portfolio.rules.initialBalance),
    ];
  });
}

export function renderStrategies(result: Backtest, about: Provenance, alone: readonly Traded[]): Section {
  const rows = [...strategyRows(result, about), ...alone.map(benchmarkRow), cash(result)];
  return {
    id: 'strategies',
    title: 'Every strategy on its own',
    body: `<p class="faint">Each with all of the capital, the same costs and the same rules. Intervals: studentised block bootstrap of bar returns. Costs in ${moneyUnit(result.setting.rules)}. Buy and hold spreads the capital evenly over the symbols at the start; cash earns ${result.setting.cashRatePct === undefined ? 'no interest' : `${result.setting.cashRatePct} % a year (backtest.cashRatePct)`}.</p>
${renderTable(STRATEGY_HEAD, rows, { name: 'strategies', textColumns: [0, 1] })}`,
  };
}

/** A benchmark that has no intervals of its own here. */
const benchmarkRow = ({ strategy, metrics, run }: Traded): readonly string[] => [
  strategy.name,
  strategy.kind,
  figure(metrics.totalReturnPct),
  '-',
  figure(metrics.sharpe, 2),
  '-',
  figure(metrics.maxDrawdownPct),
  String(metrics.tradeCount),
  figure(metrics.winRatePct, 0),
  figure(metrics.averageExposurePct, 0),
  money(run.portfolio.feesQuote + run.portfolio.slippageQuote, run.portfolio.rules.initialBalance),
];

/** Nothing bought, nothing earned but the rate that is stated for it. */
const cash = (result: Backtest): readonly string[] => [
  'cash',
  result.benchmark.strategy.kind,
  figure(cashReturnPct(result)),
  '-',
  '-',
  '-',
  '0.0',
  '0',
  '-',
  '0',
  '0',
];

export function renderSeeds({ seeds: all }: Backtest): Section | undefined {
  if (all.length === 0) return undefined;
  return {
    id: 'seeds',
    title: 'How much depends on the seed',
    body: `<p class="faint">Mean and standard deviation when the same models are trained with other seeds. Everything else on this page is of the first seed, the one that forecasts.</p>
${renderTable(SEED_HEAD, all.map(seedRow), { name: 'seeds' })}`,
  };
}
