import { createHash, createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalUrl } from './canonical-url.ts';
import { bandsOf, type Fingerprint, fingerprint, nearlyEqual } from '../../core/text/near-duplicate.ts';
import { mentions } from '../../core/text/mentions.ts';
import { JOURNAL_START, type Journal, type JournalFile } from '../journal/journal.ts';
import { createJournal, resumeJournal } from '../journal/json-lines.ts';
import { readEntries, readFirstEntry } from '../journal/read.ts';
import { acquireLock } from '../lock.ts';
import { type FoundText, StoredText } from './item.ts';

const VERSION = 1;
const Header = z.strictObject({ version: z.literal(VERSION), authorKey: z.string() });
const Batch = z.looseObject({ texts: z.array(StoredText) });

/** Texts of one entry of the journal: a line stays far below what a reader takes. */
const BATCH = 500;

/** Near-duplicates are looked for this far back. */
const REPEAT_MS = 3 * 86_400_000;
/** Shorter headlines ("Market update") are alike without saying the same. */
const SHORTEST_REPEAT = 20;

export const textFolder = (dataDir: string): string => join(dataDir, 'text');

const journalFile = (dataDir: string): JournalFile => ({
  path: join(textFolder(dataDir), 'texts.jsonl'),
  name: 'store of texts',
  hint: `Move "${textFolder(dataDir)}" away, or put it back from a backup.`,
});

/** What became of the texts that a source gave. */
export interface Taken {
  readonly added: readonly StoredText[];
  /** Of the added ones: a new content under an id that was there, and a headline that an earlier text has too. */
  readonly edits: number;
  readonly repeats: number;
  /** Were there already, word for word or under another source. */
  readonly known: number;
}

/** The texts on disk, open for more. One at a time: the folder is locked. */
export interface TextStore {
  /**
   * Takes in what is new; on disk when this returns. Texts count as seen at `nowMs`, a millisecond apart, so that each has
   * a time of its own, never before the last one.
   */
  take(source: string, found: readonly FoundText[], nowMs: number): Promise<Taken>;
  /** The same for texts that were seen before, by somebody else or by assumption. */
  takePast(source: string, found: readonly PastText[]): Promise<Taken>;
  close(): Promise<void>;
}

