import type { z } from 'zod';
import type { Panel } from '../dataset/panel.ts';
import type { BarLength } from '../market/bar-length.ts';
import type { PairSymbol } from '../market/symbol.ts';
import type { ExplanationPart } from './explanation.ts';
import type { NetworkAbout, NetworkLayers } from './layers.ts';

/**
 * One folder, one object like this, one line in registry.ts: anything that satisfies it can be trained,
 * checkpointed, combined, backtested and traded on paper.
 */
export interface Model<Params = unknown> {
  readonly id: string;
  readonly summary: string;
  /** `rule`: positions that a person states (core/strategy/quant); everything else states a belief. */
  readonly kind: 'baseline' | 'rule' | 'classical' | 'deep' | 'agent';
  /** Paper or reference implementation. */
  readonly source: string;
  /** Training draws random numbers: another seed gives another model. */
  readonly stochastic?: true;
  /** `fit` looks at the bars after `trainUntilMs`: to stop early, for entry levels, calibration or what it reports. */
  readonly usesValidation?: true;
  /** `fit` can begin from the weights of a fit on earlier bars (`FitTask.warm`) and then takes a third of the passes. */
  readonly warmStarts?: true;
  /**
   * Looks at one row of features at a time, which its parameter `features` names, and states probabilities: so it can
   * be asked about shuffled rows (`features --select`).
   */
  readonly readsRows?: true;
  /**
   * Rounds each feature that it reads to single precision first, in `fit` and in what it fits, so that nothing changes where a panel
   * holds it as a `Float32Array`. Others are given `Float64Array`s.
   */
  readonly readsSingle?: true;
  /** `fit` and forecasts go through the columns of features in their order and keep none: a panel whose columns are worked out when they are read will do. */
  readonly readsColumns?: true;
  /** Hyper-parameters with their defaults; what `models.<id>` in config.yaml may hold. */
  readonly params: z.ZodType<Params>;
  /** Parameters that `train --mode quick` changes; what config.yaml says still wins. */
  readonly quickParams?: Readonly<Record<string, unknown>>;
  /** The same for `--mode full`. */
  readonly fullParams?: Readonly<Record<string, unknown>>;
  /** Names from the feature catalogue that the model reads. */
  features(params: Params): readonly string[];
  /** Bar lengths that it reads beside the panel's own, as `Series.views`, where they are stored for every symbol. */
  barLengths?(params: Params): readonly BarLength[];
  /** The network that `fit` would build, layer by layer: `models show`. Absent: it has none. */
  layers?(params: Params, about: NetworkAbout): Promise<NetworkLayers>;
  /**
   * Throws `UserError` when the panel cannot support the model (too few bars, one symbol for a pair), and
   * `task.signal.reason` soon after the signal is aborted: long work gives the event loop a turn now and then.
   */
  fit(task: FitTask<Params>): Promise<FittedModel>;
  /** Parses and verifies an artifact that `save` made; runs no code from it. */
  load(artifact: Artifact): Promise<FittedModel>;
  /**
   * Takes a few steps from what `fit` saved, on a few windows of the newest bars, and says what that was worth on the windows
   * after them. Throws `UserError` when there are too few windows or no weights to begin from.
   */
  adapt?(artifact: Artifact, task: AdaptTask): Promise<Adapted>;
}

/** What a trained model is to adapt to. */
export interface AdaptTask {
  /** As in `FitTask`; its last bars are what is adapted to. */
  readonly panel: Panel;
  /** Windows that end before this time are not looked at. */
  readonly sinceMs: number;
  /** Default: those that the model was trained with. */
  readonly steps?: number | undefined;
  readonly rate?: number | undefined;
  readonly signal: AbortSignal;
}

/** An adapted model, and mean losses of the windows that it was judged on: never those that it learned from. */
export interface Adapted {
  readonly fitted: FittedModel;
  readonly supportWindows: number;
  readonly queryWindows: number;
  /** When the first of these opens: every label that was learned from is known by then. */
  readonly queryFromMs: number;
  /** After 0, 1, ... steps. */
  readonly queryLosses: readonly number[];
}

/** The features that models read, and those of them of which none needs more than single precision. */
export function featuresRead(
  readers: readonly { readonly model: Pick<Model, 'readsSingle'>; readonly features: readonly string[] }[],
): { readonly featureNames: readonly string[]; readonly single: ReadonlySet<string> } {
  const namesOf = (some: typeof readers): ReadonlySet<string> =>
    new Set(some.flatMap(({ features }) => features));
  const doubles = namesOf(readers.filter(({ model }) => !model.readsSingle));
  const featureNames = [...namesOf(readers)];
  return { featureNames, single: new Set(featureNames.filter((name) => !doubles.has(name))) };
}

/** The bar lengths that these models read beside the panel's own, where they are stored. */
export const barLengthsOf = (
  entries: readonly { readonly model: Model; readonly params: unknown }[],
): readonly BarLength[] => [
  ...new Set(entries.flatMap(({ model, params }) => model.barLengths?.(params) ?? [])),
];

/** A model that states positions and no belief: what it says is traded as it is. */
export const statesPosition = ({ kind }: Pick<Model, 'kind'>): boolean =>
  kind === 'baseline' || kind === 'rule';

