import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { createRandom, type Random } from '../../../core/foundation/random.ts';
import { inTurns } from '../../../data/turns.ts';
import { binnedValues, binningSteps, codingSteps } from './binning.ts';
import { createGrower, type TreeParams } from './grow.ts';
import { addTrees, type Tree } from './tree.ts';

export type Objective = 'reg:squarederror' | 'binary:logistic';

export interface BoostingParams extends TreeParams {
  readonly objective: Objective;
  /** Prediction before the first tree; a probability for the logistic objective. */
  readonly baseScore: number;
  readonly rounds: number;
  readonly maxBin: number;
  /** Share of rows and of features drawn anew for each tree. */
  readonly subsample: number;
  readonly colsampleByTree: number;
  /** Stop when the validation loss has not fallen for so many rounds; trees after the best one are dropped. */
  readonly earlyStoppingRounds?: number;
}

/** Columns of equal length, `NaN` for a missing value, and what each row should give. */
export interface Examples {
  readonly columns: readonly FeatureColumn[];
  /** Any number, or 0 and 1 for the logistic objective. */
  readonly labels: Float64Array;
  /** How much each row counts in the derivatives; absent: all the same. */
  readonly weights?: Float64Array;
}

export interface Booster {
  readonly objective: Objective;
  readonly baseScore: number;
  readonly trees: readonly Tree[];
}

/** Columns are gone through once: they may be made one at a time. */
type PassingExamples = Omit<Examples, 'columns'> & { readonly columns: Iterable<FeatureColumn> };

export interface BoostingRun {
  readonly train: PassingExamples;
  readonly validation?: PassingExamples;
  readonly params: BoostingParams;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** After each round; losses are log loss or root mean squared error. Awaited, so that it may abort. */
  readonly onRound?: (round: number, loss: number, validationLoss: number | undefined) => Promise<void>;
}

/** Gradient boosting with second derivatives: Chen and Guestrin 2016, XGBoost. */
export async function boost(run: BoostingRun): Promise<Booster> {
  const { params, train, validation, seed, onRound } = run;
  const { objective, baseScore } = params;
  const binned = await inTurns(binningSteps(train.columns, params.maxBin), run.signal);
  const grow = createGrower(binned, params);
  const columns = binnedValues(binned);
  const judged = await inTurns(codingSteps(validation?.columns ?? [], binned.cuts), run.signal);
  const random = createRandom(seed);
  const rows = train.labels.length;
  const margins = new Float64Array(rows).fill(linkOf(objective, baseScore));
  const validationMargins = new Float64Array(validation?.labels.length ?? 0).fill(margins[0]);
  const derivatives = { gradients: new Float64Array(rows), hessians: new Float64Array(rows) };
  const [allRows, allFeatures] = [rows, columns.length].map(upTo);
  const drawnRows = new Int32Array(params.subsample < 1 ? rows : 0);
  const trees: Tree[] = [];
  let best = { loss: Infinity, trees: 0 };
  for (let round = 1; round <= params.rounds; round++) {
    differentiate(objective, margins, train, derivatives);
    const sample = params.subsample < 1 ? draw(allRows, params.subsample, random, drawnRows) : allRows;
    const features =
      params.colsampleByTree < 1 ? draw(allFeatures, params.colsampleByTree, random) : allFeatures;
    const isWhole = sample.length === rows;
    const tree = grow(derivatives, { sample, features, ...(isWhole && { margins }) });
    if (!isWhole) addTrees([tree], columns, margins);
    trees.push(tree);
    let validationLoss: number | undefined;
    if (validation !== undefined) {
      addTrees([tree], judged, validationMargins);
      validationLoss = lossOf(objective, validationMargins, validation.labels);
      if (validationLoss < best.loss) best = { loss: validationLoss, trees: round };
    }
    await onRound?.(round, lossOf(objective, margins, train.labels), validationLoss);
    const patience = params.earlyStoppingRounds ?? Infinity;
    if (validation !== undefined && round - best.trees >= patience) break;
  }
  const keeps = validation === undefined || params.earlyStoppingRounds === undefined;
  return { objective, baseScore, trees: keeps ? trees : trees.slice(0, best.trees) };
}

/** One value a row: a number, or the probability of label 1. */
export function predict(booster: Booster, columns: readonly FeatureColumn[]): Float64Array {
  const margins = predictMargin(booster, columns);
  return booster.objective === 'binary:logistic' ? margins.map(sigmoid) : margins;
}

/** Sum of the leaf values and the base score, before the logistic function. */
export function predictMargin(booster: Booster, columns: readonly FeatureColumn[]): Float64Array {
  const margins = new Float64Array(columns[0]?.length ?? 0);
  margins.fill(linkOf(booster.objective, booster.baseScore));
  addTrees(booster.trees, columns, margins);
  return margins;
}

/** Mean gain of the splits on each feature; 0 for one that was never used. */
export function gainImportance(booster: Booster, features: number): Float64Array {
  const totals = new Float64Array(features);
  const splits = new Float64Array(features);
  for (const { feature, gain } of booster.trees) {
    for (let node = 0; node < feature.length; node++) {
      if (feature[node] < 0) continue;
      totals[feature[node]] += gain[node];
      splits[feature[node]]++;
    }
  }
  return totals.map((total, i) => (splits[i] === 0 ? 0 : total / splits[i]));
}

/** Root mean squared error, or mean log loss. */
export function lossOf(objective: Objective, margins: Float64Array, labels: Float64Array): number {
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const margin = margins[row];
    // ln(1 + e^m) - y m, without overflow.
    total +=
      objective === 'reg:squarederror'
        ? (margin - labels[row]) ** 2
        : Math.max(margin, 0) + Math.log1p(Math.exp(-Math.abs(margin))) - labels[row] * margin;
  }
  const mean = total / labels.length;
  return objective === 'reg:squarederror' ? Math.sqrt(mean) : mean;
}

const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin));

export const linkOf = (objective: Objective, score: number): number =>
  objective === 'reg:squarederror' ? score : Math.log(score / (1 - score));

/** First and second derivatives of the loss by the margin, row by row. */
export function differentiate(
  objective: Objective,
  margins: Float64Array,
  { labels, weights }: Pick<Examples, 'labels' | 'weights'>,
  { gradients, hessians }: { gradients: Float64Array; hessians: Float64Array },
): void {
  for (let row = 0; row < labels.length; row++) {
    if (objective === 'reg:squarederror') {
      gradients[row] = margins[row] - labels[row];
      hessians[row] = 1;
    } else {
      const probability = sigmoid(margins[row]);
      gradients[row] = probability - labels[row];
      hessians[row] = Math.max(probability * (1 - probability), 1e-16);
    }
  }
  if (weights === undefined) return;
  for (let row = 0; row < labels.length; row++) {
    gradients[row] *= weights[row];
    hessians[row] *= weights[row];
  }
}

/** 0, 1, ..., `count` - 1. */
export const upTo = (count: number): Int32Array => new Int32Array(count).map((_, index) => index);

/** About `share` of `all`, in their order, at least one; written to `drawn`. */
export function draw(
  all: Int32Array,
  share: number,
  random: Random,
  drawn = new Int32Array(all.length),
): Int32Array {
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    drawn[count] = all[i];
    if (random() < share) count++;
  }
  return drawn.subarray(0, Math.max(1, count));
}
