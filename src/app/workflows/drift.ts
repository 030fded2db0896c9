import type { LoadedPanel } from '../../data/panel/load-panel.ts';
import { type MarketRegimes, marketRegimes } from '../../learning/validation/market-regimes.ts';
import type { Store } from '../../data/store/store.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { forecastAll, loadTrainedPanel, type TrainedSet } from '../../learning/training/checkpoints.ts';
import {
  type DetectorName,
  type ShiftedInput,
  shiftedInputs,
  type WatchedStream,
  watchModels,
} from '../../learning/validation/drift.ts';

/** Population stability index from which an input counts as shifted (Siddiqi 2006). */
export const SHIFTED_FROM = 0.25;

export interface DriftReport {
  readonly panel: LoadedPanel;
  /** How many models are watched. */
  readonly models: number;
  readonly streams: readonly WatchedStream[];
  /** Inputs of at least `SHIFTED_FROM`, the most shifted first. */
  readonly inputs: readonly ShiftedInput[];
  /** What states the markets were and are in. */
  readonly regimes: readonly MarketRegimes[];
}

/** Whether the models of a run still stand where they were validated, on the stored bars since, up to `untilMs`. */
export async function driftOf(
  trained: TrainedSet,
  store: Store,
  options: {
    /** The models that there are. */
    readonly registry: Registry;
    readonly untilMs?: number | undefined;
    readonly detectors?: readonly DetectorName[] | undefined;
  },
): Promise<DriftReport> {
  const { registry, untilMs, detectors } = options;
  const panel = await loadTrainedPanel(store, trained, untilMs === undefined ? {} : { untilMs });
  const { members } = await forecastAll(trained, panel, { sinceMs: trained.trainUntilMs });
  // A baseline states what nobody fitted: it has no validation to have left.
  const fitted = members.filter(({ id }) => registry.findModel(id).kind !== 'baseline');
  return {
    panel,
    models: fitted.length,
    streams: watchModels(panel, fitted, trained, detectors),
    inputs: shiftedInputs(panel, trained, SHIFTED_FROM),
    regimes: marketRegimes(panel, trained, 42),
  };
}
