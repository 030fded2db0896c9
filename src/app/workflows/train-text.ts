import { CsvRecord, records, assertFile } from '../../data/csv/read.ts';
import { createHash } from 'node:crypto';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { inTurns } from '../../data/turns.ts';
import {
  crossValidate,
  type CrossValidation,
  LABELS,
  type LabelledText,
  trainClassifier,
} from '../../learning/text/classifier.ts';
import { saveClassifier } from '../../learning/text/saved-classifier.ts';

const LEAST_TEXTS = 200;
const FOLDS = 5;

export interface TrainedScorer {
  readonly id: string;
  readonly texts: number;
  readonly validation: CrossValidation;
}

/**
 * Trains a classifier on a CSV file of labelled texts (columns label and text), judged by five folds first, and keeps it.
 * Throws `UserError` for a label that is none, with its line, and for too few texts.
 */
export async function trainTextScorer(
  dataDir: string,
  path: string,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<TrainedScorer> {
  const texts = await readLabelled(path);
  const validation = await inTurns(crossValidate(texts, { folds: FOLDS, seed }), signal);
  const classifier = await inTurns(trainClassifier(texts), signal);
  const hash = createHash('sha256');
  for (const { text, label } of texts) hash.update(`${label}\t${text}\n`);
  const id = await saveClassifier(dataDir, classifier, {
    trainedAt: new Date().toISOString(),
    trainedOn: hash.digest('hex'),
    texts: texts.length,
    crossValidation: validation,
  });
  return { id, texts: texts.length, validation };
}

async function readLabelled(path: string): Promise<readonly LabelledText[]> {
  await assertFile(path);
  const texts: LabelledText[] = [];
  let at: { readonly label: number; readonly text: number } | undefined;
  for await (const entry of records(path)) {
    const { record, info } = CsvRecord.parse(entry);
    if (at === undefined) {
      const header = record.map((name) => name.toLowerCase());
      at = { label: header.indexOf('label'), text: header.indexOf('text') };
      if (at.label < 0 || at.text < 0)
        throw new UserError(`"${path}" has no columns label and text.`, {
          hint: `Its first line is "${plainLine(record.join(','), 100)}".`,
        });
      continue;
    }
    const [name, text] = [record[at.label] ?? '', record[at.text] ?? ''];
    const label = LABELS.find((one) => one === name.toLowerCase());
    if (label === undefined)
      throw new UserError(`"${path}", line ${info.lines}: the label is "${plainLine(name, 40)}".`, {
        hint: `Expected one of ${LABELS.join(', ')}. Nothing was trained.`,
      });
    if (text !== '') texts.push({ text, label });
  }
  if (texts.length >= LEAST_TEXTS) return texts;
  throw new UserError(`"${path}" holds ${texts.length} labelled texts; ${LEAST_TEXTS} are needed.`, {
    hint: 'Check the path, or label more texts.',
  });
}
