import { createRequire } from 'node:module';
import type { Highs } from 'highs';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import { createRandom, normal, type Random } from '../../../src/core/foundation/random.ts';
import { finish } from '../../../src/core/foundation/steps.ts';
import { sampleCovariance, tailDependence } from '../../../src/core/portfolio/covariance.ts';
import { shrunkForecast } from '../../../src/core/portfolio/expected-returns.ts';
import {
  isWithin,
  limitConstraints,
  type Limits,
  openLimits,
  requireFeasible,
} from '../../../src/core/portfolio/limits.ts';
import { dualOf, type SolveLinear } from '../../../src/core/portfolio/linear.ts';
import {
  frontier,
  maximiseUtility,
  maximumSharpe,
  type MeanVarianceTask,
  minimumVariance,
  nearest,
  resampledFrontier,
  riskContributions,
} from '../../../src/core/portfolio/mean-variance.ts';
import type { QuadraticProgram } from '../../../src/core/portfolio/quadratic.ts';
import { solveQuadratic, worstResidual } from '../../../src/core/portfolio/quadratic.ts';
import { riskParity } from '../../../src/core/portfolio/risk-parity.ts';
import { eigenSymmetric, positiveDefinite } from '../../../src/core/portfolio/symmetric.ts';
import { minimumCdar, minimumCvar } from '../../../src/core/portfolio/tail-risk.ts';
import { loadLinearSolver } from '../../../src/lab/portfolio/highs.ts';

const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>;
const highs = await loadHighs();

/** How many random programs are solved twice here; all 1 000 of the sweep with PORTFOLIO_PROGRAMS=1000. */
const PROGRAMS = Number(process.env['PORTFOLIO_PROGRAMS'] ?? 60);

const symbolsOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `S${i}`);

/** Returns of one market factor and own noise, as daily ones of coins. */
function randomTask(random: Random, n: number, limits: Partial<Limits> = {}): MeanVarianceTask {
  const rows = 2 * n + 60;
  const market = Float64Array.from({ length: rows }, () => 0.03 * normal(random));
  const columns = Array.from({ length: n }, () => {
    const [beta, own] = [0.5 + random(), 0.01 + 0.03 * random()];
    return market.map((value) => beta * value + own * normal(random));
  });
  return {
    symbols: symbolsOf(n),
    expected: Float64Array.from({ length: n }, () => 0.002 * normal(random)),
    covariance: sampleCovariance(columns),
    limits: { ...openLimits(n), ...limits },
    current: new Float64Array(n).fill(1 / n),
    costRate: 0,
  };
}

function withHighs({ hessian, linear, constraints }: QuadraticProgram): Float64Array | undefined {
  const n = linear.length;
  // HiGHS's tolerances are absolute, too.
  const scale = hessian.reduce((sum, row, i) => sum + row[i], 0) / n;
  const lower = hessian.flatMap((row, j) => Array.from(row.slice(j), (value) => value / scale));
  const answer = highs.raw.qpCall({
    numCols: n,
    numRows: constraints.length,
    colCost: linear.map((value) => value / scale),
    colLower: new Float64Array(n).fill(-Infinity),
    colUpper: new Float64Array(n).fill(Infinity),
    rowLower: constraints.map(({ bound }) => bound),
    rowUpper: constraints.map(({ kind, bound }) => (kind === 'equal' ? bound : Infinity)),
    matrix: {
      format: 'csr',
      numRows: constraints.length,
      numCols: n,
      starts: Int32Array.from({ length: constraints.length + 1 }, (_, k) => k * n),
      indices: Int32Array.from({ length: constraints.length * n }, (_, k) => k % n),
      values: Float64Array.from(constraints.flatMap(({ row }) => [...row])),
    },
    hessian: {
      format: 'triangular',
      dimension: n,
      starts: Int32Array.from({ length: n + 1 }, (_, j) => j * n - (j * (j - 1)) / 2),
      indices: Int32Array.from(hessian.flatMap((row, j) => [...row.keys()].slice(j))),
      values: Float64Array.from(lower),
    },
  });
  if (answer.status === highs.constants.status.error) return undefined;
  return answer.value.modelStatus === highs.constants.modelStatus.optimal
    ? answer.value.solution.colValue
    : undefined;
}

