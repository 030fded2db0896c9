import type { Panel } from '../../../src/core/dataset/panel.ts';
import { panelUntil, selectFeatures } from '../../../src/core/dataset/panel.ts';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import type { Forecast, Model } from '../../../src/core/forecast/model.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import type { Subject } from '../../../src/lab/audit/subject.ts';
import { HOUR_MS, lawMarket } from '../../../src/lab/contracts/law-market.ts';
import { forecastEnsemble } from '../../../src/learning/ensemble/equal-weight.ts';
import { artifactHash } from '../../../src/learning/training/artifact-folder.ts';
import { boostedTrees } from '../../../src/learning/models/boosted-trees/index.ts';
import { ridge } from '../../../src/learning/models/ridge/index.ts';

const BARS = 2400;
export const TRAIN_UNTIL_MS = 1300 * HOUR_MS;
export const VALIDATE_UNTIL_MS = 1700 * HOUR_MS;

const market = lawMarket({ fromRow: BARS, name: 'audit' }, BARS);
const FEATURES = ['log_return_1', 'momentum_score_10', 'rsi_14', 'volatility_ratio_5_20'];

export const panelOf = (candles: readonly Candles[], names: readonly string[] = FEATURES): Panel => ({
  timeframe: '1h',
  series: market.map(({ symbol }, s) => ({
    symbol,
    candles: candles[s],
    features: computeFeatures(names, candles[s], '1h'),
  })),
});

export const wholePanel = (): Panel => panelOf(market.map(({ candles }) => candles));

const untilRow = (candles: Candles, untilMs: number): Candles =>
  panelUntil({ timeframe: '1h', series: [{ symbol: 'A/B', candles, features: NONE }] }, untilMs).series[0]
    .candles;
const NONE = { names: [], columns: [] };

/** Members as a run has them: fitted on the bars before the test bars. */
export async function member(
  model: Model,
  params: unknown,
  panel: Panel,
  { seed = 1, until = VALIDATE_UNTIL_MS }: { readonly seed?: number; readonly until?: number } = {},
): Promise<Subject['members'][number]> {
  const fitted = await model.fit({
    panel: panelUntil(selectFeatures(panel, model.features(params)), until),
    params,
    trainUntilMs: TRAIN_UNTIL_MS,
    seed,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  return { id: model.id, model, params, seed, fitted, weightHash: artifactHash(fitted.save()), seconds: 1 };
}

export const ridgeParams = ridge.params.parse({ features: FEATURES });
const treesParams = boostedTrees.params.parse({ features: FEATURES, rounds: 20 });

/** An honest run of two models on random walks. */
export async function honest(): Promise<Subject> {
  const panel = wholePanel();
  return {
    panel,
    panelAt: async (untilMs) => panelOf(market.map(({ candles }) => untilRow(candles, untilMs))),
    panelOf: async (candles) => panelOf(candles),
    trainUntilMs: TRAIN_UNTIL_MS,
    validateUntilMs: VALIDATE_UNTIL_MS,
    members: await Promise.all([member(ridge, ridgeParams, panel), member(boostedTrees, treesParams, panel)]),
    combine: (of, all) => of.series.map((_, s) => forecastEnsemble(all.map((one) => one[s]))),
    decide: (_, forecasts) => forecasts,
    trade: (targets, setting) => runBacktest({ ...setting, targets }),
    setting: {
      instruments: market.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 })),
      rules: { ...SPOT_RULES, maxPositionPct: 33 },
      barsPerYear: 8760,
      seed: 1,
    },
    series: [],
    universe: [],
    trials: [],
    seedsShown: 1,
    signal: new AbortController().signal,
  };
}

export const everyRow = (panel: Panel, rule: (s: number, row: number) => number): readonly Forecast[] =>
  panel.series.map(({ symbol, candles }, s) => {
    const position = candles.time.map((_, row) => rule(s, row));
    return { symbol, horizonBars: 1, position, confidence: position.map(Math.abs) };
  });
