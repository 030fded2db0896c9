import { spawn } from 'node:child_process';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '../../../core/foundation/time.ts';
import type { Log } from '../../../core/foundation/log.ts';
import { plainText } from '../../../core/foundation/plain-text.ts';
import { errorCode, makeFolder } from '../../../data/files.ts';
import { processStart } from '../../../data/lock.ts';
import { Conflict, NotFound } from '../answers.ts';
import type { Program } from '../ask.ts';
import { argumentsOf, type JobRequest, laneOf } from './kinds.ts';
import { answersOf } from './outcome.ts';
import { type JobProgress, progressOf } from './progress.ts';
import { jobPaths, type JobRecord, keepRecord, newJobId, readRecord } from './record.ts';

/** A job as the API shows it. */
export type JobView = Omit<JobRecord, 'version' | 'lane' | 'processStart'> & {
  readonly progress: JobProgress | undefined;
  /** What it said last. */
  readonly line: string | undefined;
};

export interface Jobs {
  /** Durable when this returns; it runs when the jobs of its lane before it have ended. */
  start(request: JobRequest): Promise<JobView>;
  /** The newest first. */
  list(): readonly JobView[];
  /** Throws `NotFound`. */
  find(id: string): JobView;
  /** The document of a job that is done; `NotFound`, or `Conflict` before. */
  document(id: string): Promise<unknown>;
  /** What it wrote for people from byte `from` on, and where that ends. */
  lines(id: string, from: number): Promise<{ readonly text: string; readonly end: number }>;
  /** Asks it to stop as Ctrl-C does; asked again it is killed. */
  cancel(id: string): Promise<JobView>;
  onChange(listener: () => void): () => void;
  /** Lets go of everything; what runs goes on, and the next server finds it. */
  close(): void;
}

interface Entry {
  record: JobRecord;
  progress: JobProgress | undefined;
  line: string | undefined;
  readBytes: number;
  /** This server started it, and is told when it ends. */
  own: boolean;
}

const KEPT = 200;
const LOOK_EVERY_MS = 400;
const MOST_QUEUED = 100;

/**
 * Long work, each piece a process of this program that writes into a folder of its own below `folder`. A server that is killed
 * leaves the processes alone; the next one finds them by process id and start time, and reads the outcome from what they wrote.
 */