describe('quadratic programs', () => {
  it(`${PROGRAMS} random ones, 2 to 60 assets with limits and groups, are as good as HiGHS finds them`, () => {
    const random = createRandom(7);
    let compared = 0;
    for (let k = 0; k < PROGRAMS; k++) {
      const n = 2 + (k % 59);
      const { covariance, expected } = randomTask(random, n);
      const unit = (i: number, value: number): Float64Array => {
        const row = new Float64Array(n);
        row[i] = value;
        return row;
      };
      const cap = Math.max(1.2 / n, 0.1 + 0.4 * random());
      const half = new Float64Array(n).fill(-1, 0, Math.ceil(n / 2));
      const program: QuadraticProgram = {
        hessian: covariance,
        linear: expected.map((value) => -value * random()),
        constraints: [
          { name: 'sum', kind: 'equal', row: new Float64Array(n).fill(1), bound: 1 },
          ...Array.from({ length: n }, (_, i) => ({
            name: 'low',
            kind: 'at-least' as const,
            row: unit(i, 1),
            bound: random() < 0.2 ? -0.1 : 0,
          })),
          ...Array.from({ length: n }, (_, i) => ({
            name: 'high',
            kind: 'at-least' as const,
            row: unit(i, -1),
            bound: -cap,
          })),
          { name: 'group', kind: 'at-least', row: half, bound: -0.75 },
        ],
      };
      const own = solveQuadratic(program);
      const theirs = withHighs(program);
      expect(own === undefined, `program ${k}`).toBe(theirs === undefined);
      if (own === undefined || theirs === undefined) continue;
      compared++;
      expect(worstResidual(own.kkt), `program ${k}`).toBeLessThan(1e-9);
      const scale = covariance.reduce((sum, row, i) => sum + row[i], 0) / n;
      const value = (x: Float64Array): number =>
        program.linear.reduce(
          (sum, q, i) => sum + q * x[i] + 0.5 * x[i] * covariance[i].reduce((dot, c, j) => dot + c * x[j], 0),
          0,
        );
      expect((own.value - value(theirs)) / scale, `program ${k}`).toBeLessThan(1e-7);
      expect(Math.max(...own.x.map((x, i) => Math.abs(x - theirs[i]))), `program ${k}`).toBeLessThan(1e-3);
    }
    expect(compared).toBeGreaterThan(0.9 * PROGRAMS);
  });
});

describe('risk parity', () => {
  it.each([2, 5, 20, 60])('%i assets bring equal shares of the variance, to 1e-8', (n) => {
    const { covariance } = randomTask(createRandom(n), n);
    const shares = riskContributions(covariance, riskParity(covariance));
    for (const share of shares) expect(Math.abs(share - 1 / n)).toBeLessThan(1e-8);
  });

  it('meets budgets to 1e-8, and negative correlations', () => {
    const covariance = [new Float64Array([0.04, -0.03]), new Float64Array([-0.03, 0.09])];
    const shares = riskContributions(covariance, riskParity(covariance, new Float64Array([0.8, 0.2])));
    expect(Math.abs(shares[0] - 0.8)).toBeLessThan(1e-8);
  });
});

