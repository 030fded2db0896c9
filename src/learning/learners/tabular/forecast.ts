import type { Panel } from '../../../core/dataset/panel.ts';
import type { Forecast } from '../../../core/forecast/model.ts';
import { featureColumns } from './examples.ts';
import { followProbability } from './positions.ts';

/** What a tabular model says about each row: the probability of a rise and, if it states one, the return. */
interface Prediction {
  readonly probabilityUp: Float64Array;
  readonly expectedReturn?: Float64Array;
}

/** Forecasts of a model that reads rows of features, one symbol after the other. */
export function forecastDirection(
  panel: Panel,
  by: {
    readonly features: readonly string[];
    readonly horizonBars: number;
    readonly entryEdge: number;
    readonly meanMove: number;
    readonly predict: (columns: readonly Float64Array[]) => Prediction;
    /** Rows without an opinion: those with any missing feature, or only those with all missing. */
    readonly blind: 'any-missing' | 'all-missing';
  },
): readonly Forecast[] {
  return panel.series.map((series) => {
    const columns = featureColumns(series, by.features);
    const prediction = by.predict(columns);
    const seen = new Int32Array(series.candles.time.length);
    for (const column of columns)
      for (let row = 0; row < seen.length; row++) if (column[row] === column[row]) seen[row]++;
    const needed = by.blind === 'any-missing' ? columns.length : 1;
    const known = (values: Float64Array): Float64Array =>
      values.map((value, row) => (seen[row] >= needed ? value : NaN));
    const probabilityUp = known(prediction.probabilityUp);
    return {
      symbol: series.symbol,
      horizonBars: by.horizonBars,
      ...followProbability(probabilityUp, by.entryEdge),
      probabilityUp,
      expectedReturn: prediction.expectedReturn
        ? known(prediction.expectedReturn)
        : probabilityUp.map((probability) => (2 * probability - 1) * by.meanMove),
    };
  });
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
