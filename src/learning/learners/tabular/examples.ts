import { mean } from '../../../core/foundation/moments.ts';
import { forwardReturns, labelledRows } from '../../../core/dataset/labels.ts';
import type { FeatureColumn, Series } from '../../../core/dataset/panel.ts';
import type { Steps } from '../../../core/foundation/steps.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { FitTask } from '../../../core/forecast/model.ts';

/** Rows of all symbols one after the other: feature columns, returns, and whether these were positive (1) or not (0). */
export interface LabelledRows {
  /** Each is joined when its turn comes, each time: who needs them once need not hold them all. */
  readonly columns: Iterable<FeatureColumn>;
  readonly labels: Float64Array;
  readonly returns: Float64Array;
  /** How much each row counts; absent: all the same. */
  readonly weights?: Float64Array;
}

export interface Examples {
  readonly train: LabelledRows;
  readonly validation: LabelledRows;
  /** Mean absolute return of the training rows. */
  readonly meanMove: number;
}

/** Of one series: its columns, its returns and the rows of each kind. */
interface Part {
  readonly columns: readonly FeatureColumn[];
  readonly returns: Float64Array;
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

/**
 * Training rows, whose labels end at or before the end of training, and validation rows, which open at or after
 * it, so that no label overlaps both. A feature may be `NaN` (missing), a label never is. `single`: features in single precision. One column per step.
 */
export function* exampleSteps(
  { panel, trainUntilMs }: Pick<FitTask<unknown>, 'panel' | 'trainUntilMs'>,
  { features, horizonBars }: { features: readonly string[]; horizonBars: number },
  { single = false }: { readonly single?: boolean } = {},
): Steps<Examples> {
  const Column = single ? Float32Array : Float64Array;
  const { timeframe } = panel;
  const parts: Part[] = [];
  for (const series of panel.series) {
    const returns = forwardReturns(series.candles, timeframe, horizonBars);
    const rows = (fromMs: number, untilMs: number): Int32Array =>
      labelledRows(series.candles, returns, { timeframe, horizonBars, fromMs, untilMs });
    const columns = featureColumns(series, features);
    const seen = new Uint8Array(returns.length);
    for (const column of columns) {
      for (let row = 0; row < seen.length; row++) if (column[row] === column[row]) seen[row] = 1;
      yield;
    }
    const warm = rows(-Infinity, trainUntilMs).filter((row) => seen[row] === 1);
    parts.push({ columns, returns, train: warm, validation: rows(trainUntilMs, Infinity) });
  }
  const gather = (pick: 'train' | 'validation'): LabelledRows => {
    const rows = parts.map((part) => part[pick]);
    const count = rows.reduce((sum, { length }) => sum + length, 0);
    const joined = <Values extends FeatureColumn>(all: Values, columns: readonly FeatureColumn[]): Values => {
      let at = 0;
      for (const [s, column] of columns.entries()) for (const row of rows[s]) all[at++] = column[row];
      return all;
    };
    const returns = joined(
      new Float64Array(count),
      parts.map((part) => part.returns),
    );
    return {
      columns: {
        *[Symbol.iterator]() {
          for (let i = 0; i < features.length; i++)
            yield joined(
              new Column(count),
              parts.map((part) => part.columns[i]),
            );
        },
      },
      labels: returns.map((value) => (value > 0 ? 1 : 0)),
      returns,
    };
  };
  const train = gather('train');
  return { train, validation: gather('validation'), meanMove: mean(train.returns.map(Math.abs)) ?? 0 };
}

/** The named feature columns of a series. Throws `UserError` when the panel lacks one. */
export function featureColumns(
  { symbol, features }: Series,
  names: readonly string[],
): readonly FeatureColumn[] {
  const places = names.map((name) => features.names.indexOf(name));
  const lacking = places.indexOf(-1);
  if (lacking >= 0)
    throw new UserError(`The panel of ${symbol} has no feature "${names[lacking]}".`, {
      hint: 'Compute the features that the model asks for.',
    });
  return features.pick?.(names).columns ?? places.map((place) => features.columns[place]);
}

/** The values of some rows, in their order. */
export function pickRows(column: FeatureColumn, rows: Int32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]];
  return picked;
}
