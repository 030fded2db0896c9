/**
 * The library: `import { defineModel, z } from 'crypto-trader'`. What plug-ins and programs build on; everything else in
 * this package may change without notice.
 */
export { z } from 'zod';
export { openProject, type Project, type ProjectBacktest, type ProjectSettings } from './project.ts';
export type { AdaptedModel, AdaptedRun } from './workflows/adapt.ts';
export { type CandlesByPair, type Ensemble, loadEnsemble } from './ensemble.ts';
export type { Signal } from './workflows/signals.ts';
export {
  defineModel,
  defineNotifier,
  defineSource,
  defineStrategy,
  type NotifierPlugin,
  type SourcePlugin,
  type StrategyPlugin,
} from './plugins/define.ts';
export {
  defineFeature,
  type FeatureBlock,
  type FeatureCalculator,
  type FeatureDefinition,
  type OwnFeature,
} from '../core/features/define-feature.ts';
export {
  allowed,
  type Decision,
  type Rule,
  type Setting,
  type Situation,
  type Strategy,
} from '../core/strategy/strategy.ts';
export { type Action, actionOf, type Reason } from '../core/strategy/reason.ts';
export type {
  Artifact,
  FitProgress,
  FittedModel,
  FitTask,
  Forecast,
  Model,
  SnapshotKeeper,
} from '../core/forecast/model.ts';
export { type SearchRange, searchRanges } from '../core/forecast/search-range.ts';
export type { ExplanationPart } from '../core/forecast/explanation.ts';
export { importance } from '../core/forecast/explanation.ts';
export type { FeatureColumn, FeatureTable, Panel, Series } from '../core/dataset/panel.ts';
export { panelUntil, panelWithin } from '../core/dataset/panel.ts';
export { forwardReturns, labelEndMs, labelledRows } from '../core/dataset/labels.ts';
export { fitScaler, scaleColumn, type Scaler } from '../core/dataset/scaler.ts';
export type { Message, Messenger } from '../core/foundation/message.ts';
export { UserError } from '../core/foundation/errors.ts';
export { createRandom, deriveSeed, normal, type Random } from '../core/foundation/random.ts';
export { type Candles, emptyCandles, lowerBound, sliceCandles } from '../core/market/candles.ts';
export type { PairSymbol } from '../core/market/symbol.ts';
export { type Timeframe, TIMEFRAME_MS } from '../core/market/timeframe.ts';
export { type CandlePage, type CandleRequest, type CandleSource, SourceUnavailable } from '../data/source.ts';
export { catalogue, computeFeatures, inputsOf } from '../core/features/catalogue.ts';
export { forecastEnsemble } from '../learning/ensemble/equal-weight.ts';
export { refit } from '../learning/validation/refit.ts';
export { walkForwardFolds } from '../core/dataset/splits.ts';
export { scoreForecasts } from '../learning/validation/score.ts';
export { builtIn, type Registry } from '../learning/models/registry.ts';
export { openStore, type Store } from '../data/store/store.ts';
export { alignColumn, alignMarket } from '../core/trading/align.ts';
export { bracket, type OrderRequest, scaled } from '../core/trading/orders/order.ts';
export { runBacktest } from '../core/trading/run.ts';
export { type ExecutionRules, SPOT_RULES } from '../core/trading/rules.ts';
export { syntheticCandles } from '../data/synthetic/generate.ts';
export { barsInside, type BarView, newestKnown, type SymbolViews } from '../core/dataset/bar-views.ts';
export { chooseFolds, combinatorialSplits } from '../core/dataset/combinatorial.ts';
export { purgedTrainRows } from '../core/dataset/splits.ts';
export { acrobot } from '../core/environments/acrobot.ts';
export {
  tradingEnvironment,
  type TradingEnvironment,
  type TradingTask,
} from '../core/environments/trading.ts';
export { dieboldMariano } from '../core/evaluation/forecast-comparison.ts';
export { normalCrps } from '../core/evaluation/quantile-scores.ts';
export { realityCheck } from '../core/evaluation/superiority.ts';
export { cancelOrders } from '../core/trading/orders/work.ts';
export { tradeCosts } from '../core/trading/trade-cost.ts';
export { tiersOf } from '../core/trading/accounts/account-rules.ts';
export { fundingColumns } from '../core/trading/accounts/funding.ts';
export { liquidationPrice } from '../core/trading/accounts/liquidate.ts';
export { exponentialMean, geometricMean, idzorekErrors } from '../core/portfolio/expected-returns.ts';
export { maximiseUtility } from '../core/portfolio/mean-variance.ts';
export { loadViews } from '../data/panel/load-views.ts';
export { createThresholdPruner, type Pruner } from '../lab/tuning/pruners.ts';
