import type { FeatureColumn, Panel } from '../../core/dataset/panel.ts';
import { computeFeatures, inputsOf } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import { inputPlace, type InputSources } from '../../core/features/inputs.ts';
import { seriesKind } from '../../core/market/series-kinds.ts';
import type { BarLength } from '../../core/market/bar-length.ts';
import type { Candles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { barsPerYear, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type DecisionTerms, decidePaths, measureSkill } from '../../core/strategy/decide.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import { type ExecutionRules } from '../../core/trading/rules.ts';
import { runBacktest } from '../../core/trading/run.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { loadInputs } from '../../data/panel/load-inputs.ts';
import type { Store } from '../../data/store/store.ts';
import { marketName, trialsOf } from '../../lab/backtest/trials.ts';
import type { AuditedMember, Subject } from '../../lab/audit/subject.ts';
import { forecastEnsemble } from '../../learning/ensemble/equal-weight.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';

/** What an audit is about: bars, models fitted on the first of them, and who votes. */
export interface AuditedRun {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
  /** The bar at which features start. */
  readonly sinceMs: number;
  readonly sources: InputSources;
  readonly catalogue: readonly Feature[];
  readonly featureNames: readonly string[];
  /** Bars of other lengths that its models read beside. */
  readonly lengths?: readonly BarLength[];
  /** Models were fitted on bars from here on; absent: on all. */
  readonly fitFromMs?: number;
  readonly trainUntilMs: number;
  readonly validateUntilMs: number;
  readonly members: readonly (AuditedMember & { readonly noSkill?: string | undefined })[];
  /** How many seeds the result shows. */
  readonly seeds: number;
}

/** A training run as an audit looks at it. */
export const auditedRun = (trained: TrainedSet): AuditedRun => ({
  ...trained,
  members: trained.members.map(({ id, model, fitted, noSkill, manifest }) => ({
    id,
    model,
    fitted,
    noSkill,
    params: manifest.params,
    seed: manifest.seed,
    weightHash: manifest.weightHash,
    seconds: manifest.seconds,
  })),
});

export interface AuditTerms {
  readonly store: Store;
  readonly untilMs?: number | undefined;
  /** What decides on the ensemble's forecasts. */
  readonly terms: DecisionTerms;
  readonly rules: ExecutionRules;
  readonly instruments: readonly Instrument[];
  readonly seed: number;
  readonly trialsFile: string;
  readonly signal: AbortSignal;
}

/** A run's bars, its models, and the procedures that trade them. */
export async function auditSubject(
  run: AuditedRun,
  { store, terms, ...request }: AuditTerms,
): Promise<Subject> {
  const { exchange, timeframe, symbols, fitFromMs, trainUntilMs, validateUntilMs, members } = run;
  const panelUntil = (untilMs: number | undefined): Promise<LoadedPanel> =>
    loadPanel(store, { ...run, ...(untilMs !== undefined && { untilMs }) });
  const panel = await panelUntil(request.untilMs);
  const voters = new Set(votersOf(members).map(({ id }) => id));
  const { rules, instruments, seed, signal } = request;
  return {
    panel,
    panelAt: panelUntil,
    panelOf: async (candles) => recomputed(panel, candles, run),
    ...(fitFromMs !== undefined && { fitFromMs }),
    trainUntilMs,
    validateUntilMs,
    members,
    combine: (of, all) =>
      of.series.map((_, s) =>
        forecastEnsemble(all.flatMap((one, m) => (voters.has(members[m].id) ? [one[s]] : []))),
      ),
    decide(of, forecasts) {
      const { strategy } = terms;
      if (strategy.restates) return forecasts;
      const measured = { fromMs: trainUntilMs, untilMs: validateUntilMs };
      const edge = strategy.restsOnSkill
        ? measureSkill(of, forecasts, measured, { labels: strategy.restsOnLabels })
        : undefined;
      const paths = decidePaths(of, forecasts, terms, {
        spans: [{ fromMs: validateUntilMs, asOfMs: validateUntilMs, edge }],
      });
      return forecasts.map((forecast, s) => ({ ...forecast, position: paths[s].orders }));
    },
    trade: (targets, setting) => runBacktest({ ...setting, targets }),
    setting: { instruments, rules, barsPerYear: barsPerYear(timeframe), seed },
    series: await seriesOf(store, run, panel.untilMs),
    universe: await universeOf(store, run),
    trials: trialsOf(request.trialsFile, marketName(exchange, timeframe, symbols)),
    seedsShown: run.seeds,
    signal,
  };
}

/** Features of other candles. Those that read more than candles stay as they are: their inputs did not change. */
function recomputed(panel: Panel, candles: readonly Candles[], { catalogue }: AuditedRun): Panel {
  const series = panel.series.map((one, s) => {
    const { names, columns } = one.features;
    const own = names.filter((name) => inputsOf([name], catalogue).length === 0);
    const made = computeFeatures(own, candles[s], panel.timeframe, {}, catalogue);
    const columnOf = (name: string, i: number): FeatureColumn =>
      made.columns[own.indexOf(name)] ?? columns[i];
    return { ...one, candles: candles[s], features: { names, columns: names.map(columnOf) } };
  });
  return { timeframe: panel.timeframe, series };
}

async function seriesOf(store: Store, run: AuditedRun, untilMs: number): Promise<Subject['series']> {
  const { featureNames, exchange, timeframe, symbols, sources, sinceMs, catalogue } = run;
  const found = await Promise.all(
    symbols.map(async (symbol) => {
      const about = { exchange, symbol, timeframe, sources };
      const wanted = { ...about, fromMs: sinceMs, untilMs, catalogue };
      const { inputs } = await loadInputs(store, featureNames, wanted);
      return inputsOf(featureNames, catalogue).flatMap((input) => {
        const [rows, place] = [inputs[input], inputPlace(input, about)];
        if (rows === undefined || place === undefined) return [];
        if (place.kind === 'candles')
          return [{ name: `${place.exchange} ${place.symbol}`, rows, delayMs: TIMEFRAME_MS[timeframe] }];
        const { periodMs, delayMs } = seriesKind(place.name);
        return [{ name: `${place.name} ${place.subject}`, rows, delayMs: periodMs + delayMs }];
      });
    }),
  );
  return found.flat();
}

/** Pairs of the run's exchange, bar length and quote currency. */
async function universeOf(
  store: Store,
  { exchange, timeframe, symbols }: AuditedRun,
): Promise<Subject['universe']> {
  const quote = symbols[0].split('/')[1];
  return (await store.list())
    .filter(
      (one) => one.exchange === exchange && one.timeframe === timeframe && one.symbol.endsWith(`/${quote}`),
    )
    .map(({ symbol, firstTimeMs, lastTimeMs }) => ({ symbol, firstMs: firstTimeMs, lastMs: lastTimeMs }));
}