export async function openJobs(
  folder: string,
  program: Program,
  { log, redact }: { readonly log: Log; readonly redact: (text: string) => string },
): Promise<Jobs> {
  makeFolder(folder);
  const entries = new Map<string, Entry>();
  const listeners = new Set<() => void>();
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  for (const id of (await readdir(folder)).toSorted()) {
    const record = await readRecord(folder, id).catch(() => undefined);
    if (record !== undefined) entries.set(id, entryOf(record));
  }

  const change = async (entry: Entry, update: Partial<JobRecord>): Promise<void> => {
    entry.record = { ...entry.record, ...update };
    await keepRecord(folder, entry.record);
    changed();
  };

  let turn = Promise.resolve();
  /** One after another: two that look at once would both find a lane free. */
  const inTurn = (work: () => Promise<void>): void => {
    turn = turn.then(work).catch((error: unknown) => log.error({ err: error }, 'a job'));
  };

  const end = async (entry: Entry): Promise<void> => {
    if (entry.record.endedAt !== undefined) return;
    await look(entry);
    const { id } = entry.record;
    const { document, error } = answersOf(
      await readFile(jobPaths(folder, id).output, 'utf8').catch(() => ''),
    );
    const stopped = entry.record.cancelledAt !== undefined || error?.kind === 'interrupted';
    const state = document !== undefined ? 'done' : stopped ? 'cancelled' : 'failed';
    const why = error ?? (document === undefined && !stopped ? SILENT : undefined);
    await change(entry, { state, endedAt: formatTime(Date.now()), ...(why && { error: why }) });
    await removeOldest();
    await startNext();
  };

  /** Reads what was written since the last look. */
  const look = async (entry: Entry): Promise<void> => {
    const { text, end: bytes } = await readFrom(jobPaths(folder, entry.record.id).progress, entry.readBytes);
    if (bytes === entry.readBytes) return;
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    entry.readBytes += Buffer.byteLength(whole);
    for (const line of redact(plainText(whole)).split('\n')) {
      if (line.trim() === '') continue;
      entry.line = line.slice(0, 400);
      entry.progress = progressOf(line) ?? entry.progress;
    }
    changed();
  };

  const launch = async (entry: Entry): Promise<void> => {
    const { id, arguments: words } = entry.record;
    const paths = jobPaths(folder, id);
    entry.own = true;
    // Durable before the process is there: a server that dies in between must not start it twice.
    await change(entry, { state: 'running', startedAt: formatTime(Date.now()) });
    const [output, progress] = await Promise.all([open(paths.output, 'w'), open(paths.progress, 'w')]);
    try {
      const child = spawn(process.execPath, [program.bin, ...program.globals, '--json', ...words], {
        cwd: program.folder,
        // Of a process group of its own: Ctrl-C in the terminal of the server does not reach it.
        detached: true,
        stdio: ['ignore', output.fd, progress.fd],
        windowsHide: true,
      });
      child.unref();
      const ended = (): void => inTurn(() => end(entry));
      child.once('error', ended).once('exit', ended);
      if (child.pid !== undefined)
        await change(entry, { pid: child.pid, processStart: processStart(child.pid)?.startedAt });
    } finally {
      await Promise.all([output.close(), progress.close()]);
    }
  };

  const startNext = async (): Promise<void> => {
    for (const entry of entries.values()) {
      if (entry.record.state !== 'queued') continue;
      const busy = [...entries.values()].some(
        ({ record }) => record.state === 'running' && record.lane === entry.record.lane,
      );
      if (!busy) await launch(entry);
    }
  };

  const removeOldest = async (): Promise<void> => {
    const ended = [...entries.values()].filter(({ record }) => record.endedAt !== undefined);
    for (const { record } of ended.slice(0, Math.max(0, ended.length - KEPT))) {
      entries.delete(record.id);
      await rm(jobPaths(folder, record.id).folder, { recursive: true, force: true });
    }
  };

  const timer = setInterval(() => {
    for (const entry of entries.values()) {
      if (entry.record.state !== 'running') continue;
      void look(entry).catch(() => undefined);
      // Of a server before this one: nobody tells us when it ends.
      if (!entry.own && !isAlive(entry.record)) inTurn(() => end(entry));
    }
  }, LOOK_EVERY_MS).unref();

  const find = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry !== undefined) return entry;
    throw new NotFound(`There is no job "${id}".`, { hint: 'GET /api/jobs lists them.' });
  };

  inTurn(startNext);
  return {
    start: async (request) => {
      const queued = [...entries.values()].filter(({ record }) => record.state === 'queued').length;
      if (queued >= MOST_QUEUED)
        throw new Conflict(`${queued} jobs are waiting already.`, { hint: 'Cancel some, or wait.' });
      const now = Date.now();
      const record: JobRecord = {
        version: 1,
        id: newJobId(request.kind, now),
        kind: request.kind,
        lane: laneOf(request),
        arguments: [...argumentsOf(request)],
        state: 'queued',
        createdAt: formatTime(now),
      };
      const entry = entryOf(record);
      await keepRecord(folder, record);
      entries.set(record.id, entry);
      changed();
      inTurn(startNext);
      return viewOf(entry);
    },
    list: () => [...entries.values()].reverse().map(viewOf),
    find: (id) => viewOf(find(id)),
    document: async (id) => {
      const { record } = find(id);
      if (record.state === 'queued' || record.state === 'running')
        throw new Conflict(`The job "${id}" is ${record.state}.`, { hint: 'Ask again when it is done.' });
      const { document } = answersOf(await readFile(jobPaths(folder, id).output, 'utf8').catch(() => ''));
      if (document !== undefined) return document;
      throw new NotFound(`The job "${id}" has no result: ${record.error?.message ?? record.state}.`, {
        hint: record.error?.hint ?? 'Start it again.',
      });
    },
    lines: async (id, from) => {
      const { text, end: bytes } = await readFrom(jobPaths(folder, find(id).record.id).progress, from);
      return { text: redact(plainText(text)), end: bytes };
    },
    cancel: async (id) => {
      const entry = find(id);
      const { state, pid, cancelledAt } = entry.record;
      if (state === 'queued')
        await change(entry, {
          state: 'cancelled',
          cancelledAt: formatTime(Date.now()),
          endedAt: formatTime(Date.now()),
        });
      else if (state === 'running') {
        await change(entry, { cancelledAt: cancelledAt ?? formatTime(Date.now()) });
        if (pid !== undefined && isAlive(entry.record))
          process.kill(pid, cancelledAt === undefined ? 'SIGTERM' : 'SIGKILL');
      }
      return viewOf(entry);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => clearInterval(timer),
  };
}

const SILENT = {
  kind: 'bug' as const,
  message: 'Its process ended without an answer: it was killed, or the machine was restarted.',
  hint: 'Start it again; what was durable is kept.',
};

const entryOf = (record: JobRecord): Entry => ({
  record,
  progress: undefined,
  line: undefined,
  readBytes: 0,
  own: false,
});

function viewOf({ record, progress, line }: Entry): JobView {
  const { version: _, lane: __, processStart: ___, ...shown } = record;
  return { ...shown, progress, line };
}

function isAlive({ pid, processStart: started }: JobRecord): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  const found = processStart(pid);
  return found === undefined || (!found.dead && (started === undefined || found.startedAt === started));
}

const MOST_READ = 2 ** 20;

async function readFrom(
  path: string,
  from: number,
): Promise<{ readonly text: string; readonly end: number }> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size <= from) return { text: '', end: from };
  const file = await open(path);
  try {
    const bytes = Buffer.alloc(Math.min(size - from, MOST_READ));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
    return { text: bytes.subarray(0, bytesRead).toString('utf8'), end: from + bytesRead };
  } finally {
    await file.close();
  }
}

/** Where the jobs of a project are kept. */
export const jobsFolder = (dataDir: string): string => join(dataDir, 'jobs');
