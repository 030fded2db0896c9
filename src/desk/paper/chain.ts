import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { BarRecord, type LedgerRecord, SessionRecord } from './record.ts';

/** A record with the hash that ties it to everything before it. */
interface Link<T extends LedgerRecord> {
  readonly record: T;
  readonly hash: string;
}

/** One line of a ledger: the record's JSON with `hash` = SHA-256 of the hash before it and that JSON. */
export function encodeLink(record: LedgerRecord, previousHash: string): { line: string; hash: string } {
  const json = JSON.stringify(record, (_, value: unknown) => (value === undefined ? null : value));
  const hash = chainHash(previousHash, json);
  return { line: `${json.slice(0, -1)},"hash":"${hash}"}\n`, hash };
}

/**
 * Reads a line that `encodeLink` made. Throws `UserError` naming `where` when it is not one or does not
 * continue from `previousHash`; `undefined` there skips that check.
 */
export function decodeSession(line: string, where: string): Link<SessionRecord> {
  return decode(line, '', where, (value) => SessionRecord.parse(value));
}

export function decodeBar(line: string, previousHash: string | undefined, where: string): Link<BarRecord> {
  return decode(line, previousHash, where, (value) => BarRecord.parse(value));
}

const HASH = /,"hash":"([0-9a-f]{64})"\}$/;

function decode<T extends LedgerRecord>(
  line: string,
  previousHash: string | undefined,
  where: string,
  parse: (value: unknown) => T,
): Link<T> {
  const match = HASH.exec(line);
  if (match === null) throw damaged(where, 'it is not a line of a ledger');
  const json = `${line.slice(0, match.index)}}`;
  const [, hash] = match;
  if (previousHash !== undefined && chainHash(previousHash, json) !== hash)
    throw damaged(where, 'its hash does not fit it and what stands before it');
  try {
    return { record: parse(JSON.parse(json)), hash };
  } catch (error) {
    if (error instanceof z.ZodError) throw damaged(where, z.prettifyError(error), error);
    if (error instanceof SyntaxError) throw damaged(where, error.message, error);
    throw error;
  }
}

export function damaged(where: string, why: string, cause?: unknown): UserError {
  return new UserError(`The paper ledger is damaged at ${where}: ${why}.`, {
    hint: 'Put the file back from a backup, or start a new session with `paper --fresh`; the old one is kept.',
    cause,
  });
}

const chainHash = (previousHash: string, json: string): string =>
  createHash('sha256').update(previousHash).update(json).digest('hex');
