import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { forwardReturns } from '../../src/core/dataset/labels.ts';
import { buyAndHold } from '../../src/learning/models/buy-and-hold/index.ts';
import type { FittedModel, FitTask, Forecast, Model } from '../../src/core/forecast/model.ts';
import { inputsOf } from '../../src/core/features/catalogue.ts';
import { builtIn, createRegistry, models } from '../../src/learning/models/registry.ts';
import { checkModel, MODEL_LAWS as LAWS } from '../../src/lab/contracts/check-model.ts';

/** The suite's panel has candles alone; rules that read more are held to the same laws in tests/core/strategy/quant. */
const onCandles = models.filter(
  (model) => inputsOf(model.features(model.params.parse({}))).length === 0 || model.kind !== 'rule',
);

describe.each(onCandles.map((model) => [model.id, model] as const))('%s', (_, model) => {
  it.each(Object.entries(LAWS))('%s', async (_law, holds) => holds(model), 240_000);
});

describe('the registry', () => {
  it('has each id once', () => {
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
  });

  it('refuses a model that takes the id of another', () => {
    const own = { ...buyAndHold, id: 'ridge' };
    expect(() => createRegistry({ models: [own] })).toThrow('There are two models with the id "ridge".');
  });

  it('leaves networks out where the settings say so, by name', () => {
    const without = createRegistry({ withoutDeep: true });
    expect(without.models.filter(({ kind }) => kind === 'deep')).toEqual([]);
    expect(without.switchedOff).toEqual(models.flatMap(({ id, kind }) => (kind === 'deep' ? [id] : [])));
    expect(() => without.findModel('gru')).toThrow('"gru" is a network, and deepLearning.enabled is false.');
    expect(without.findModel('ridge').id).toBe('ridge');
    expect(builtIn.switchedOff).toEqual([]);
  });

  it('answers an unknown id with the nearest', () => {
    expect(() => builtIn.findModel('persistance')).toThrow('Unknown model "persistance".');
    expect(() => builtIn.findModel('persistance')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Did you mean "persistence"?') as string }),
    );
  });
});