export async function openTextStore(dataDir: string): Promise<TextStore> {
  const file = journalFile(dataDir);
  const lock = await acquireLock(join(textFolder(dataDir), '.lock'), {
    waitMs: 30_000,
    purpose: 'writing texts',
  });
  try {
    const known = createIndex();
    const { journal, authorKey } = await openJournal(file, known);
    const write = async <Found extends FoundText>(
      source: string,
      found: readonly Found[],
      seenOf: (one: Found) => Seen,
    ): Promise<Taken> => {
      const added: StoredText[] = [];
      let same = 0;
      for (const one of found) {
        const text = known.place(describeText(source, one, authorKey), seenOf(one));
        if (text === undefined) same++;
        else added.push(text);
      }
      for (let from = 0; from < added.length; from += BATCH)
        await journal.append({ texts: added.slice(from, from + BATCH) });
      const count = (is: (text: StoredText) => boolean): number => added.filter(is).length;
      return {
        added,
        edits: count(({ edit }) => edit),
        repeats: count(({ repeats }) => repeats !== null),
        known: same,
      };
    };
    return {
      take: (source, found, nowMs) =>
        write(source, found, () => ({
          seenMs: Math.max(nowMs, known.lastSeenMs() + 1),
          assumedDelayMs: null,
        })),
      takePast: (source, found) =>
        write(source, found, ({ seenMs, assumedDelayMs }) => ({ seenMs, assumedDelayMs })),
      close: async () => {
        await journal.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type Seen = Pick<StoredText, 'seenMs' | 'assumedDelayMs'>;

/** A text with the time at which it was first seen. */
export type PastText = FoundText & Seen;

/** Calls `onText` with every text in the order in which they were taken in. No lock: a line being written is not read. */
export async function readTexts(dataDir: string, onText: (text: StoredText) => void): Promise<void> {
  const file = journalFile(dataDir);
  if ((await readFirstEntry(file)) === undefined) return;
  await readEntries(file, JOURNAL_START, ({ json }) => {
    for (const text of textsOf(json)) onText(text);
  });
}

function textsOf(json: string): readonly StoredText[] {
  const entry: unknown = JSON.parse(json);
  const batch = Batch.safeParse(entry);
  if (batch.success) return batch.data.texts;
  Header.parse(entry);
  return [];
}

async function openJournal(
  file: JournalFile,
  known: Index,
): Promise<{ readonly journal: Journal; readonly authorKey: string }> {
  const first = await readFirstEntry(file);
  if (first === undefined) {
    const authorKey = randomBytes(16).toString('hex');
    return { journal: await createJournal(file, [{ version: VERSION, authorKey }]), authorKey };
  }
  const { authorKey } = Header.parse(JSON.parse(first.json));
  const { journal } = await resumeJournal(file, JOURNAL_START, ({ json }) => {
    for (const text of textsOf(json)) known.add(text);
  });
  return { journal, authorKey };
}

type Described = Omit<StoredText, 'seenMs' | 'assumedDelayMs' | 'edit' | 'repeats'>;

function describeText(source: string, found: FoundText, authorKey: string): Described {
  const { title, body } = found;
  const url = found.url === undefined ? undefined : canonicalUrl(found.url);
  const linked = mentions(title, body);
  const named = found.assets.filter((asset) => !linked.some((one) => one.asset === asset));
  return {
    id: shortHash(url ?? `${source}\n${found.guid}`),
    source,
    publishedMs: found.publishedMs ?? null,
    url: url ?? null,
    title,
    body,
    author:
      found.author === undefined
        ? null
        : createHmac('sha256', authorKey).update(found.author).digest('hex').slice(0, 16),
    language: found.language ?? null,
    assets: [...linked, ...named.map((asset) => ({ asset, relevance: 1 / named.length }))],
    content: contentHash(title, body),
  };
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/** What scores are kept under: equal texts are scored once. */
const contentHash = (title: string, body: string): string => shortHash(`${title}\n${body}`);

interface Index {
  lastSeenMs(): number;
  add(text: StoredText): void;
  /** The text with its place among the others, counted as known from now on; `undefined` when it was. */
  place(text: Described, seen: Seen): StoredText | undefined;
}

/** Which texts are known: by id, and the headlines of the last days by their fingerprints. */
function createIndex(): Index {
  const byId = new Map<string, { source: string; content: string }>();
  const taken = new Set<number>();
  const bands = new Map<number, Headline[]>();
  let lastSeenMs = 0;

  const repeated = (text: Described, print: Fingerprint, seenMs: number): string | undefined => {
    for (const band of bandsOf(print)) {
      const near = bands
        .get(band)
        ?.find(
          (one) =>
            one.id !== text.id &&
            one.seenMs <= seenMs &&
            seenMs - one.seenMs <= REPEAT_MS &&
            nearlyEqual(one.print, print),
        );
      if (near !== undefined) return near.id;
    }
    return undefined;
  };
  const remember = (text: StoredText, print: Fingerprint | undefined): void => {
    byId.set(text.id, { source: text.source, content: text.content });
    taken.add(text.seenMs);
    if (text.assumedDelayMs === null) lastSeenMs = Math.max(lastSeenMs, text.seenMs);
    if (print === undefined || text.repeats !== null) return;
    for (const band of bandsOf(print)) {
      const held = bands.get(band)?.filter(({ seenMs }) => Math.abs(text.seenMs - seenMs) <= REPEAT_MS) ?? [];
      bands.set(band, [...held, { id: text.id, seenMs: text.seenMs, print }]);
    }
  };
  const printOf = ({ title }: { readonly title: string }): Fingerprint | undefined =>
    title.length < SHORTEST_REPEAT ? undefined : fingerprint(title);

  return {
    lastSeenMs: () => lastSeenMs,
    add: (text) => remember(text, printOf(text)),
    place: (text, seen) => {
      const before = byId.get(text.id);
      if (before !== undefined && (before.content === text.content || before.source !== text.source))
        return undefined;
      const print = printOf(text);
      const repeats =
        before === undefined && print !== undefined ? repeated(text, print, seen.seenMs) : undefined;
      let { seenMs } = seen;
      while (taken.has(seenMs)) seenMs++;
      const stored = { ...text, ...seen, seenMs, edit: before !== undefined, repeats: repeats ?? null };
      remember(stored, print);
      return stored;
    },
  };
}

interface Headline {
  readonly id: string;
  readonly seenMs: number;
  readonly print: Fingerprint;
}
