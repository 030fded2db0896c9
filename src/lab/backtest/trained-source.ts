import { formatTime } from '../../core/foundation/time.ts';
import { type EnsembleChoice } from '../../learning/ensemble/combine.ts';
import { ENHANCED } from '../../learning/ensemble/registry.ts';
import { forecastRun, measuredSpan } from '../../learning/training/run-forecasts.ts';
import { allSeedsOf } from '../../learning/ensemble/voters.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Forecast, statesPosition } from '../../core/forecast/model.ts';
import { builtIn } from '../../learning/models/registry.ts';
import {
  loadTrained,
  loadTrainedPanel,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
  type WantedMarket,
} from '../../learning/training/checkpoints.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import type { BarRange } from './strategies.ts';
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
      readonly onMember?: ((done: number, total: number, id: string) => void) | undefined;
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
    onMember: request.onMember,
    signal: request.signal,
  });
  const beside = besideOf(choice, equal(), voters);
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

function numbersAfterFirst({ runId, seeds }: TrainedSet): readonly number[] {
  if (seeds > 1) return Array.from({ length: seeds - 1 }, (_, i) => i + 2);
  throw new UserError(`The training run "${runId}" has one seed only.`, {
    hint: 'Train several: crypto-trader train --mode quick --seeds 8',
  });
}

const weightsOf = ({ members }: TrainedSet, choice: EnsembleChoice): ForecastSource['weights'] =>
  withEnsemble(Object.fromEntries(members.map(({ id, manifest }) => [id, manifest.weightHash])), choice);

const memberSeedsOf = ({ members }: TrainedSet): ForecastSource['memberSeeds'] =>
  Object.fromEntries(
    members.flatMap(({ id, model, manifest }) => (model.stochastic === true ? [[id, manifest.seed]] : [])),
  );

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