describe('a model that breaks a law is caught', () => {
  const sound: Model = buyAndHold;
  /** A sound model with its fitted side changed. */
  const spoilt = (change: (fitted: FittedModel) => Partial<FittedModel>): Model => {
    const wrap = (fitted: FittedModel): FittedModel => ({ ...fitted, ...change(fitted) });
    return {
      ...sound,
      fit: async (task) => wrap(await sound.fit(task)),
      load: async (artifact) => wrap(await sound.load(artifact)),
    };
  };
  const forecasting = (change: (forecast: Forecast) => Forecast): Model =>
    spoilt((fitted) => ({ forecast: async (panel) => (await fitted.forecast(panel)).map(change) }));
  const learning = (weights: (task: FitTask<unknown>) => unknown): Model => ({
    ...sound,
    fit: async (task) => {
      const json = weights(task);
      return { ...(await sound.fit(task)), save: () => ({ json, blobs: {} }) };
    },
  });
  let calls = 0;

  const violations: readonly (readonly [keyof typeof LAWS, Model])[] = [
    ['has defaults for all parameters, and they survive JSON', { ...sound, quickParams: { typo: 1 } }],
    [
      'takes no longer for a bar when it is given more bars',
      spoilt((fitted) => ({
        forecast: async (panel) => {
          // What some indicators do: all bars again for each of them. Few bars stay quick, so that no pause of the machine hides it.
          for (const { candles } of panel.series)
            for (let row = 0; row < candles.time.length; row++)
              for (let past = 6000; past < row; past++)
                calls += Math.hypot(candles.close[past], row) < 0 ? 1 : 0;
          return fitted.forecast(panel);
        },
      })),
    ],
    [
      'gives the same weights for the same seed',
      spoilt((fitted) => ({ save: () => ({ json: [fitted.report, calls++], blobs: {} }) })),
    ],
    [
      'gives other weights for another seed exactly when it says that it draws random numbers',
      { ...sound, stochastic: true },
    ],
    [
      'gives other weights for another seed exactly when it says that it draws random numbers',
      {
        ...sound,
        fit: async (task) => ({ ...(await sound.fit(task)), save: () => ({ json: task.seed, blobs: {} }) }),
      },
    ],
    [
      'forecasts the same bits after saving and loading',
      {
        ...sound,
        load: async (artifact) => {
          const loaded = await sound.load(artifact);
          const drift = (forecast: Forecast): Forecast => ({
            ...forecast,
            confidence: forecast.confidence.map((value) => value + 1e-16),
          });
          return { ...loaded, forecast: async (panel) => (await loaded.forecast(panel)).map(drift) };
        },
      },
    ],
    [
      'never changes a forecast when later bars arrive',
      spoilt((fitted) => ({
        forecast: async (panel) => {
          const forecasts = await fitted.forecast(panel);
          return forecasts.map((forecast, s) => {
            const { close } = panel.series[s].candles;
            return {
              ...forecast,
              position: close.map((price, row) => ((close[row + 1] ?? price) > price ? 1 : 0)),
            };
          });
        },
      })),
    ],
    [
      'forecasts the same bits when asked only for the newest bars',
      spoilt((fitted) => ({
        forecast: async (panel, wanted) =>
          (await fitted.forecast(panel, wanted)).map((forecast) =>
            wanted?.sinceMs === undefined ? forecast : { ...forecast, position: forecast.position.fill(0) },
          ),
      })),
    ],
    [
      'forecasts every symbol with values in their ranges',
      forecasting((forecast) => ({ ...forecast, position: forecast.position.map(() => 1.01) })),
    ],
    [
      'forecasts every symbol with values in their ranges',
      forecasting((forecast) => ({ ...forecast, position: forecast.position.map(() => NaN) })),
    ],
    [
      'forecasts quantiles that do not cross',
      forecasting((forecast) => ({
        ...forecast,
        quantiles: { levels: [0.1, 0.9], columns: [Float64Array.of(0.2), Float64Array.of(0.1)] },
      })),
    ],
    [
      'explains every symbol in readable parts, where it explains',
      spoilt(() => ({ explain: async () => [] })),
    ],
    [
      'explains every symbol in readable parts, where it explains',
      spoilt(() => ({ explanation: [{ kind: 'by-lag', title: 'attention', unit: '%', values: [NaN] }] })),
    ],
    [
      'keeps nothing between forecasts and leaves the panel alone',
      forecasting((forecast) => ({ ...forecast, horizonBars: ++calls })),
    ],
    [
      'keeps nothing between forecasts and leaves the panel alone',
      spoilt((fitted) => ({
        forecast: async (panel) => {
          panel.series[0].candles.close[0] += 1;
          return fitted.forecast(panel);
        },
      })),
    ],
    [
      'resumes from a snapshot to the weights of a training that was never stopped',
      {
        ...sound,
        fit: async (task) => {
          await task.snapshots?.keep({ json: {}, blobs: {} }, { step: 2 });
          const fitted = await sound.fit(task);
          return task.snapshots?.from ? { ...fitted, save: () => ({ json: 'other', blobs: {} }) } : fitted;
        },
      },
    ],
    [
      'stops with the reason when aborted',
      { ...sound, fit: (task) => sound.fit({ ...task, signal: new AbortController().signal }) },
    ],
    [
      'refuses an artifact of something else',
      { ...sound, load: async () => sound.load({ json: {}, blobs: {} }).catch(() => neverFitted) },
    ],
    [
      'learns nothing from bars behind the end of its panel',
      learning(({ panel }) => new Float64Array(panel.series[0].candles.close.buffer).at(-1)),
    ],
    [
      'learns the same weights whatever the validation bars are, unless it says that it uses them',
      learning(({ panel }) => panel.series[0].candles.close.at(-1)),
    ],
    [
      'trains with the same losses until it first looks at the validation bars',
      {
        ...sound,
        fit: async (task) => {
          // A scaler over all bars, those for validation too.
          const loss = mean(task.panel.series[0].candles.close);
          task.onProgress({ step: 1, steps: 1, loss });
          return sound.fit(task);
        },
      },
    ],
    ['knows nothing of the returns that it was validated on', memoriser],
  ];
  const neverFitted: FittedModel = {
    report: {},
    forecast: async () => [],
    save: () => ({ json: {}, blobs: {} }),
  };

  it.each(violations)('%s', async (law, model) => {
    await expect(LAWS[law](model)).rejects.toThrow();
  });

  it('by name, and by that law alone, where it only remembers what it was validated on', async () => {
    const broken: string[] = [];
    for await (const verdict of checkModel(memoriser))
      if (verdict.kind === 'broken') broken.push(verdict.law);
    expect(broken).toEqual(['knows nothing of the returns that it was validated on']);
  });
});

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const Memory = z.strictObject({ table: z.array(z.record(z.string(), z.number())) });

/** Nothing worth having on the bars that it was trained on; on those that it was validated on it holds what the next bar brought. */
const memoriser: Model = {
  id: 'memoriser',
  summary: 'learns the validation labels by heart',
  kind: 'classical',
  source: '',
  usesValidation: true,
  params: z.strictObject({}),
  features: () => [],
  fit: async ({ panel, trainUntilMs, signal }) => {
    signal.throwIfAborted();
    const table = panel.series.map(({ candles }) => {
      const returns = forwardReturns(candles, panel.timeframe, 1);
      const rows = [...candles.time.keys()].filter(
        (row) => candles.time[row] >= trainUntilMs && Number.isFinite(returns[row]),
      );
      return Object.fromEntries(rows.map((row) => [String(candles.time[row]), Math.sign(returns[row])]));
    });
    return remembering({ table });
  },
  load: async ({ json }) => remembering(Memory.parse(json)),
};

const remembering = (memory: z.output<typeof Memory>): FittedModel => ({
  report: {},
  forecast: async (panel) =>
    panel.series.map(({ symbol, candles }, s) => {
      const position = candles.time.map(
        (time, row) => memory.table[s][String(time)] ?? (row % 2 === 0 ? 1 : -1),
      );
      return { symbol, horizonBars: 1, position, confidence: position.map(Math.abs) };
    }),
  save: () => ({ json: memory, blobs: {} }),
});
