import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { barReturns, sharpe } from '../../../src/core/evaluation/returns.ts';
import { type Candles, sliceCandles } from '../../../src/core/market/candles.ts';
import { ALLOCATION_DEFAULTS, allocators } from '../../../src/core/portfolio/allocator.ts';
import { sampleCovariance } from '../../../src/core/portfolio/covariance.ts';
import { arithmeticMean, jamesStein } from '../../../src/core/portfolio/expected-returns.ts';
import { openLimits } from '../../../src/core/portfolio/limits.ts';
import {
  DEFAULT_UNIVERSE,
  joinRenamed,
  type Member,
  returnWindow,
} from '../../../src/core/portfolio/universe.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { comparePortfolios } from '../../../src/lab/portfolio/assess.ts';
import { loadLinearSolver } from '../../../src/lab/portfolio/highs.ts';
import { marketOf } from '../../../src/lab/portfolio/market.ts';
import {
  holdOne,
  type PortfolioRun,
  type PortfolioStrategy,
  tableOf,
  walkForward,
  type WalkForwardTask,
} from '../../../src/lab/portfolio/walk-forward.ts';
import { golden } from '../../core/portfolio/golden.ts';
import { walk } from '../../support/candles.ts';

const solveLinear = await loadLinearSolver();
const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const daily = (bars: number, seed: number): Candles => walk(bars, { startMs: START, seed, timeframe: '1d' });

const taskOf = (
  members: readonly Member[],
  candles: readonly Candles[],
  more: Partial<WalkForwardTask> = {},
): WalkForwardTask => ({
  members,
  market: marketOf(members, candles, '1d'),
  instruments: members.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
  rules: { ...SPOT_RULES, feeBps: 10, slippageBps: 0, rebalanceBandPct: 0, initialBalance: 1e6 },
  windowBars: 30,
  rebalance: { kind: 'every', bars: 7 },
  fromMs: 0,
  untilMs: Infinity,
  limitsFor: (assets) => openLimits(assets.length),
  settings: ALLOCATION_DEFAULTS,
  solveLinear,
  ...more,
});

const named = (id: string): PortfolioStrategy => {
  const found = allocators.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};
const A: Member = { symbol: 'A/USDT' };
const B: Member = { symbol: 'B/USDT' };
const C: Member = { symbol: 'C/USDT' };