describe('limits', () => {
  const message = (limits: Partial<Limits>, n = 3): string => {
    try {
      requireFeasible(
        { ...openLimits(n), ...limits },
        ['BTC/USDT', 'ETH/USDT', 'SOL/USDT', 'ADA/USDT'].slice(0, n),
        new Float64Array(n).fill(1 / n),
      );
    } catch (error) {
      if (error instanceof UserError) return `${error.message} ${error.hint}`;
      throw error;
    }
    return '';
  };
  const group = (min: number, max: number) => ({ name: 'majors', members: [0, 1], min, max });

  it('caps that sum below 1 are named', () => {
    expect(message({ max: new Float64Array(3).fill(0.3) })).toBe(
      'These limits cannot hold together: the weights sum to 1; BTC/USDT, ETH/USDT, SOL/USDT at most 30 %. Relax one of them: the largest weights sum to 90 %, and all of the capital has to go somewhere.',
    );
  });

  it('only what conflicts is named', () => {
    const found = message({ min: new Float64Array([0.4, 0.4, 0]), groups: [group(0, 0.7)] });
    expect(found).toContain('BTC/USDT, ETH/USDT at least 40 %; group "majors" at most 70 %');
    expect(found).not.toContain('SOL');
    expect(found).not.toContain('sum to 1');
  });

  it('a turnover that does not reach the limits is named', () => {
    const found = message({ min: new Float64Array([0.9, 0, 0]), maxTurnover: 0.1 });
    expect(found).toContain('turnover at most 10 %');
    expect(found).toContain('BTC/USDT at least 90 %');
  });

  it('what can be kept is kept silently', () => expect(message({ groups: [group(0.2, 0.7)] })).toBe(''));

  it('every optimum keeps them, with turnover, groups and a least number of assets', () => {
    const random = createRandom(3);
    for (let k = 0; k < 40; k++) {
      const n = 4 + (k % 8);
      const limits = {
        max: new Float64Array(n).fill(0.6),
        groups: [{ name: 'g', members: [0, 1, 2], min: 0.1, max: 0.5 }],
        ...(k % 2 === 0 ? { maxTurnover: 0.5 } : { minAssets: 4, leastWeight: 0.03 }),
      };
      const task = { ...randomTask(random, n, limits), costRate: k % 3 === 0 ? 0.001 : 0 };
      for (const found of [minimumVariance(task), maximumSharpe(task, -0.05), maximiseUtility(task, 2)]) {
        if (found === undefined) throw new Error('a feasible task has an optimum');
        expect(isWithin(task.limits, found.weights, task.current), `case ${k}: ${found.weights.join()}`).toBe(
          true,
        );
      }
    }
  });

  it('costs in the objective leave what is held alone when they outweigh every gain', () => {
    const task = { ...randomTask(createRandom(9), 6), costRate: 1 };
    expect(
      Math.max(...maximiseUtility(task, 1).weights.map((w, i) => Math.abs(w - task.current[i]))),
    ).toBeLessThan(1e-6);
  });

  it('costs and turnover give the portfolio that HiGHS finds for the whole problem', () => {
    const task = { ...randomTask(createRandom(21), 8), costRate: 0.0005 };
    const n = 8;
    const wide = (entries: (readonly [number, number])[]): Float64Array => {
      const row = new Float64Array(2 * n);
      for (const [i, value] of entries) row[i] = value;
      return row;
    };
    const theirs = withHighs({
      hessian: Array.from({ length: 2 * n }, (_, i) => {
        const row = new Float64Array(2 * n);
        if (i < n) row.set(task.covariance[i]);
        return row;
      }),
      linear: Float64Array.from({ length: 2 * n }, (_, i) => (i < n ? -task.expected[i] : 0.0005)),
      constraints: [
        { name: '', kind: 'equal', row: new Float64Array(2 * n).fill(1, 0, n), bound: 1 },
        ...Array.from({ length: n }, (_, i) => [
          { name: '', kind: 'at-least' as const, row: wide([[i, 1]]), bound: 0 },
          {
            name: '',
            kind: 'at-least' as const,
            row: wide([
              [i, 1],
              [n + i, 1],
            ]),
            bound: task.current[i],
          },
          {
            name: '',
            kind: 'at-least' as const,
            row: wide([
              [i, -1],
              [n + i, 1],
            ]),
            bound: -task.current[i],
          },
        ]).flat(),
      ],
    });
    const own = maximiseUtility(task, 1).weights;
    for (let i = 0; i < n; i++) expect(own[i]).toBeCloseTo(theirs?.[i] ?? NaN, 5);
  });

  it('a wish outside comes back as the nearest portfolio inside', () => {
    const task = randomTask(createRandom(4), 3, { max: new Float64Array(3).fill(0.5) });
    const found = nearest(task, new Float64Array([0.8, 0.1, 0.1])).weights;
    expect(found[0]).toBeCloseTo(0.5, 9);
    expect(isWithin(task.limits, found, task.current)).toBe(true);
  });
});

describe('covariances that are none', () => {
  it('one that is not positive semi-definite is repaired, and said', () => {
    const bad = [
      new Float64Array([1, 0.9, -0.9]),
      new Float64Array([0.9, 1, 0.9]),
      new Float64Array([-0.9, 0.9, 1]),
    ];
    const { matrix, repair } = positiveDefinite(bad);
    expect(repair).toMatch(/not positive semi-definite \(smallest eigenvalue -8\.00e-1\); 1 of its 3/);
    expect(eigenSymmetric(matrix).values[0]).toBeGreaterThan(0);
  });

  it('a singular one is repaired, and a good one left alone', () => {
    expect(positiveDefinite([new Float64Array([1, 1]), new Float64Array([1, 1])]).repair).toContain(
      'singular',
    );
    const { covariance } = randomTask(createRandom(2), 5);
    expect(positiveDefinite(covariance)).toEqual({ matrix: covariance, repair: undefined });
  });

  it('eigenvalues of a matrix by hand', () => {
    // [[2, 1], [1, 2]] has 1 and 3.
    expect([...eigenSymmetric([new Float64Array([2, 1]), new Float64Array([1, 2])]).values]).toEqual([
      expect.closeTo(1, 12),
      expect.closeTo(3, 12),
    ]);
  });
});

