import { formatTime } from '../../core/foundation/time.ts';
import type { Store } from '../../data/store/store.ts';
import { type Fold, walkForwardFolds } from '../../core/dataset/splits.ts';
import {
  type Combined,
  combineSteps,
  type EnsembleChoice,
  type EnsembleMember,
  isPlain,
} from '../../learning/ensemble/combine.ts';
import { ENHANCED } from '../../learning/ensemble/registry.ts';
import { forecastRun, measuredSpan } from '../../learning/training/run-forecasts.ts';
import { forecastEnsemble } from '../../learning/ensemble/equal-weight.ts';
import type { MemberFacts } from '../../learning/ensemble/method.ts';
import { allSeedsOf, votersOf } from '../../learning/ensemble/voters.ts';
import type { InputSources } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { endedSeries } from '../../core/dataset/panel.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { endText } from '../../core/market/history-end.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { ExplanationPart } from '../../core/forecast/explanation.ts';
import { type Forecast, type Model, statesPosition } from '../../core/forecast/model.ts';
import { builtIn, ownPartsOf, type Registry } from '../../learning/models/registry.ts';
import {
  loadTrained,
  loadTrainedPanel,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
  type WantedMarket,
} from '../../learning/training/checkpoints.ts';
import { inTurns } from '../../data/turns.ts';
import { doubtLines, refuseWrong } from '../../data/plausibility.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { absentInputs } from '../../data/panel/load-inputs.ts';
import { modelParams, readsAny } from '../../learning/training/plan.ts';
import type { BacktestInput } from './backtest.ts';
import type { DecisionSpan } from './decide.ts';
import type { BarRange } from './strategies.ts';
import type { FoldCache } from '../../learning/validation/fold-cache.ts';
import {
  walkForward,
  type WalkForwardCost,
  type WalkForwardMember,
} from '../../learning/validation/walk-forward.ts';

/** Forecasts to trade, and what must be said about where they come from. */
export interface ForecastSource {
  readonly panel: LoadedPanel;
  readonly range: BarRange;
  /** Of a walk-forward: what each model was refitted on, and where it was asked. */
  readonly folds?: readonly Fold[];
  /** Where strategies that rest on skill may measure it, in time order. */
  readonly decisions: readonly DecisionSpan[];
  readonly ensemble: readonly Forecast[];
  /** What the ensemble that decides in a span would have stated over the bars where its skill is measured; default: what it did state. */
  readonly shown?: (span: number) => readonly Forecast[];
  readonly members: BacktestInput['members'];
  readonly trainedBy: string;
  /** Symbols of the settings that the trained set does not know; nothing is said about them. */
  readonly untrained: readonly PairSymbol[];
  /** Members that state positions and no belief: baselines and rules. */
  readonly positionsOnly: readonly string[];
  /** Members that make the ensemble, walking forward in any fold. */
  readonly voters: readonly string[];
  /** `shares[s][m]`: row by row beside the candles, what voter m counted for on symbol s. */
  readonly shares?: Combined['shares'];
  /** What identifies each member's weights; ids of trials are made of it. */
  readonly weights: Readonly<Record<string, unknown>>;
  /** Of members that draw random numbers, the seed of their training. */
  readonly memberSeeds: Readonly<Record<string, number>>;
  /** The same from the other seeds of the trained set, when they were asked for. */
  readonly otherSeeds: readonly (Pick<ForecastSource, 'ensemble' | 'weights' | 'memberSeeds'> & {
    readonly members: readonly { readonly id: string; readonly forecasts: readonly Forecast[] }[];
  })[];
  /** What the models say that their forecasts rest on, on average over the validation bars. */
  readonly explanations: readonly ModelExplanation[];
  readonly warnings: readonly string[];
}

export interface ModelExplanation {
  readonly model: string;
  readonly parts: readonly ExplanationPart[];
}

interface SourceRequest {
  /** The models that there are; default: ours. */
  readonly registry?: Registry;
  readonly store: Store;
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
  /** Pairs whose candles are right although no market does what they say. */
  readonly acceptImplausible?: readonly PairSymbol[];
  /** How forecasts become one; default: enhanced. */
  readonly ensemble?: EnsembleChoice;
  /** Ids of the models to use; default: all there are. */
  readonly models: readonly string[] | undefined;
}

/**
 * A trained set, the active one unless another is named, over the bars that it has never seen, unless another range is asked for; with `seeds` also
 * those that were trained from other seeds. Throws `UserError` when nothing is trained or the range holds no bar,
 * `signal.reason` when aborted.
 */
