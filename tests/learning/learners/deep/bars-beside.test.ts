import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedPanel, loadPanel, type PanelRequest } from '../../../../src/data/panel/load-panel.ts';
import { startPanel } from '../../../../src/data/panel/running-panel.ts';
import { openStore, type Store } from '../../../../src/data/store/store.ts';
import { type Panel, panelUntil } from '../../../../src/core/dataset/panel.ts';
import { catalogue } from '../../../../src/core/features/catalogue.ts';
import { DEFAULT_SOURCES } from '../../../../src/core/features/inputs.ts';
import { barLengthsOf, type FittedModel } from '../../../../src/core/forecast/model.ts';
import { createRandom } from '../../../../src/core/foundation/random.ts';
import { type Candles, emptyCandles, sliceCandles } from '../../../../src/core/market/candles.ts';
import { resampleCandles } from '../../../../src/core/market/resample.ts';
import { lateFusion } from '../../../../src/learning/models/late-fusion/index.ts';
import { walk } from '../../../support/candles.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { hitRate } from './planted.ts';

const HOUR = 3_600_000;
/** A Monday. */
const START = Date.UTC(2024, 0, 1);
const [HOURS, TRAIN, VALIDATE] = [1500, 1000, 1200];
const at = (hours: number): number => START + hours * HOUR;

/** Five-minute bars in which the last of an hour tells the sign of the next hour's return, and nothing longer does. */
function tellingFives(): Candles {
  const random = createRandom(7);
  const candles = emptyCandles(12 * HOURS);
  let [price, sign] = [100, 1];
  for (let hour = 0; hour < HOURS; hour++) {
    const [whole, last] = [0.01 * sign, random() < 0.5 ? -0.004 : 0.004];
    for (let five = 0; five < 12; five++) {
      const row = 12 * hour + five;
      const open = price;
      price *= 1 + (five === 11 ? last : (whole - last) / 11);
      candles.time[row] = START + (row * HOUR) / 12;
      candles.open[row] = open;
      candles.close[row] = price;
      candles.high[row] = Math.max(open, price) * (1 + 0.001 * random());
      candles.low[row] = Math.min(open, price) * (1 - 0.001 * random());
      candles.volume[row] = 1 + random();
    }
    sign = Math.sign(last);
  }
  return candles;
}

const key = { exchange: 'x', symbol: 'BTC/USDT' } as const;
const fives = tellingFives();
const params = lateFusion.params.parse({
  features: ['bar_return'],
  finerFeatures: ['bar_return'],
  longerFeatures: ['bar_return'],
  fine: ['1m', '5m', '10m'],
  coarse: ['1h', '1d', '1w', '1M'],
  ...{ lookBack: 4, dayLookBack: 3, weekLookBack: 4, monthLookBack: 3 },
  ...{ batchSize: 32, epochs: 4, learningRate: 5e-3, horizonBars: 1, hidden: 8, layers: 1 },
});

