import { closest, distance } from 'fastest-levenshtein';

/** Comparing costs the product of both lengths, and what is longer is no misspelt name. */
const LONGEST_NAME = 200;

/** The entry of `known` that `text` was most likely meant to be, or `undefined` when none is close. */
export function nearest(text: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || text.length > LONGEST_NAME) return undefined;
  const lower = known.map((entry) => entry.toLowerCase());
  const best = closest(text.toLowerCase(), lower);
  const near = distance(text.toLowerCase(), best) <= Math.max(2, best.length / 3);
  return near ? known[lower.indexOf(best)] : undefined;
}

/** More names than a person reads through: the nearest one is answer enough. */
const MANY = 30;

/** `Did you mean "x"? ` before the full list, for the hint of an error about an unknown name. */
export function suggest(text: string, known: readonly string[]): string {
  const best = nearest(text, known);
  const list = `Known: ${known.join(', ')}.`;
  if (best === undefined) return list;
  return known.length > MANY ? `Did you mean "${best}"?` : `Did you mean "${best}"? ${list}`;
}
