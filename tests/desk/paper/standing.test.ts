import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pick, walk } from '../../support/candles.ts';
import { sliceCandles } from '../../../src/core/market/candles.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import type { Store } from '../../../src/data/store/store.ts';
import { createOutlooks, type Outlook, termsOf } from '../../../src/desk/paper/outlook.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { add, BARS, START_MS, trainOn, walkStore } from '../../learning/training/runs.ts';

const HOUR = 3_600_000;
const LATER = 30;

it('decides every bar with the bits of one that reads all bars again, and reads the new ones alone', async () => {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  await trainOn(folder, store, {
    models: ['ridge', 'boosted-trees', 'momentum-garch', 'mean-reversion', 'one-bar-reversal'],
    params: {
      // One feature hangs on all bars before, one on another market.
      ridge: { features: ['rsi_14', 'benchmark_beta_50', 'volatility_ratio_5_20'] },
      'boosted-trees': { rounds: 5, features: ['rsi_14', 'hour_sin', 'range_position_100'] },
      'mean-reversion': { windowBars: 60, maxPValue: 1 },
    },
  });
  const trained = await loadTrained(join(folder, 'checkpoints'));
  const rules = {
    ...SPOT_RULES,
    impact: { windowBars: 50, factor: 1, maxHalfSpreadBps: 20, participationPct: 5 },
  };
  const terms = termsOf({
    strategy: { id: 'sign', params: { sizing: { kind: 'equal-risk' } } },
    ensemble: { id: 'enhanced', params: {} },
    rules,
  });
  const read: number[] = [];
  const watched: Store = {
    ...store,
    read: async (key, range) => {
      const candles = await store.read(key, range);
      read.push(candles.time.length);
      return candles;
    },
  };
  const running = createOutlooks(watched, trained, terms);
  const all = [1, 2].map((seed) => walk(BARS + LATER, { startMs: START_MS, seed }));
  const closeBars = async (from: number, to: number, lacks: readonly number[] = []): Promise<void> => {
    for (const [s, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries()) {
      const rows = pick(sliceCandles(all[s], from, to), (row) => s === 0 || !lacks.includes(from + row));
      if (rows.time.length > 0) await add(store, symbol, rows);
    }
  };
  let before: Pick<Parameters<typeof running.look>[0], 'wanted' | 'state'> = {};
  let last = BARS - 2;
  /** How many stored rows were read for it. */
  const decideUpTo = async (bar: number): Promise<number> => {
    read.length = 0;
    const asked = { sinceMs: START_MS + (last + 1) * HOUR, untilMs: START_MS + (bar + 1) * HOUR, ...before };
    const [one, again] = await Promise.all([
      running.look(asked),
      createOutlooks(store, trained, terms).look(asked),
    ]);
    const newest = (of: Outlook) => {
      const rows = Array.from({ length: bar - last }, (_, i) => of.market.time.length - bar + last + i);
      return rows.map((row) => [of.market.time[row], of.decide(row, 'placed'), of.said(row)]);
    };
    expect(newest(one)).toEqual(newest(again));
    const { wanted, ensemble: kept } = one.decide(one.market.time.length - 1, 'placed');
    before = { wanted, state: kept?.state };
    last = bar;
    return read.reduce((total, rows) => total + rows, 0);
  };

  expect(await decideUpTo(BARS - 1)).toBeGreaterThan(2 * BARS);
  for (let bar = BARS; bar < BARS + 8; bar++) {
    await closeBars(bar, bar + 1, [BARS + 4]);
    // Its own bar, and that of the market it is compared with.
    expect(await decideUpTo(bar)).toBeLessThanOrEqual(4);
  }
  await closeBars(BARS + 8, BARS + 14);
  expect(await decideUpTo(BARS + 13)).toBe(4 * 6);
  // A bar that was missing comes late: everything is read again.
  await add(store, 'ETH/USDT', sliceCandles(all[1], BARS + 4, BARS + 5));
  await closeBars(BARS + 14, BARS + 15);
  expect(await decideUpTo(BARS + 14)).toBeGreaterThan(2 * BARS);
  await closeBars(BARS + 15, BARS + 16);
  expect(await decideUpTo(BARS + 15)).toBe(4);
});
