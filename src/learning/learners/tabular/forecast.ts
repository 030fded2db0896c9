import { z } from 'zod';
import type { FeatureColumn, Panel, Series } from '../../../core/dataset/panel.ts';
import type { Follower, Forecast } from '../../../core/forecast/model.ts';
import { ExactNumber } from '../../../core/foundation/exact-json.ts';
import type { Steps } from '../../../core/foundation/steps.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { inTurns } from '../../../data/turns.ts';
import { featureColumns } from './examples.ts';
import { followProbability } from './positions.ts';

/** What a tabular model says about each row: the probability of a rise and, if it states one, the return. */
interface Prediction {
  readonly probabilityUp: Float64Array;
  readonly expectedReturn?: Float64Array;
}

export interface RowModel {
  readonly features: readonly string[];
  readonly horizonBars: number;
  readonly entryEdge: number;
  readonly meanMove: number;
  /** What each row of the columns says, whatever rows stand beside it. */
  readonly predict: (columns: readonly FeatureColumn[]) => Prediction;
  /** Rows without an opinion: those with any missing feature, or only those with all missing. */
  readonly blind: 'any-missing' | 'all-missing';
}

/** Bars before those wanted that are looked at first: nearly always one of them decides alone. */
const LOOK_BACK_BARS = 512;

/**
 * Forecasts of a model that reads rows of features, one symbol after the other. Bars that open before `sinceMs` are left
 * without one. What is held at the first of the others hangs on the bars before, back to the newest that entered a position
 * of its own accord: so far back rows are read. One column per step.
 */
export function* forecastSteps(
  panel: Panel,
  by: RowModel,
  { sinceMs = -Infinity }: { readonly sinceMs?: number } = {},
): Steps<readonly Forecast[]> {
  const forecasts: Forecast[] = [];
  for (const series of panel.series) forecasts.push((yield* forecastSince(series, by, sinceMs)).forecast);
  return forecasts;
}

/** The same bar after bar: what is held is all that is remembered. */
export function followDirection(by: RowModel, from?: unknown): Follower {
  const held = new Map<string, number>(from === undefined ? [] : Held.parse(from));
  return {
    lookBackBars: 0,
    async forecast(panel, sinceMs) {
      const forecasts: Forecast[] = [];
      for (const series of panel.series) {
        const found = await inTurns(forecastSince(series, by, sinceMs, held.get(series.symbol)));
        held.set(series.symbol, found.held);
        forecasts.push(found.forecast);
      }
      return forecasts;
    },
    standing: () => [...held],
  };
}

const Held = z.array(z.tuple([z.string(), ExactNumber]));

/** `before`: what was held before `sinceMs`, where that is known. */
function* forecastSince(
  series: Series,
  by: RowModel,
  sinceMs: number,
  before?: number,
): Steps<{ readonly forecast: Forecast; readonly held: number }> {
  const { time } = series.candles;
  const columns = featureColumns(series, by.features);
  const wanted = lowerBound(time, sinceMs);
  for (let bars = before === undefined ? LOOK_BACK_BARS : 0; ; bars *= 8) {
    const from = Math.max(0, wanted - bars);
    const read: FeatureColumn[] = [];
    for (const column of columns) {
      // A part of a column that is worked out late must not keep all of it.
      read.push(series.features.pick ? column.slice(from) : column.subarray(from));
      yield;
    }
    const rows = forecastRows(read, by, before);
    const earlier = rows.probabilityUp.subarray(0, wanted - from);
    const isDecided = before !== undefined || from === 0;
    if (!isDecided && !earlier.some((probability) => Math.abs(probability - 0.5) >= by.entryEdge)) continue;
    const whole = (values: Float64Array): Float64Array => {
      if (wanted === 0) return values;
      const all = new Float64Array(time.length).fill(NaN);
      all.set(values.subarray(wanted - from), wanted);
      return all;
    };
    const forecast = {
      symbol: series.symbol,
      horizonBars: by.horizonBars,
      position: whole(rows.position),
      confidence: whole(rows.confidence),
      probabilityUp: whole(rows.probabilityUp),
      expectedReturn: whole(rows.expectedReturn),
    };
    return { forecast, held: rows.held };
  }
}

function forecastRows(
  columns: readonly FeatureColumn[],
  { predict, blind, entryEdge, meanMove }: RowModel,
  before?: number,
) {
  const prediction = predict(columns);
  const seen = new Int32Array(columns[0].length);
  for (const column of columns)
    for (let row = 0; row < seen.length; row++) if (column[row] === column[row]) seen[row]++;
  const needed = blind === 'any-missing' ? columns.length : 1;
  const known = (values: Float64Array): Float64Array =>
    values.map((value, row) => (seen[row] >= needed ? value : NaN));
  const probabilityUp = known(prediction.probabilityUp);
  return {
    ...followProbability(probabilityUp, entryEdge, before),
    probabilityUp,
    expectedReturn: prediction.expectedReturn
      ? known(prediction.expectedReturn)
      : probabilityUp.map((probability) => (2 * probability - 1) * meanMove),
  };
}

/** Distance from one half that a share `quantile` of `probabilities` does not reach. */
export function entryEdgeOf(probabilities: Float64Array, quantile: number): number {
  const distances = probabilities.map((probability) => Math.abs(probability - 0.5)).sort();
  return distances[Math.floor(quantile * distances.length)];
}

/** Share of the rows with a probability whose sign was right; `undefined` without one. */
export function accuracy(probabilityUp: Float64Array, labels: Float64Array): number | undefined {
  const known = probabilityUp.filter((probability) => !Number.isNaN(probability)).length;
  const right = probabilityUp.filter(
    (probability, row) => !Number.isNaN(probability) && probability > 0.5 === labels[row] > 0.5,
  );
  return known === 0 ? undefined : right.length / known;
}
