import { describe, expect, it } from 'vitest';
import * as cov from '../../../src/core/portfolio/covariance.ts';
import * as mu from '../../../src/core/portfolio/expected-returns.ts';
import { discreteAllocation } from '../../../src/core/portfolio/discrete.ts';
import {
  hierarchicalEqualRisk,
  hierarchicalRiskParity,
  nestedClusters,
} from '../../../src/core/portfolio/hierarchical.ts';
import { type Limits, openLimits } from '../../../src/core/portfolio/limits.ts';
import * as mv from '../../../src/core/portfolio/mean-variance.ts';
import { worstResidual } from '../../../src/core/portfolio/quadratic.ts';
import { inverseVolatility, riskParity } from '../../../src/core/portfolio/risk-parity.ts';
import * as tail from '../../../src/core/portfolio/tail-risk.ts';
import { loadLinearSolver } from '../../../src/lab/portfolio/highs.ts';
import { CLOSED_FORM as R, golden, SYMBOLS } from './golden.ts';

const pypfopt = golden('pypfopt');
const skfolio = golden('skfolio');
const YEAR = 365;
/** PyPortfolioOpt's shrinkage was given prices, which lose the first return. */
const PRICED = R.map((column) => column.slice(1));
const solveLinear = await loadLinearSolver();

/** Relative to the size of the largest expected entry. */
function expectClose(
  found: readonly Float64Array[] | Float64Array,
  expected: number[][] | number[],
  tolerance: number,
): void {
  const flat = (values: ArrayLike<unknown>): number[] =>
    Array.from(values).flatMap((one) => (typeof one === 'number' ? one : flat(one as ArrayLike<unknown>)));
  const [a, b] = [flat(found), flat(expected)];
  const size = Math.max(...b.map(Math.abs));
  expect(a.length).toBe(b.length);
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / size).toBeLessThan(tolerance);
}

const yearly = (matrix: readonly Float64Array[]) => matrix.map((row) => row.map((value) => YEAR * value));

describe("covariances are PyPortfolioOpt's and skfolio's", () => {
  const closed = (...keys: string[]) => pypfopt.matrix('closed_form', ...keys);
  it.each([
    ['sample', yearly(cov.sampleCovariance(R)), closed('cov')],
    ['exponential, span 60', yearly(cov.exponentialCovariance(R, 60)), closed('exp_cov_span60')],
    ['semi', yearly(cov.semiCovariance(R, 0)), closed('semicov_b0')],
    [
      'Ledoit-Wolf',
      yearly(cov.ledoitWolf(PRICED).covariance),
      closed('ledoit_wolf', 'constant_variance', 'cov'),
    ],
    [
      'Ledoit-Wolf, one factor',
      yearly(cov.ledoitWolfSingleFactor(PRICED).covariance),
      closed('ledoit_wolf', 'single_factor', 'cov'),
    ],
    [
      'Ledoit-Wolf, constant correlation',
      yearly(cov.ledoitWolfConstantCorrelation(PRICED).covariance),
      closed('ledoit_wolf', 'constant_correlation', 'cov'),
    ],
    ['oracle approximating', yearly(cov.oracleApproximating(PRICED).covariance), closed('oas')],
    ['skfolio Ledoit-Wolf', cov.ledoitWolf(R).covariance, skfolio.matrix('cov_LedoitWolf')],
    ['Gerber', cov.gerber(R), skfolio.matrix('cov_GerberCovariance')],
    ['detoned', cov.detoned(cov.sampleCovariance(R)), skfolio.matrix('cov_DetoneCovariance')],
    ['denoised', cov.denoised(cov.sampleCovariance(R), 250), skfolio.matrix('cov_DenoiseCovariance')],
  ] as const)('%s', (_name, found, expected) => expectClose(found, expected, 1e-7));

  it.each([
    ['constant_variance', cov.ledoitWolf],
    ['single_factor', cov.ledoitWolfSingleFactor],
    ['constant_correlation', cov.ledoitWolfConstantCorrelation],
  ] as const)('shrinks as much towards %s', (target, estimate) =>
    expect(estimate(PRICED).shrinkage).toBeCloseTo(
      pypfopt.number('closed_form', 'ledoit_wolf', target, 'delta'),
      9,
    ),
  );
});

