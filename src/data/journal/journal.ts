import { UserError } from '../../core/foundation/errors.ts';

/**
 * An append-only log: each entry is one JSON object, chained by hash to all before it. The log is the truth of what
 * happened; whatever else is kept of it (snapshots, an index) is made from it and may be thrown away.
 */
export interface Journal {
  /** Where the next entry goes, and what it is chained to. */
  readonly end: JournalPosition;
  /**
   * The entry is durable when this returns. When it throws, the entry is not part of the journal and no further one
   * can be appended: what failed is not known, so the journal has to be opened again first.
   */
  append(entry: object): Promise<JournalPosition>;
  /** Throws `UserError` when what is stored is no longer what was appended: removed, replaced or cut. */
  assertStanding(): Promise<void>;
  close(): Promise<void>;
}

export interface JournalPosition {
  /** End of the last entry's line, in bytes. */
  readonly offset: number;
  /** Hash of the last entry; empty before the first. */
  readonly hash: string;
}

export const JOURNAL_START: JournalPosition = { offset: 0, hash: '' };

/** An entry as it is read back. */
export interface JournalEntry {
  /** Its JSON, exactly as it was appended. */
  readonly json: string;
  readonly hash: string;
  /** Before this entry and behind it. */
  readonly start: JournalPosition;
  readonly end: JournalPosition;
  /** For error messages: `byte 4711 of "…/ledger.jsonl"`. */
  readonly where: string;
}

/** Which journal is meant, in files and in words. */
export interface JournalFile {
  readonly path: string;
  /** What error messages call it: `The paper ledger is damaged at …`. */
  readonly name: string;
  /** What its user does about damage. */
  readonly hint: string;
}

export function damaged({ name, hint }: JournalFile, where: string, why: string, cause?: unknown): UserError {
  return new UserError(`The ${name} is damaged at ${where}: ${why}.`, { hint, cause });
}
