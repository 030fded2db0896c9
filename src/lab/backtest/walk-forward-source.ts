import { type Fold, walkForwardFolds } from '../../core/dataset/splits.ts';
import { combineSteps, type EnsembleMember } from '../../learning/ensemble/combine.ts';
import { ENHANCED } from '../../learning/ensemble/registry.ts';
import { forecastEnsemble } from '../../learning/ensemble/equal-weight.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import {
  barLengthsOf,
  featuresRead,
  type Forecast,
  type Model,
  statesPosition,
} from '../../core/forecast/model.ts';
import { builtIn, ownPartsOf, type Registry } from '../../learning/models/registry.ts';
import { inTurns } from '../../data/turns.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { absentInputs } from '../../data/panel/load-inputs.ts';
import { modelParams, readsAny } from '../../learning/training/plan.ts';
import type { FoldCache } from '../../learning/validation/fold-cache.ts';
import {
  openFolds,
  walkForward,
  type WalkForwardTask,
  type WalkForwardCost,
  type WalkForwardMember,
} from '../../learning/validation/walk-forward.ts';
import {
  besideOf,
  dataWarnings,
  kindOf,
  requireBars,
  votesText,
  withEnsemble,
  type ForecastSource,
  type SourceRequest,
} from './sources.ts';

interface WalkForwardRequest extends SourceRequest {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  readonly sinceMs: number;
  readonly folds: number;
  readonly embargoBars: number;
  /** `rolling`: each fold is trained on as many bars as the first; `expanding` (default): on all bars before it. */
  readonly window?: 'rolling' | 'expanding';
  /** Train each fold from new weights. */
  readonly cold?: boolean;
  readonly cache?: FoldCache;
  readonly onCost?: (cost: WalkForwardCost) => void;
  readonly validationPct: number;
  /** Hyper-parameters by model id. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly sources: InputSources;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onFold: (done: number, total: number, modelId: string) => void;
  /** Has folds fitted elsewhere before the rest is fitted here: they end in the cache. */
  readonly elsewhere?: (folds: ReturnType<typeof openFolds>, panel: LoadedPanel) => Promise<void>;
}

/**
 * Models refitted fold by fold, each forecasting only bars after its training: the second half of the bars, or from
 * `fromMs` on. Networks, agents and rules are refitted only when they are named, or with `all`.
 */
export async function walkForwardForecasts(request: WalkForwardRequest): Promise<ForecastSource> {
  const { symbols, seed, folds, embargoBars, window = 'expanding' } = request;
  const { ensemble: choice = ENHANCED } = request;
  const { task, panel, plan, entries } = await planWalkForward(request);
  await request.elsewhere?.(openFolds(task), panel);
  let done = 0;
  const { members, skipped } = await walkForward({
    ...task,
    ...(request.onCost && { onCost: request.onCost }),
    onFold: (modelId) => request.onFold(++done, plan.length * entries.length, modelId),
  });
  const voters = plan.map(
    (_, k) =>
      new Set(
        votersOf(
          members.map((one) => ({ ...one, noSkill: one.noSkill[k] })),
          choice.method,
        ).map(idOf),
      ),
  );
  const decisions = plan.map(({ test: { fromMs } }) => ({
    fromMs,
    measured: { fromMs: plan[0].test.fromMs, untilMs: fromMs },
  }));
  const voting = foldVoters(panel, members, { folds: plan, voters });
  const combined = await inTurns(combineSteps(panel, voting, choice, { spans: decisions }), request.signal);
  const equal = symbols.map((_, s) => forecastEnsemble(voting.map(({ forecasts }) => forecasts[s])));
  return {
    panel,
    range: { fromMs: plan[0].test.fromMs, untilMs: panel.untilMs },
    folds: plan,
    // Each fold decides on the skill shown in the folds before it; the first has none to show.
    decisions,
    ensemble: combined.forecasts,
    shown: combined.shown,
    members: [
      ...members.map(({ model, noSkill, forecasts }) => ({
        id: model.id,
        kind: kindOf(model),
        noSkill: foldsText(noSkill),
        forecasts,
      })),
      ...besideOf(choice, equal, voting),
    ],
    voters: voting.map(({ id }) => id),
    shares: combined.shares,
    positionsOnly: members.filter(({ model }) => statesPosition(model)).map(({ model }) => model.id),
    trainedBy: `walk-forward, ${folds} folds, ${window} window, embargo ${embargoBars} bars`,
    untrained: [],
    weights: withEnsemble(
      Object.fromEntries(
        entries.map(({ model, params }) => [
          model.id,
          { params, seed, folds, embargoBars, ...(window === 'rolling' && { window }) },
        ]),
      ),
      choice,
    ),
    memberSeeds: Object.fromEntries(
      entries.flatMap(({ model }) => (model.stochastic === true ? [[model.id, seed]] : [])),
    ),
    otherSeeds: [],
    explanations: [],
    warnings: [
      ...skipped.map(({ id, reason }) => `"${id}" is left out: ${reason}`),
      ...votesText(combined),
      ...dataWarnings(panel),
    ],
  };
}

