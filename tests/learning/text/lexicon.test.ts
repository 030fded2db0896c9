import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openScorer } from '../../../src/app/workflows/score-texts.ts';
import { wordListSentiment } from '../../../src/core/text/word-lists.ts';
import { importLexicon } from '../../../src/learning/text/saved-lexicon.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** The layout of the published file; words of our own choice. */
const HEADER =
  'Word,Seq_num,Word Count,Word Proportion,Average Proportion,Std Dev,Doc Count,Negative,Positive,Uncertainty,Litigious,Strong_Modal,Weak_Modal,Constraining,Syllables,Source';
const row = (word: string, negative: string, positive: string): string =>
  `${word},1,5,1e-8,1e-9,1e-7,3,${negative},${positive},0,0,0,0,0,2,12of12inf`;
const ROWS = [
  row('TABLE', '0', '0'),
  row('LOSS', '2009', '0'),
  row('DECLINE', '2009', '0'),
  row('GAIN', '0', '2009'),
  row('STRONG', '0', '2011'),
  row('OLD', '-2020', '0'),
];
const file = (...rows: readonly string[]): string => [HEADER, ...rows].join('\r\n');

const words = { negative: new Set(['LOSS', 'DECLINE']), positive: new Set(['GAIN', 'STRONG']) };
// By hand: (good - bad) / (good + bad), and their share of the words.
test.each([
  ['Strong gain after a loss', 1 / 3, 3 / 5],
  ['No strong gain', -1, 2 / 3],
  ["It wasn't a very big gain", 1, 1 / 6], // five words before it
  ["It wasn't a big gain", -1, 1 / 5],
  ['Never a loss', -1, 1 / 3],
  ['A table', 0, 0],
  ['', 0, 0],
])('by lists of words "%s" is %d, %d', (text, polarity, subjectivity) => {
  const found = wordListSentiment(text, words);
  expect(found.polarity).toBeCloseTo(polarity, 12);
  expect(found.subjectivity).toBeCloseTo(subjectivity, 12);
});

test('a dictionary that its user brings becomes a scorer of its own', async () => {
  const dataDir = temporaryFolder();
  const path = join(dataDir, 'LM.csv');
  writeFileSync(path, file(...ROWS));
  const lists = await importLexicon(dataDir, path, { importedAt: '2026-01-01T00:00:00.000Z' });
  expect(lists).toMatchObject({ negative: ['DECLINE', 'LOSS'], positive: ['GAIN', 'STRONG'] });
  const scorer = await openScorer(dataDir, lists.id);
  const [score] = await scorer.score(['An old loss'], new AbortController().signal);
  expect(score).toEqual({ polarity: -1, subjectivity: 1 / 3 });
  const kept = join(dataDir, 'text', 'lexicons', `${lists.id}.json`);
  writeFileSync(kept, readFileSync(kept, 'utf8').replace('LOSS', 'LASS'));
  await expect(openScorer(dataDir, lists.id)).rejects.toThrow('is not what was imported');
  await expect(openScorer(dataDir, 'lm-00000000')).rejects.toThrow('"lm-00000000" is not here');
});

test.each([
  ['another file', 'a,b\n1,2', 'has no column word, negative, positive'],
  [
    'a list instead of years',
    file(row('LOSS', 'yes', '0')),
    'line 2: negative is "yes", expected a year or 0',
  ],
  ['a row cut short', `${file(...ROWS)}\r\nMORE,1`, 'line 8'],
  ['a number for a word', file(row('12', '2009', '0')), 'the word is "12"'],
  ['one word on both lists', file(row('ODD', '2009', '2009')), 'both negative and positive'],
  ['nothing good', file(row('LOSS', '2009', '0')), '1 negative and 0 positive words'],
])('%s is no dictionary, and nothing of it is kept', async (_, content, message) => {
  const dataDir = temporaryFolder();
  writeFileSync(join(dataDir, 'LM.csv'), content);
  const asked = importLexicon(dataDir, join(dataDir, 'LM.csv'), { importedAt: '2026-01-01T00:00:00.000Z' });
  await expect(asked).rejects.toThrow(message);
});
