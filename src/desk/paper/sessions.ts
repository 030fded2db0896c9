import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { errorCode } from '../../data/files.ts';
import { checkChain, readLastEntry, tornTail } from '../../data/journal/read.ts';
import { lockHolder } from '../../data/lock.ts';
import { type Health, readHealth, sessionFault } from '../session/health.ts';
import { type Control, readControl } from './controls.ts';
import { LEDGER_FILE, ledgerFile, parseBar, readSession, SNAPSHOT_FILE } from './ledger.ts';
import { type BarRecord, ensembleOf, type SessionRecord, symbolsOf } from './record.ts';
import { readSnapshot } from './snapshot.ts';

export const ARCHIVE = 'archive';

export const sessionsFolder = (dataDir: string): string => join(dataDir, 'paper');
export const sessionFolder = (dataDir: string, name: string): string => join(sessionsFolder(dataDir), name);
export const lockOf = (folder: string): string => `${folder}.lock`;

/** Whether a session may be called so: a name is a folder. */
export const isSessionName = (name: string): boolean => /^(?!archive$)[a-z0-9][a-z0-9._-]{0,63}$/i.test(name);

/** Names of the sessions that are not archived, sorted. */
export async function listSessions(dataDir: string): Promise<readonly string[]> {
  const entries = await readdir(sessionsFolder(dataDir), { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== ARCHIVE)
    .map(({ name }) => name)
    .filter((name) =>
      [LEDGER_FILE, SNAPSHOT_FILE].some((file) => existsSync(join(sessionFolder(dataDir, name), file))),
    )
    .toSorted();
}

/** The session called `name`, or the only one there is. Throws `UserError` when that is none or several. */
export async function findSession(dataDir: string, name: string | undefined): Promise<string> {
  const names = await listSessions(dataDir);
  if (names.length === 0)
    throw new UserError(`There is no paper session in "${sessionsFolder(dataDir)}".`, {
      hint: 'Start one: crypto-trader paper',
    });
  if (name === undefined && names.length === 1) return names[0];
  if (name !== undefined && names.includes(name)) return name;
  throw new UserError(
    name === undefined
      ? `There are ${names.length} paper sessions.`
      : `There is no paper session called "${name}".`,
    { hint: name === undefined ? `Say which: --name ${names.join(' or --name ')}` : suggest(name, names) },
  );
}

/** A session as it stands on disk, whoever runs it. */
export interface SessionStatus {
  readonly name: string;
  readonly session: SessionRecord;
  /** Of the last bar; nothing is checked here but that it can be read. */
  readonly last: BarRecord | undefined;
  readonly control: Control | undefined;
  /** Its last sign of life. */
  readonly health: Health | undefined;
  /** The process that runs it now. */
  readonly pid: number | undefined;
}

export async function readStatus(dataDir: string, name: string): Promise<SessionStatus> {
  const folder = sessionFolder(dataDir, name);
  const found = await readSession(folder);
  if (found === undefined)
    throw new UserError(`The paper session "${name}" is gone.`, {
      hint: 'List them: crypto-trader paper status',
    });
  const last = await readLastEntry(ledgerFile(folder), found.start);
  return {
    name,
    session: found.session,
    last: last && parseBar(folder, last),
    control: await readControl(folder),
    health: await readHealth(folder),
    pid: (await lockHolder(lockOf(folder)))?.pid,
  };
}

/** What is wrong with one that follows an exchange and should be running; `undefined`: nothing. A replay of stored bars ends by itself. */
export const faultOf = ({ session, last, ...status }: SessionStatus, nowMs: number): string | undefined =>
  session.feed === 'stored'
    ? undefined
    : sessionFault({ ...status, barMs: TIMEFRAME_MS[session.timeframe], lastBarMs: last?.timeMs }, nowMs);

/** The training run that the session called `name` works with: that of its last bar, else the one it began with. */
export async function runOfSession(dataDir: string, name: string): Promise<string | undefined> {
  const folder = sessionFolder(dataDir, name);
  const found = await readSession(folder);
  if (found === undefined) return undefined;
  const last = await readLastEntry(ledgerFile(folder), found.start);
  return last === undefined ? found.session.runId : parseBar(folder, last).runId;
}

/** What the session called `name` trades; `undefined` when there is none. */
export async function symbolsOfSession(
  dataDir: string,
  name: string,
): Promise<readonly PairSymbol[] | undefined> {
  const found = await readSession(sessionFolder(dataDir, name));
  return found && symbolsOf(found.session);
}

/** How that session combines forecasts. */
export async function ensembleOfSession(
  dataDir: string,
  name: string,
): Promise<ReturnType<typeof ensembleOf> | undefined> {
  const found = await readSession(sessionFolder(dataDir, name));
  return found && ensembleOf(found.session);
}

export interface LedgerCheck {
  readonly name: string;
  readonly bars: number;
  /** What is wrong and what to do about it; `undefined` when every hash fits. */
  readonly fault: { readonly message: string; readonly hint: string } | undefined;
}

/** Checks every hash of every session's ledger, without replaying its bars. */
export async function checkLedgers(dataDir: string, signal?: AbortSignal): Promise<readonly LedgerCheck[]> {
  const checks: LedgerCheck[] = [];
  for (const name of await listSessions(dataDir)) {
    const folder = sessionFolder(dataDir, name);
    try {
      await readSession(folder);
      await readSnapshot(folder);
      const { entries, end } = await checkChain(ledgerFile(folder), signal === undefined ? {} : { signal });
      await tornTail(ledgerFile(folder), end);
      checks.push({ name, bars: entries - 1, fault: undefined });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      checks.push({ name, bars: 0, fault: { message: error.message, hint: error.hint } });
    }
  }
  return checks;
}
