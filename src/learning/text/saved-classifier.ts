import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ownBuffer } from '../../core/foundation/bytes.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import { inTurns } from '../../data/turns.ts';
import { classify, LABELS, type TextClassifier } from './classifier.ts';
import { FEATURES } from './tfidf.ts';
import type { TextScorer } from './scorer.ts';

const Score = { accuracy: z.number(), macroF1: z.number() };

/** What is kept of a trained classifier beside its numbers. */
const Card = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  trainedAt: z.iso.datetime(),
  /** SHA-256 of the file of labelled texts. */
  trainedOn: z.string(),
  texts: z.int(),
  crossValidation: z.strictObject({ folds: z.int(), ...Score, majority: z.strictObject(Score) }),
  constants: z.array(z.number()).length(LABELS.length),
  numbersSha256: z.string(),
});
type Card = z.output<typeof Card>;

const scorersFolder = (dataDir: string): string => join(dataDir, 'text', 'scorers');
const NUMBERS = (1 + LABELS.length) * FEATURES;

/** Keeps a classifier under the hash of its numbers: other numbers are another scorer. */
export async function saveClassifier(
  dataDir: string,
  { idf, fit }: TextClassifier,
  about: Pick<Card, 'trainedAt' | 'trainedOn' | 'texts' | 'crossValidation'>,
): Promise<string> {
  const numbers = new Float32Array(NUMBERS);
  numbers.set(idf);
  numbers.set(fit.weights, FEATURES);
  const bytes = new Uint8Array(numbers.buffer);
  const numbersSha256 = sha256(bytes);
  const id = `tfidf-${numbersSha256.slice(0, 8)}`;
  const card: Card = { version: 1, id, ...about, constants: [...fit.constants], numbersSha256 };
  await writeFileAtomic(join(scorersFolder(dataDir), `${id}.f32`), bytes);
  await writeFileAtomic(
    join(scorersFolder(dataDir), `${id}.json`),
    `${JSON.stringify(card, undefined, 2)}\n`,
  );
  return id;
}

/** The classifiers that were trained in this project. */
export async function listClassifiers(dataDir: string): Promise<readonly Card[]> {
  const files = await readdir(scorersFolder(dataDir)).catch(() => []);
  const cards = await Promise.all(
    files.filter((file) => file.endsWith('.json')).map((file) => readCard(dataDir, file.slice(0, -5))),
  );
  return cards.filter((card) => card !== undefined);
}

/** Throws `UserError` when its files are not what was saved. */
export async function openClassifier(dataDir: string, id: string): Promise<TextScorer | undefined> {
  const card = await readCard(dataDir, id);
  if (card === undefined) return undefined;
  const path = join(scorersFolder(dataDir), `${id}.f32`);
  const bytes = await readPlainFile(path, 4 * NUMBERS);
  if (bytes === undefined || bytes.length !== 4 * NUMBERS || sha256(bytes) !== card.numbersSha256)
    throw new UserError(`"${path}" is not what was saved.`, { hint: HINT });
  const numbers = new Float32Array(ownBuffer(bytes));
  const classifier = {
    idf: numbers.subarray(0, FEATURES),
    fit: {
      classes: LABELS.length,
      weights: numbers.subarray(FEATURES),
      constants: Float64Array.from(card.constants),
    },
  };
  return {
    id,
    about: `TF-IDF and logistic regression on ${card.texts} labelled texts`,
    score: (texts, signal) => inTurns(scoring(classifier, texts), signal),
  };
}

const BLOCK = 200;

function* scoring(classifier: TextClassifier, texts: readonly string[]) {
  const scores = [];
  for (let from = 0; from < texts.length; from += BLOCK) {
    const block = texts.slice(from, from + BLOCK);
    const found = classify(classifier, block);
    for (let i = 0; i < block.length; i++) {
      const [negative, neutral, positive] = found.subarray(i * LABELS.length, (i + 1) * LABELS.length);
      scores.push({ polarity: positive - negative, subjectivity: 1 - neutral });
    }
    yield;
  }
  return scores;
}

const HINT = 'Train it again: crypto-trader text train <file>.';

const readCard = (dataDir: string, id: string): Promise<Card | undefined> =>
  readJson(join(scorersFolder(dataDir), `${id}.json`), Card, HINT);
