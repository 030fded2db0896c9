import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finish } from '../../../src/core/foundation/steps.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import {
  classify,
  crossValidate,
  LABELS,
  type LabelledText,
  scoreOf,
  trainClassifier,
} from '../../../src/learning/text/classifier.ts';
import { openClassifier, saveClassifier } from '../../../src/learning/text/saved-classifier.ts';
import { fitSoftmax, probabilities } from '../../../src/learning/text/softmax.ts';
import { countFeatures, idfOf, weighted } from '../../../src/learning/text/tfidf.ts';
import { temporaryFolder } from '../../support/folder.ts';

const WORDS = {
  negative: ['loss', 'fraud', 'lawsuit', 'default'],
  neutral: ['meeting', 'schedule', 'report', 'notice'],
  positive: ['profit', 'record', 'approval', 'growth'],
} as const;

/** Each text has a word that tells its label, and others that do not; a few labels are wrong. */
function labelled(count: number): readonly LabelledText[] {
  const random = createRandom(5);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)];
  return Array.from({ length: count }, () => {
    const label = pick(LABELS);
    const told = random() < 0.05 ? pick(LABELS) : label;
    const filler = Array.from({ length: 6 }, () => `w${Math.floor(random() * 200)}`);
    return { text: [...filler, pick(WORDS[label])].join(' '), label: told };
  });
}

test('accuracy and macro-F1 by hand', () => {
  // Right 3 of 5; F1 of the classes: 2/3, 0, 4/5.
  const score = scoreOf(Uint8Array.from([0, 0, 1, 2, 2]), Uint8Array.from([0, 2, 0, 2, 2]));
  expect(score.accuracy).toBeCloseTo(0.6, 12);
  expect(score.macroF1).toBeCloseTo((0.5 + 0 + 0.8) / 3, 12);
});

test('a text is a vector of length 1, and rare words weigh more', () => {
  const counts = countFeatures(['common rare', 'common']);
  const idf = idfOf(counts);
  const { start, value } = weighted(counts, idf);
  let squares = 0;
  for (let k = start[0]; k < start[1]; k++) squares += value[k] ** 2;
  expect(squares).toBeCloseTo(1, 6);
  // ln(3 / 3) + 1 for what both have, ln(3 / 2) + 1 for what one has.
  expect(new Set([...counts.index].map((feature) => idf[feature].toFixed(5)))).toEqual(
    new Set(['1.00000', (Math.log(1.5) + 1).toFixed(5)]),
  );
});

test('at the minimum the gradient of each constant is 0: mean probability and share of each class agree', () => {
  const texts = labelled(120);
  const counts = countFeatures(texts.map(({ text }) => text));
  const rows = weighted(counts, idfOf(counts));
  const labels = Uint8Array.from(texts, ({ label }) => LABELS.indexOf(label));
  const fit = finish(fitSoftmax(rows, labels, { classes: 3, c: 1, iterations: 200 }));
  const found = probabilities(fit, rows);
  for (let k = 0; k < 3; k++) {
    let sum = 0;
    for (let row = 0; row < labels.length; row++) sum += found[3 * row + k];
    expect(sum / labels.length).toBeCloseTo(labels.filter((one) => one === k).length / labels.length, 3);
  }
});

test('folds that it has not seen are judged far better than by the most frequent label', () => {
  const { accuracy, macroF1, majority } = finish(crossValidate(labelled(300), { folds: 3, seed: 1 }));
  expect(accuracy).toBeGreaterThan(0.85);
  expect(macroF1).toBeGreaterThan(0.85);
  expect(majority.accuracy).toBeLessThan(0.5);
  expect(majority.macroF1).toBeLessThan(0.25);
});

test('labels that texts do not tell are not learnt', () => {
  const random = createRandom(2);
  const texts = labelled(200).map(({ text }) => ({ text, label: LABELS[Math.floor(3 * random())] }));
  expect(finish(crossValidate(texts, { folds: 3, seed: 1 })).accuracy).toBeLessThan(0.5);
});

test('a kept scorer says the same in another process, and one changed bit is found', async () => {
  const dataDir = temporaryFolder();
  const texts = labelled(200);
  const classifier = finish(trainClassifier(texts));
  const none = { accuracy: 0, macroF1: 0 };
  const id = await saveClassifier(dataDir, classifier, {
    trainedAt: '2026-01-01T00:00:00.000Z',
    trainedOn: 'x',
    texts: texts.length,
    crossValidation: { folds: 3, ...none, majority: none },
  });
  const { signal } = new AbortController();
  const [bad, good] =
    (await (await openClassifier(dataDir, id))?.score(['a lawsuit', 'a record'], signal)) ?? [];
  const [negative, , positive] = classify(classifier, ['a lawsuit']);
  expect(bad?.polarity).toBe(positive - negative);
  expect(bad?.polarity).toBeLessThan(0);
  expect(good?.polarity).toBeGreaterThan(0);
  expect(await openClassifier(dataDir, 'tfidf-00000000')).toBeUndefined();
  const path = join(dataDir, 'text', 'scorers', `${id}.f32`);
  const bytes = Buffer.alloc(4 * 2 ** 20);
  writeFileSync(path, bytes);
  await expect(openClassifier(dataDir, id)).rejects.toThrow('is not what was saved');
});