/** What is to be fitted on which bars. */
export async function planWalkForward(request: Omit<WalkForwardRequest, 'onFold'>): Promise<{
  readonly task: WalkForwardTask;
  readonly panel: LoadedPanel;
  readonly plan: readonly Fold[];
  readonly entries: WalkForwardTask['entries'];
}> {
  const { registry = builtIn, store, exchange, symbols, timeframe, sinceMs, untilMs, seed } = request;
  const { folds, embargoBars, window = 'expanding', cold = false } = request;
  const entries = await walkForwardEntries(request, registry);
  const read = featuresRead(
    entries.map(({ model, params }) => ({ model, features: model.features(params) })),
  );
  const panel = await loadPanel(store, {
    exchange,
    symbols,
    timeframe,
    sinceMs,
    ...(untilMs !== undefined && { untilMs }),
    ...read,
    lengths: barLengthsOf(entries),
    sources: request.sources,
    catalogue: registry.features,
    signal: request.signal,
  });
  refuseWrong(panel.doubts, request.acceptImplausible ?? []);
  const middle = panel.firstTimeMs + (panel.untilMs - panel.firstTimeMs) / 2;
  const range = { fromMs: request.fromMs ?? middle, untilMs: panel.untilMs };
  requireBars(range, panel);
  const embargoMs = embargoBars * TIMEFRAME_MS[timeframe];
  const plan = walkForwardFolds({ fromMs: panel.firstTimeMs, untilMs: panel.untilMs }, timeframe, {
    folds,
    firstTestMs: range.fromMs,
    embargoMs,
    ...(window === 'rolling' && { windowMs: range.fromMs - embargoMs - panel.firstTimeMs }),
  });
  const { validationPct, cache, signal } = request;
  const task = {
    ...{ panel, entries, folds: plan, validationPct, seed, cold, signal },
    ...(cache && { cache }),
    onFold: () => {},
  };
  return { task, panel, plan, entries };
}

/** Those that vote in some fold, silent (`NaN`) in the others. */
function foldVoters(
  panel: LoadedPanel,
  members: readonly WalkForwardMember[],
  { folds, voters }: { readonly folds: readonly Fold[]; readonly voters: readonly ReadonlySet<string>[] },
): readonly EnsembleMember[] {
  return members
    .filter((one) => voters.some((chosen) => chosen.has(idOf(one))))
    .map((one) => {
      const silent = folds.filter((_, k) => !voters[k].has(idOf(one)));
      return {
        id: idOf(one),
        kind: one.model.kind,
        forecasts: panel.series.map(({ candles: { time } }, s) =>
          withoutRows(
            one.forecasts[s],
            silent.map(({ test }) => [lowerBound(time, test.fromMs), lowerBound(time, test.untilMs)]),
          ),
        ),
      };
    });
}

const idOf = ({ model }: { readonly model: Model }): string => model.id;

/** The forecast with no opinion in some ranges of rows. */
function withoutRows(forecast: Forecast, ranges: readonly (readonly [number, number])[]): Forecast {
  if (ranges.length === 0) return forecast;
  const masked = (column: Float64Array): Float64Array => {
    const copy = column.slice();
    for (const range of ranges) copy.fill(NaN, ...range);
    return copy;
  };
  const { position, confidence, probabilityUp, expectedReturn } = forecast;
  return {
    ...forecast,
    position: masked(position),
    confidence: masked(confidence),
    ...(probabilityUp && { probabilityUp: masked(probabilityUp) }),
    ...(expectedReturn && { expectedReturn: masked(expectedReturn) }),
  };
}

/** Why a model has no skill, when it had none in some folds. */
function foldsText(noSkill: readonly (string | undefined)[]): string | undefined {
  const silent = noSkill.flatMap((why, k) => (why === undefined ? [] : [{ fold: k + 1, why }]));
  if (silent.length === 0) return undefined;
  const which =
    silent.length === noSkill.length ? 'every fold' : `fold ${silent.map(({ fold }) => fold).join(', ')}`;
  return `in ${which}, in the last ${silent[silent.length - 1].why}`;
}

/** With what of each model is not ours, its features included: what it brings depends on what stands there. */
async function walkForwardEntries(
  request: Omit<WalkForwardRequest, 'onFold'>,
  registry: Registry,
): Promise<readonly { readonly model: Model; readonly params: unknown; readonly plugin?: string }[]> {
  const { models, params, store, symbols } = request;
  const absent = models?.includes('all')
    ? await Promise.all(
        symbols.map((symbol) => absentInputs(store, { ...request, catalogue: registry.features, symbol })),
      )
    : [];
  const missing = new Set(absent.flat().flatMap(({ features }) => features));
  const named = models ?? request.ensemble?.method.members?.models;
  const chosen =
    named === undefined
      ? registry.models.filter(({ kind }) => kind === 'baseline' || kind === 'classical')
      : named.flatMap((id) =>
          id === 'all'
            ? registry.models.filter((model) => !readsAny(model, missing))
            : [registry.findModel(id)],
        );
  return [...new Set(chosen)].map((model) => {
    const own = modelParams(model, 'quick', params[model.id] ?? {});
    const { files, featureParameters } = ownPartsOf(registry, [model.id, ...model.features(own)]);
    const plugin = [...files.map(({ sha256 }) => sha256), JSON.stringify(featureParameters)].join(' ');
    return { model, params: own, ...(files.length > 0 && { plugin }) };
  });
}
