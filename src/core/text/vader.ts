import type { Sentiment } from './sentiment.ts';
import { VADER_EMOJI } from './vader-emoji.ts';
import { BOOSTERS, NEGATIONS, SPECIAL_CASES } from './vader-rules.ts';
import { VADER_WORDS } from './vader-words.ts';

/** VADER's four figures, not rounded; `compound` is its one-number summary, -1 to 1. */
export interface VaderScore {
  readonly negative: number;
  readonly neutral: number;
  readonly positive: number;
  readonly compound: number;
}

/** Ratings of words, -4 to 4, lower case. */
export type Lexicon = ReadonlyMap<string, number>;

export const VADER_LEXICON: Lexicon = new Map(
  VADER_WORDS.flatMap(([rating, words]) => words.split(' ').map((word): [string, number] => [word, rating])),
);

const EMOJI: ReadonlyMap<string, string> = new Map(
  VADER_EMOJI.split('|').map((entry): [string, string] => {
    const [emoji] = entry;
    const [first] = Array.from(entry);
    return [first ?? emoji, entry.slice((first ?? emoji).length)];
  }),
);

/** Mean increase of a rating by a word in capitals, and what a negation makes of it (Hutto and Gilbert 2014, 3.3). */
const CAPITALS = 0.733;
const NEGATION = -0.74;
const EXCLAMATION = 0.292;
const NORMAL = 15;

/**
 * The rules of VADER (Hutto and Gilbert, ICWSM 2014), rating by rating as vaderSentiment 3.3.2 computes them, its
 * oddities included: after "but" the first of equal ratings is changed, for one. `lexicon` may hold other words.
 */
export function vader(text: string, lexicon: Lexicon = VADER_LEXICON): VaderScore {
  const spelt = withoutEmoji(text).trim();
  const words = spelt === '' ? [] : spelt.split(BLANKS).map(bare);
  const lower = words.map((word) => word.toLowerCase());
  const shouted = words.map((word, i) => word !== lower[i] && word === word.toUpperCase());
  const mixedCase = shouted.includes(true) && shouted.includes(false);
  const surroundings = { lower, shouted, mixedCase, lexicon };
  const ratings = words.map((_, i) =>
    BOOSTERS.has(lower[i]) || (lower[i] === 'kind' && lower[i + 1] === 'of') ? 0 : ratingOf(i, surroundings),
  );
  weighAroundBut(ratings, lower.indexOf('but'));
  return summary(ratings, spelt);
}

/** Polarity and subjectivity of a text by `lexicon`. */
export function lexiconSentiment(text: string, lexicon?: Lexicon): Sentiment {
  const { compound, neutral, positive, negative } = vader(text, lexicon);
  return { polarity: compound, subjectivity: positive + negative === 0 ? 0 : 1 - neutral };
}

function withoutEmoji(text: string): string {
  if (!/[^\x00-\x7f]/.test(text)) return text;
  let spelt = '';
  let afterSpace = true;
  for (const character of text) {
    const description = EMOJI.get(character);
    if (description === undefined) {
      spelt += character;
      afterSpace = character === ' ';
      continue;
    }
    spelt += afterSpace ? description : ` ${description}`;
    afterSpace = false;
  }
  return spelt;
}

/** What Python splits words at. */
const BLANKS = /[\s\x1c-\x1f\x85]+/;

/** Without marks around it; what has two characters or fewer left may be an emoticon, and stays whole. */
function bare(token: string): string {
  let [from, to] = [0, token.length];
  while (from < to && isMark(token.charCodeAt(from))) from++;
  while (to > from && isMark(token.charCodeAt(to - 1))) to--;
  return to - from <= 2 ? token : token.slice(from, to);
}

/** ASCII punctuation. */
const isMark = (code: number): boolean =>
  (code >= 33 && code <= 47) ||
  (code >= 58 && code <= 64) ||
  (code >= 91 && code <= 96) ||
  (code >= 123 && code <= 126);

interface Surroundings {
  readonly lower: readonly string[];
  readonly shouted: readonly boolean[];
  readonly mixedCase: boolean;
  readonly lexicon: Lexicon;
}

