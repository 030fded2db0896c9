import { UserError } from '../foundation/errors.ts';
import type { Matrix } from '../foundation/linear-algebra.ts';
import {
  type CovarianceName,
  estimateCovariance,
  type ReturnColumns,
  sampleCovariance,
} from './covariance.ts';
import { arithmeticMean, blackLitterman, equilibrium, jamesStein, type Views } from './expected-returns.ts';
import { hierarchicalEqualRisk, hierarchicalRiskParity, nestedClusters } from './hierarchical.ts';
import { isWithin, type Limits, openLimits } from './limits.ts';
import type { SolveLinear } from './linear.ts';
import {
  efficientRisk,
  maximumSharpe,
  type MeanVarianceTask,
  minimumVariance,
  nearest,
  type Optimum,
} from './mean-variance.ts';
import { type KktResiduals, worstResidual } from './quadratic.ts';
import { inverseVolatility, riskParity } from './risk-parity.ts';
import { positiveDefinite } from './symmetric.ts';
import { maximumReturnOverCvar, minimumCdar, minimumCvar, minimumSemivariance } from './tail-risk.ts';

/** What is known when weights are chosen: everything is about returns a bar and ends at the last closed bar. */
export interface AllocationTask {
  readonly symbols: readonly string[];
  readonly returns: ReturnColumns;
  readonly limits: Limits;
  /** Weights held now; zeros when nothing is. */
  readonly current: Float64Array;
  readonly settings: AllocationSettings;
  readonly solveLinear: SolveLinear;
  /** Expected returns a bar that replace those from history, such as shrunk forecasts. */
  readonly expected?: Float64Array | undefined;
  /** Views of Black and Litterman; without them the means of the window are the views, with their sampling errors. */
  readonly views?: Views | undefined;
  /** Shares of market capitalisation, where known: Black and Litterman's prior. Equal weights otherwise. */
  readonly marketWeights?: Float64Array | undefined;
}

export interface AllocationSettings {
  readonly covariance: CovarianceName;
  /** Return a bar that is free of risk. */
  readonly riskFree: number;
  /** Highest volatility a bar of `max-return`. */
  readonly riskCap: number;
  /** Share of bars outside the tail of CVaR and CDaR. */
  readonly tailLevel: number;
  /** Shares of the variance of `risk-parity`, one an asset; `undefined`: equal. */
  readonly riskBudgets: Float64Array | undefined;
  /** Cost of a unit of turnover inside `max-sharpe`'s objective, a bar; 0: none. */
  readonly costRate: number;
}

export const ALLOCATION_DEFAULTS: AllocationSettings = {
  covariance: 'ledoit-wolf',
  riskFree: 0,
  // 40 % a year.
  riskCap: 0.4 / Math.sqrt(365),
  tailLevel: 0.95,
  riskBudgets: undefined,
  costRate: 0,
};

export interface Allocation {
  /** One an asset, summing to 1. */
  readonly weights: Float64Array;
  /** The covariance that was used, repaired where it had to be. */
  readonly covariance: Matrix;
  /** Expected returns a bar that were used; `undefined`: none were. */
  readonly expected: Float64Array | undefined;
  /** What a reader has to know: a repair, a fallback, limits that moved the answer. */
  readonly notes: readonly string[];
  readonly kkt: KktResiduals | undefined;
}

/** A way from returns to weights. Pure: the same task gives the same weights. */
export interface Allocator {
  readonly id: string;
  readonly summary: string;
  allocate(task: AllocationTask): Allocation;
}

interface Chosen {
  readonly weights: Float64Array;
  readonly expected?: Float64Array;
  readonly notes?: readonly string[];
  readonly kkt?: KktResiduals;
}

interface Ground {
  readonly task: AllocationTask;
  readonly covariance: Matrix;
  readonly problem: MeanVarianceTask;
}

const allocator = (id: string, summary: string, choose: (ground: Ground) => Chosen): Allocator => ({
  id,
  summary,
  allocate(task) {
    const { matrix: covariance, repair } = positiveDefinite(
      estimateCovariance(task.settings.covariance, task.returns),
    );
    const problem: MeanVarianceTask = {
      symbols: task.symbols,
      expected: new Float64Array(task.symbols.length),
      covariance,
      limits: task.limits,
      current: task.current,
      costRate: 0,
    };
    const chosen = choose({ task, covariance, problem });
    const inside = isWithin(task.limits, chosen.weights, task.current);
    const final = inside ? chosen : nearest(problem, chosen.weights);
    const notes = [
      ...(repair === undefined ? [] : [repair]),
      ...(chosen.notes ?? []),
      ...(inside
        ? []
        : ['it knows no limits: these are the weights inside them that follow it most closely']),
    ];
    if (final.kkt !== undefined && worstResidual(final.kkt) > 1e-6)
      notes.push(
        `the optimum is loose: its largest KKT residual is ${worstResidual(final.kkt).toExponential(1)}`,
      );
    return { weights: final.weights, covariance, expected: chosen.expected, notes, kkt: final.kkt };
  },
});

/** Given, or from history: means shrunk towards their own mean by James and Stein's rule. */
const expectedOf = ({ task, covariance }: Ground): Float64Array =>
  task.expected ?? jamesStein(arithmeticMean(task.returns), covariance, task.returns[0].length);

const variance = (problem: MeanVarianceTask): Float64Array => minimumVariance(problem).weights;

