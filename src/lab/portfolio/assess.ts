import type { Interval } from '../../core/evaluation/bootstrap.ts';
import { bootstrapIntervals } from '../../core/evaluation/bootstrap.ts';
import { underwater } from '../../core/evaluation/drawdown.ts';
import { annualGrowth, barReturns, sharpe, sortino, volatility } from '../../core/evaluation/returns.ts';
import { sharpeDifference } from '../../core/evaluation/sharpe-difference.ts';
import {
  deflatedSharpe,
  noSkillVariance,
  sharpeError,
  sharpeSample,
} from '../../core/evaluation/sharpe-test.ts';
import { superiorPredictiveAbility } from '../../core/evaluation/superiority.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import type { PortfolioRun } from './walk-forward.ts';

/** What a strategy did after costs, and how sure that is. Ratios are annualised, the risk-free rate is 0. */
export interface PortfolioAssessment {
  readonly run: PortfolioRun;
  readonly returns: Float64Array;
  readonly totalReturnPct: number;
  readonly cagrPct: number | undefined;
  readonly volatilityPct: number | undefined;
  readonly sharpe: number | undefined;
  readonly sharpeStandardError: number | undefined;
  readonly sharpe95: Interval | undefined;
  readonly sortino: number | undefined;
  readonly maxDrawdownPct: number;
  /** Sum of absolute changes of weights, in capitals a year. */
  readonly turnoverPerYear: number;
  readonly costsQuote: number;
  /** Sharpe ratio less that of equal weights; `undefined` for equal weights themselves. */
  readonly overEqualWeight:
    { readonly difference: number; readonly standardError: number; readonly interval: Interval } | undefined;
  /** Probability that the true ratio is above what the best of all strategies tried would show by luck. */
  readonly deflatedSharpe: number | undefined;
}

export interface PortfolioComparison {
  readonly assessments: readonly PortfolioAssessment[];
  readonly bars: number;
  /** Strategies tried here: all but equal weights and benchmarks, which were not chosen for what they did. */
  readonly tried: number;
  /** Those that count: with what else the project's ledger holds of this market. */
  readonly trials: number;
  /** Chance of the best mean return over equal weights by luck alone, for the best of all (Hansen 2005); `undefined` with none. */
  readonly superiority: number | undefined;
  /** Strategies whose interval over equal weights lies above zero. */
  readonly better: readonly string[];
}

export const EQUAL_WEIGHT = 'equal-weight';

/** `passive`: benchmarks that nobody chose among, such as holding bitcoin. They are not counted as tried. */
export function comparePortfolios(
  runs: readonly PortfolioRun[],
  options: {
    readonly barsPerYear: number;
    readonly seed: number;
    readonly trials: number;
    readonly passive: readonly string[];
  },
): PortfolioComparison {
  const { barsPerYear, seed, trials } = options;
  const year = Math.sqrt(barsPerYear);
  const benchmark = runs.find(({ id }) => id === EQUAL_WEIGHT);
  const equal = benchmark && barReturns(benchmark.equity, benchmark.initialBalance);
  const assessments = runs.map((run): PortfolioAssessment => {
    const returns = barReturns(run.equity, run.initialBalance);
    const bars = returns.length;
    const sample = sharpeSample(returns);
    const random = createRandom(deriveSeed(seed, run.id));
    const barInterval = bootstrapIntervals(returns, random)?.barSharpe;
    const over = equal && run !== benchmark ? sharpeDifference(returns, equal, random) : undefined;
    const growth = bars === 0 ? 1 : run.equity[bars - 1] / run.initialBalance;
    const cagr = annualGrowth(growth, bars, barsPerYear);
    const spread = volatility(returns, barsPerYear);
    const yearly = (interval: Interval): Interval => ({
      low: interval.low * year,
      high: interval.high * year,
    });
    return {
      run,
      returns,
      totalReturnPct: 100 * (growth - 1),
      cagrPct: cagr === undefined ? undefined : 100 * cagr,
      volatilityPct: spread === undefined ? undefined : 100 * spread,
      sharpe: sharpe(returns, barsPerYear),
      sharpeStandardError: sample && sharpeError(sample) * year,
      sharpe95: barInterval && yearly(barInterval),
      sortino: sortino(returns, barsPerYear),
      maxDrawdownPct: 100 * underwater(run.equity, run.initialBalance).reduce((a, b) => Math.min(a, b), 0),
      turnoverPerYear:
        run.rebalances.reduce((sum, { turnover }) => sum + turnover, 0) / Math.max(bars / barsPerYear, 1e-9),
      costsQuote: run.feesQuote + run.slippageQuote,
      overEqualWeight: over && {
        difference: over.difference * year,
        standardError: over.standardError * year,
        interval: yearly(over.interval),
      },
      deflatedSharpe:
        sample && deflatedSharpe(sample, { count: Math.max(1, trials), variance: noSkillVariance(bars) }),
    };
  });
  const rivals = assessments.filter(({ run }) => run !== benchmark && !options.passive.includes(run.id));
  const better = rivals
    .filter(({ overEqualWeight }) => overEqualWeight !== undefined && overEqualWeight.interval.low > 0)
    .map(({ run }) => run.id);
  const test =
    equal === undefined || rivals.length === 0 || equal.length < 20
      ? undefined
      : superiorPredictiveAbility(
          equal.map((value) => -value),
          rivals.map(({ returns }) => returns.map((value) => -value)),
          { random: createRandom(deriveSeed(seed, 'superiority')) },
        );
  return {
    assessments,
    bars: runs[0]?.time.length ?? 0,
    tried: rivals.length,
    trials,
    superiority: test?.pValues.consistent,
    better,
  };
}

/** The verdict in plain words. */
export function comparisonLines({
  assessments,
  better,
  superiority,
  tried,
  trials,
  bars,
}: PortfolioComparison): readonly string[] {
  const errors = assessments.flatMap(({ sharpeStandardError }) => sharpeStandardError ?? []);
  const error = errors.length === 0 ? undefined : Math.max(...errors);
  const verdict =
    better.length === 0
      ? 'Nothing beats equal weights net of costs: no interval of a Sharpe difference lies above zero.'
      : `Above equal weights net of costs, each by its own 95 % interval and with nobody counting how many were tried: ${better.join(', ')}.`;
  const joint =
    superiority === undefined
      ? []
      : [
          superiority < 0.05
            ? `Taken together, the best mean return is above that of equal weights beyond luck (Hansen's test, p ${superiority.toFixed(3)}).`
            : `Taken together, it is not shown that the best of them earns more than equal weights: by luck alone the best would look as good with a probability of ${superiority.toFixed(3)} (Hansen's test).`,
        ];
  return [
    verdict,
    ...joint,
    `${trials === tried ? `${tried} strategies were tried here, and this project's ledger holds no other on these assets` : `${tried} strategies were tried here, ${trials} by this project's ledger on these assets`}; what was tried elsewhere, or while rules and defaults were chosen, nobody counted.`,
    `${bars} bars${error === undefined ? '' : `, on which a Sharpe ratio has a standard error of about ${error.toFixed(2)}`}: rankings within that are noise.`,
  ];
}