function ratingOf(i: number, { lower, shouted, mixedCase, lexicon }: Surroundings): number {
  const own = lexicon.get(lower[i]);
  if (own === undefined) return 0;
  let rating = own;
  if (lower[i] === 'no' && i < lower.length - 1 && lexicon.has(lower[i + 1])) rating = 0;
  if (
    lower[i - 1] === 'no' ||
    lower[i - 2] === 'no' ||
    (lower[i - 3] === 'no' && (lower[i - 1] === 'or' || lower[i - 1] === 'nor'))
  )
    rating = own * NEGATION;
  if (mixedCase && shouted[i]) rating += rating > 0 ? CAPITALS : -CAPITALS;
  for (let back = 0; back < 3 && i > back; back++) {
    const before = i - back - 1;
    if (lexicon.has(lower[before])) continue;
    const boost = boostOf(lower[before], rating, mixedCase && shouted[before]);
    rating += boost * (back === 1 ? 0.95 : back === 2 ? 0.9 : 1);
    rating = negated(rating, lower, i, back);
    if (back === 2) rating = specialCase(rating, lower, i);
  }
  const least = i > 0 && lower[i - 1] === 'least' && !lexicon.has('least');
  return least && !(i > 1 && (lower[i - 2] === 'at' || lower[i - 2] === 'very')) ? rating * NEGATION : rating;
}

function boostOf(word: string, rating: number, shouted: boolean): number {
  const boost = BOOSTERS.get(word);
  if (boost === undefined) return 0;
  const signed = rating < 0 ? -boost : boost;
  if (!shouted) return signed;
  return rating > 0 ? signed + CAPITALS : signed - CAPITALS;
}

const isNegation = (word: string): boolean => NEGATIONS.has(word) || word.includes("n't");

function negated(rating: number, lower: readonly string[], i: number, back: number): number {
  const [one, two, three] = [lower[i - 1], lower[i - 2], lower[i - 3]];
  if (back === 0) return isNegation(one) ? rating * NEGATION : rating;
  if (back === 1) {
    if (two === 'never' && (one === 'so' || one === 'this')) return rating * 1.25;
    if (two === 'without' && one === 'doubt') return rating;
    return isNegation(two) ? rating * NEGATION : rating;
  }
  if ((three === 'never' && (two === 'so' || two === 'this')) || one === 'so' || one === 'this')
    return rating * 1.25;
  if (three === 'without' && (two === 'doubt' || one === 'doubt')) return rating;
  return isNegation(three) ? rating * NEGATION : rating;
}

function specialCase(rating: number, lower: readonly string[], i: number): number {
  const phrase = (from: number, to: number): string => lower.slice(i + from, i + to + 1).join(' ');
  let special = rating;
  for (const [from, to] of BACKWARDS) {
    const found = SPECIAL_CASES.get(phrase(from, to));
    if (found === undefined) continue;
    special = found;
    break;
  }
  if (lower.length - 1 > i) special = SPECIAL_CASES.get(phrase(0, 1)) ?? special;
  if (lower.length - 1 > i + 1) special = SPECIAL_CASES.get(phrase(0, 2)) ?? special;
  for (const [from, to] of BOOSTING) special += BOOSTERS.get(phrase(from, to)) ?? 0;
  return special;
}

/** Which words before and at a word are looked at, in this order. */
const BACKWARDS = [
  [-1, 0],
  [-2, 0],
  [-2, -1],
  [-3, -1],
  [-3, -2],
] as const;
const BOOSTING = [
  [-3, -1],
  [-3, -2],
  [-2, -1],
] as const;

/** What comes before "but" counts half, what comes after it one and a half. */
function weighAroundBut(ratings: number[], but: number): void {
  if (but < 0) return;
  for (let k = 0; k < ratings.length; k++) {
    const at = ratings.indexOf(ratings[k]);
    if (at < but) ratings[at] *= 0.5;
    else if (at > but) ratings[at] *= 1.5;
  }
}

function summary(ratings: readonly number[], text: string): VaderScore {
  if (ratings.length === 0) return { negative: 0, neutral: 0, positive: 0, compound: 0 };
  const emphasis = emphasisOf(text);
  let [sum, positive, negative, neutral] = [0, 0, 0, 0];
  for (const rating of ratings) {
    sum += rating;
    if (rating > 0) positive += rating + 1;
    else if (rating < 0) negative += 1 - rating;
    else neutral++;
  }
  if (sum > 0) sum += emphasis;
  else if (sum < 0) sum -= emphasis;
  if (positive > negative) positive += emphasis;
  else if (positive < negative) negative += emphasis;
  const total = positive + negative + neutral;
  return {
    negative: negative / total,
    neutral: neutral / total,
    positive: positive / total,
    compound: sum / Math.sqrt(sum * sum + NORMAL),
  };
}

function emphasisOf(text: string): number {
  let [exclamations, questions] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 33) exclamations++;
    else if (code === 63) questions++;
  }
  const asked = questions <= 1 ? 0 : questions <= 3 ? 0.18 * questions : 0.96;
  return Math.min(4, exclamations) * EXCLAMATION + asked;
}
