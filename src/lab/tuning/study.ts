import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import { parseEntry } from '../../data/journal/entry.ts';
import { createJournal, resumeJournal } from '../../data/journal/json-lines.ts';
import { type JournalFile, JOURNAL_START, type JournalPosition } from '../../data/journal/journal.ts';
import { readEntries, readFirstEntry } from '../../data/journal/read.ts';
import { acquireLock, type Lock, lockHolder, withLock } from '../../data/lock.ts';
import { createPruner, createSampler, withMeans } from './methods.ts';
import type { Params } from './space.ts';
import { Entry, type KeptTrial, see, StudySettings, type StudyState } from './study-journal.ts';
import type { Trial } from './trial.ts';

export interface Outcome {
  readonly state: 'complete' | 'pruned' | 'failed';
  readonly values: readonly number[];
  readonly violation: number;
  readonly reason?: string;
  readonly details?: unknown;
}

/**
 * A search as an append-only journal: everything that was suggested, reported and found out. Processes of one machine
 * work on it together; each reads what the others wrote before it writes. What is suggested follows from seed, number and
 * the journal before it, so that every trial can be made again.
 */
export interface Study {
  readonly settings: StudySettings;
  /** In the order of their numbers, as this process last read them. */
  trials(): readonly KeptTrial[];
  /** Reads what was written since. */
  refresh(): Promise<void>;
  /** The next parameters to try, durable as running; `undefined` when `most` trials have been started. */
  ask(most: number): Promise<KeptTrial | undefined>;
  /** Keeps what a trial has reached, and says whether it should stop. */
  report(number: number, step: number, value: number): Promise<{ readonly prune: boolean }>;
  /** Keeps how a trial ended. The first answer counts. */
  tell(number: number, outcome: Outcome): Promise<void>;
  /** Numbers of trials whose parameters do not follow from what was known before them. */
  verify(): Promise<readonly number[]>;
  close(): Promise<void>;
}

const journalFile = (folder: string): JournalFile => ({
  path: join(folder, 'study.jsonl'),
  name: 'journal of the study',
  hint: 'Restore it from a backup, or start another study.',
});

/** Starts a study in a folder of its own, with parameters to try before anything is suggested. Throws `UserError` when one stands there already. */
export async function createStudy(
  folder: string,
  settings: StudySettings,
  first: readonly Params[] = [],
): Promise<Study> {
  await mkdir(folder, { recursive: true });
  const file = journalFile(folder);
  await withLock(lockPath(folder), LOCK, async () => {
    if ((await readFirstEntry(file)) !== undefined)
      throw new UserError(`There is a study "${settings.name}" already.`, {
        hint: `Go on with it: crypto-trader tune --study ${settings.name}; or choose another --name.`,
      });
    const journal = await createJournal(file, [
      StudySettings.parse(settings),
      ...first.map((params) => Entry.parse({ type: 'enqueue', params })),
    ]);
    await journal.close();
  });
  return openStudy(folder);
}

/** Why a trial failed that is then done again. */
const LOST = 'its worker ended before it did';
/** Whether a trial failed for that alone. */
export const isLost = ({ reason }: KeptTrial): boolean => reason === LOST;
const LOCK = { waitMs: 60_000, purpose: 'writing to the study' };
const lockPath = (folder: string): string => join(folder, 'study.lock');

/** The settings of the study in this folder; `undefined` when there is none. */
export async function studySettings(folder: string): Promise<StudySettings | undefined> {
  const file = journalFile(folder);
  const first = await readFirstEntry(file);
  if (first === undefined) return undefined;
  return parseEntry(file, first, StudySettings);
}

