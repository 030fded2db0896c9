import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emptyCandles } from '../../../src/core/market/candles.ts';
import {
  keepSignals,
  newestQuantiles,
  predictions,
  recordsOf,
  type SignalsGiven,
} from '../../../src/app/workflows/prediction-log.ts';
import type { Signal } from '../../../src/app/workflows/signals.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);
const KEY = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
const GIVEN: SignalsGiven = {
  givenAtMs: START + HOUR,
  runId: 'spring',
  exchange: 'binance',
  timeframe: '1h',
  synthetic: false,
  strategy: 'cost-aware',
  ensemble: 'enhanced',
};

/** Of the bar that opened `bar` hours after the start, two bars ahead. */
const signal = (bar: number, over: Partial<Signal>): Signal => ({
  symbol: 'BTC/USDT',
  time: new Date(START + (bar + 1) * HOUR).toISOString(),
  model: 'ridge',
  noSkill: undefined,
  action: 'hold',
  position: 0,
  heldPosition: 0,
  sizePct: 0,
  confidence: 0.6,
  statedPosition: 0,
  horizon: '2 x 1h',
  horizonBars: 2,
  probabilityUp: undefined,
  expectedReturnPct: undefined,
  edge: undefined,
  costBps: 30,
  stopPct: undefined,
  targetPct: undefined,
  regime: undefined,
  volatilityPct: undefined,
  quantiles: undefined,
  reason: undefined,
  contributions: undefined,
  sentence: '',
  ...over,
});

/** Opens of 100, 100, 110, 121, 121 and 60.5. */
async function market(folder: string) {
  const store = openStore(folder);
  const open = [100, 100, 110, 121, 121, 60.5];
  const candles = emptyCandles(open.length);
  open.forEach((price, row) => {
    candles.time[row] = START + row * HOUR;
    for (const column of ['open', 'high', 'low', 'close'] as const) candles[column][row] = price;
    candles.volume[row] = 1;
  });
  await store.merge(KEY, candles, { source: 'made', synthetic: false });
  return store;
}

it('what was given stands beside what happened from the next open over the horizon', async () => {
  const folder = temporaryFolder();
  const store = await market(folder);
  // From the open of bar 1 to that of bar 3: 100 -> 121.
  await keepSignals(folder, GIVEN, [signal(0, { expectedReturnPct: 0.1, confidence: 0.6 })]);
  // From bar 3 to bar 5: 121 -> 60.5. Given in time, while bar 3 stands open.
  await keepSignals(folder, { ...GIVEN, givenAtMs: START + 3 * HOUR }, [
    signal(2, { probabilityUp: 0.7, confidence: 0.8, expectedReturnPct: -1 }),
  ]);
  // Not over; and given an hour too late.
  await keepSignals(folder, { ...GIVEN, givenAtMs: START + 6 * HOUR }, [
    signal(4, { statedPosition: -1, confidence: undefined }),
  ]);
  const all = await predictions(folder, store);
  expect(all.map(({ hit, late }) => ({ hit, late }))).toEqual([
    { hit: true, late: false },
    { hit: false, late: false },
    { hit: undefined, late: true },
  ]);
  expect(all[0].realised).toBeCloseTo(0.21, 12);
  expect(all[1].realised).toBe(-0.5);
  expect(all[2].realised).toBeUndefined();
  const [record] = recordsOf(all);
  expect(record).toMatchObject({ model: 'ridge', symbol: 'BTC/USDT', given: 3, late: 1, judged: 2, hits: 1 });
  expect(record.meanConfidence).toBeCloseTo(0.7, 12);
  // Up and +21 %, up and -50 %.
  expect(record.meanReturnBps).toBeCloseTo(-1450, 8);
});

it('a signal counts once, however often it was given; another run or strategy is another signal', async () => {
  const folder = temporaryFolder();
  const store = await market(folder);
  const same = [signal(0, { expectedReturnPct: 1 })];
  for (const given of [GIVEN, GIVEN, { ...GIVEN, runId: 'b' }, { ...GIVEN, strategy: 'own' }])
    await keepSignals(folder, given, same);
  expect(await predictions(folder, store)).toHaveLength(3);
});

it('leaning nowhere is no hit and no miss, nor is a market without candles', async () => {
  const folder = temporaryFolder();
  const store = await market(folder);
  await keepSignals(folder, GIVEN, [
    signal(0, { probabilityUp: 0.5 }),
    signal(0, { symbol: 'ETH/USDT', probabilityUp: 0.9 }),
  ]);
  expect(recordsOf(await predictions(folder, store)).map(({ judged, given }) => [judged, given])).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

it('survives a torn last line, and refuses one that was changed', async () => {
  const folder = temporaryFolder();
  const store = await market(folder);
  const path = join(folder, 'signals-given.jsonl');
  await keepSignals(folder, GIVEN, [signal(0, { expectedReturnPct: 1 })]);
  const whole = readFileSync(path, 'utf8');
  appendFileSync(path, whole.slice(0, 100));
  expect(await predictions(folder, store)).toHaveLength(1);
  await keepSignals(folder, GIVEN, [signal(1, { expectedReturnPct: 1 })]);
  expect(await predictions(folder, store)).toHaveLength(2);
  writeFileSync(path, whole.replace('"lean":1', '"lean":2'));
  await expect(predictions(folder, store)).rejects.toThrow('The log of signals is damaged at line 1');
  await expect(keepSignals(folder, GIVEN, [])).rejects.toThrow('The log of signals is damaged at line 1');
});

it('is set aside when it has grown, and what was set aside before goes', async () => {
  const folder = temporaryFolder();
  const store = await market(folder);
  const mostBytes = 1500;
  for (let bar = 0; bar < 40; bar++)
    await keepSignals(folder, GIVEN, [signal(bar, { expectedReturnPct: 1 })], { mostBytes });
  const [newer, older] = ['signals-given', 'signals-given-earlier'].map((name) =>
    join(folder, `${name}.jsonl`),
  );
  expect(existsSync(`${newer}.lock`)).toBe(false);
  expect(statSync(newer).size + statSync(older).size).toBeLessThan(2 * (mostBytes + 500));
  const bars = (await predictions(folder, store)).map(({ barTimeMs }) => (barTimeMs - START) / HOUR);
  // The newest, none missing.
  expect(bars.length).toBeGreaterThan(3);
  expect(bars).toEqual(Array.from(bars, (_, i) => 40 - bars.length + i));
});

it('what was said of how far a symbol may go is of the newest signals, and of the ensemble where it says so', async () => {
  const folder = temporaryFolder();
  expect(await newestQuantiles(folder)).toEqual([]);
  const quantiles = (low: number) => [
    { level: 0.1, returnPct: low },
    { level: 0.9, returnPct: 1 },
  ];
  await keepSignals(folder, GIVEN, [signal(0, { model: 'tft', quantiles: quantiles(-9) })]);
  await keepSignals(folder, GIVEN, [
    signal(1, { model: 'tft', quantiles: quantiles(-1) }),
    signal(1, { model: 'ridge' }),
    signal(1, { model: 'ensemble', quantiles: quantiles(-2) }),
    signal(1, { model: 'tft', symbol: 'ETH/USDT', quantiles: quantiles(-3) }),
  ]);
  expect(await newestQuantiles(folder)).toEqual([
    expect.objectContaining({ symbol: 'BTC/USDT', model: 'ensemble', quantiles: quantiles(-2) }),
    expect.objectContaining({ symbol: 'ETH/USDT', model: 'tft', barTimeMs: START + HOUR, horizonBars: 2 }),
  ]);
});
