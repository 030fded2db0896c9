import { randomBytes } from 'node:crypto';
import { plainFromMarkup } from '../../core/text/markup.ts';

/**
 * Texts of strangers for a model that has no tools: without markup and invisible characters, each between delimiters that
 * nobody could know when the text was written.
 */
export function fenced(texts: readonly string[], longest: number): string {
  const secret = randomBytes(9).toString('base64url');
  return texts
    .map((text, i) => `[${secret} text ${i}]\n${withoutMarkup(text, longest)}\n[${secret} end ${i}]`)
    .join('\n');
}

/** Compatibility forms (full-width letters, ligatures) become the letters that they look like first. */
const withoutMarkup = (text: string, longest: number): string =>
  plainFromMarkup(text.slice(0, 40 * longest).normalize('NFKC'), longest).replaceAll(/[[\]<>{}`]/g, ' ');

/** What stands in place of a word that a model is not shown. */
const WITHHELD = '(withheld)';
/** Ids, times, figures with their unit: one word of plain letters. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9_.:/+%-]{0,63}$/;

/**
 * What a tool answers, as a model may see it: numbers at six digits, and words that are ids, times or units. Whatever reads like
 * prose is withheld, since it may come from a file, an exchange or a model of somebody's.
 */
export function plainResult(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
  if (typeof value === 'string') return WORD.test(value) ? value : WITHHELD;
  if (Array.isArray(value)) return value.map(plainResult);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([key, one]) => [WORD.test(key) ? key : WITHHELD, plainResult(one)]),
    );
  return typeof value === 'boolean' ? value : null;
}
