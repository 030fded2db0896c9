import type { FeatureColumn, Panel } from '../../../core/dataset/panel.ts';
import { createRandom, deriveSeed, type Random, shuffle } from '../../../core/foundation/random.ts';
import { type ExplanationPart, importance } from '../../../core/forecast/explanation.ts';
import { featureColumns } from '../tabular/examples.ts';
import { type Booster, type Examples, lossOf, predictMargin } from './boosting.ts';
import { shapValues } from './shap.ts';

/** Rows that an average is taken over: evenly spread, for the sake of time. */
const ROWS = 200;

/** Shuffles of each feature that a rise of the loss is the mean of. */
const SHUFFLES = 3;

/**
 * What forecasts rest on, on average: the size of each feature's contributions, and by how much the loss of `examples`
 * (better not those that were learned from) rises when the feature is shuffled (Breiman 2001). The second can be
 * negative: the trees are then better off without the feature.
 */
export function explainOnAverage(
  booster: Booster,
  { columns, labels }: Examples,
  { names, seed }: { names: readonly string[]; seed: number },
): readonly ExplanationPart[] {
  const rows = columns[0]?.length ?? 0;
  const step = Math.max(1, Math.ceil(rows / ROWS));
  const some = columns.map((column) => column.filter((_, row) => row % step === 0));
  const contributions = shapValues(booster, some).columns;
  const size = (column: Float64Array): number =>
    column.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, column.length);
  return [
    importance(
      'mean size of the contributions (SHAP)',
      unitOf(booster),
      names.map((name, i) => [name, size(contributions[i])] as const),
    ),
    importance(
      `rise of the loss when shuffled (permutation importance), mean of ${SHUFFLES}`,
      booster.objective === 'binary:logistic' ? 'log loss, nats a row' : 'root mean squared error',
      permutationImportance(booster, { columns, labels }, createRandom(deriveSeed(seed, 'permutation'))).map(
        (rise, i) => [names[i], rise] as const,
      ),
    ),
  ];
}

function permutationImportance(booster: Booster, examples: Examples, random: Random): readonly number[] {
  const lossWith = (columns: readonly FeatureColumn[]): number =>
    lossOf(booster.objective, predictMargin(booster, columns), examples.labels);
  const plain = lossWith(examples.columns);
  return examples.columns.map((column, i) => {
    let rise = 0;
    for (let repeat = 0; repeat < SHUFFLES; repeat++)
      rise += lossWith(examples.columns.with(i, shuffle(column.slice(), random))) - plain;
    return rise / SHUFFLES;
  });
}

/** What the margin of the newest bar of every series rests on; nothing where all features are missing. */
export function explainNewest(
  booster: Booster,
  panel: Panel,
  names: readonly string[],
): readonly (readonly ExplanationPart[])[] {
  return panel.series.map((series) => {
    const newest = featureColumns(series, names).map((column) => column.slice(-1));
    if (newest.every(([value]) => value === undefined || Number.isNaN(value))) return [];
    const { expected, columns } = shapValues(booster, newest);
    const margin = columns.reduce((sum, [value]) => sum + value, expected);
    const title = `contributions (SHAP): from ${expected.toFixed(4)} without them to ${margin.toFixed(4)}`;
    return [
      importance(
        title,
        unitOf(booster),
        names.map((name, i) => [name, columns[i][0]] as const),
      ),
    ];
  });
}

const unitOf = ({ objective }: Booster): string =>
  objective === 'binary:logistic' ? 'log-odds of a rise' : 'probability of a rise';