describe('a walk forward', () => {
  it.each(allocators.map(({ id }) => id))('%s decides the same whatever comes later', async (id) => {
    const candles = [daily(90, 1), daily(90, 2), daily(90, 3)];
    const all = await walkForward(taskOf([A, B, C], candles), named(id));
    const cut = await walkForward(
      taskOf(
        [A, B, C],
        candles.map((own) => sliceCandles(own, 0, 70)),
      ),
      named(id),
    );
    expect(cut.rebalances.length).toBeGreaterThan(3);
    expect(all.rebalances.slice(0, cut.rebalances.length)).toEqual(cut.rebalances);
    expect(all.equity.subarray(0, cut.equity.length)).toEqual(cut.equity);
  });

  it('a strategy that peeks is caught by the same comparison', async () => {
    const candles = [daily(90, 1), daily(90, 2)];
    const peeking = (task: WalkForwardTask): PortfolioStrategy => ({
      id: 'peeking',
      allocate(decision) {
        const last = task.market.candles.map(({ close }) => close[close.length - 1] / close[decision.row]);
        return named('equal-weight').allocate({
          ...decision,
          limits: {
            ...decision.limits,
            min: Float64Array.from(last, (value) => (value === Math.max(...last) ? 0.9 : 0)),
          },
        });
      },
    });
    const [long, short] = [
      taskOf([A, B], candles),
      taskOf(
        [A, B],
        candles.map((own) => sliceCandles(own, 0, 60)),
      ),
    ];
    const all = await walkForward(long, peeking(long));
    const cut = await walkForward(short, peeking(short));
    expect(all.rebalances.slice(0, cut.rebalances.length)).not.toEqual(cut.rebalances);
  });

  it('pays fees for its turnover, by hand for the first purchase', async () => {
    const run = await walkForward(
      taskOf([A], [daily(40, 1)], { rebalance: { kind: 'every', bars: 99 } }),
      named('equal-weight'),
    );
    // All of the capital is bought once: its notional and 10 bp of it are the capital.
    expect(run.feesQuote).toBeCloseTo(1e6 - 1e6 / 1.001, 6);
  });

  it('holds what is listed, and says why not', async () => {
    const late = sliceCandles(daily(90, 2), 50, 90);
    const run = await walkForward(taskOf([A, B], [daily(90, 1), late]), named('equal-weight'));
    expect(run.rebalances[0].excluded).toEqual([{ symbol: 'B/USDT', reason: 'first candle on 2024-02-20' }]);
    const first = run.rebalances.findIndex(({ weights }) => weights[1] > 0);
    expect(run.rebalances[first].time).toBeGreaterThanOrEqual(START + 80 * DAY);
    expect(run.rebalances.slice(0, first).every(({ weights }) => weights[1] === 0)).toBe(true);
  });

  it('sells at the last bar of a dated delisting, less the haircut, and never holds it again', async () => {
    const gone: Member = { symbol: 'B/USDT', delistedMs: START + 60 * DAY, haircutPct: 20 };
    const candles = [daily(90, 1), daily(90, 2)];
    const run = await walkForward(taskOf([A, gone], candles), named('equal-weight'));
    const row = run.time.indexOf(START + 60 * DAY);
    expect(run.weights[1][row - 1]).toBeGreaterThan(0.3);
    expect(run.weights[1].subarray(row).every((weight) => weight === 0)).toBe(true);
    // By hand: half of the capital loses a fifth, the other half moves as A does.
    const [before, after] = [run.equity[row - 1], run.equity[row]];
    const own = candles[0].close[60] / candles[0].close[59];
    const [a, b] = [run.weights[0][row - 1], run.weights[1][row - 1]];
    expect(after / before).toBeCloseTo(a * own + 0.8 * b, 2);
  });

  it('leaves an asset that lacks a bar out by name, and fills nothing', () => {
    const holed = daily(60, 2);
    const kept = [...holed.time.keys()].filter((row) => row !== 50);
    const pick = (column: Float64Array): Float64Array => Float64Array.from(kept, (row) => column[row]);
    const torn: Candles = {
      time: pick(holed.time),
      open: pick(holed.open),
      high: pick(holed.high),
      low: pick(holed.low),
      close: pick(holed.close),
      volume: pick(holed.volume),
    };
    const task = taskOf([A, B], [daily(60, 1), torn]);
    expect(returnWindow(tableOf(task), 59, 30, [A, B]).excluded).toEqual([
      { symbol: 'B/USDT', reason: '1 of 31 candles are missing' },
    ]);
  });

  it('a price that is none stops the run', () => {
    const bad = daily(60, 2);
    bad.close[50] = -1;
    const task = taskOf([A, B], [daily(60, 1), bad]);
    // A window longer than time itself is not counted through.
    expect(returnWindow(tableOf(task), 59, 1e15, [A, B]).assets).toEqual([]);
    expect(() => returnWindow(tableOf(task), 59, 30, [A, B])).toThrow(
      'B/USDT has a price that is not above zero: -1',
    );
  });

  it('a threshold trades less often than every day, and when holdings have drifted', async () => {
    const candles = [daily(200, 1), daily(200, 5)];
    const run = await walkForward(
      taskOf([A, B], candles, { rebalance: { kind: 'drift', share: 0.02 } }),
      named('equal-weight'),
    );
    expect(run.rebalances.length).toBeGreaterThan(1);
    expect(run.rebalances.length).toBeLessThan(run.time.length / 2);
    for (const { turnover } of run.rebalances.slice(1)) expect(turnover / 2).toBeGreaterThan(0.02);
  });
});

