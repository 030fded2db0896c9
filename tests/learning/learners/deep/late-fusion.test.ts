import { describe, expect, it } from 'vitest';
import { labelEndMs } from '../../../../src/core/dataset/labels.ts';
import { type Panel, panelUntil } from '../../../../src/core/dataset/panel.ts';
import { TIMEFRAME_MS } from '../../../../src/core/market/timeframe.ts';
import { lateFusion } from '../../../../src/learning/models/late-fusion/index.ts';
import type { FittedModel } from '../../../../src/core/forecast/model.ts';
import { hitRate, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const [TRAIN, VALIDATE, ROWS] = [1200, 1600, 2200];
const labelledUntil = (row: number): number => labelEndMs(row * TIMEFRAME_MS['5m'], '5m', 1);

/** The planted panel, its hours shortened to five minutes. */
function fiveMinutes(): Panel {
  const series = plantedPanel(ROWS, { shuffled: false }).series.map((one) => {
    const time = one.candles.time.map((ms) => ms / 12);
    return { ...one, candles: { ...one.candles, time } };
  });
  return { timeframe: '5m', series };
}

const fit = (panel: Panel, more: object = {}): Promise<FittedModel> =>
  lateFusion.fit({
    panel: panelUntil(panel, labelledUntil(VALIDATE)),
    params: lateFusion.params.parse({
      ...{ features: PLANTED_FEATURES, longerFeatures: ['bar_return'], lookBack: 4, dayLookBack: 3 },
      ...{ batchSize: 32, epochs: 6, learningRate: 5e-3, horizonBars: 1, hidden: 12, layers: 1 },
      ...more,
    }),
    trainUntilMs: labelledUntil(TRAIN),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  });

describe('late fusion of five-minute bars', async () => {
  const panel = fiveMinutes();
  const fitted = await fit(panel);

  it('names what it does without, and why', () => {
    expect(fitted.absent).toEqual([
      { name: '1m', reason: 'finer than the 5m bars of the data, and not stored for every symbol' },
      { name: 'text', reason: 'models.late-fusion.text names no features of texts' },
      {
        name: '1d',
        // Each of the two symbols has 1202 bars of 288 a day; the third day closes with the 864th.
        reason: 'only 678 of 2404 bars of training have 3 whole 1d bars before them',
      },
    ]);
  });

  it('weighs the timeframes that are there, and shows its attention to the bars of the coarse ones', () => {
    const [weights, attention] = fitted.explanation ?? [];
    expect(weights).toMatchObject({ title: 'weight of the branches' });
    const names = weights?.kind === 'importance' ? weights.names.toSorted() : [];
    expect(names).toEqual(['10m', '1h', '5m']);
    expect(attention).toMatchObject({ kind: 'by-lag', title: 'attention to the 1h bars of the window' });
  });

  it('finds what the finest bars tell', async () => {
    expect(hitRate(panel, await fitted.forecast(panel), VALIDATE).share).toBeGreaterThan(0.7);
  });

  it('gives every bar the forecast that it had when it was the newest', async () => {
    const whole = await fitted.forecast(panel);
    // Inside an hour and ten minutes, at the close of ten minutes, at the close of the hour.
    for (const row of [1806, 1807, 1811]) {
      const seen = await fitted.forecast(panelUntil(panel, (row + 1) * TIMEFRAME_MS['5m']));
      seen.forEach(({ probabilityUp }, s) =>
        expect(probabilityUp?.[row], String(row)).toBe(whole[s].probabilityUp?.[row]),
      );
    }
  });

  it('remembers what it does without', async () => {
    const loaded = await lateFusion.load(fitted.save());
    expect(loaded.absent).toEqual(fitted.absent);
    expect(await loaded.forecast(panel)).toEqual(await fitted.forecast(panel));
  });

  it('hears a third branch of texts, and what is told there alone', async () => {
    // The prices' features are another walk's; the planted ones stand in for news.
    const other = plantedPanel(ROWS, { shuffled: true }).series;
    const told: Panel = {
      timeframe: '5m',
      series: panel.series.map(({ features, ...one }, s) => ({
        ...one,
        features: {
          names: [...features.names, ...PLANTED_FEATURES.map((name) => `news_${name}`)],
          columns: [
            features.columns[0],
            ...other[s].features.columns.slice(1),
            ...PLANTED_FEATURES.map((name) => features.columns[features.names.indexOf(name)]),
          ],
        },
      })),
    };
    const text = { text: PLANTED_FEATURES.map((name) => `news_${name}`), textLookBack: 4 };
    const [deaf, hearing] = [
      await fit(told, { fine: ['5m'], coarse: [], epochs: 1 }),
      await fit(told, { ...text, fine: ['5m'], coarse: [] }),
    ];
    const share = async (fitted: FittedModel): Promise<number> =>
      hitRate(told, await fitted.forecast(told), VALIDATE).share;
    expect(await share(hearing)).toBeGreaterThan(0.7);
    expect(await share(deaf)).toBeLessThan(0.6);
    expect(hearing.absent).toBeUndefined();
    const [weights] = hearing.explanation ?? [];
    expect(weights?.kind === 'importance' ? weights.names.toSorted() : []).toEqual(['5m', 'text']);
    const seen = await hearing.forecast(panelUntil(told, 1807 * TIMEFRAME_MS['5m']));
    const whole = await hearing.forecast(told);
    expect(seen[0].probabilityUp?.[1806]).toBe(whole[0].probabilityUp?.[1806]);
  });

  it('answers by the prices alone where nothing was written, and weighs the silence with 0', async () => {
    const silent = (from: number, until: number): Panel => ({
      timeframe: '5m',
      series: panel.series.map((one) => {
        const news = one.features.columns[one.features.names.indexOf('hint')];
        const columns = [
          ...one.features.columns,
          news.map((value, row) => (row >= from && row < until ? NaN : value)),
        ];
        return { ...one, features: { names: [...one.features.names, 'news'], columns } };
      }),
    });
    const told = silent(1810, 1830);
    const fitted = await fit(told, { text: ['news'], textLookBack: 4, fine: ['5m'], coarse: [] });
    const [{ probabilityUp: forecast }] = await fitted.forecast(told);
    expect(forecast?.slice(1800, 1840).some(Number.isNaN)).toBe(false);
    // With no news at all the bar is read as it was in the silence.
    const [{ probabilityUp: alone }] = await fitted.forecast(silent(0, ROWS));
    expect(alone?.[1820]).toBe(forecast?.[1820]);
    expect(alone?.[1800]).not.toBe(forecast?.[1800]);
    const never = await fit(silent(0, ROWS), {
      text: ['news'],
      textLookBack: 4,
      fine: ['5m'],
      coarse: [],
      epochs: 1,
    });
    expect(never.absent?.map(({ name }) => name)).toEqual(['text']);
  });

  it('is an error when nothing is left', async () => {
    await expect(fit(panel, { fine: ['1m'], coarse: [] })).rejects.toThrow(
      'None of the timeframes of the model can be read here: 1m (finer than the 5m bars of the data, and not stored for every symbol)',
    );
  });
});
