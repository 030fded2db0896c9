import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { fitScaler, scaleColumn } from '../../../core/dataset/scaler.ts';
import { smoteSteps, type SyntheticRow } from '../../../core/dataset/smote.ts';
import { createRandom, deriveSeed } from '../../../core/foundation/random.ts';
import { inTurns } from '../../../data/turns.ts';
import type { LabelledRows } from './examples.ts';
import type { TabularClassParams } from './params.ts';

/** Training rows with synthetic ones behind them (SMOTE) and the weights of their classes, as the parameters ask. */
export async function balancedRows(
  train: LabelledRows,
  { smote, classWeights }: TabularClassParams,
  of: { readonly seed: number; readonly signal: AbortSignal },
): Promise<LabelledRows> {
  const rows = smote === 0 ? train : withSynthetic(train, await synthetic(train, smote, of));
  if (classWeights === 'none') return rows;
  const ups = rows.labels.reduce((sum, label) => sum + label, 0);
  const [up, down] = [ups, rows.labels.length - ups].map((count) => rows.labels.length / (2 * (count || 1)));
  return { ...rows, weights: rows.labels.map((label) => (label > 0.5 ? up : down)) };
}

function synthetic(
  { columns: given, labels }: LabelledRows,
  share: number,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<readonly SyntheticRow[]> {
  const columns = [...given];
  const rows = Int32Array.from(labels, (_, row) => row);
  const scaler = fitScaler(columns, rows);
  const points = new Float64Array(labels.length * columns.length);
  columns.forEach((column, i) => {
    const scaled = scaleColumn(scaler, i, column);
    for (let row = 0; row < scaled.length; row++) points[row * columns.length + i] = scaled[row];
  });
  const classes = Int32Array.from(labels);
  const random = createRandom(deriveSeed(seed, 'smote'));
  return inTurns(smoteSteps({ points, width: columns.length, classes }, { share, random }), signal);
}

/** A value that is missing in either of two rows is that of the first. */
function withSynthetic(
  { columns, labels, returns }: LabelledRows,
  made: readonly SyntheticRow[],
): LabelledRows {
  const count = labels.length + made.length;
  const extended = <Values extends FeatureColumn>(all: Values, column: Values, between: boolean): Values => {
    all.set(column);
    made.forEach(({ base, mate, share }, i) => {
      const moved = column[base] + share * (column[mate] - column[base]);
      all[column.length + i] = between && moved === moved ? moved : column[base];
    });
    return all;
  };
  return {
    columns: Array.from(columns, (column) =>
      column instanceof Float32Array
        ? extended(new Float32Array(count), column, true)
        : extended(new Float64Array(count), column, true),
    ),
    labels: extended(new Float64Array(count), labels, false),
    returns: extended(new Float64Array(count), returns, false),
  };
}