/** For a part of the assets and no limits: what clusters are optimised by. */
const freeVariance = (covariance: Float64Array[]): Float64Array => {
  const n = covariance.length;
  return variance({
    symbols: covariance.map((_, i) => String(i)),
    expected: new Float64Array(n),
    covariance: positiveDefinite(covariance).matrix,
    limits: openLimits(n),
    current: new Float64Array(n),
    costRate: 0,
  });
};

function bestRatio(ground: Ground, expected: Float64Array, riskFree: number): Chosen {
  const problem = { ...ground.problem, expected, costRate: ground.task.settings.costRate };
  const found: Optimum | undefined = maximumSharpe(problem, riskFree);
  if (found !== undefined) return { ...found, expected };
  const fallback = minimumVariance(problem);
  return {
    ...fallback,
    expected,
    notes: ['no portfolio within the limits is expected to earn more than cash: this is the least risky one'],
  };
}

const required = <Found>(found: Found | undefined): Found => {
  if (found !== undefined) return found;
  throw new UserError('No weights satisfy these limits.', { hint: 'Loosen them.' });
};

export const allocators: readonly Allocator[] = [
  allocator('equal-weight', 'the same share of each: what every other has to beat', ({ task }) => ({
    weights: new Float64Array(task.symbols.length).fill(1 / task.symbols.length),
  })),
  allocator('inverse-volatility', 'shares as the inverse of volatility', ({ covariance }) => ({
    weights: inverseVolatility(covariance),
  })),
  allocator('min-variance', 'least variance (Markowitz 1952)', ({ problem }) => minimumVariance(problem)),
  allocator('max-sharpe', 'highest expected return for its volatility', (ground) =>
    bestRatio(ground, expectedOf(ground), ground.task.settings.riskFree),
  ),
  allocator('max-return', 'highest expected return at a cap on volatility', (ground) => {
    const expected = expectedOf(ground);
    const problem = { ...ground.problem, expected };
    const least = minimumVariance(problem);
    const { riskCap } = ground.task.settings;
    if (least.volatility <= riskCap) return { ...efficientRisk(problem, riskCap), expected };
    return {
      ...least,
      expected,
      notes: ['even the least risky portfolio is above the cap on volatility: this is that one'],
    };
  }),
  allocator(
    'risk-parity',
    'every asset brings the same share of the variance (or its budget)',
    ({ task, covariance }) => ({
      weights: riskParity(covariance, task.settings.riskBudgets),
    }),
  ),
  allocator(
    'max-diversification',
    'most volatility diversified away (Choueifaty and Coignard 2008)',
    (ground) => {
      const volatilities = Float64Array.from(ground.covariance, (row, i) => Math.sqrt(row[i]));
      const { weights, kkt } = bestRatio(ground, volatilities, 0);
      return { weights, ...(kkt && { kkt }) };
    },
  ),
  allocator('min-cvar', 'least mean loss in the tail (Rockafellar and Uryasev 2000)', ({ task }) =>
    required(minimumCvar({ ...task, level: task.settings.tailLevel })),
  ),
  allocator('mean-cvar', 'highest expected return for its mean loss in the tail', (ground) => {
    const { task } = ground;
    const expected = expectedOf(ground);
    const level = task.settings.tailLevel;
    const found = maximumReturnOverCvar({ ...task, level }, expected);
    if (found !== undefined) return { ...found, expected };
    return {
      ...required(minimumCvar({ ...task, level })),
      expected,
      notes: ['nothing is expected to gain: this is the least mean loss in the tail'],
    };
  }),
  allocator(
    'min-cdar',
    'least mean drawdown in the tail (Chekhlov, Uryasev and Zabarankin 2005)',
    ({ task }) => required(minimumCdar({ ...task, level: task.settings.tailLevel })),
  ),
  allocator('min-semivariance', 'least variance of losses', ({ task }) => minimumSemivariance(task)),
  allocator('hrp', 'hierarchical risk parity (Lopez de Prado 2016)', ({ covariance }) => ({
    weights: hierarchicalRiskParity(covariance),
  })),
  allocator('herc', 'hierarchical equal risk contribution (Raffinot 2018)', ({ covariance }) => ({
    weights: hierarchicalEqualRisk(covariance),
  })),
  allocator(
    'nested-clusters',
    'least variance inside clusters, then between them (Lopez de Prado 2019)',
    ({ task }) => ({
      weights: nestedClusters(task.returns, freeVariance),
    }),
  ),
  allocator(
    'black-litterman',
    "the market's equilibrium, moved by views as far as they are sure",
    (ground) => {
      const { task, covariance } = ground;
      const n = task.symbols.length;
      const market = task.marketWeights ?? new Float64Array(n).fill(1 / n);
      const prior = equilibrium(covariance, market, RISK_AVERSION);
      const posterior = blackLitterman(prior, covariance, task.views ?? viewsOf(task), TAU);
      const problem = {
        ...ground,
        problem: { ...ground.problem, covariance: positiveDefinite(posterior.covariance).matrix },
      };
      return bestRatio(problem, posterior.returns, task.settings.riskFree);
    },
  ),
];

/** Of the market as a whole, as in Idzorek 2005. */
const RISK_AVERSION = 2.5;
/** Uncertainty of the prior, as a share of the covariance (He and Litterman 1999). */
const TAU = 0.05;

function viewsOf({ returns }: AllocationTask): Views {
  const rows = returns[0].length;
  const picks = returns.map((_, i) => {
    const pick = new Float64Array(returns.length);
    pick[i] = 1;
    return pick;
  });
  const errors = Float64Array.from(sampleCovariance(returns), (row, i) => row[i] / rows);
  return { picks, returns: arithmeticMean(returns), errors };
}
