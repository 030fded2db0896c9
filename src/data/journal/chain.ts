import { hash as digest } from 'node:crypto';

/**
 * One line of a journal: the entry's JSON with `hash` = SHA-256 of the hash before it and that JSON, so that no byte
 * of what is on record can change, vanish or move without every later hash being wrong.
 */
export function encodeLink(
  entry: object,
  previousHash: string,
): { readonly line: string; readonly hash: string } {
  const json = JSON.stringify(entry, (_, value: unknown) => (value === undefined ? null : value));
  const hash = digest('sha256', `${previousHash}${json}`, 'hex');
  return { line: `${json.slice(0, -1)}${PREFIX}${hash}${SUFFIX}\n`, hash };
}

const PREFIX = ',"hash":"';
const SUFFIX = '"}';
const HASH_LENGTH = 64;
const TAIL_LENGTH = PREFIX.length + HASH_LENGTH + SUFFIX.length;
const CLOSING_BRACE = 0x7d;

/** What ends a line whose hash is `hash`, with its newline. */
export const linkEnd = (hash: string): string => `${PREFIX}${hash}${SUFFIX}\n`;

/** A whole line and more behind it: no write that was cut off leaves that, only damage to the newline. */
export const holdsWholeLink = (tail: string): boolean => /,"hash":"[0-9a-f]{64}"\}[^]/.test(tail);

/** The hash that `line` (without newline) ends in, or `undefined` when it is not a line that `encodeLink` made. */
export function hashOf(line: Buffer): string | undefined {
  const tail = line.toString('latin1', Math.max(0, line.length - TAIL_LENGTH));
  return /^,"hash":"([0-9a-f]{64})"\}$/.exec(tail)?.[1];
}

/** Whether `line` ends as `encodeLink` ends one with this hash. */
export const endsInHash = (line: Buffer, hash: string): boolean =>
  line.toString('latin1', Math.max(0, line.length - TAIL_LENGTH)) === `${PREFIX}${hash}${SUFFIX}`;

/** The JSON of the entry in a line that is well-formed: one flat text, which a search or a parser reads as it stands. */
export function jsonOf(line: Buffer): string {
  const length = closed(line, '');
  return scratch.toString('utf8', 0, length);
}

/** The hash that `line` must carry behind `previousHash`. */
export function expectedHash(line: Buffer, previousHash: string): string {
  const length = closed(line, previousHash);
  return digest('sha256', scratch.subarray(0, length), 'hex');
}

let scratch = Buffer.alloc(1 << 16);

/** Writes `before` and the JSON of the line's entry into `scratch`; returns their length. */
function closed(line: Buffer, before: string): number {
  const bodyLength = line.length - TAIL_LENGTH;
  const length = before.length + bodyLength + 1;
  if (scratch.length < length) scratch = Buffer.alloc(2 * length);
  scratch.write(before, 'latin1');
  line.copy(scratch, before.length, 0, bodyLength);
  scratch[length - 1] = CLOSING_BRACE;
  return length;
}