/** Opens a study to look at it or to work on it. Throws `UserError` when there is none or it is damaged. */
export async function openStudy(folder: string): Promise<Study> {
  const file = journalFile(folder);
  const settings = await studySettings(folder);
  if (settings === undefined)
    throw new UserError(`There is no study in "${folder}".`, {
      hint: 'crypto-trader tune list shows those that there are.',
    });
  const pruner = createPruner(settings.pruner, settings.steps);
  const state: StudyState = { trials: [], queue: [] };
  const { trials, queue } = state;
  let at: JournalPosition = JOURNAL_START;
  let own: { readonly id: string; readonly lock: Lock } | undefined;

  const refresh = async (): Promise<void> => {
    at = await readEntries(file, at, (entry) => see(state, parseEntry(file, entry, Entry)));
  };

  /** Reads what is new, then appends what `work` says, while nobody else does. */
  async function write<T>(
    work: (append: (entry: z.input<typeof Entry>) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    return withLock(lockPath(folder), LOCK, async () => {
      const { journal } = await resumeJournal(file, at, (entry) =>
        see(state, parseEntry(file, entry, Entry)),
      );
      at = journal.end;
      try {
        return await work(async (entry) => {
          const checked = Entry.parse(entry);
          at = await journal.append(checked);
          see(state, checked);
        });
      } finally {
        await journal.close();
      }
    });
  }

  /** A lock that this process keeps while it lives: who holds it is at work. */
  async function worker(): Promise<string> {
    if (own !== undefined) return own.id;
    const id = `${process.pid}-${randomBytes(4).toString('hex')}`;
    own = { id, lock: await acquireLock(workerPath(id), { waitMs: 0, purpose: 'working on the study' }) };
    return id;
  }
  const workerPath = (id: string): string => join(folder, 'workers', `${id}.lock`);

  /** Trials of workers that are gone, so that they can be done again. */
  async function lost(): Promise<readonly KeptTrial[]> {
    const running = trials.filter(({ state }) => state === 'running');
    const dead = await Promise.all(
      running.map(
        async (trial) =>
          trial.worker !== own?.id && (await lockHolder(workerPath(trial.worker))) === undefined,
      ),
    );
    return running.filter((_, i) => dead[i]);
  }

  return {
    settings,
    trials: () => trials,
    refresh,
    ask: async (most) => {
      const id = await worker();
      return write(async (append) => {
        const now = new Date().toISOString();
        for (const trial of await lost()) {
          const { number, params } = trial;
          await append({
            type: 'end',
            number,
            state: 'failed',
            values: [],
            violation: 0,
            at: now,
            reason: LOST,
          });
          await append({ type: 'enqueue', params });
        }
        if (trials.filter((trial) => !isLost(trial)).length >= most) return undefined;
        const number = trials.length;
        const given = queue.length > 0;
        const params = given ? queue[0] : suggestionOf(settings, trials, number);
        await append({ type: 'start', number, params, at: now, worker: id, given });
        return trials[number];
      });
    },
    report: async (number, step, reached) =>
      write(async (append) => {
        await append({ type: 'step', number, step, value: Number.isFinite(reached) ? reached : null });
        const trial = trials[number];
        return {
          prune: pruner(
            trial,
            trials.filter((other) => other.number !== number),
          ),
        };
      }),
    tell: async (number, outcome) =>
      write(async (append) => {
        if (trials[number].state !== 'running') return;
        await append({
          type: 'end',
          number,
          at: new Date().toISOString(),
          ...outcome,
          values: [...outcome.values],
        });
      }),
    verify: async () => {
      const again: StudyState = { trials: [], queue: [] };
      const wrong: number[] = [];
      await readEntries(file, JOURNAL_START, (read) => {
        const entry = parseEntry(file, read, Entry);
        if (entry.type === 'start' && !entry.given) {
          const made = suggestionOf(settings, again.trials, entry.number);
          if (JSON.stringify(made) !== JSON.stringify(entry.params)) wrong.push(entry.number);
        }
        see(again, entry);
      });
      return wrong;
    },
    close: async () => own?.lock.release(),
  };
}

/** What follows from the seed, the trial's number and the trials before it. */
function suggestionOf(
  { space, sampler, seed }: StudySettings,
  known: readonly Trial[],
  number: number,
): Params {
  const random = createRandom(deriveSeed(seed, `trial ${number}`));
  return createSampler(sampler, seed).suggest(space, known.map(withMeans), { number, random });
}
