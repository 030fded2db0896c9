import type { Panel } from '../../../core/dataset/panel.ts';
import type { Forecast } from '../../../core/forecast/model.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import { featureColumns } from './examples.ts';
import { followProbability } from './positions.ts';

/** What a tabular model says about each row: the probability of a rise and, if it states one, the return. */
interface Prediction {
  readonly probabilityUp: Float64Array;
  readonly expectedReturn?: Float64Array;
}

interface RowModel {
  readonly features: readonly string[];
  readonly horizonBars: number;
  readonly entryEdge: number;
  readonly meanMove: number;
  /** What each row of the columns says, whatever rows stand beside it. */
  readonly predict: (columns: readonly Float64Array[]) => Prediction;
  /** Rows without an opinion: those with any missing feature, or only those with all missing. */
  readonly blind: 'any-missing' | 'all-missing';
}

/** Bars before those wanted that are looked at first: nearly always one of them decides alone. */
const LOOK_BACK_BARS = 512;

/**
 * Forecasts of a model that reads rows of features, one symbol after the other. Bars that open before `sinceMs` are left
 * without one. What is held at the first of the others hangs on the bars before, back to the newest that entered a position
 * of its own accord: so far back rows are read.
 */
export function forecastDirection(
  panel: Panel,
  by: RowModel,
  { sinceMs = -Infinity }: { readonly sinceMs?: number } = {},
): readonly Forecast[] {
  return panel.series.map((series) => {
    const { time } = series.candles;
    const columns = featureColumns(series, by.features);
    const wanted = lowerBound(time, sinceMs);
    for (let bars = LOOK_BACK_BARS; ; bars *= 8) {
      const from = Math.max(0, wanted - bars);
      const rows = forecastRows(
        columns.map((column) => column.subarray(from)),
        by,
      );
      const before = rows.probabilityUp.subarray(0, wanted - from);
      if (from > 0 && !before.some((probability) => Math.abs(probability - 0.5) >= by.entryEdge)) continue;
      const whole = (values: Float64Array): Float64Array => {
        if (wanted === 0) return values;
        const all = new Float64Array(time.length).fill(NaN);
        all.set(values.subarray(wanted - from), wanted);
        return all;
      };
      return {
        symbol: series.symbol,
        horizonBars: by.horizonBars,
        position: whole(rows.position),
        confidence: whole(rows.confidence),
        probabilityUp: whole(rows.probabilityUp),
        expectedReturn: whole(rows.expectedReturn),
      };
    }
  });
}

function forecastRows(columns: readonly Float64Array[], { predict, blind, entryEdge, meanMove }: RowModel) {
  const prediction = predict(columns);
  const seen = new Int32Array(columns[0].length);
  for (const column of columns)
    for (let row = 0; row < seen.length; row++) if (column[row] === column[row]) seen[row]++;
  const needed = blind === 'any-missing' ? columns.length : 1;
  const known = (values: Float64Array): Float64Array =>
    values.map((value, row) => (seen[row] >= needed ? value : NaN));
  const probabilityUp = known(prediction.probabilityUp);
  return {
    ...followProbability(probabilityUp, entryEdge),
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