describe('expected returns', () => {
  it.each([
    ['arithmetic', mu.arithmeticMean(R).map((value) => YEAR * value), pypfopt.numbers('closed_form', 'mu')],
    [
      'geometric',
      mu.geometricMean(R).map((value) => (1 + value) ** YEAR - 1),
      pypfopt.numbers('closed_form', 'mu_compounded'),
    ],
    [
      'exponential, half-life 40',
      mu.exponentialMean(R, 2 / (1 - 0.5 ** (1 / 40)) - 1),
      skfolio.numbers('mu_EWMu'),
    ],
    [
      'James-Stein',
      mu.jamesStein(mu.arithmeticMean(R), cov.sampleCovariance(R), 250, { clamped: false }),
      skfolio.numbers('mu_ShrunkMu'),
    ],
    [
      'equilibrium of equal weights',
      mu.equilibrium(cov.sampleCovariance(R), new Float64Array(5).fill(0.2), 1),
      skfolio.numbers('mu_EquilibriumMu'),
    ],
  ] as const)('%s', (_name, found, expected) => expectClose(found, expected, 1e-7));
});

const covariance = yearly(cov.sampleCovariance(R));
const task = (limits: Partial<Limits> = {}): mv.MeanVarianceTask => ({
  symbols: SYMBOLS,
  expected: mu.arithmeticMean(R).map((value) => YEAR * value),
  covariance,
  limits: { ...openLimits(5), ...limits },
  current: new Float64Array(5).fill(0.2),
  costRate: 0,
});

describe("Markowitz's portfolios are PyPortfolioOpt's", () => {
  const closed = (name: string) => pypfopt.numbers('closed_form', name, 'w');
  const capped = { max: new Float64Array(5).fill(0.4) };
  const short = { min: new Float64Array(5).fill(-1) };
  it.each([
    ['min_vol', mv.minimumVariance(task())],
    ['max_sharpe', mv.maximumSharpe(task(), 0.02)],
    ['max_sharpe_cap40', mv.maximumSharpe(task(capped), 0.02)],
    ['min_vol_longshort', mv.minimumVariance(task(short))],
    ['max_quadratic_utility_ra3', mv.maximiseUtility(task(), 3)],
    [
      'efficient_risk_1.2xminvol',
      mv.efficientRisk(task(), pypfopt.number('closed_form', 'efficient_risk_target')),
    ],
    [
      'efficient_return',
      mv.efficientReturn(task(), pypfopt.number('closed_form', 'efficient_return_target')),
    ],
  ])('%s', (name, found) => {
    expectClose(found?.weights ?? new Float64Array(5), closed(name), 1e-4);
    expect(found?.volatility).toBeCloseTo(pypfopt.number('closed_form', name, 'vol'), 6);
    expect(found?.expectedReturn).toBeCloseTo(pypfopt.number('closed_form', name, 'ret'), 5);
    expect(found === undefined ? 1 : worstResidual(found.kkt)).toBeLessThan(1e-10);
  });

  it('along the frontier', () => {
    const points = pypfopt.value('closed_form', 'frontier') as { target: number; w: number[]; vol: number }[];
    for (const { target, vol } of points)
      expect(mv.efficientReturn(task(), target)?.volatility).toBeCloseTo(vol, 6);
  });
});