describe('the frontier', () => {
  it('rises in risk and return, and the resampled band holds its weights', () => {
    const task = randomTask(createRandom(12), 6);
    const curve = finish(frontier(task, 20));
    expect(curve).toHaveLength(20);
    for (let k = 1; k < curve.length; k++) {
      expect(curve[k].expectedReturn).toBeGreaterThan(curve[k - 1].expectedReturn);
      expect(curve[k].volatility).toBeGreaterThanOrEqual(curve[k - 1].volatility - 1e-12);
    }
    const band = finish(
      resampledFrontier(task, { rows: 180, points: 20, draws: 30, random: createRandom(5) }),
    );
    const inside = curve[0].weights.filter(
      (w, i) => w >= band[0].low[i] - 0.15 && w <= band[0].high[i] + 0.15,
    );
    expect(inside.length).toBeGreaterThanOrEqual(5);
    for (const { mean } of band) expect(mean.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 8);
  });
});

describe('forecasts are shrunk by their record', () => {
  const random = createRandom(17);
  const truth = Float64Array.from({ length: 400 }, () => 0.02 * normal(random));
  const record = (skill: number) => ({
    horizonBars: 1,
    forecast: truth.map((value) => skill * value + 0.02 * normal(random)),
    realised: truth,
    latest: 0.03,
  });
  it('one without skill moves nothing or nearly nothing, one with skill does', () => {
    expect(Math.abs(shrunkForecast({ ...record(0) }, 0))).toBeLessThan(0.002);
    expect(shrunkForecast({ ...record(1) }, 0)).toBeGreaterThan(0.01);
    // Against the truth: the slope is negative, and nothing is turned around.
    expect(shrunkForecast(record(-1), 0.001)).toBe(0.001);
  });
  it('windows that overlap count as few', () => {
    const strong = record(0.2);
    const weekly = shrunkForecast({ ...strong, horizonBars: 100 }, 0) * 100;
    expect(weekly).toBeLessThan(shrunkForecast(strong, 0));
  });
});

describe('tail dependence', () => {
  it('is 1 with itself and the share both have of the worst bars, by hand', () => {
    const a = Float64Array.from([-5, -4, 1, 2, 3, 4, 5, 6, 7, 8]);
    const b = Float64Array.from([-5, 4, -4, 2, 3, 4, 5, 6, 7, 8]);
    const found = tailDependence([a, b], 0.2);
    expect([...found[0]]).toEqual([1, 0.5]);
  });
});

describe('linear programs', () => {
  it('of the tail are answered through their dual with a feasible x of the same value, which is the proof of its optimum', async () => {
    const solve = await loadLinearSolver();
    const random = createRandom(5);
    let [seen, throughDual] = [0, 0];
    for (let k = 0; k < 20; k++) {
      const n = 2 + (k % 7);
      const returns = Array.from({ length: n }, () =>
        Float64Array.from({ length: 40 + k }, () => 0.03 * normal(random)),
      );
      const limits = { ...openLimits(n), ...(k % 3 === 0 ? { maxTurnover: 0.7 } : {}) };
      const check: SolveLinear = (program) => {
        const found = solve(program);
        const dual = dualOf(program);
        if (found === undefined || dual === undefined) throw new Error('no answer');
        const { lower, rows } = program;
        for (const [j, x] of found.x.entries()) expect(x).toBeGreaterThanOrEqual(lower[j] - 1e-9);
        for (const { columns, values, kind, bound } of rows) {
          const left = columns.reduce((sum, j, at) => sum + values[at] * found.x[j], 0) - bound;
          if (kind === 'equal') expect(left).toBeCloseTo(0, 9);
          else expect(left).toBeGreaterThanOrEqual(-1e-9);
        }
        expect(found.value).toBeCloseTo(-(solve(dual.program)?.value ?? NaN), 10);
        seen++;
        if (2 * dual.program.rows.length < rows.length) throughDual++;
        return found;
      };
      const current = new Float64Array(n).fill(1 / n);
      const task = { symbols: symbolsOf(n), returns, limits, current, level: 0.9, solveLinear: check };
      minimumCvar(task);
      minimumCdar(task);
    }
    expect(seen).toBe(40);
    expect(throughDual).toBe(20);
  });
});

describe('limits', () => {
  it('leave no maximum out that shorts without a floor make necessary', () => {
    const open = { ...openLimits(3), min: new Float64Array(3).fill(-Infinity) };
    const names = (limits: Limits): readonly string[] =>
      limitConstraints(limits, symbolsOf(3), 3, new Float64Array(3)).map(({ name }) => name);
    expect(names(open)).toContain('S1 at most 100 %');
    expect(names(openLimits(3))).not.toContain('S1 at most 100 %');
    expect(names({ ...openLimits(3), min: Float64Array.of(-0.1, 0, 0) })).toContain('S1 at most 100 %');
  });
});