describe('a rename', () => {
  it('is one coin under two names', () => {
    const candles = daily(60, 4);
    const [old, fresh] = [sliceCandles(candles, 0, 35), sliceCandles(candles, 38)];
    const joined = joinRenamed(old, fresh, { from: 'MATIC/USDT', atMs: candles.time[38], ratio: 1 });
    expect(joined.time.length).toBe(57);
    expect(joined.close[34]).toBe(old.close[34]);
    expect(joined.close[35]).toBe(fresh.close[0]);
    // Two new ones for each old one: half the price, twice the volume.
    const split = joinRenamed(old, fresh, { from: 'MATIC/USDT', atMs: candles.time[38], ratio: 2 });
    expect(split.close[0]).toBe(old.close[0] / 2);
    expect(split.volume[0]).toBe(2 * old.volume[0]);
  });

  it('of MATIC is dated in the default universe of twenty', () => {
    expect(DEFAULT_UNIVERSE).toHaveLength(20);
    expect(DEFAULT_UNIVERSE.find(({ symbol }) => symbol === 'POL/USDT')?.renamed?.from).toBe('MATIC/USDT');
  });
});

const shared = new URL('../../../../shared/data/ohlcv/binanceusdm/', import.meta.url);

describe('out of sample on Binance (needs real candles)', () => {
  const names = [
    'ADA',
    'APT',
    'ATOM',
    'BNB',
    'BTC',
    'DOGE',
    'DOT',
    'ETH',
    'FIL',
    'INJ',
    'LINK',
    'LTC',
    'NEAR',
    'OP',
    'SOL',
    'XRP',
  ];
  const read = (name: string): Candles => {
    const text = gunzipSync(readFileSync(new URL(`${name}-USDT/1d.csv.gz`, shared)))
      .toString()
      .trim();
    const rows = text
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
    const column = (i: number): Float64Array => Float64Array.from(rows, (row) => row[i]);
    return {
      time: column(0),
      open: column(1),
      high: column(2),
      low: column(3),
      close: column(4),
      volume: column(5),
    };
  };

  it.skipIf(!existsSync(shared))(
    'ten allocators have the Sharpe ratios that skfolio found, within .02',
    async () => {
      const members = names.map((name): Member => ({ symbol: `${name}/USDT` }));
      const candles = names.map(read);
      // skfolio shrinks these means without a bound, past the sample when one factor rules.
      const unbounded: PortfolioStrategy = {
        id: 'max-sharpe',
        allocate: (decision) =>
          named('max-sharpe').allocate({
            ...decision,
            expected: jamesStein(arithmeticMean(decision.returns), sampleCovariance(decision.returns), 180, {
              clamped: false,
            }),
          }),
      };
      const cases: readonly [string, PortfolioStrategy, 'sample' | 'ledoit-wolf'][] = [
        ['1/N', named('equal-weight'), 'sample'],
        ['inverse vol', named('inverse-volatility'), 'sample'],
        ['min var (LW)', named('min-variance'), 'ledoit-wolf'],
        ['max Sharpe (LW, shrunk mu)', unbounded, 'ledoit-wolf'],
        ['min CVaR .95', named('min-cvar'), 'sample'],
        ['risk parity', named('risk-parity'), 'ledoit-wolf'],
        ['HRP', named('hrp'), 'sample'],
        ['HERC', named('herc'), 'sample'],
        ['NCO', named('nested-clusters'), 'sample'],
        ['max diversification', named('max-diversification'), 'ledoit-wolf'],
        ['BTC hold', holdOne('hold-btc', 4), 'sample'],
      ];
      const runs: PortfolioRun[] = [];
      for (const [name, strategy, covariance] of cases) {
        const run = await walkForward(
          taskOf(members, candles, { windowBars: 180, settings: { ...ALLOCATION_DEFAULTS, covariance } }),
          strategy,
        );
        const returns = barReturns(run.equity, 1e6);
        expect(returns.length).toBe(959);
        expect(
          Math.abs((sharpe(returns, 365) ?? NaN) - golden('out-of-sample').number('results', name, 'sharpe')),
          name,
        ).toBeLessThan(0.02);
        runs.push({ ...run, id: strategy.id });
      }
      const { assessments } = comparePortfolios(runs, {
        barsPerYear: 365,
        seed: 1,
        trials: 9,
        passive: ['hold-btc'],
      });
      for (const { sharpeStandardError } of assessments) expect(sharpeStandardError).toBeCloseTo(0.62, 1);
    },
  );
});
