import { beforeAll, describe, expect, it } from 'vitest';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { panelUntil } from '../../../src/core/dataset/panel.ts';
import type { Fold } from '../../../src/core/dataset/splits.ts';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import { lowerBound } from '../../../src/core/market/candles.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { measureFold } from '../../../src/lab/tuning/objective.ts';
import { createPipelineMeter } from '../../../src/lab/tuning/pipeline.ts';
import {
  type Candidates,
  narrowedPipelines,
  type Pipeline,
  pipelineOf,
  pipelineSpace,
} from '../../../src/lab/tuning/pipeline-space.ts';
import { narrowedSpace } from '../../../src/lab/tuning/model-space.ts';
import { fill } from '../../../src/lab/tuning/space.ts';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { modelParams } from '../../../src/learning/training/plan.ts';
import { driftingWalk } from '../../support/planted.ts';

const HOUR = 3_600_000;
const NAMES = ['return_1', 'return_3', 'return_10', 'volatility_20', 'rsi_14', 'volume_ratio_20'];
const rules = { ...SPOT_RULES, feeBps: 0, slippageBps: 0 };
const own = {
  models: { ridge: { features: NAMES }, logistic: { features: NAMES } },
  strategies: {},
  ensembles: {},
};
const signal = new AbortController().signal;

function panelOf(rows: number, seed: number): Panel {
  const { candles } = driftingWalk(rows, { startMs: 0, seed, noise: 0.004, drift: 0.004, persistence: 0.6 });
  const features = computeFeatures(NAMES, candles, '1h');
  return { timeframe: '1h', series: [{ symbol: 'BTC/USDT', candles, features }] };
}
const meterOf = (panel: Panel) =>
  createPipelineMeter({
    registry: builtIn,
    panels: new Map([['1h', panel]]),
    mode: 'quick',
    own,
    validationPct: 20,
    seed: 1,
    rules,
    stepMs: HOUR,
  });
const fold: Fold = {
  train: { fromMs: 0, untilMs: 1500 * HOUR },
  test: { fromMs: 1524 * HOUR, untilMs: 2000 * HOUR },
};
const alone: Pipeline = {
  timeframe: '1h',
  model: 'ridge',
  features: 'own',
  ensemble: 'none',
  partners: [],
  strategy: 'own',
  modelParams: { penalty: 0.1, horizonBars: 2 },
  strategyParams: {},
};
const whole: Pipeline = {
  ...alone,
  features: 'important',
  ensemble: 'stacking',
  partners: ['logistic'],
  strategy: 'cost-aware',
  strategyParams: { riskAversion: 1 },
};

describe('a pipeline on a fold', () => {
  let panel: Panel;
  beforeAll(() => void (panel = panelOf(2000, 3)));

  it('that is one model with its own positions comes to what the model alone comes to', async () => {
    const model = builtIn.findModel('ridge');
    const params = modelParams(model, 'quick', { features: NAMES, penalty: 0.1, horizonBars: 2 });
    const task = { panel, validationPct: 20, seed: 1, rules, signal };
    const expected = await measureFold({ model, params }, fold, task);
    const { figures, fills, returns } = await meterOf(panel).measure(alone, fold, signal);
    expect(fills).toBeGreaterThan(10);
    expect({ figures, fills }).toEqual({ figures: expected.figures, fills: expected.fills });
    expect([...returns]).toEqual([...expected.returns]);
  });

  it('finds an edge that was planted, by features, weights and a strategy that were chosen before it', async () => {
    const { figures, fills, features } = await meterOf(panel).measure(whole, fold, signal);
    expect(features?.length).toBeGreaterThan(0);
    expect(fills).toBeGreaterThan(10);
    expect(figures['net-return']).toBeGreaterThan(10);
  });

  it.each([
    ['one model', alone],
    ['features, an ensemble and a strategy that rests on skill', whole],
    ['a strategy without skill', { ...alone, strategy: 'sign', features: 'distinct' as const }],
  ])('decides on nothing that comes later: %s', async (_, pipeline) => {
    // Other prices from the middle of the test bars on: all before stays, to the bit.
    const middle = 1760;
    const other = panelOf(2000, 4);
    const { candles } = panel.series[0];
    const changed = structuredClone(candles);
    const later = other.series[0].candles;
    const scale = candles.close[middle - 1] / later.close[middle - 1];
    for (const name of ['open', 'high', 'low', 'close'] as const)
      for (let row = middle; row < 2000; row++) changed[name][row] = later[name][row] * scale;
    const features = computeFeatures(NAMES, changed, '1h');
    const replaced: Panel = { ...panel, series: [{ symbol: 'BTC/USDT', candles: changed, features }] };
    const [before, after] = await Promise.all(
      [panel, replaced].map((one) => meterOf(one).measure(pipeline, fold, signal)),
    );
    const known = middle - 1524;
    expect([...after.returns.subarray(0, known - 1)]).toEqual([...before.returns.subarray(0, known - 1)]);
    expect(after.features).toEqual(before.features);
    expect([...after.returns]).not.toEqual([...before.returns]);
  });

  it('sums returns over longer steps, so that bars of several lengths compare', async () => {
    const short = panelUntil(panel, fold.test.untilMs);
    expect(lowerBound(short.series[0].candles.time, fold.test.fromMs)).toBe(1524);
    const hourly = await meterOf(panel).measure(alone, fold, signal);
    const meter = createPipelineMeter({
      ...{ registry: builtIn, panels: new Map([['1h' as const, panel]]), mode: 'quick', own, rules },
      ...{ validationPct: 20, seed: 1, stepMs: 4 * HOUR },
    });
    const { returns } = await meter.measure(alone, fold, signal);
    expect(returns.length).toBe(hourly.returns.length / 4);
    expect(returns[3]).toBeCloseTo(
      [12, 13, 14, 15].reduce((sum, i) => sum + hourly.returns[i], 0),
      12,
    );
  });
});

