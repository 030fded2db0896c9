import { finish } from '../../core/foundation/steps.ts';
import { addTrees, type Tree } from '../learners/trees/tree.ts';
import { binningSteps } from '../learners/trees/binning.ts';
import { differentiate, gainImportance } from '../learners/trees/boosting.ts';
import { createGrower } from '../learners/trees/grow.ts';
import { fitLinear } from '../learners/tabular/linear.ts';

/**
 * Models of models: what several forecasters stated, one column each, becomes the probability of a rise. Fitted on rows that
 * no forecaster was fitted on (Wolpert 1992, Stacked Generalization).
 */
export interface MetaLearner {
  /** By forecaster: its part in the decision, summing to 1. */
  readonly weights: Float64Array;
  /** Of one row; a forecaster without an opinion counts as stating 0. */
  probability(stated: Float64Array): number;
  /** Return over the horizon per unit of probability above one half, on the rows of the fit. */
  readonly worth: number;
}

/** Logistic regression of the side on the statements, in deviations about zero; `penalty` on the squared coefficients. */
export function logisticStack(
  stated: readonly Float64Array[],
  realised: Float64Array,
  penalty: number,
): MetaLearner {
  const scale = stated.map((column) => deviation(column));
  const scaled = stated.map((column, m) => column.map((value) => value / scale[m]));
  const { scaler, intercept, weights } = finish(
    fitLinear(scaled, sides(realised), {
      kind: 'logistic',
      penalty,
      name: 'logistic stacking',
    }),
  );
  const slopes = weights.map((weight, m) => weight / scaler.deviations[m] / scale[m]);
  const constant = weights.reduce(
    (sum, weight, m) => sum - (weight * scaler.means[m]) / scaler.deviations[m],
    intercept,
  );
  const probability = (row: Float64Array): number => {
    let margin = constant;
    for (let m = 0; m < slopes.length; m++) margin += slopes[m] * row[m];
    return sigmoid(margin);
  };
  return finished({ stated, realised, probability, parts: weights.map(Math.abs) });
}

/** Boosted trees of depth 2 on the statements, with second derivatives and shrunk leaves (Chen & Guestrin 2016). */
export function boostedStack(
  stated: readonly Float64Array[],
  realised: Float64Array,
  { rounds, learningRate }: { readonly rounds: number; readonly learningRate: number },
): MetaLearner {
  const labels = sides(realised);
  const rows = labels.length;
  const grow = createGrower(finish(binningSteps(stated, 32)), {
    maxDepth: 2,
    eta: learningRate,
    lambda: 1,
    alpha: 0,
    gamma: 0,
    // Leaves hold at least a fiftieth of the rows (a row weighs a quarter): noise in returns fits into fewer.
    minChildWeight: rows / 200,
  });
  const all = (count: number): Int32Array => new Int32Array(count).map((_, i) => i);
  const [sample, features] = [all(rows), all(stated.length)];
  const margins = new Float64Array(rows);
  const derivatives = { gradients: new Float64Array(rows), hessians: new Float64Array(rows) };
  const trees: Tree[] = [];
  for (let round = 0; round < rounds; round++) {
    differentiate('binary:logistic', margins, { labels }, derivatives);
    trees.push(grow(derivatives, { sample, features, margins }));
  }
  const columns = stated.map(() => new Float64Array(1));
  const one = new Float64Array(1);
  const probability = (row: Float64Array): number => {
    columns.forEach((column, m) => (column[0] = row[m]));
    one[0] = 0;
    addTrees(trees, columns, one);
    return sigmoid(one[0]);
  };
  const parts = gainImportance({ objective: 'binary:logistic', baseScore: 0.5, trees }, stated.length);
  return finished({ stated, realised, probability, parts });
}

function finished({
  stated,
  realised,
  probability,
  parts,
}: {
  readonly stated: readonly Float64Array[];
  readonly realised: Float64Array;
  readonly probability: MetaLearner['probability'];
  readonly parts: ArrayLike<number>;
}): MetaLearner {
  const row = new Float64Array(stated.length);
  let [products, squares] = [0, 0];
  for (let i = 0; i < realised.length; i++) {
    stated.forEach((column, m) => (row[m] = column[i]));
    const lean = probability(row) - 0.5;
    products += lean * realised[i];
    squares += lean * lean;
  }
  const total = Array.from(parts).reduce((sum, part) => sum + part, 0);
  return {
    probability,
    worth: squares === 0 ? 0 : Math.max(0, products / squares),
    weights: Float64Array.from(parts, (part) => (total > 0 ? part / total : 1 / parts.length)),
  };
}

const sides = (realised: Float64Array): Float64Array => realised.map((value) => (value > 0 ? 1 : 0));
const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));
const deviation = (column: Float64Array): number =>
  Math.sqrt(column.reduce((sum, value) => sum + value * value, 0) / column.length) || 1;