describe('other portfolios', () => {
  const daily = cov.sampleCovariance(R);
  const tailTask = {
    symbols: SYMBOLS,
    returns: R,
    limits: openLimits(5),
    current: new Float64Array(5),
    solveLinear,
  };
  const minimum = (own: readonly Float64Array[]): Float64Array =>
    mv.minimumVariance({
      ...task(),
      covariance: own,
      limits: openLimits(own.length),
      symbols: SYMBOLS.slice(0, own.length),
      expected: new Float64Array(own.length),
      current: new Float64Array(own.length),
    }).weights;
  const diversified = (): Float64Array => {
    const found = mv.maximumSharpe(
      { ...task(), covariance: daily, expected: Float64Array.from(daily, (row, i) => Math.sqrt(row[i])) },
      0,
    );
    return found?.weights ?? new Float64Array(5);
  };
  it.each([
    [
      'HRP of PyPortfolioOpt',
      hierarchicalRiskParity(daily, 'single'),
      pypfopt.numbers('closed_form', 'hrp_single', 'w'),
      1e-9,
    ],
    ['HRP of skfolio', hierarchicalRiskParity(daily), skfolio.numbers('HRP_default', 'w'), 1e-9],
    ['HERC', hierarchicalEqualRisk(daily), skfolio.numbers('HERC_default', 'w'), 1e-9],
    ['NCO', nestedClusters(R, minimum), skfolio.numbers('NCO_default', 'w'), 3e-4],
    ['risk parity', riskParity(daily), skfolio.numbers('risk_budgeting', 'VARIANCE'), 1e-4],
    [
      'risk budgets',
      riskParity(daily, new Float64Array([0.4, 0.3, 0.1, 0.1, 0.1])),
      skfolio.numbers('risk_budgeting', 'VARIANCE_budget_.4_.3_.1_.1_.1'),
      1e-4,
    ],
    ['inverse volatility', inverseVolatility(daily), skfolio.numbers('inverse_vol'), 1e-9],
    ['maximum diversification', diversified(), skfolio.numbers('max_diversification'), 1e-4],
    [
      'CVaR .95',
      tail.minimumCvar({ ...tailTask, level: 0.95 })?.weights ?? [],
      pypfopt.numbers('closed_form', 'min_cvar_0.95', 'w'),
      1e-5,
    ],
    [
      'CVaR .9',
      tail.minimumCvar({ ...tailTask, level: 0.9 })?.weights ?? [],
      pypfopt.numbers('closed_form', 'min_cvar_0.9', 'w'),
      1e-5,
    ],
    [
      'CDaR .95',
      tail.minimumCdar({ ...tailTask, level: 0.95 })?.weights ?? [],
      skfolio.numbers('min_risk', 'CDAR', 'w'),
      1e-5,
    ],
    [
      'semivariance',
      tail.minimumSemivariance(tailTask).weights,
      pypfopt.numbers('closed_form', 'min_semivariance', 'w'),
      1e-4,
    ],
    [
      'mean over CVaR',
      tail.maximumReturnOverCvar({ ...tailTask, level: 0.95 }, mu.arithmeticMean(R))?.weights ?? [],
      skfolio.numbers('max_mean_over_cvar'),
      1e-4,
    ],
  ] as const)('%s', (_name, found, expected, tolerance) =>
    expectClose(Float64Array.from(found), expected, tolerance),
  );

  it('risks are theirs too', () => {
    expect(tail.minimumCvar({ ...tailTask, level: 0.95 })?.risk).toBeCloseTo(
      pypfopt.number('closed_form', 'min_cvar_0.95', 'cvar'),
      8,
    );
    expect(tail.minimumCdar({ ...tailTask, level: 0.95 })?.risk).toBeCloseTo(
      pypfopt.number('closed_form', 'min_cdar_0.95', 'cdar'),
      8,
    );
    expect(tail.minimumSemivariance(tailTask).risk * Math.sqrt(YEAR)).toBeCloseTo(
      pypfopt.number('closed_form', 'min_semivariance', 'semidev'),
      6,
    );
  });

  it('costs inside the objective keep equal weights where trading costs more than it brings', () => {
    const found = mv.maximiseUtility(
      { ...task(), expected: mu.arithmeticMean(R), covariance: daily, costRate: 0.001 },
      10,
    );
    expectClose(found.weights, skfolio.numbers('max_utility_ra5_cost.001_from_equal'), 1e-5);
  });
});

describe('Black and Litterman', () => {
  const market = new Float64Array([0.5, 0.2, 0.15, 0.1, 0.05]);
  const prior = mu.equilibrium(covariance, market, 2.5).map((value) => value + 0.02);
  it("the prior is PyPortfolioOpt's", () =>
    expectClose(prior, pypfopt.numbers('closed_form', 'bl', 'prior'), 1e-9));
  it('relative views with Idzorek’s confidences', () => {
    const picks = pypfopt.matrix('closed_form', 'bl', 'idzorek', 'P').map((row) => Float64Array.from(row));
    const confidences = Float64Array.from(pypfopt.numbers('closed_form', 'bl', 'idzorek', 'conf'));
    const errors = mu.idzorekErrors(covariance, picks, confidences, 0.05);
    expectClose(errors, pypfopt.numbers('closed_form', 'bl', 'idzorek', 'omega_diag'), 1e-9);
    const returns = Float64Array.from(pypfopt.numbers('closed_form', 'bl', 'idzorek', 'Q'));
    expectClose(
      mu.blackLitterman(prior, covariance, { picks, returns, errors }, 0.05).returns,
      pypfopt.numbers('closed_form', 'bl', 'idzorek', 'ret'),
      1e-9,
    );
    const relative = mu.blackLitterman(prior, covariance, { picks, returns }, 0.025).returns;
    expectClose(relative, pypfopt.numbers('closed_form', 'bl', 'rel_views_tau.025', 'ret'), 1e-9);
  });
});

describe('discrete amounts', () => {
  it("are PyPortfolioOpt's greedy ones, in whole shares", () => {
    const prices = Float64Array.from(pypfopt.numbers('closed_form', 'discrete_greedy_20000', 'last_prices'));
    const weights = Float64Array.from(pypfopt.numbers('closed_form', 'max_sharpe', 'w'));
    const share = (symbol: string) => ({
      symbol: `${symbol}/USDT` as const,
      amountStep: 1,
      priceTick: 0,
      minNotional: 0,
    });
    const { amounts, left } = discreteAllocation(weights, prices, 20_000, SYMBOLS.map(share));
    expect([...amounts]).toEqual([75, 0, 0, 11, 61]);
    expect(left).toBeCloseTo(pypfopt.number('closed_form', 'discrete_greedy_20000', 'left'), 8);
  });
});
