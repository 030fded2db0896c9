/**
 * Text from outside as it may be printed, drawn or logged: terminal sequences (CSI, OSC, DCS and their kin, whole),
 * every other control character of C0 and C1 but tab and newline, and what is invisible or turns the order of
 * characters round (bidi marks, embeddings and isolates, zero-width characters, tags). Sequences as in ECMA-48, 5.4
 * and 5.6; bidi characters as in Unicode TR 9; why: CVE-2021-42574. Linear in the length of the text.
 */
export const plainText = (text: string): string => text.replace(UNPRINTABLE, '').replace(LINE_BREAK, '\n');

/** The same on one line, cut at `mostCharacters`: for values quoted in a message. */
export function plainLine(text: string, mostCharacters = 300): string {
  // Cut before it is searched, generously: a body of megabytes costs no more than its first lines.
  const line = plainText(text.slice(0, 20 * mostCharacters))
    .replace(/\s+/g, ' ')
    .trim();
  if (line.length <= mostCharacters) return line;
  return `${line.slice(0, mostCharacters - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

const STRING_SEQUENCE = String.raw`(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)`;
const CONTROL_SEQUENCE = String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`;
const ESCAPE_SEQUENCE = String.raw`\x1b[ -/]*[0-~]?`;
const CONTROL = String.raw`[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]`;
const INVISIBLE = String.raw`[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]`;
const UNPRINTABLE = new RegExp(
  [STRING_SEQUENCE, CONTROL_SEQUENCE, ESCAPE_SEQUENCE, CONTROL, INVISIBLE].join('|'),
  'gu',
);

const LINE_BREAK = /\r\n?|[\x85\u2028\u2029]/g;
