import { combinatorialSplits } from '../../core/dataset/combinatorial.ts';
import { type FeatureColumn, type Panel, selectFeatures } from '../../core/dataset/panel.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { type Candles, CANDLE_COLUMNS, emptyCandles, lowerBound } from '../../core/market/candles.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { giveWay } from '../../data/turns.ts';
import { forecastColumns, forecastRows, statedBy, unknownForecast } from './forecast-columns.ts';

interface CombinatorialTask {
  readonly panel: Panel;
  readonly entries: readonly { readonly model: Model; readonly params: unknown }[];
  readonly folds: number;
  /** Folds tested at once. */
  readonly testFolds: number;
  /** Left out after each test fold, on top of the purge. */
  readonly embargoBars: number;
  /** Share of the training bars, the latest ones, that is kept for early stopping. */
  readonly validationPct: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onSplit: (modelId: string, split: number, splits: number) => void;
}

/** One model's forecasts of all bars, as often as there are paths: every fold of a path by a fit that never saw it. */
export interface CombinatorialMember {
  readonly model: Model;
  /** Path by path one forecast a symbol. */
  readonly paths: readonly (readonly Forecast[])[];
}

/**
 * Combinatorial purged cross-validation (Lopez de Prado 2018, chapter 12). Fits see bars after the ones they are tested
 * on, labels that touch these left out on both sides: what comes out is how much a result varies with the history it is tried on, and nothing
 * that could have been traded. A model that cannot learn from a split is left out, with its reason.
 */
export async function combinatorial(task: CombinatorialTask): Promise<{
  readonly members: readonly CombinatorialMember[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}> {
  const members: CombinatorialMember[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const entry of task.entries) {
    try {
      members.push({ model: entry.model, paths: await pathsOf(entry, task) });
    } catch (error) {
      if (!(error instanceof UserError) || task.signal.aborted) throw error;
      skipped.push({ id: entry.model.id, reason: error.message });
    }
  }
  if (members.length === 0)
    throw new UserError('No model could be trained in every split.', {
      hint: skipped.map(({ id, reason }) => `${id}: ${reason}`).join('\n'),
    });
  return { members, skipped };
}

async function pathsOf(
  { model, params }: CombinatorialTask['entries'][number],
  task: CombinatorialTask,
): Promise<readonly (readonly Forecast[])[]> {
  const own = selectFeatures(task.panel, model.features(params));
  const step = TIMEFRAME_MS[own.timeframe];
  const firstMs = Math.min(...own.series.map(({ candles }) => candles.time[0]));
  const lastMs = Math.max(...own.series.map(({ candles }) => candles.time[candles.time.length - 1]));
  const purgeRows = await horizonOf({ model, params }, own, task);
  // Rows of one clock for all symbols: missing bars are rows that no symbol has.
  const splits = combinatorialSplits({
    rows: Math.round((lastMs - firstMs) / step) + 1,
    folds: task.folds,
    testFolds: task.testFolds,
    purgeRows,
    embargoRows: task.embargoBars,
  });
  const at = (row: number): number => firstMs + row * step;
  const paths: Forecast[][] = [];
  for (const [index, { train, tests, paths: of }] of splits.entries()) {
    await giveWay(task.signal);
    const kept = new Uint8Array(Math.round((lastMs - firstMs) / step) + 1);
    for (const row of train) kept[row] = 1;
    const inTraining = (timeMs: number): boolean => kept[Math.round((timeMs - firstMs) / step)] === 1;
    const latest = train[Math.floor((train.length * (100 - task.validationPct)) / 100)];
    const fitted = await model.fit({
      panel: panelOf(own, inTraining),
      params,
      trainUntilMs: barOpen(at(latest), own.timeframe),
      seed: deriveSeed(task.seed, `${model.id} split ${index}`),
      signal: task.signal,
      onProgress: () => {},
    });
    const forecasts = await fitted.forecast(own);
    fitted.dispose?.();
    tests.forEach((rows, t) => {
      const [fromMs, untilMs] = [at(rows[0]), at(rows[rows.length - 1]) + step];
      forecasts.forEach((forecast, s) => {
        const { time } = own.series[s].candles;
        const path = (paths[of[t]] ??= []);
        path[s] ??= unknownForecast(statedBy(forecast), time.length);
        const [from, until] = [lowerBound(time, fromMs), lowerBound(time, untilMs)];
        const targets = forecastColumns(path[s]);
        forecastColumns(forecastRows(forecast, from, until)).forEach((column, k) =>
          targets[k].set(column, from),
        );
      });
    });
    task.onSplit(model.id, index, splits.length);
  }
  return paths;
}

/** How far its labels reach: known once it has forecast anything. */
async function horizonOf(
  { model, params }: CombinatorialTask['entries'][number],
  panel: Panel,
  { seed, signal, validationPct }: CombinatorialTask,
): Promise<number> {
  const { time } = panel.series[0].candles;
  const trainUntilMs = barOpen(
    time[Math.floor((time.length * (100 - validationPct)) / 100)],
    panel.timeframe,
  );
  const fitted = await model.fit({ panel, params, trainUntilMs, seed, signal, onProgress: () => {} });
  const [{ horizonBars }] = await fitted.forecast(panel, { sinceMs: time[time.length - 1] });
  fitted.dispose?.();
  return horizonBars + 1;
}

/** The rows that may be trained on, as bars of their own: no label reaches across what was left out between them. */
const panelOf = ({ timeframe, series }: Panel, keep: (timeMs: number) => boolean): Panel => ({
  timeframe,
  series: series.map(({ symbol, candles, features }) => {
    const rows = [...candles.time.keys()].filter((row) => keep(candles.time[row]));
    const pick = (column: FeatureColumn): Float64Array => Float64Array.from(rows, (row) => column[row]);
    const picked: Candles = emptyCandles(rows.length);
    for (const name of CANDLE_COLUMNS) picked[name].set(pick(candles[name]));
    return {
      symbol,
      candles: picked,
      features: { names: features.names, columns: features.columns.map(pick) },
    };
  }),
});
