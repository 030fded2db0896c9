import { forwardReturns, labelEndMs } from '../../core/dataset/labels.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Span } from '../../core/dataset/splits.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { applyRule } from '../../core/strategy/apply.ts';
import { type Edge, measureEdge } from '../../core/strategy/edge.ts';
import { findStrategy } from '../../core/strategy/registry.ts';
import type { Setting } from '../../core/strategy/strategy.ts';
import { runningVolatility } from '../../core/strategy/volatility.ts';
import type { ForecastSource } from './sources.ts';

/** From `fromMs` on, decisions rest on the skill that was measured over `measured`. */
export interface DecisionSpan {
  readonly fromMs: number;
  /** Bars that no fit has seen and whose returns were all known by `fromMs`. */
  readonly measured: Span;
}

interface DecisionRequest extends Pick<Setting, 'cost' | 'allowShort'> {
  readonly strategy: string;
  /** Of the strategy; what is absent takes its default. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** How skilled a forecaster was where its last decisions began, by name. */
export type Edges = Readonly<Record<string, Edge | undefined>>;

/**
 * The source with every forecast's position replaced by what the strategy decides on it. Baselines and rules, which state
 * positions and no belief, keep theirs.
 */
export function decide(
  source: ForecastSource,
  request: DecisionRequest,
): { readonly source: ForecastSource; readonly edges: Edges } {
  const edges: Record<string, Edge | undefined> = {};
  const decided = (name: string, forecasts: readonly Forecast[], keep: boolean): readonly Forecast[] => {
    if (keep) return forecasts;
    const result = decideOn(source.panel, forecasts, source.decisions, request);
    edges[name] ??= result.edge;
    return result.forecasts;
  };
  const statesPosition = (id: string): boolean => source.positionsOnly.includes(id);
  const members = source.members.map((one) => ({
    ...one,
    forecasts: decided(one.id, one.forecasts, statesPosition(one.id)),
  }));
  const ensemble = decided(
    'ensemble',
    source.ensemble,
    members.every(({ id }) => statesPosition(id)),
  );
  const otherSeeds = source.otherSeeds.map((seed) => ({
    ...seed,
    ensemble: decided('ensemble', seed.ensemble, false),
    members: seed.members.map((one) => ({
      ...one,
      forecasts: decided(one.id, one.forecasts, statesPosition(one.id)),
    })),
  }));
  const { strategy, params } = request;
  const weights = Object.fromEntries(
    Object.entries(source.weights).map(([id, own]) => [id, { own, strategy, params }]),
  );
  return { source: { ...source, members, ensemble, otherSeeds, weights }, edges };
}

function decideOn(
  panel: Panel,
  forecasts: readonly Forecast[],
  spans: readonly DecisionSpan[],
  { strategy, params, ...setting }: DecisionRequest,
): { readonly forecasts: readonly Forecast[]; readonly edge: Edge | undefined } {
  const chosen = findStrategy(strategy);
  const parsed = chosen.params.parse(params);
  const edges = spans.map(({ measured }) => edgeOver(panel, forecasts, measured));
  const rules = edges.map((edge) => chosen.prepare(parsed, { ...setting, edge }));
  const decided = forecasts.map((forecast, s) => {
    const { candles } = panel.series[s];
    const volatility = runningVolatility(candles);
    const position = new Float64Array(forecast.position.length).fill(NaN);
    let held = 0;
    spans.forEach(({ fromMs }, i) => {
      const fromRow = lowerBound(candles.time, fromMs);
      const until = i + 1 < spans.length ? lowerBound(candles.time, spans[i + 1].fromMs) : position.length;
      const { target } = applyRule(rules[i], forecast, volatility, { fromRow, untilRow: until, held });
      for (let row = fromRow; row < until; row++) {
        // What is wanted already is no new decision: positions that drift are left alone.
        if (Number.isNaN(target[row]) || (row > fromRow && target[row] === held)) continue;
        position[row] = held = target[row];
      }
    });
    return { ...forecast, position };
  });
  return { forecasts: decided, edge: edges.at(-1) };
}

/** The skill of what was stated over a span, labels known by its end. */
function edgeOver(panel: Panel, forecasts: readonly Forecast[], span: Span): Edge | undefined {
  const { timeframe } = panel;
  const { horizonBars } = forecasts[0];
  const series = panel.series.flatMap(({ candles }, s) => {
    const stated = forecasts[s].expectedReturn;
    if (stated === undefined) return [];
    const from = lowerBound(candles.time, span.fromMs);
    let until = lowerBound(candles.time, span.untilMs);
    while (until > from && labelEndMs(candles.time[until - 1], timeframe, horizonBars) > span.untilMs)
      until--;
    const realised = forwardReturns(candles, timeframe, horizonBars);
    return [
      {
        time: candles.time.subarray(from, until),
        stated: stated.subarray(from, until),
        realised: realised.subarray(from, until),
      },
    ];
  });
  return measureEdge(series, { horizonBars, barMs: TIMEFRAME_MS[timeframe] });
}
