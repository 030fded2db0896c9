import { issueLines } from '../../core/foundation/plain-issues.ts';
import type { Store } from '../../data/store/store.ts';
import { chronologicalSplit } from '../../core/dataset/splits.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { barLengthsOf, type Model } from '../../core/forecast/model.ts';
import { type Approach, builtIn, modelsOf, ownPartsOf, type Registry } from '../models/registry.ts';
import { findFeatures, inputsOf } from '../../core/features/catalogue.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { absentInputs } from '../../data/panel/load-inputs.ts';
import { doubtLines, refuseWrong } from '../../data/plausibility.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import type { RunFolder, RunPlan } from './run-folder.ts';
import type { Costs } from '../validation/score.ts';

export interface TrainingSettings {
  /** The models that there are; default: ours. */
  readonly registry?: Registry;
  readonly mode: 'quick' | 'full';
  readonly seed: number;
  /** How often to train each model that draws random numbers. */
  readonly seeds: number;
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  /** Bars to use; default: all that are stored. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly validationPct: number;
  readonly testPct: number;
  readonly costs: Costs;
  /** What is trained when no models are named. */
  readonly approach: Approach;
  /** Ids of the models to train; default: all of the approach. */
  readonly models?: readonly string[];
  /** A complete run to go on from: its models, with its parameters under those of `params`. */
  readonly from?: RunFolder;
  /** Hyper-parameters by model id. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly allowSynthetic: boolean;
  /** Pairs whose candles are right although no market does what they say. */
  readonly acceptImplausible?: readonly PairSymbol[];
  /** Called with each bar that is hard to believe, and used all the same. */
  readonly onDoubt?: (line: string) => void;
  /** Which markets features that need other inputs look at. */
  readonly sources: InputSources;
}

/**
 * Fixes everything a run depends on: data, split, models with their parameters. Throws `UserError` for unknown
 * models or parameters, for missing data and, unless allowed, for synthetic data.
 */
export async function planRun(store: Store, settings: TrainingSettings): Promise<RunPlan> {
  const { exchange, symbols, timeframe, sinceMs, untilMs, mode, sources } = settings;
  const { registry = builtIn } = settings;
  requireKnown(Object.keys(settings.params), registry);
  const absent = await absentOf(store, settings, registry);
  const named =
    settings.models ?? settings.from?.result?.models.filter((id) => registry.findModel(id).warmStarts);
  const chosen =
    named === undefined
      ? modelsOf(registry, settings.approach).filter((model) => !readsAny(model, absent.features))
      : [...new Set(named)].map((id) => registry.findModel(id));
  if (chosen.length === 0)
    throw new UserError(`Nothing in the run "${settings.from?.runId ?? ''}" can go on from where it ended.`, {
      hint: 'Networks can: train one first, such as crypto-trader train --models gru.',
    });
  const entries = chosen.map((model) => ({
    id: model.id,
    params: modelParams(model, mode, { ...paramsOfRun(settings.from, model), ...settings.params[model.id] }),
  }));
  const read = [...new Set(chosen.flatMap((model, i) => model.features(entries[i].params)))];
  findFeatures(read, registry.features);
  const own = ownPartsOf(registry, [...chosen.map(({ id }) => id), ...read]);
  const panel = await loadPanel(store, {
    exchange,
    symbols,
    timeframe,
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    // Only those that read more than candles: what they read belongs to the fingerprint.
    featureNames: read.filter((name) => inputsOf([name], registry.features).length > 0),
    lengths: barLengthsOf(chosen.map((model, i) => ({ model, params: entries[i].params }))),
    sources,
    catalogue: registry.features,
  });
  refuseWrong(panel.doubts, settings.acceptImplausible ?? []);
  for (const line of doubtLines(panel.doubts)) settings.onDoubt?.(line);
  if (panel.synthetic && !settings.allowSynthetic) {
    throw new UserError(`The ${exchange} candles are synthetic: what is learned from them means nothing.`, {
      hint: 'Fetch real candles, or pass --allow-synthetic to try the program out.',
    });
  }
  const span = { fromMs: panel.firstTimeMs, untilMs: panel.untilMs };
  return {
    version: 2,
    createdAt: new Date().toISOString(),
    mode,
    seed: settings.seed,
    seeds: settings.seeds,
    exchange,
    symbols: [...symbols],
    timeframe,
    sources,
    inputs: [...panel.inputs],
    lengths: panel.lengths,
    absentGroups: absent.groups,
    sinceMs: span.fromMs,
    untilMs: span.untilMs,
    ...chronologicalSplit(span, timeframe, settings),
    synthetic: panel.synthetic,
    dataFingerprint: panel.fingerprint,
    ...settings.costs,
    models: entries,
    ...(settings.from && { from: fromOf(settings.from, chosen) }),
    plugins: own.files,
    featureParameters: own.featureParameters,
  };
}

/** The parameters that a model of the run to go on from was trained with. */
function paramsOfRun(from: RunFolder | undefined, { id }: Model): Readonly<Record<string, unknown>> {
  const params = from?.plan.models.find((entry) => entry.id === id)?.params;
  return typeof params === 'object' && params !== null ? { ...params } : {};
}

function fromOf({ runId, result }: RunFolder, chosen: readonly Model[]): NonNullable<RunPlan['from']> {
  const warm = chosen.filter(({ id, warmStarts }) => warmStarts && result?.models.includes(id));
  return {
    run: runId,
    manifests: Object.fromEntries(warm.map(({ id }) => [id, result?.manifests[id] ?? ''])),
  };
}

/** Features, and groups of them in whole or in part, that could not be used: their inputs are not stored for every symbol. */
async function absentOf(
  store: Store,
  settings: TrainingSettings,
  { features: catalogue }: Registry,
): Promise<{ readonly groups: string[]; readonly features: ReadonlySet<string> }> {
  const absent = await Promise.all(
    settings.symbols.map((symbol) => absentInputs(store, { ...settings, catalogue, symbol })),
  );
  const all = absent.flat();
  return {
    groups: [...new Set(all.flatMap(({ groups }) => groups))].toSorted(),
    features: new Set(all.flatMap(({ features }) => features)),
  };
}

/** A rule that needs such an input is left out unless it is named; models do without, by themselves. */
export const readsAny = (model: Model, absent: ReadonlySet<string>): boolean =>
  model.kind === 'rule' && model.features(model.params.parse({})).some((name) => absent.has(name));

/** Defaults, then what the mode changes, then what the user set. */
export function modelParams(
  model: Model,
  mode: 'quick' | 'full',
  own: Readonly<Record<string, unknown>>,
): unknown {
  const parsed = model.params.safeParse({
    ...(mode === 'quick' ? model.quickParams : model.fullParams),
    ...own,
  });
  if (parsed.success) return parsed.data;
  throw new UserError(
    `The parameters of "${model.id}" are not valid.\n${issueLines(parsed.error).join('; ')}`,
    {
      hint: `Correct models.${model.id} in config.yaml; \`crypto-trader models show ${model.id}\` lists them.`,
    },
  );
}

function requireKnown(ids: readonly string[], { models }: Registry): void {
  const known = models.map(({ id }) => id);
  for (const id of ids) {
    if (known.includes(id)) continue;
    throw new UserError(`config.yaml sets parameters of an unknown model "${id}".`, {
      hint: suggest(id, known),
    });
  }
}
