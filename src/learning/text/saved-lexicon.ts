import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { wordListSentiment } from '../../core/text/word-lists.ts';
import { assertFile, CsvRecord, records } from '../../data/csv/read.ts';
import { readJson, writeFileAtomic } from '../../data/files.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import type { TextScorer } from './scorer.ts';

const Lists = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  importedAt: z.iso.datetime(),
  negative: z.array(z.string()),
  positive: z.array(z.string()),
});
type Lists = z.output<typeof Lists>;

const lexiconFolder = (dataDir: string): string => join(dataDir, 'text', 'lexicons');
const ID = /^lm-[0-9a-f]{8}$/;
const HINT = 'Import it again: crypto-trader text import-lexicon <file>.';

/**
 * Takes in a copy of Loughran and McDonald's master dictionary: CSV with the columns Word, Negative and Positive, in which a
 * word that belongs to a list has the year in which it came to it, 0 where it never did, and the year with a minus sign where
 * it was taken out. The words stay in this project. All of the file or, where a row cannot be understood, nothing of it.
 */
export async function importLexicon(
  dataDir: string,
  path: string,
  { importedAt }: { readonly importedAt: string },
): Promise<Lists> {
  await assertFile(path);
  const [negative, positive] = [new Set<string>(), new Set<string>()];
  let at: { readonly word: number; readonly negative: number; readonly positive: number } | undefined;
  for await (const entry of records(path)) {
    const { record, info } = CsvRecord.parse(entry);
    if (at === undefined) {
      at = layoutOf(record, path);
      continue;
    }
    const bad = (why: string): UserError =>
      new UserError(`"${path}", line ${info.lines}: ${why}.`, {
        hint: 'Nothing was imported. Use the file as it was published.',
      });
    const word = (record[at.word] ?? '').trim().toUpperCase();
    if (!/^\p{L}[\p{L}'’-]*$/u.test(word)) throw bad(`the word is "${plainLine(word, 40)}"`);
    for (const [name, list] of [
      ['negative', negative],
      ['positive', positive],
    ] as const) {
      const year = (record[at[name]] ?? '').trim();
      if (!/^(0|-?(19|20)\d\d)$/.test(year))
        throw bad(`${name} is "${plainLine(year, 40)}", expected a year or 0`);
      if (Number(year) > 0) list.add(word);
    }
    if (negative.has(word) && positive.has(word))
      throw bad(`"${plainLine(word, 40)}" is both negative and positive`);
  }
  if (negative.size === 0 || positive.size === 0)
    throw new UserError(`"${path}" holds ${negative.size} negative and ${positive.size} positive words.`, {
      hint: 'Use the master dictionary as it was published.',
    });
  const words = { negative: [...negative].toSorted(), positive: [...positive].toSorted() };
  const lists: Lists = { version: 1, id: idOf(words), importedAt, ...words };
  await writeFileAtomic(join(lexiconFolder(dataDir), `${lists.id}.json`), `${JSON.stringify(lists)}\n`);
  return lists;
}

function layoutOf(header: readonly string[], path: string) {
  const names = header.map((name) => name.trim().toLowerCase());
  const at = {
    word: names.indexOf('word'),
    negative: names.indexOf('negative'),
    positive: names.indexOf('positive'),
  };
  const lacking = Object.entries(at).flatMap(([name, place]) => (place < 0 ? [name] : []));
  if (lacking.length === 0) return at;
  throw new UserError(
    `"${path}" has no column ${lacking.join(', ')}. Its first line is "${plainLine(header.join(','), 120)}".`,
    {
      hint: 'Expected the master dictionary as CSV, with the columns Word, Negative and Positive.',
    },
  );
}

/** Other words are another scorer. */
const idOf = ({ negative, positive }: Pick<Lists, 'negative' | 'positive'>): string =>
  `lm-${sha256(Buffer.from(`${negative.join(' ')}\n${positive.join(' ')}`)).slice(0, 8)}`;

/** The dictionaries that were imported, by id. */
export async function listLexicons(dataDir: string): Promise<readonly Lists[]> {
  const files = await readdir(lexiconFolder(dataDir)).catch(() => []);
  const ids = files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
  const lists = await Promise.all(ids.filter((id) => ID.test(id)).map((id) => readLists(dataDir, id)));
  return lists.filter((one) => one !== undefined);
}

/** `undefined` for ids of other scorers. Throws `UserError` when it was not imported, or its words are not those that were. */
export async function openLexicon(dataDir: string, id: string): Promise<TextScorer | undefined> {
  if (!ID.test(id)) return undefined;
  const lists = await readLists(dataDir, id);
  if (lists === undefined)
    throw new UserError(`The dictionary of the scorer "${id}" is not here.`, { hint: HINT });
  if (idOf(lists) !== id)
    throw new UserError(`"${join(lexiconFolder(dataDir), `${id}.json`)}" is not what was imported.`, {
      hint: HINT,
    });
  const words = { negative: new Set(lists.negative), positive: new Set(lists.positive) };
  return {
    id,
    about: aboutLexicon(lists),
    score: async (texts) => texts.map((text) => wordListSentiment(text, words)),
  };
}

export const aboutLexicon = ({ negative, positive }: Pick<Lists, 'negative' | 'positive'>): string =>
  `Loughran and McDonald's dictionary as imported: ${negative.length} negative and ${positive.length} positive words`;

const readLists = (dataDir: string, id: string): Promise<Lists | undefined> =>
  readJson(join(lexiconFolder(dataDir), `${id}.json`), Lists, HINT);
