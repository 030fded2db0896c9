import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { tradingEnvironment, type TradingTask } from '../../../src/core/environments/trading.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { randomPanel } from './random-panel.ts';

const panel = randomPanel({ rows: 300, seed: 1 });
const RETURNS = { returnWeight: 1, sharpeWeight: 0, drawdownWeight: 0 };
const taskOf = (changes: Partial<TradingTask> = {}): TradingTask => ({
  panel,
  rules: SPOT_RULES,
  weights: RETURNS,
  actions: 'target',
  windowBars: 50,
  ...changes,
});
const WIDTH = 5;
const anyAction = fc.double({ min: -1, max: 1, noNaN: true });

describe('the trading environment', () => {
  it('earns, over any actions, the log equity change of a backtest of the same targets', () => {
    const longOrShort = fc.boolean();
    fc.assert(
      fc.property(
        fc.array(anyAction, { minLength: 1, maxLength: 60 }),
        longOrShort,
        (actions, allowShort) => {
          const rules = { ...SPOT_RULES, allowShort };
          const environment = tradingEnvironment(taskOf({ rules }));
          const seen = new Float32Array(WIDTH);
          environment.start(1, 10, seen, 0);
          const total = actions.reduce(
            (sum, action) => sum + environment.step(Float32Array.of(action), 0, seen, 0),
            0,
          );
          const { candles, symbol } = panel.series[1];
          const target = new Float64Array(300).fill(NaN);
          actions.forEach((action, t) => (target[10 + t] = Math.fround(action)));
          const run = runBacktest({
            market: { time: candles.time, barMs: 3_600_000, candles: [candles] },
            targets: [target],
            instruments: [{ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }],
            rules,
          });
          const end = run.equity[10 + actions.length];
          expect(total).toBeCloseTo(Math.log(end / 10_000), 9);
          expect(environment.equity).toBeCloseTo(end, 6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shows the features of the bar that just closed, never of the next', () => {
    const environment = tradingEnvironment(taskOf());
    const seen = new Float32Array(WIDTH);
    const column = panel.series[0].features.columns[0];
    environment.start(0, 20, seen, 0);
    for (let row = 20; row < 30; row++) {
      expect(seen[0]).toBe(Math.fround(column[row]));
      environment.step(Float32Array.of(0.5), 0, seen, 0);
    }
  });

  it('shows its own position, unrealised return, drawdown and time in position', () => {
    const rules = { ...SPOT_RULES, feeBps: 0, slippageBps: 0 };
    const environment = tradingEnvironment(taskOf({ rules }));
    const seen = new Float32Array(WIDTH);
    environment.start(0, 20, seen, 0);
    expect([...seen.slice(1)]).toEqual([0, 0, 0, 0]);
    environment.step(Float32Array.of(1), 0, seen, 0);
    const { open, close } = panel.series[0].candles;
    const gain = close[21] / open[21] - 1;
    expect(seen[1]).toBeCloseTo(1, 6);
    expect(seen[2]).toBeCloseTo(10 * gain, 5);
    expect(seen[3]).toBeCloseTo(10 * Math.max(0, -gain), 5);
    environment.step(Float32Array.of(1), 0, seen, 0);
    // In its second bar: 1 / (1 + 24).
    expect(seen[4]).toBeGreaterThan(0);
    expect(environment.observation.slice(1)).toEqual([
      'position',
      'unrealisedReturn',
      'drawdown',
      'timeInPosition',
    ]);
  });

  it('takes 0 for sell, 1 for hold and 2 for buy', () => {
    const environment = tradingEnvironment(taskOf({ actions: 'buy-hold-sell' }));
    const seen = new Float32Array(WIDTH);
    environment.start(0, 20, seen, 0);
    const positions = [1, 2, 1, 0, 1].map((action) => {
      environment.step(Float32Array.of(action), 0, seen, 0);
      return Math.round(seen[1]);
    });
    expect(positions).toEqual([0, 1, 1, 0, 0]);
  });

  it('weighs the Sharpe part and the drawdown penalty into the reward', () => {
    const earned = (weights: TradingTask['weights']): number[] => {
      const environment = tradingEnvironment(taskOf({ weights }));
      const seen = new Float32Array(WIDTH);
      environment.start(0, 20, seen, 0);
      return Array.from({ length: 40 }, () => environment.step(Float32Array.of(1), 0, seen, 0));
    };
    const plain = earned(RETURNS);
    const drawdown = earned({ ...RETURNS, returnWeight: 0, drawdownWeight: 1 });
    const both = earned({ ...RETURNS, drawdownWeight: 1 });
    both.forEach((value, t) => expect(value).toBeCloseTo(plain[t] + drawdown[t], 12));
    expect(Math.max(...drawdown)).toBe(0);
    expect(Math.min(...drawdown)).toBeLessThan(0);
    // Without a past (mean and square 0), the differential Sharpe ratio is 0; with one, the sign of a gain is kept.
    const sharpe = earned({ ...RETURNS, returnWeight: 0, sharpeWeight: 1 });
    expect(Math.abs(sharpe[0])).toBe(0);
    expect(sharpe.some((value) => value !== 0)).toBe(true);
  });

  it('starts windows only where every feature and every bar is there', () => {
    const holed = randomPanel({ rows: 300, seed: 1 });
    holed.series[0].features.columns[0].fill(NaN);
    holed.series[1].features.columns[0].fill(NaN, 100, 110);
    for (let row = 200; row < 300; row++) holed.series[1].candles.time[row] += 7_200_000;
    const environment = tradingEnvironment(taskOf({ panel: holed }));
    const random = createRandom(1);
    const starts = new Set<number>();
    for (let i = 0; i < 500; i++) {
      environment.reset(random, new Float32Array(WIDTH), 0);
      const [series, row] = environment.snapshot();
      expect(series).toBe(1);
      starts.add(row);
    }
    const allowed = (row: number): boolean =>
      (row >= 1 && row + 50 < 100) || (row >= 110 && row + 50 < 200) || (row >= 200 && row + 50 < 300);
    expect([...starts].filter((row) => !allowed(row))).toEqual([]);
    expect(starts.size).toBeGreaterThan(90);
  });

  it('refuses data without a single complete window', () => {
    const environment = tradingEnvironment(taskOf({ windowBars: 300 }));
    const reset = (): void => environment.reset(createRandom(1), new Float32Array(WIDTH), 0);
    expect(reset).toThrow('No window of 300 bars');
  });

  it('ends for good in ruin', () => {
    const falling = randomPanel({ rows: 300, seed: 1 });
    for (const column of ['open', 'high', 'low', 'close'] as const)
      falling.series[0].candles[column].forEach((_, row, all) => (all[row] = 100 * 0.9 ** row));
    const environment = tradingEnvironment(taskOf({ panel: falling }));
    const seen = new Float32Array(WIDTH);
    environment.start(0, 1, seen, 0);
    let steps = 0;
    while (!environment.terminated) {
      environment.step(Float32Array.of(1), 0, seen, 0);
      steps++;
    }
    // The share left after n bars is 0.9^(n - 1) after the entry; 0.9^22 is the first below 10 %.
    expect(steps).toBeGreaterThanOrEqual(22);
    expect(steps).toBeLessThanOrEqual(24);
  });

  it('continues from a snapshot bit for bit, orders and trades included', () => {
    const random = createRandom(5);
    const environment = tradingEnvironment(
      taskOf({ weights: { ...RETURNS, sharpeWeight: 1, drawdownWeight: 1 } }),
    );
    const other = tradingEnvironment(taskOf({ weights: { ...RETURNS, sharpeWeight: 1, drawdownWeight: 1 } }));
    const play = (one: typeof environment, actions: readonly number[]): number[] => {
      const seen = new Float32Array(WIDTH);
      return actions.flatMap((action) => [one.step(Float32Array.of(action), 0, seen, 0), ...seen]);
    };
    const draws = (): number[] => Array.from({ length: 20 }, () => 2 * random() - 1);
    environment.reset(random, new Float32Array(WIDTH), 0);
    play(environment, draws());
    other.restore(environment.snapshot());
    const next = draws();
    expect(play(other, next)).toEqual(play(environment, next));
  });
});
