import { chooseFolds, combinatorialPaths } from '../../core/dataset/combinatorial.ts';
import { barLengthsOf, featuresRead } from '../../core/forecast/model.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { barsPerYear, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import type { Store } from '../../data/store/store.ts';
import { pathDistributions } from '../../lab/backtest/combinatorial.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { combinatorial } from '../../learning/validation/combinatorial.ts';

export interface CrossValidationTask {
  readonly registry: Registry;
  readonly store: Store;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
  /** Ids; `undefined`: baselines and classical models. */
  readonly models: readonly string[] | undefined;
  /** Hyper-parameters by model id. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly sources: InputSources;
  readonly acceptImplausible: readonly PairSymbol[];
  readonly paths: number;
  /** Share of all bars that each fit is trained on. */
  readonly trainPct: number;
  readonly embargoBars: number;
  readonly validationPct: number;
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Before anything is fitted: how the bars are cut. */
  readonly onFolds: (cut: {
    readonly folds: number;
    readonly testFolds: number;
    readonly paths: number;
  }) => void;
  readonly onFit: (done: number, total: number, model: string) => void;
}

/**
 * Combinatorial purged cross-validation: a distribution of Sharpe ratios instead of one number. Throws `UserError` for data and models that
 * there are not, and `signal.reason` when aborted.
 */
export async function crossValidate(task: CrossValidationTask) {
  const { registry, timeframe, symbols, seed, signal, embargoBars, validationPct } = task;
  const chosen =
    task.models?.map((id) => registry.findModel(id)) ??
    registry.models.filter(({ kind }) => kind === 'baseline' || kind === 'classical');
  const entries = chosen.map((model) => ({
    model,
    params: modelParams(model, 'quick', task.params[model.id] ?? {}),
  }));
  const panel = await loadPanel(task.store, {
    exchange: task.exchange,
    timeframe,
    symbols,
    sinceMs: task.sinceMs,
    ...(task.untilMs !== undefined && { untilMs: task.untilMs }),
    ...featuresRead(entries.map(({ model, params }) => ({ model, features: model.features(params) }))),
    lengths: barLengthsOf(entries),
    sources: task.sources,
    catalogue: registry.features,
    signal,
  });
  refuseWrong(panel.doubts, task.acceptImplausible);
  const rows = Math.round((panel.untilMs - panel.firstTimeMs) / TIMEFRAME_MS[timeframe]);
  const { folds, testFolds } = chooseFolds(rows, {
    trainRows: (rows * task.trainPct) / 100,
    paths: task.paths,
  });
  const paths = combinatorialPaths(folds, testFolds);
  task.onFolds({ folds, testFolds, paths });
  let done = 0;
  const { members, skipped } = await combinatorial({
    panel,
    entries,
    folds,
    testFolds,
    embargoBars,
    validationPct,
    seed,
    signal,
    onSplit: (id, _, splits) => task.onFit(++done, splits * entries.length, id),
  });
  const distributions = pathDistributions(panel, members, {
    instruments: task.instruments,
    rules: task.rules,
    barsPerYear: barsPerYear(timeframe),
    seed,
  });
  return { panel, rows, folds, testFolds, paths, skipped, distributions };
}
