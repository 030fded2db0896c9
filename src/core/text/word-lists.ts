import type { Sentiment } from './sentiment.ts';

/** Words of good and of bad news, upper case. */
export interface WordLists {
  readonly negative: ReadonlySet<string>;
  readonly positive: ReadonlySet<string>;
}

/** What turns a good word round when it stands at most three words before it (Loughran and McDonald 2011, section II.C). */
const NEGATIONS: ReadonlySet<string> = new Set(['NO', 'NOT', 'NONE', 'NEITHER', 'NEVER', 'NOBODY']);
const REACH = 3;

/**
 * The tone of a text by lists of words, as Loughran and McDonald count it (2011, Journal of Finance 66): polarity is good
 * words less bad ones over both, subjectivity their share of all words. A negated good word counts as bad; a negated bad
 * one stays bad, for good news is seldom told that way.
 */
export function wordListSentiment(text: string, { negative, positive }: WordLists): Sentiment {
  const words = text.toUpperCase().match(WORDS) ?? [];
  let [good, bad] = [0, 0];
  for (const [i, word] of words.entries()) {
    if (negative.has(word)) bad++;
    else if (positive.has(word)) {
      if (words.slice(Math.max(0, i - REACH), i).some(isNegation)) bad++;
      else good++;
    }
  }
  if (good + bad === 0) return { polarity: 0, subjectivity: 0 };
  return { polarity: (good - bad) / (good + bad), subjectivity: (good + bad) / words.length };
}

const WORDS = /\p{L}+(?:['’-]\p{L}+)*/gu;
const isNegation = (word: string): boolean => NEGATIONS.has(word) || /N['’]T$/.test(word);
