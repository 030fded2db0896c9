import type { Panel } from '../../dataset/panel.ts';
import { type ExplanationPart, importance } from '../explanation.ts';
import { featureColumns } from '../tabular/examples.ts';
import type { Booster } from './boosting.ts';
import { shapValues } from './shap.ts';

/** Rows that an average is taken over: evenly spread, for the sake of time. */
const ROWS = 200;

/** What the margin of `columns`' rows rests on, on average. */
export function explainOnAverage(
  booster: Booster,
  columns: readonly Float64Array[],
  names: readonly string[],
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
  ];
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