const root = mkdtempSync(join(tmpdir(), 'beside-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Hours and what stands beside them: fives, and days from a year earlier on. */
async function storeOf(...beside: readonly ('5m' | '1d')[]): Promise<Store> {
  const store = openStore(mkdtempSync(join(root, 'data-')));

  const origin = { source: 'test', synthetic: false };
  await store.merge({ ...key, timeframe: '1h' }, resampleCandles(fives, '5m', '1h'), origin);
  if (beside.includes('5m')) await store.merge({ ...key, timeframe: '5m' }, fives, origin);
  const days = { startMs: START - 366 * 24 * HOUR, timeframe: '1d' } as const;
  if (beside.includes('1d'))
    await store.merge({ ...key, timeframe: '1d' }, walk(366 + HOURS / 24, days), origin);
  return store;
}

const request: PanelRequest = {
  ...{ exchange: 'x', symbols: [key.symbol], timeframe: '1h', catalogue, sources: DEFAULT_SOURCES },
  featureNames: lateFusion.features(params),
  lengths: barLengthsOf([{ model: lateFusion, params }]),
};

const fit = (panel: Panel): Promise<FittedModel> =>
  lateFusion.fit({
    panel: panelUntil(panel, at(VALIDATE)),
    ...{ params, trainUntilMs: at(TRAIN), seed: 1 },
    signal: new AbortController().signal,
    onProgress: () => {},
  });

describe('late fusion of hours with five minutes and days beside them', () => {
  let store: Store;
  let panel: LoadedPanel;
  let fitted: FittedModel;
  beforeAll(async () => {
    store = await storeOf('5m', '1d');
    panel = await loadPanel(store, request);
    fitted = await fit(panel);
  });

  it('reads those that are stored and those they make up, and names the rest', () => {
    expect(panel.lengths).toEqual(['5m', '10m', '1d', '1w', '1M']);
    expect(fitted.absent?.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      '1m: finer than the 1h bars of the data, and not stored for every symbol',
      'text: models.late-fusion.text names no features of texts',
    ]);
    const [weights] = fitted.explanation ?? [];
    expect(weights?.kind === 'importance' && weights.names.toSorted()).toEqual([
      '10m',
      '1M',
      '1d',
      '1h',
      '1w',
      '5m',
    ]);
  });

  it('finds what only the finer bars tell, and not without them', async () => {
    expect(hitRate(panel, await fitted.forecast(panel), VALIDATE).share).toBeGreaterThan(0.9);
    const deaf = await loadPanel(await storeOf('1d'), request);
    expect(deaf.lengths).toEqual(['1d', '1w', '1M']);
    expect(hitRate(deaf, await (await fit(deaf)).forecast(deaf), VALIDATE).share).toBeLessThan(0.62);
  });

  // Inside a day, at its last hour and after it, at the end of a week and of a month.
  it.each([1230, 1247, 1248, 1344, 1440])(
    'forecasts hour %i as it did when nothing later was stored',
    async (hour) => {
      const whole = await fitted.forecast(panel);
      const then = await loadPanel(store, { ...request, untilMs: at(hour + 1) });
      for (const known of [then, panelUntil(panel, at(hour + 1))]) {
        expect(known.series[0].views).toEqual(then.series[0].views);
        const [{ probabilityUp }] = await fitted.forecast(known);
        expect(probabilityUp?.[hour]).toBe(whole[0].probabilityUp?.[hour]);
        expect(probabilityUp?.[hour]).not.toBeNaN();
      }
      for (const { known } of then.series[0].views ?? [])
        expect([...known].every((ms) => ms <= at(hour + 1))).toBe(true);
    },
  );

  it('forecasts after loading from a checkpoint what it did before, and asks for bars that are gone', async () => {
    const loaded = await lateFusion.load(fitted.save());
    expect(await loaded.forecast(panel)).toEqual(await fitted.forecast(panel));
    const gone = await loadPanel(await storeOf('1d'), request);
    await expect(loaded.forecast(gone)).rejects.toThrow(
      'The model reads 5m bars of BTC/USDT, and none are stored.',
    );
  });

  it('tells other bars by the fingerprint', async () => {
    const fingerprints = await Promise.all(
      [await storeOf(), await storeOf('5m'), await storeOf('1d')].map(
        async (one) => (await loadPanel(one, request)).fingerprint,
      ),
    );
    expect(new Set([...fingerprints, panel.fingerprint]).size).toBe(4);
  });
});

it('a panel that goes on has the bars beside as a fresh one has them, and starts again for one that came late', async () => {
  const store = openStore(join(temporaryFolder(), 'data'));
  const origin = { source: 'test', synthetic: false };
  const hours = resampleCandles(fives, '5m', '1h');
  const add = async (timeframe: '1h' | '5m', from: number, to: number): Promise<void> => {
    const all = timeframe === '1h' ? hours : fives;
    await store.merge({ ...key, timeframe }, sliceCandles(all, from, to), origin);
  };
  await add('1h', 0, 100);
  await add('5m', 0, 1200);
  const { running } = await startPanel(store, request, Infinity);
  await add('1h', 100, 101);
  await add('5m', 1200, 1212);
  expect(await running.advance(at(101))).toBe(true);
  expect(running.panel.series[0].views).toEqual(
    (await loadPanel(store, { ...request, untilMs: at(101) })).series[0].views,
  );
  // Twelve bars of the next hour, of which one comes an hour late.
  await add('1h', 101, 102);
  await add('5m', 1212, 1223);
  expect(await running.advance(at(102))).toBe(true);
  await add('1h', 102, 103);
  await add('5m', 1223, 1236);
  expect(await running.advance(at(103))).toBe(false);
});
