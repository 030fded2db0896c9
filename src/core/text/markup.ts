import { plainLine } from '../foundation/plain-text.ts';

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  laquo: '«',
  raquo: '»',
  bull: '•',
  middot: '·',
  euro: '€',
  pound: '£',
  yen: '¥',
  cent: '¢',
  deg: '°',
  copy: '©',
  reg: '®',
  trade: '™',
  times: '×',
};

/** Character references of HTML and XML, once; those that are not known stay as they are. */
export const decodeReferences = (text: string): string =>
  text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return NAMED[name.toLowerCase()] ?? whole;
    const code = typeof decimal === 'string' ? Number(decimal) : parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
      ? String.fromCodePoint(code)
      : '\ufffd';
  });

/**
 * One line of plain text from what a feed calls a title or a summary: feeds escape HTML once, twice or not at all. Tags,
 * comments, scripts and styles go, and what cannot be printed; at most `mostCharacters` stay.
 */
export function plainFromMarkup(markup: string, mostCharacters: number): string {
  // Cut before it is searched: a summary of megabytes costs no more than its beginning.
  let text = markup.slice(0, 40 * mostCharacters);
  for (let round = 0; round < 3; round++) {
    const before = text;
    text = decodeReferences(stripTags(text));
    if (text === before) break;
  }
  return plainLine(stripTags(text), mostCharacters);
}

const stripTags = (text: string): string =>
  text
    .replaceAll(/<!--(?:[^-]|-(?!->))*(?:-->|$)/g, ' ')
    .replaceAll(/<(script|style)\b[^>]*>[^]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replaceAll(/<\/?[a-z][^<>]*>/gi, ' ');
