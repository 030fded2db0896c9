import { lowerBound } from '../../core/market/candles.ts';
import { type DecisionTerms, decidePaths, measureSkill, type Path } from '../../core/strategy/decide.ts';
import type { Edge } from '../../core/strategy/edge.ts';
import type { Reason } from '../../core/strategy/reason.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { knowVolatility, marketVolatility } from '../../core/strategy/volatility.ts';
import { alignColumn, type AlignedMarket, alignMarket } from '../../core/trading/align.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Store } from '../../data/store/store.ts';
import { type Forecast, statesPosition } from '../../core/forecast/model.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { forecastsOfRun, measuredSpan } from '../../learning/training/run-forecasts.ts';
import type { EnsembleChoice, EnsembleState, LearnedEnsemble } from '../../learning/ensemble/combine.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import type { Said } from './feed.ts';
import { ensembleOf, type SessionRecord, strategyOf } from './record.ts';
import { createStanding } from './standing.ts';
import type { Decision } from './step.ts';

/** The stored bars of all symbols on one clock, and what is decided at the close of each. */
export interface Outlook {
  readonly market: AlignedMarket;
  decide(row: number, decision: Decision['decision']): Decision;
  /** What was predicted at that close: by every model, and by the ensemble with the position that the strategy wants. */
  said(row: number): readonly Said[];
}