export async function trainedForecasts(
  checkpointDir: string,
  request: SourceRequest &
    WantedMarket & {
      readonly runId?: string | undefined;
      readonly seeds: boolean;
      readonly signal?: AbortSignal | undefined;
    },
): Promise<ForecastSource> {
  const { registry = builtIn, runId } = request;
  const { ensemble: choice = ENHANCED } = request;
  const chosen = {
    registry,
    allSeedsOf: allSeedsOf(choice.method),
    ...(request.models !== undefined && { models: request.models }),
  };
  const trained = await loadTrained(checkpointDir, { ...chosen, ...(runId !== undefined && { runId }) });
  requireSameMarket(trained, request);
  const { symbols, untrained } = symbolsOfRun(trained, request.symbols);
  const panel = await loadTrainedPanel(request.store, trained, {
    signal: request.signal,
    ...(request.untilMs !== undefined && { untilMs: request.untilMs }),
  });
  refuseWrong(panel.doubts, request.acceptImplausible ?? []);
  const range = { fromMs: request.fromMs ?? trained.validateUntilMs, untilMs: panel.untilMs };
  requireBars(range, panel);
  const { fromMs } = range;
  const { members, ensemble, equal, voters, combined, failed } = await forecastRun(trained, panel, {
    choice,
    fromMs,
    signal: request.signal,
  });
  const beside = besideOf(choice, equal, voters);
  const otherSeeds: ForecastSource['otherSeeds'][number][] = [];
  for (const seedNumber of request.seeds ? numbersAfterFirst(trained) : []) {
    const other = await loadTrained(checkpointDir, { ...chosen, runId: runId ?? trained.runId, seedNumber });
    const forecasts = await forecastRun(other, panel, { choice, fromMs, signal: request.signal });
    otherSeeds.push({
      ensemble: forecasts.ensemble,
      members: forecasts.members.filter(({ id }) => registry.findModel(id).stochastic),
      weights: weightsOf(other, choice),
      memberSeeds: memberSeedsOf(other),
    });
    for (const { fitted } of other.members) fitted.dispose?.();
  }
  return ofSymbols(symbols, {
    panel,
    range,
    decisions: [{ fromMs, measured: measuredSpan(trained, fromMs) }],
    ensemble,
    members: [...members.map((one, m) => ({ ...one, kind: kindOf(trained.members[m].model) })), ...beside],
    voters: voters.map(({ id }) => id),
    shares: combined.shares,
    positionsOnly: trained.members.filter(({ model }) => statesPosition(model)).map(({ id }) => id),
    trainedBy: `training run ${trained.runId}`,
    untrained,
    weights: weightsOf(trained, choice),
    memberSeeds: memberSeedsOf(trained),
    otherSeeds,
    explanations: trained.members.flatMap(({ id, fitted: { explanation } }) =>
      explanation === undefined ? [] : [{ model: id, parts: explanation }],
    ),
    warnings: [
      ...trained.notes,
      ...failed.map(({ id, reason }) => `"${id}" is left out: it failed (${reason})`),
      ...votesText(combined),
      ...overlap(range, trained),
      ...dataWarnings(panel),
    ],
  });
}

/** The same forecasts of some of the symbols: models were shown all, so that those that read several together can. */
function ofSymbols(symbols: readonly PairSymbol[], source: ForecastSource): ForecastSource {
  const { panel } = source;
  const places = panel.series.flatMap(({ symbol }, s) => (symbols.includes(symbol) ? [s] : []));
  const pick = <T>(all: readonly T[]): readonly T[] => places.map((s) => all[s]);
  const pickEach = <T extends { readonly forecasts: readonly Forecast[] }>(members: readonly T[]) =>
    members.map((member) => ({ ...member, forecasts: pick(member.forecasts) }));
  return {
    ...source,
    panel: { ...panel, series: pick(panel.series) },
    ensemble: pick(source.ensemble),
    ...(source.shares && { shares: pick(source.shares) }),
    ...(source.shown && { shown: (span: number) => pick(source.shown?.(span) ?? source.ensemble) }),
    members: pickEach(source.members),
    otherSeeds: source.otherSeeds.map((seed) => ({
      ...seed,
      ensemble: pick(seed.ensemble),
      members: pickEach(seed.members),
    })),
  };
}

/** Equal weights stand beside every other way of combining several. */
const besideOf = (choice: EnsembleChoice, equal: readonly Forecast[], voters: readonly MemberFacts[]) =>
  isPlain(choice, voters) || voters.length < 2
    ? []
    : [{ id: EQUAL_WEIGHT, kind: 'model' as const, forecasts: equal }];

