import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type Database from 'libsql';
import { UserError } from '../../../core/foundation/errors.ts';
import { JOURNAL_START, type JournalEntry, type JournalFile, type JournalPosition } from '../journal.ts';
import { holds, readEntries } from '../read.ts';

/** Which tables an index has and what each entry of the journal puts into them. */
export interface IndexSchema {
  /** Another version than the one on disk: the index is made again from the first entry. */
  readonly version: number;
  /** `CREATE TABLE` and `CREATE INDEX` statements. */
  readonly tables: string;
  /** Called with the entries in order; `put` adds a row to a table. */
  readonly index: (entry: JournalEntry, put: Put) => void;
}

/** A native library, loaded with the first question. */
const load = createRequire(import.meta.url);

export type Value = string | number | null;
type Put = (table: string, row: Readonly<Record<string, Value>>) => void;

/** SQL over a journal. It holds nothing that the journal does not, and may be deleted at any time. */
export interface JournalIndex {
  query(sql: string, ...parameters: readonly Value[]): readonly unknown[];
  close(): void;
}

/**
 * The index at `path`, brought up to date with the journal. It is made again when it is of another version, of another
 * journal, or damaged. Rows and the position they reach to are written in one transaction, so that a crash leaves the
 * index of an earlier moment. Where it cannot be written it is made in memory: the question is answered all the same.
 */
export async function openIndex(
  path: string,
  journal: JournalFile,
  schema: IndexSchema,
): Promise<JournalIndex> {
  try {
    return await update(path, journal, schema);
  } catch (error) {
    if (error instanceof UserError) throw error;
    // Whatever is wrong with the file, what it held can be read again from the journal.
    try {
      for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true });
      return await update(path, journal, schema);
    } catch (again) {
      if (again instanceof UserError) throw again;
      return update(':memory:', journal, schema);
    }
  }
}

async function update(path: string, journal: JournalFile, schema: IndexSchema): Promise<JournalIndex> {
  const Opened = load('libsql') as typeof Database;
  const database = new Opened(path);
  try {
    // Another question may be bringing it up to date.
    database.exec('PRAGMA busy_timeout = 10000');
    let from = positionOf(database, schema.version);
    if (from === undefined || (from.offset > 0 && !(await holds(journal, from)))) {
      clear(database, schema);
      from = JOURNAL_START;
    }
    await catchUp(database, journal, from, schema);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    query: (sql, ...parameters) => database.prepare(sql).all(...parameters),
    close: () => void database.close(),
  };
}

/** Where the index ends, or `undefined` when it is not of this version. */
function positionOf(database: Database.Database, version: number): JournalPosition | undefined {
  const known = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'journal_position'").get();
  if (known === undefined) return undefined;
  const row: unknown = database.prepare('SELECT version, "offset", hash FROM journal_position').get();
  if (typeof row !== 'object' || row === null) return undefined;
  const found = Object.fromEntries(Object.entries(row));
  if (found['version'] !== version) return undefined;
  return { offset: Number(found['offset']), hash: String(found['hash']) };
}

function clear(database: Database.Database, { version, tables }: IndexSchema): void {
  const names: unknown[] = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  for (const row of names)
    if (typeof row === 'object' && row !== null && 'name' in row)
      database.exec(`DROP TABLE "${String(row.name)}"`);
  database.exec(tables);
  database.exec('CREATE TABLE journal_position (version INTEGER, "offset" INTEGER, hash TEXT)');
  database.prepare('INSERT INTO journal_position VALUES (?, 0, ?)').run(version, '');
}

async function catchUp(
  database: Database.Database,
  journal: JournalFile,
  from: JournalPosition,
  schema: IndexSchema,
): Promise<void> {
  const statements = new Map<string, Database.Statement>();
  const put: Put = (table, row) => {
    const columns = Object.keys(row);
    const key = `${table} ${columns.join()}`;
    const statement =
      statements.get(key) ??
      database.prepare(
        `INSERT INTO ${table} (${columns.map((name) => `"${name}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      );
    statements.set(key, statement);
    statement.run(...Object.values(row));
  };
  database.exec('BEGIN');
  try {
    const end = await readEntries(journal, from, (entry) => schema.index(entry, put));
    database.prepare('UPDATE journal_position SET "offset" = ?, hash = ?').run(end.offset, end.hash);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
