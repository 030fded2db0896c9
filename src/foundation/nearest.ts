import { closest, distance } from 'fastest-levenshtein';

/** The entry of `known` that `text` was most likely meant to be, or `undefined` when none is close. */
export function nearest(text: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(text.toLowerCase(), known);
  return distance(text.toLowerCase(), best.toLowerCase()) <= Math.max(2, best.length / 3) ? best : undefined;
}

/** `Did you mean "x"? ` before the full list, for the hint of an error about an unknown name. */
export function suggest(text: string, known: readonly string[]): string {
  const best = nearest(text, known);
  const list = `Known: ${known.join(', ')}.`;
  return best === undefined ? list : `Did you mean "${best}"? ${list}`;
}
