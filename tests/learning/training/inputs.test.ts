import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../../src/data/store/store.ts';
import { catalogue } from '../../../src/core/features/catalogue.ts';
import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import { loadPanel } from '../../../src/data/panel/load-panel.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { walkStore, SETTINGS, START_MS, trainOn } from './runs.ts';

const DAY = 86_400_000;
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inputs-'));
  store = await walkStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A year of daily values before the candles and while they run. */
async function addFear(level: number): Promise<void> {
  const time = Float64Array.from({ length: 500 }, (_, i) => START_MS - 400 * DAY + i * DAY);
  const columns = { value: time.map((_, i) => level + (i % 7)) };
  await store.series.merge(
    { name: 'fear-greed', subject: '' },
    { time, known: time.map((t) => t + DAY + 36e5), columns },
    { source: 'csv' },
  );
}

const request = {
  exchange: 'binance',
  symbols: SETTINGS.symbols,
  timeframe: '1h',
  catalogue,
  sources: DEFAULT_SOURCES,
  featureNames: ['return_1', 'fear_greed_change_1', 'benchmark_beta_50'],
} as const;
const FEATURES = {
  params: { ridge: { features: ['return_1', 'fear_greed_change_1', 'benchmark_beta_50'] } },
  models: ['ridge'],
};

it('refuses a feature whose input is not stored, by name, with what to do', async () => {
  await expect(loadPanel(store, request)).rejects.toMatchObject({
    message: '"fear_greed_change_1" needs fear-greed: the store holds no series fear-greed.',
    hint: expect.stringContaining('crypto-trader fetch --series fear-greed') as string,
  });
  await expect(planRun(store, { ...SETTINGS, ...FEATURES })).rejects.toThrow(
    '"fear_greed_change_1" needs fear-greed',
  );
});

it('covers the inputs with the fingerprint, and only as far as they were known', async () => {
  await addFear(40);
  const panel = await loadPanel(store, request);
  expect(panel.series[1].features.columns[2].some(Number.isFinite)).toBe(true);
  const plain = await loadPanel(store, { ...request, featureNames: ['return_1'] });
  expect(plain.fingerprint).not.toBe(panel.fingerprint);
  // A value that became known after the last bar changes nothing.
  const later = Float64Array.of(panel.untilMs + 100 * DAY);
  await store.series.merge(
    { name: 'fear-greed', subject: '' },
    { time: later, known: later.map((t) => t + 2 * DAY), columns: { value: Float64Array.of(1) } },
    { source: 'csv' },
  );
  expect((await loadPanel(store, request)).fingerprint).toBe(panel.fingerprint);
  rmSync(join(folder, 'data', 'series'), { recursive: true });
  await addFear(41);
  expect((await loadPanel(store, request)).fingerprint).not.toBe(panel.fingerprint);
});

it('writes into the plan of a run what was used and which groups were not there', async () => {
  await addFear(40);
  const { plan } = await trainOn(folder, store, FEATURES);
  expect(plan.sources).toEqual(DEFAULT_SOURCES);
  expect(plan.inputs.map(({ input, place }) => `${input}: ${place}`)).toEqual([
    'fear-greed: series fear-greed',
    'benchmark: candles binance BTC/USDT 1h',
    'fear-greed: series fear-greed',
    'benchmark: candles binance BTC/USDT 1h',
  ]);
  expect(plan.absentGroups).toEqual([
    'cross-exchange',
    'derivatives',
    'macro',
    'news',
    'on-chain',
    'order-book',
  ]);
});

it('gives a bar that just closed the values that a later load gives it', async () => {
  await addFear(40);
  const whole = await loadPanel(store, request);
  for (const rows of [150, 151, 174, 175, 400]) {
    const untilMs = START_MS + rows * 36e5;
    const part = await loadPanel(store, { ...request, untilMs });
    for (const [s, { candles, features }] of part.series.entries()) {
      expect(candles.time.length).toBe(rows);
      for (const [i, column] of features.columns.entries())
        expect(column, features.names[i]).toEqual(whole.series[s].features.columns[i].subarray(0, rows));
    }
  }
});
