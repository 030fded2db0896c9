import type { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';

/** No plan, result or manifest comes near this. */
const MOST_BYTES = 16 * 2 ** 20;

/** JSON text whose last key is the SHA-256 of all bytes before it: a flipped bit anywhere is found. */
export function seal(value: object): { readonly text: string; readonly sha256: string } {
  const body = JSON.stringify(value, undefined, 2).slice(0, -2);
  const hash = hashOf(body);
  return { text: `${body},\n  "sha256": "${hash}"\n}\n`, sha256: hash };
}

/** What was sealed, and its hash; `undefined` when the text is not as `seal` made it. */
export function unseal(text: string): { readonly value: unknown; readonly sha256: string } | undefined {
  const end = /,\n {2}"sha256": "([0-9a-f]{64})"\n\}\n$/.exec(text.slice(-128));
  if (end === null) return undefined;
  const body = text.slice(0, text.length - end[0].length);
  if (hashOf(body) !== end[1]) return undefined;
  try {
    return { value: JSON.parse(`${body}\n}`), sha256: end[1] };
  } catch {
    return undefined;
  }
}

export interface Sealed<T> {
  readonly value: T;
  readonly sha256: string;
}

/** `undefined` when there is no such file; `UserError` that names it when it is not what was written. */
export async function readSealed<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<Sealed<z.output<Schema>> | undefined> {
  const bytes = await readPlainFile(path, MOST_BYTES);
  if (bytes === undefined) return undefined;
  const sealed = unseal(new TextDecoder().decode(bytes));
  if (sealed === undefined) throw damagedJson(path, 'it does not match its SHA-256');
  const parsed = schema.safeParse(sealed.value);
  if (!parsed.success) throw damagedJson(path, issueLines(parsed.error).join('; '));
  return { value: parsed.data, sha256: sealed.sha256 };
}

/** Replaces the file in one step; its hash. */
export async function writeSealed(path: string, value: object): Promise<string> {
  const { text, sha256: hash } = seal(value);
  await writeFileAtomic(path, text);
  return hash;
}

export const damagedJson = (path: string, why: string): UserError =>
  new UserError(`"${path}" is damaged or of another version: ${why}`, {
    hint: 'Put it back from a backup, or move its folder away and train again.',
  });

const hashOf = (text: string): string => sha256(new TextEncoder().encode(text));
