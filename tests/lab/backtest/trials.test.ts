import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRandom, normal } from '../../../src/core/foundation/random.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { coarsen, correlation } from '../../../src/lab/backtest/coarse-returns.ts';
import { ruleId } from '../../../src/lab/backtest/rule-id.ts';
import { summariseTrials } from '../../../src/lab/backtest/trial-summary.ts';
import { marketName, recordTrials, type Trial } from '../../../src/lab/backtest/trials.ts';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'trials-')), 'data', 'trials.jsonl');
});
afterEach(() => rmSync(join(file, '../..'), { recursive: true }));

const market = 'binance 1h BTC/USDT ETH/USDT';
const other = 'binance 4h BTC/USDT';
const trial = (id: string, barSharpe: number | undefined, changes: Partial<Trial> = {}): Trial => ({
  time: '2026-01-01T00:00:00.000Z',
  id,
  market,
  strategy: 'ensemble',
  bars: 100,
  ...(barSharpe !== undefined && { barSharpe }),
  ...changes,
});
const sharpes = (trials: readonly Trial[]) => trials.map(({ barSharpe }) => barSharpe);

test('every different rule on a market counts once, however often it is run', async () => {
  expect(sharpes(await recordTrials(file, market, [trial('x', 0.1), trial('y', 0.2)]))).toEqual([0.1, 0.2]);
  expect(sharpes(await recordTrials(file, market, [trial('x', 0.1)]))).toEqual([0.1, 0.2]);
  expect(sharpes(await recordTrials(file, other, [trial('z', 0.3, { market: other })]))).toEqual([0.3]);
  expect(sharpes(await recordTrials(file, market, [trial('w', 0.4)]))).toEqual([0.1, 0.2, 0.4]);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(4);
});

test('one more day of bars is the same trial, with what it does now', async () => {
  await recordTrials(file, market, [trial('x', 0.1)]);
  expect(sharpes(await recordTrials(file, market, [trial('x', 0.12, { bars: 124 })]))).toEqual([0.12]);
});

test('a comparison on validation bars counts, and hides nothing that was measured', async () => {
  await recordTrials(file, market, [trial('x', undefined, { by: 'validation' })]);
  expect(await recordTrials(file, market, [trial('y', 0.2)])).toHaveLength(2);
  const again = [trial('y', undefined, { by: 'validation', bars: 50 })];
  expect(sharpes(await recordTrials(file, market, again))).toEqual([undefined, 0.2]);
});

test('the order of symbols makes no other market, in older ledgers either', async () => {
  expect(marketName('binance', '1h', ['ETH/USDT', 'BTC/USDT'])).toBe(market);
  mkdirSync(dirname(file), { recursive: true });
  const old = { ...trial('old', 0.5), market: 'binance 1h ETH/USDT BTC/USDT' };
  appendFileSync(file, `${JSON.stringify(old)}\n`);
  expect(sharpes(await recordTrials(file, market, []))).toEqual([0.5]);
});

test('a line that a crash cut short loses only itself', async () => {
  await recordTrials(file, market, [trial('x', 0.1)]);
  appendFileSync(file, '{"time":"2026-01-01T00:00:00.000Z","id":"to');
  expect(sharpes(await recordTrials(file, market, [trial('y', 0.2)]))).toEqual([0.1, 0.2]);
  expect(sharpes(await recordTrials(file, market, []))).toEqual([0.1, 0.2]);
});

describe('a decision rule', () => {
  const weights = { a: 'h1', b: 'h2' };
  const id = ruleId('ensemble', weights, SPOT_RULES);

  test('stays the same whatever trading costs and in whatever order its members are named', () => {
    expect(ruleId('ensemble', { b: 'h2', a: 'h1' }, { ...SPOT_RULES, feeBps: 1 })).toBe(id);
  });

  test('is another with other weights or a stop', () => {
    expect(ruleId('ensemble', { a: 'h1', b: 'h3' }, SPOT_RULES)).not.toBe(id);
    expect(ruleId('ensemble', weights, { ...SPOT_RULES, stopLossPct: 5 })).not.toBe(id);
  });
});

describe('coarse returns', () => {
  const HOUR = 3_600_000;
  const times = (from: number, count: number) =>
    Float64Array.from({ length: count }, (_, i) => (from + i) * HOUR);
  const noise = (seed: number, count: number) => {
    const random = createRandom(seed);
    return Float64Array.from({ length: count }, () => 0.01 * normal(random));
  };

  test('keep the growth, in at most 512 steps', () => {
    const returns = noise(1, 5000);
    const coarse = coarsen(times(3, 5000), returns, HOUR);
    const growth = returns.reduce((sum, value) => sum + Math.log1p(value), 0);
    expect(coarse.logReturns.length).toBeLessThanOrEqual(512);
    expect(coarse.logReturns.reduce((sum, value) => sum + value, 0)).toBeCloseTo(growth, 4);
  });

  test('correlate over the time that two windows share, at the coarser step', () => {
    const returns = noise(2, 3000);
    const whole = coarsen(times(0, 3000), returns, HOUR);
    const part = coarsen(times(1024, 1024), returns.subarray(1024, 2048), HOUR);
    expect(whole.stepMs).toBeGreaterThan(part.stepMs);
    expect(correlation(whole, part)).toBeCloseTo(1, 4);
    expect(correlation(part, coarsen(times(8000, 500), noise(3, 500), HOUR))).toBeUndefined();
  });

  test('tell twenty copies of three bets from twenty different ones', () => {
    const bets = [4, 5, 6].map((seed) => noise(seed, 2000));
    const mix = (i: number) => {
      const own = noise(100 + i, 2000);
      return bets[i % 3].map((value, row) => value + 0.3 * own[row]);
    };
    const trials = (columns: readonly Float64Array[]) =>
      columns.map((column, i) => trial(`t${i}`, 0.01, { returns: coarsen(times(0, 2000), column, HOUR) }));
    const alike = summariseTrials(trials(Array.from({ length: 20 }, (_, i) => mix(i))));
    expect(alike).toMatchObject({ count: 20, effective: 3 });
    const different = summariseTrials(trials(Array.from({ length: 20 }, (_, i) => noise(200 + i, 2000))));
    expect(different).toMatchObject({ count: 20, effective: 20 });
    const one = noise(300, 2000);
    expect(summariseTrials(trials([one, one, one])).effective).toBe(1);
    expect(summariseTrials([trial('a', undefined), trial('b', 0.1)]).effective).toBe(2);
  });
});