describe('the space of pipelines', () => {
  const candidates: Candidates = {
    timeframes: ['1h', '4h'],
    models: [builtIn.findModel('ridge'), builtIn.findModel('momentum-garch')],
    features: ['own', 'important'],
    ensembles: ['none', 'equal'],
    strategies: [builtIn.findStrategy('cost-aware'), builtIn.findStrategy('own')],
  };
  const { space, schema } = pipelineSpace(candidates);

  it('has the parameters of models and strategies under the names of config.yaml, each under its condition', () => {
    expect(Object.keys(space)[0]).toBe('timeframe');
    expect(space['models.ridge.penalty']).toMatchObject({ log: true, when: { model: ['ridge'] } });
    expect(space['strategies.cost-aware.riskAversion']).toMatchObject({ when: { strategy: ['cost-aware'] } });
    // The rule reads no features by name.
    expect(space['features']).toMatchObject({ when: { model: ['ridge'] } });
    expect(space['with.ridge']).toMatchObject({ when: { model: ['momentum-garch'], ensemble: ['equal'] } });
  });

  it('gives pipelines: the model with partners, or alone where nobody was taken', () => {
    const first = fill(space, (_name, dimension) =>
      dimension.kind === 'categorical' ? (dimension.choices.at(-1) ?? 0) : dimension.low,
    );
    const fallback = { timeframe: '1h', features: 'own' } as const;
    expect(pipelineOf(first, fallback)).toMatchObject({
      timeframe: '4h',
      model: 'momentum-garch',
      features: 'own',
      ensemble: 'none',
      strategy: 'own',
    });
    expect(pipelineOf({ ...first, 'with.ridge': true }, fallback)).toMatchObject({
      ensemble: 'equal',
      partners: ['ridge'],
    });
  });

  it('is narrowed by a file: ranges, fixed values, parameters without a range of their own', () => {
    const file = {
      strategy: 'own',
      'models.ridge.penalty': { low: 0.1, high: 0.2 },
      'models.momentum-garch.student': { choices: [true, false] },
    };
    const narrowed = narrowedPipelines(space, narrowedSpace(schema, file));
    expect(narrowed['strategy']).toEqual({ kind: 'categorical', choices: ['own'] });
    expect(narrowed['models.ridge.penalty']).toMatchObject({ low: 0.1, when: { model: ['ridge'] } });
    expect(narrowed['models.momentum-garch.student']).toMatchObject({ when: { model: ['momentum-garch'] } });
    expect(Object.keys(narrowed)).toEqual(expect.arrayContaining(Object.keys(space)));
    expect(() => narrowedSpace(schema, { strategy: 'quantile' })).toThrow('"strategy" cannot be quantile');
    expect(() => narrowedSpace(schema, { 'models.ridge.penalt': 1 })).toThrow('penalt');
  });
});
