import { createRandom, shuffle } from '../../core/foundation/random.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import { countFeatures, idfOf, pickRows, type SparseRows, weighted } from './tfidf.ts';
import { fitSoftmax, probabilities, type SoftmaxFit } from './softmax.ts';

export const LABELS = ['negative', 'neutral', 'positive'] as const;
export type Label = (typeof LABELS)[number];

export interface LabelledText {
  readonly text: string;
  readonly label: Label;
}

/** TF-IDF with multinomial logistic regression. */
export interface TextClassifier {
  readonly idf: Float32Array;
  readonly fit: SoftmaxFit;
}

export interface ClassifierScore {
  readonly accuracy: number;
  /** Mean over the classes of the F1 of each; 0 for a class that is never right. */
  readonly macroF1: number;
}

export interface CrossValidation extends ClassifierScore {
  readonly folds: number;
  /** What calling every text the most frequent label of the training folds reaches. */
  readonly majority: ClassifierScore;
}

/** Nearly no penalty suits vectors of length 1; 60 iterations leave the loss within a thousandth of its least. */
const FIT = { classes: LABELS.length, c: 10, iterations: 60 };

export function* trainClassifier(texts: readonly LabelledText[]): Steps<TextClassifier> {
  return yield* fitRows(countFeatures(texts.map(({ text }) => text)), labelsOf(texts));
}

/** [texts, labels]: the probability of each label, in the order of `LABELS`. */
export const classify = ({ idf, fit }: TextClassifier, texts: readonly string[]): Float64Array =>
  probabilities(fit, weighted(countFeatures(texts), idf));

/** Each text judged by a classifier that has seen none of its fold, neither its words nor how rare they are. */
export function* crossValidate(
  texts: readonly LabelledText[],
  { folds, seed }: { readonly folds: number; readonly seed: number },
): Steps<CrossValidation> {
  const counts = countFeatures(texts.map(({ text }) => text));
  const labels = labelsOf(texts);
  const order = [...shuffle(Int32Array.from(labels.keys()), createRandom(seed))];
  const judged = new Uint8Array(labels.length);
  const majority = new Uint8Array(labels.length);
  for (let fold = 0; fold < folds; fold++) {
    const outside = order.filter((_, k) => k % folds !== fold);
    const inside = order.filter((_, k) => k % folds === fold);
    const { idf, fit } = yield* fitRows(
      pickRows(counts, outside),
      Uint8Array.from(outside, (row) => labels[row]),
    );
    const found = probabilities(fit, weighted(pickRows(counts, inside), idf));
    const usual = mostFrequent(outside.map((row) => labels[row]));
    for (const [k, row] of inside.entries()) {
      judged[row] = largest(found.subarray(k * LABELS.length, (k + 1) * LABELS.length));
      majority[row] = usual;
    }
  }
  return { folds, ...scoreOf(labels, judged), majority: scoreOf(labels, majority) };
}

function* fitRows(counts: SparseRows, labels: Uint8Array): Steps<TextClassifier> {
  const idf = idfOf(counts);
  return { idf, fit: yield* fitSoftmax(weighted(counts, idf), labels, FIT) };
}

const labelsOf = (texts: readonly LabelledText[]): Uint8Array =>
  Uint8Array.from(texts, ({ label }) => LABELS.indexOf(label));

/** Accuracy and macro-F1 of what was judged. */
export function scoreOf(labels: Uint8Array, judged: Uint8Array): ClassifierScore {
  let right = 0;
  const [hits, given, there] = [0, 0, 0].map(() => new Float64Array(LABELS.length));
  for (const [i, label] of labels.entries()) {
    given[judged[i]]++;
    there[label]++;
    if (judged[i] !== label) continue;
    right++;
    hits[label]++;
  }
  const f1 = LABELS.map((_, k) => (hits[k] === 0 ? 0 : (2 * hits[k]) / (given[k] + there[k])));
  return { accuracy: right / labels.length, macroF1: f1.reduce((sum, one) => sum + one, 0) / f1.length };
}

function mostFrequent(labels: readonly number[]): number {
  const counts = new Float64Array(LABELS.length);
  for (const label of labels) counts[label]++;
  return largest(counts);
}

const largest = (values: Float64Array): number => values.indexOf(Math.max(...values));
