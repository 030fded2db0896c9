import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Forecast } from '../../../src/core/forecast/model.ts';
import { candlesBetween } from '../../../src/core/market/candles.ts';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import {
  loadTrained,
  loadTrainedMarket,
  loadTrainedPanel,
  readTrained,
} from '../../../src/learning/training/checkpoints.ts';
import { keptForecasts } from '../../../src/learning/training/kept-forecasts.ts';
import { openMember } from '../../../src/learning/training/member-folder.ts';
import { walk } from '../../support/candles.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { add, BARS, START_MS, trainOn, walkStore } from './runs.ts';

const HOUR = 3_600_000;
/** Without memory, with memory of what they held, of rows of features, of both symbols together. */
const MODELS = ['persistence', 'momentum-garch', 'ridge', 'boosted-trees', 'cross-sectional-momentum'];

/** Forecasts with the kept ones in use, and which models were opened for them. */
async function said(folder: string, store: Store, untilMs?: number) {
  const trained = await readTrained(join(folder, 'checkpoints'));
  const opened: string[] = [];
  const members = trained.members.map((member) => ({
    ...member,
    open: async () => {
      opened.push(member.id);
      return (await openMember(member)).fitted;
    },
  }));
  const market = await loadTrainedMarket(store, trained, untilMs === undefined ? {} : { untilMs });
  const sinceMs = trained.trainUntilMs;
  const { ask } = await keptForecasts(join(folder, 'data'), { ...trained, members }, market, { sinceMs });
  const forecasts = await Promise.all(members.map((member) => ask(member, sinceMs)));
  return { forecasts, opened };
}

/** The same by models that look at all bars. */
async function expected(folder: string, store: Store): Promise<readonly (readonly Forecast[])[]> {
  const trained = await loadTrained(join(folder, 'checkpoints'));
  const panel = await loadTrainedPanel(store, trained);
  const sinceMs = trained.trainUntilMs;
  const all = await Promise.all(trained.members.map(({ fitted }) => fitted.forecast(panel, { sinceMs })));
  const from = (sinceMs - START_MS) / HOUR;
  const asked = (column: Float64Array): Float64Array => column.slice().fill(NaN, 0, from);
  return all.map((forecasts) =>
    forecasts.map(({ symbol, horizonBars, quantiles, ...columns }) => ({
      symbol,
      horizonBars,
      ...(Object.fromEntries(
        Object.entries(columns).map(([name, column]) => [name, asked(column)]),
      ) as typeof columns),
      ...(quantiles && {
        quantiles: { levels: [...quantiles.levels], columns: quantiles.columns.map(asked) },
      }),
    })),
  );
}

async function trainedProject(): Promise<{ readonly folder: string; readonly store: Store }> {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  await trainOn(folder, store, { models: MODELS, approach: 'both' });
  return { folder, store };
}

describe('kept forecasts', () => {
  it('are those of models that look at all bars, to the bit, however they came together', async () => {
    const { folder, store } = await trainedProject();
    const whole = await expected(folder, store);
    for (const bars of [500, 501, BARS - 1]) await said(folder, store, START_MS + bars * HOUR);
    const grown = await said(folder, store);
    expect(grown.opened).toEqual(MODELS);
    expect(grown.forecasts).toEqual(whole);
    const again = await said(folder, store);
    expect(again.opened).toEqual([]);
    expect(again.forecasts).toEqual(whole);
  });

  it('count for nothing once a candle of theirs is another', async () => {
    const { folder, store } = await trainedProject();
    await said(folder, store);
    const other = openStore(join(folder, 'other'));
    for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries()) {
      const candles = walk(BARS, { startMs: START_MS, seed: i + 1 });
      if (i === 1) candles.close[550] = candles.low[550] + 0.5 * (candles.high[550] - candles.low[550]);
      await add(other, symbol, candles);
    }
    const now = await said(folder, other);
    expect(now.opened).toEqual(MODELS);
    expect(now.forecasts).toEqual(await expected(folder, other));
  });

  it('count for nothing when they are damaged, or of a history that has since grown backwards', async () => {
    const { folder, store } = await trainedProject();
    const before = await said(folder, store);
    const cache = join(folder, 'data/cache/forecasts');
    const files = readdirSync(cache);
    expect(files).toHaveLength(MODELS.length);
    for (const file of files) {
      const bytes = readFileSync(join(cache, file));
      bytes[bytes.length - 9] ^= 0x40;
      writeFileSync(join(cache, file), bytes);
    }
    const repaired = await said(folder, store);
    expect(repaired.opened).toEqual(MODELS);
    expect(repaired.forecasts).toEqual(before.forecasts);

    // One symbol misses its last bars at first: those that come later lie before what was kept of the other.
    const late = openStore(join(folder, 'late'));
    const [btc, eth] = [1, 2].map((seed) => walk(BARS, { startMs: START_MS, seed }));
    await add(late, 'BTC/USDT', btc);
    await add(late, 'ETH/USDT', candlesBetween(eth, 0, START_MS + 590 * HOUR));
    await said(folder, late);
    await add(late, 'ETH/USDT', eth);
    expect((await said(folder, late)).forecasts).toEqual(before.forecasts);
  });
});