const EQUAL_WEIGHT = 'equal-weight';

/** Who has a vote in the ensemble, where not everybody has. */
const votesText = ({ learned: { leftOut } }: Combined): readonly string[] =>
  leftOut.length === 0
    ? []
    : [`No vote in the ensemble: ${leftOut.map(({ id, reason }) => `${id} (${reason})`).join(', ')}.`];

function numbersAfterFirst({ runId, seeds }: TrainedSet): readonly number[] {
  if (seeds > 1) return Array.from({ length: seeds - 1 }, (_, i) => i + 2);
  throw new UserError(`The training run "${runId}" has one seed only.`, {
    hint: 'Train several: crypto-trader train --mode quick --seeds 8',
  });
}

const weightsOf = ({ members }: TrainedSet, choice: EnsembleChoice): ForecastSource['weights'] =>
  withEnsemble(Object.fromEntries(members.map(({ id, manifest }) => [id, manifest.weightHash])), choice);

/** Another way of combining the same models is another rule. */
const withEnsemble = (
  weights: Readonly<Record<string, unknown>>,
  { method, params }: EnsembleChoice,
): ForecastSource['weights'] =>
  method.plain ? weights : { ...weights, [EQUAL_WEIGHT]: weights, ensemble: { id: method.id, params } };

const memberSeedsOf = ({ members }: TrainedSet): ForecastSource['memberSeeds'] =>
  Object.fromEntries(
    members.flatMap(({ id, model, manifest }) => (model.stochastic === true ? [[id, manifest.seed]] : [])),
  );

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
}

/**
 * Models refitted fold by fold, each forecasting only bars after its training: the second half of the bars, or from
 * `fromMs` on. Networks, agents and rules are refitted only when they are named, or with `all`.
 */
export async function walkForwardForecasts(request: WalkForwardRequest): Promise<ForecastSource> {
  const { registry = builtIn, store, exchange, symbols, timeframe, sinceMs, untilMs, seed } = request;
  const { ensemble: choice = ENHANCED } = request;
  const { folds, embargoBars, window = 'expanding', cold = false } = request;
  const entries = await walkForwardEntries(request, registry);
  const featureNames = [...new Set(entries.flatMap(({ model, params }) => model.features(params)))];
  const panel = await loadPanel(store, {
    exchange,
    symbols,
    timeframe,
    sinceMs,
    ...(untilMs !== undefined && { untilMs }),
    featureNames,
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
  let done = 0;
  const { members, skipped } = await walkForward({
    panel,
    entries,
    folds: plan,
    validationPct: request.validationPct,
    seed,
    cold,
    ...(request.cache && { cache: request.cache }),
    ...(request.onCost && { onCost: request.onCost }),
    signal: request.signal,
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
  request: WalkForwardRequest,
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

const kindOf = ({ kind }: Model): 'model' | 'baseline' => (kind === 'baseline' ? 'baseline' : 'model');

function requireBars({ fromMs, untilMs }: BarRange, panel: LoadedPanel): void {
  const bars = panel.series.some(({ candles }) => {
    const { time } = candles;
    return time.length > 0 && time[time.length - 1] >= fromMs && time[0] < untilMs;
  });
  if (bars && fromMs < untilMs) return;
  throw new UserError(
    `There is no bar to test from ${formatTime(fromMs)} on: the stored ones end at ${formatTime(panel.untilMs)}.`,
    {
      hint: 'Fetch newer candles with `crypto-trader fetch`, or choose another range with --since and --until.',
    },
  );
}

/** What was seen in training looks better than it is; that must be hard to overlook. */
function overlap(
  { fromMs }: BarRange,
  trained: { readonly trainUntilMs: number; readonly validateUntilMs: number },
): readonly string[] {
  if (fromMs >= trained.validateUntilMs) return [];
  const part = fromMs < trained.trainUntilMs ? 'TRAINED' : 'VALIDATED';
  return [
    `IN SAMPLE: the models were ${part} on bars of this range (training saw everything before ${formatTime(trained.validateUntilMs)}). These figures say nothing about the future.`,
  ];
}

/** Bars that are hard to believe; pairs that stopped trading, or were not fetched since. */
const dataWarnings = (panel: LoadedPanel): readonly string[] => [
  ...doubtLines(panel.doubts),
  ...endedSeries(panel).map(
    (one) =>
      `${endText(one)}. Nothing trades there after; what is held is marked at its last close, and sold at it after trading.delistedAfterHours.`,
  ),
];