/** Which bars to decide on, and what was wanted before them. */
interface Asked {
  /** The first bar to decide on. */
  readonly sinceMs: number;
  /** Bars open before this time. */
  readonly untilMs: number;
  /** What the strategy wanted to hold before `sinceMs`, by symbol; absent: it has decided nothing yet. */
  readonly wanted?: readonly (number | null)[] | undefined;
  /** Of the ensemble's weights, as of the bar before. */
  readonly state?: EnsembleState | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What combines and decides in a session. */
export interface SessionTerms extends DecisionTerms {
  readonly ensemble: EnsembleChoice;
}

export interface Outlooks {
  /** Throws `signal.reason` when aborted. */
  look(asked: Asked): Promise<Outlook>;
}

/** Those of a session as it is on record. */
export function termsOf(
  session: Pick<SessionRecord, 'strategy' | 'ensemble' | 'rules'>,
  { strategies }: Partial<Pick<TrainedSet, 'strategies'>> = {},
): SessionTerms {
  const { rules } = session;
  const { id, params } = strategyOf(session);
  const ensemble = ensembleOf(session);
  return {
    ...chooseStrategy(id, params, strategies),
    cost: tradeCostsFrom(rules),
    allowShort: rules.allowShort,
    ensemble: chooseEnsemble(ensemble.id, ensemble.params),
  };
}

/**
 * Forecasts and decides bar by bar, from the same start and through the same functions as a backtest, so that a bar
 * that just closed gets the numbers a later backtest gives it; for the symbols of the run that are `traded`. Skill and
 * what the models count for are learned once, on the validation bars of the run. The first look reads every stored bar; each
 * later one those that closed since, and what is remembered of the others: see standing.ts.
 */
export function createOutlooks(
  store: Store,
  trained: TrainedSet,
  terms: SessionTerms,
  traded: readonly PairSymbol[] = trained.symbols,
): Outlooks {
  // Models are shown all of their symbols; some read several together.
  const places = trained.symbols.flatMap((symbol, s) => (traded.includes(symbol) ? [s] : []));
  const pick = <T>(all: readonly T[]): readonly T[] => places.map((s) => all[s]);
  const voters = votersOf(trained.members, terms.ensemble.method);
  const deciding = voters.every(({ model }) => statesPosition(model))
    ? { ...terms, ...chooseStrategy('own', {}) }
    : terms;
  const standing = createStanding(store, trained);
  let known: { readonly learned: LearnedEnsemble; readonly edge: Edge | undefined } | undefined;
  let costs: readonly number[] = [];
  return {
    look: async ({ sinceMs, untilMs, wanted, state, signal }) => {
      const { panel: whole, isWhole, ask } = await standing.advance({ sinceMs, untilMs, signal });
      const weighed = new Map<number, Decision['ensemble']>();
      const said = await forecastsOfRun(trained, whole, {
        ask,
        choice: terms.ensemble,
        fromMs: sinceMs,
        learned: known?.learned,
        state,
        signal,
        onBar: (timeMs, weights, after) =>
          weighed.set(timeMs, {
            weights: Object.fromEntries(voters.map(({ id }, m) => [id, weights[m]])),
            state: after,
          }),
      });
      // A model that failed is asked about everything again.
      if (said.failed.length > 0) standing.forget();
      const panel = { ...whole, series: pick(whole.series) };
      knowVolatility(panel, pick(marketVolatility(whole).volatility));
      const ensemble = pick(said.ensemble);
      const members = said.members.map((one) => ({ ...one, forecasts: pick(one.forecasts) }));
      const asOfMs = measuredSpan(trained, sinceMs).untilMs;
      known ??= {
        learned: said.combined.learned,
        edge: deciding.strategy.restsOnSkill
          ? measureSkill(panel, ensemble, measuredSpan(trained, sinceMs), {
              labels: deciding.strategy.restsOnLabels,
            })
          : undefined,
      };
      const { edge } = known;
      const { cost } = deciding;
      if (isWhole)
        costs = panel.series.map(({ candles }) => (typeof cost === 'number' ? cost : cost(candles, asOfMs)));
      const reasons = panel.series.map(() => new Map<number, Reason>());
      const candles = panel.series.map((series) => series.candles);
      const paths = decidePaths(
        panel,
        ensemble,
        { ...deciding, cost: (of) => costs[candles.indexOf(of)] },
        {
          spans: [{ fromMs: sinceMs, asOfMs, edge }],
          wanted: wanted?.map((value) => value ?? undefined),
          onReason: (s, row, reason) => reasons[s].set(candles[s].time[row], reason),
        },
      );
      const market = alignMarket(candles, trained.timeframe);
      const align = (forecasts: readonly Forecast[], column: 'position' | 'confidence') =>
        forecasts.map((forecast, s) => alignColumn(market, s, forecast[column]));
      const orders = paths.map((path, s) => alignColumn(market, s, path.orders));
      const models = members.map(({ id, forecasts }) => ({
        id,
        positions: align(forecasts, 'position'),
        confidences: align(forecasts, 'confidence'),
      }));
      const silent = members.filter(({ noSkill }) => noSkill !== undefined).map(({ id }) => id);
      return {
        market,
        said(row) {
          const timeMs = market.time[row];
          const wantedNow = (s: number): number | null =>
            wantedAt(paths[s], candles[s].time, timeMs) ?? wanted?.[s] ?? null;
          return panel.series.flatMap(({ symbol }, s) => {
            const at = lowerBound(candles[s].time, timeMs);
            if (candles[s].time[at] !== timeMs) return [];
            const saying = (model: string, forecast: Forecast, position: number | null): Said => ({
              symbol,
              model,
              horizonBars: forecast.horizonBars,
              position,
              confidence: orNull(forecast.confidence[at]),
              lean: leanOf(forecast, at),
            });
            return [
              ...members.map(({ id, forecasts }) =>
                saying(id, forecasts[s], orNull(forecasts[s].position[at])),
              ),
              saying('ensemble', ensemble[s], wantedNow(s)),
            ];
          });
        },
        decide: (row, decision) => ({
          runId: trained.runId,
          decision,
          ...(silent.length > 0 && { noSkill: silent }),
          targets: orders.map((column) => orNull(column[row])),
          models: Object.fromEntries(
            models.map(({ id, positions, confidences }) => [
              id,
              positions.map((column, s): [number, number] | null =>
                Number.isNaN(column[row]) ? null : [column[row], confidences[s][row]],
              ),
            ]),
          ),
          ...(!deciding.strategy.restates && {
            wanted: paths.map(
              (path, s) => wantedAt(path, candles[s].time, market.time[row]) ?? wanted?.[s] ?? null,
            ),
          }),
          reasons: reasons.map((of) => of.get(market.time[row]) ?? null),
          ...(weighed.size > 0 && { ensemble: weighed.get(market.time[row]) }),
        }),
      };
    },
  };
}

/** What is wanted after the newest bar up to `timeMs`; `undefined` before the first decision. */
function wantedAt({ wanted }: Path, time: Float64Array, timeMs: number): number | undefined {
  const row = lowerBound(time, timeMs + 1) - 1;
  return row < 0 || Number.isNaN(wanted[row]) ? undefined : wanted[row];
}

/**
 * A decision that can be carried out, after one that was not: what the strategy wants by now is ordered, although
 * nothing is new in it.
 */
export function catchUp(decision: Decision, last: Pick<Decision, 'decision'> | undefined): Decision {
  const { wanted } = decision;
  if (wanted === undefined || last === undefined || last.decision === 'placed') return decision;
  return { ...decision, targets: decision.targets.map((target, s) => target ?? wanted[s]) };
}

/** Its probability, else its expected return, else its position. */
function leanOf({ probabilityUp, expectedReturn, position }: Forecast, row: number): number | null {
  const stated = probabilityUp === undefined ? (expectedReturn ?? position)[row] : probabilityUp[row] - 0.5;
  return orNull(stated);
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