/** What a model is to learn from, and how it is told to stop. */
export interface FitTask<Params> {
  /** Closed bars up to the end of validation, with the features that the model asked for, in that order. */
  readonly panel: Panel;
  readonly params: Params;
  /** Labels must end at or before this time to be trained on; bars after it are for validation only. */
  readonly trainUntilMs: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: FitProgress) => void;
  /**
   * Of a model that `warmStarts`: a snapshot of its fit on earlier bars, as `SnapshotKeeper.keep` was given it at the end
   * of an epoch, or what that fit saved in the end, to fine-tune from. A snapshot to go on from comes first.
   */
  readonly warm?: Artifact;
  /** Labels that end at or before this time were what `warm` was trained on: what is not to be forgotten. */
  readonly warmUntilMs?: number;
  /** Where training may be left and gone on with. A model that is fitted in seconds ignores it. */
  readonly snapshots?: SnapshotKeeper;
}

/**
 * Keeps what a stopped training needs to go on: an optimiser's state, the place in the schedule, the best weights so
 * far. A fit that starts from its own snapshot ends with the bits of one that was never stopped.
 */
export interface SnapshotKeeper {
  /** The point to go on from; absent: from the start. The model checks that it fits, and throws `UserError` if not. */
  readonly from?: Artifact;
  /** Whether a snapshot is wanted now. Asked at every point where one can be made, so it answers at once. */
  isDue(at: { readonly step: number; readonly epoch?: number; readonly endOfEpoch?: boolean }): boolean;
  /** Keeps `snapshot`; durable when this resolves. Also called on the way out of an aborted fit. */
  keep(snapshot: Artifact, at: { readonly step: number; readonly epoch?: number }): Promise<void>;
}

/** How far a fit is; reported as often as there is something to tell. */
export interface FitProgress {
  readonly step: number;
  readonly steps: number;
  /** Passes over the training bars so far, where the model makes several. */
  readonly epoch?: number;
  readonly loss?: number;
  readonly validationLoss?: number;
  readonly learningRate?: number;
  readonly samplesPerSecond?: number;
  /** What else tells how it goes, by name: an agent's mean reward, the entropy of its policy. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** A model that has learned: what `fit` and `load` return. */
export interface FittedModel {
  /** What was learned, in figures a person can read (`models show`): coefficients, rounds, half-lives. */
  readonly report: Readonly<Record<string, unknown>>;
  /**
   * Inputs that the model is made for and was trained without, and symbols of which nothing could be learned, by name:
   * the log, the manifest, `models show`.
   */
  readonly absent?: readonly { readonly name: string; readonly reason: string }[];
  /**
   * One forecast a symbol, its columns row by row beside that symbol's candles. Row t uses bars up to and
   * including t only: forecasting a truncated panel gives the same bits. The panel has the features that the
   * model asked for, in that order, as it did in `fit`. Bars that open before `sinceMs` are not asked for: a model
   * for which a bar is expensive leaves them `NaN`.
   */
  forecast(panel: Panel, wanted?: { readonly sinceMs?: number }): Promise<readonly Forecast[]>;
  /** What its forecasts rest on, on average over the validation bars: `models show`, reports. */
  readonly explanation?: readonly ExplanationPart[];
  /**
   * What its forecast of the newest bar of every series rests on: `signals --explain`. One list a series, empty where
   * the model has no opinion there. The panel as in `forecast`.
   */
  readonly explain?: (panel: Panel) => Promise<readonly (readonly ExplanationPart[])[]>;
  /**
   * Where a forecast of the newest bar need not cost more with every bar before it; absent: `forecast` is asked again. `from`:
   * what a follower of the same weights stood at, read back from JSON; it is then as if it had been shown those bars.
   */
  readonly follow?: (from?: unknown) => Follower;
  save(): Artifact;
  dispose?(): void;
}

/** A model's forecasts of a history that grows: what it remembers stands for the bars it was shown before. */
export interface Follower {
  /** Bars of each symbol before the first one asked for that `forecast` looks at. */
  readonly lookBackBars: number;
  /**
   * The bits of `FittedModel.forecast` of the whole history from `sinceMs` on. The first call is shown all of it. Later ones are
   * shown bars that no call was shown, from `sinceMs` on, behind `lookBackBars` or more of those that were.
   */
  forecast(panel: Panel, sinceMs: number): Promise<readonly Forecast[]>;
  /** What the bars shown so far have come to, for `exactJson` to write; absent or `undefined`: only all bars can tell. */
  standing?(): unknown;
}

/** Follows a model whose forecast of a bar looks at `lookBackBars` before it and nothing else. */
export const followWindow = (
  { forecast }: Pick<FittedModel, 'forecast'>,
  lookBackBars: number,
): Follower => ({
  lookBackBars,
  forecast: (panel, sinceMs) => forecast(panel, { sinceMs }),
  standing: () => null,
});

/** What a model says of one symbol, a value a bar in each column. */
export interface Forecast {
  readonly symbol: PairSymbol;
  /** Bars of the forecast return, which runs from the next open on: see dataset/labels.ts. */
  readonly horizonBars: number;
  /**
   * Target position in [-1, 1] from the next open on: 1 fully long, 0 flat, -1 fully short.
   * `NaN`: no opinion (warm-up, missing inputs); what is held stays.
   */
  readonly position: Float64Array;
  /** How sure the model is of its position; in [0, 1]; `NaN` where `position` is. */
  readonly confidence: Float64Array;
  /** Probability of a positive return over the horizon, where the model states one. */
  readonly probabilityUp?: Float64Array;
  /** Expected simple return over the horizon as a fraction, where the model states one. */
  readonly expectedReturn?: Float64Array;
  /** Return quantiles over the horizon as fractions, `columns[i]` at `levels[i]`. */
  readonly quantiles?: { readonly levels: readonly number[]; readonly columns: readonly Float64Array[] };
}

/** A fitted model as data: JSON with the model's own schema, and named binary blobs (weights, ONNX). */
export interface Artifact {
  readonly json: unknown;
  readonly blobs: Readonly<Record<string, Uint8Array>>;
}
