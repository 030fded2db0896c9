import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { formatTime } from '../../core/foundation/time.ts';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import { isSeriesName, seriesFault, seriesKind } from '../../core/market/series-kinds.ts';
import { sliceSeries, type TimedSeries } from '../../core/market/timed-series.ts';
import { withLock } from '../lock.ts';
import { commit, isUnfinished, recover } from './commit.ts';
import { sha256 } from './fingerprint.ts';
import { MANIFEST_FILE, readManifestAs } from './manifest.ts';
import { DamagedPart, readChecked } from './parts.ts';
import {
  describeSeries,
  seriesColumns,
  seriesFolder,
  type SeriesKey,
  SeriesManifest,
  type SeriesPart,
} from './series-manifest.ts';

export type { SeriesKey, SeriesManifest } from './series-manifest.ts';

/** Timed series on disk, with the same files, manifests and one-step changes as candles. */
export interface SeriesStore {
  /** Every series, sorted by name and subject. */
  list(): Promise<readonly SeriesManifest[]>;
  manifest(key: SeriesKey): Promise<SeriesManifest | undefined>;
  /** `UserError` when the series is absent or damaged. */
  read(key: SeriesKey): Promise<TimedSeries>;
  /**
   * Adds rows in one durable step. A row that is stored already stays as it was first known: a later revision was
   * not known then. `UserError` when a row claims to be known before what it describes was over.
   */
  merge(
    key: SeriesKey,
    series: TimedSeries,
    origin: { readonly source: string; readonly askedSinceMs?: number },
  ): Promise<SeriesChange>;
  /** What is wrong with a series' files and rows, a line each; empty when all is well. */
  verify(key: SeriesKey): Promise<readonly string[]>;
}

export interface SeriesChange {
  readonly manifest: SeriesManifest;
  readonly addedRows: number;
  /** Rows that the source now gives with other values than it did first. */
  readonly revisedRows: number;
  /** Columns that no row has a value of. */
  readonly lacking?: readonly string[];
}

export function openSeriesStore(dataDir: string): SeriesStore {
  const folder = (key: SeriesKey): string => seriesFolder(dataDir, key);
  const stored = (key: SeriesKey): Promise<SeriesManifest | undefined> =>
    readManifestAs(SeriesManifest, join(folder(key), MANIFEST_FILE));
  const locked = <T>(key: SeriesKey, work: () => Promise<T>): Promise<T> => {
    const lock = { waitMs: 30_000, purpose: `writing ${describeSeries(key)}` };
    return withLock(join(folder(key), '.lock'), lock, async () => {
      await recover(folder(key));
      return work();
    });
  };
  const manifest = async (key: SeriesKey): Promise<SeriesManifest | undefined> =>
    (await isUnfinished(folder(key))) ? locked(key, () => stored(key)) : stored(key);

  return {
    manifest,

    list: async () => {
      const manifests = await Promise.all((await listKeys(dataDir)).map(manifest));
      return manifests.filter((found) => found !== undefined);
    },

    read: async (key) => {
      for (;;) {
        const found = await manifest(key);
        if (found === undefined) throw absentSeries(key);
        try {
          const rows = await readRows(folder(key), key, found.parts);
          assertKnown(key, rows);
          return rows;
        } catch (error) {
          // Another process may have replaced a part between our looks at manifest and file.
          if ((await manifest(key))?.sha256 !== found.sha256) continue;
          if (!(error instanceof DamagedPart)) throw error;
          throw new UserError(error.message, {
            hint: `Move "${folder(key)}" away and get the series again: ${seriesKind(key.name).fetch}`,
            cause: error,
          });
        }
      }
    },

    merge: async (key, series, origin) => {
      assertKnown(key, series);
      return locked(key, async () => {
        const before = await stored(key);
        invariant(before !== undefined || series.time.length > 0, 'a series holds at least one row');
        const parts = new Map(before?.parts.map((part) => [part.file, part]));
        const files = new Map<string, Uint8Array>();
        let revisedRows = 0;
        for (const [file, added] of splitByPart(key, series)) {
          const old = parts.get(file);
          const merged =
            old === undefined
              ? { series: added, revisedRows: 0 }
              : mergeSeries(await readRows(folder(key), key, [old]), added);
          revisedRows += merged.revisedRows;
          if (merged.series.time.length === old?.rows) continue;
          const bytes = await encode(merged.series);
          files.set(file, bytes);
          parts.set(file, describePart(file, merged.series, bytes));
        }
        const after = describe(key, [...parts.values()], {
          source: joinSources(before?.source, origin.source),
          askedSinceMs: earlier(before?.askedSinceMs, origin.askedSinceMs),
        });
        assertKnownInOrder(key, after.parts);
        await commit(folder(key), after, files);
        return { manifest: after, addedRows: after.rows - (before?.rows ?? 0), revisedRows };
      });
    },

    verify: async (key) => {
      const found = await manifest(key);
      if (found === undefined) throw absentSeries(key);
      const faults: string[] = [];
      for (const part of found.parts) {
        try {
          const rows = await readRows(folder(key), key, [part]);
          if (seriesSha256(rows) !== part.contentSha256)
            faults.push(`The manifest disagrees with "${join(folder(key), part.file)}": content hash`);
          assertKnown(key, rows);
        } catch (error) {
          if (!(error instanceof DamagedPart) && !(error instanceof UserError)) throw error;
          faults.push(error.message);
        }
      }
      if (describe(key, found.parts, found).sha256 !== found.sha256)
        faults.push(`The manifest of ${describeSeries(key)} disagrees with itself: sha256`);
      return faults;
    },
  };
}

/** SHA-256 over the columns in order (time, known, then by name), each as little-endian doubles. */
export function seriesSha256({ time, known, columns }: TimedSeries): string {
  const hash = createHash('sha256');
  const names = Object.keys(columns).toSorted();
  for (const column of [time, known, ...names.map((name) => columns[name])]) {
    const values = column.map((value) => (Number.isNaN(value) ? NaN : value));
    hash.update(new Uint8Array(values.buffer));
  }
  return hash.digest('hex');
}

/** The series is not in the store: what to run. */
const absentSeries = (key: SeriesKey): UserError =>
  new UserError(`There is no series "${describeSeries(key)}" in the store.`, {
    hint: `Get it: ${seriesKind(key.name).fetch}`,
  });

/** Polars costs 80 ms to load: only those who read or write rows pay for it. */
const parquet = () => import('./parquet.ts');

const encode = async ({ time, known, columns }: TimedSeries): Promise<Uint8Array> =>
  (await parquet()).encodeColumns({ time, known, ...columns });

async function readRows(folder: string, key: SeriesKey, parts: readonly SeriesPart[]): Promise<TimedSeries> {
  const files: Uint8Array[] = [];
  for (const part of parts) files.push(readChecked(join(folder, part.file), part));
  const read = (await parquet()).decodeColumns(seriesColumns(key.name), files);
  const column = (name: string): Float64Array => read.get(name) ?? new Float64Array(0);
  const names = seriesKind(key.name).columns.map(({ name }) => name);
  return {
    time: column('time'),
    known: column('known'),
    columns: Object.fromEntries(names.map((name) => [name, column(name)])),
  };
}

/** Order of times, what values can be, and that no row claims to be known before what it describes was over. */
function assertKnown(key: SeriesKey, { time, known, columns }: TimedSeries): void {
  const kind = seriesKind(key.name);
  const { periodMs } = kind;
  const values = kind.columns.map(({ name }) => columns[name]);
  const bad = (row: number, why: string): UserError =>
    new UserError(`${describeSeries(key)}: the row of ${formatTime(time[row])} ${why}.`, {
      hint: 'Nothing was stored. Correct the source of these rows; a series that is stored already is moved away and got again.',
    });
  for (let row = 0; row < time.length; row++) {
    if (row > 0 && time[row] <= time[row - 1]) throw bad(row, 'does not come after the one before it');
    if (row > 0 && known[row] < known[row - 1]) throw bad(row, 'became known before the one before it');
    if (known[row] < time[row] + periodMs)
      throw bad(
        row,
        `says it was known at ${formatTime(known[row])}, before what it describes was over (${formatTime(time[row] + periodMs)})`,
      );
    const fault = seriesFault(
      kind,
      time[row],
      values.map((column) => column[row]),
    );
    if (fault !== undefined) throw bad(row, `cannot be: ${fault}`);
  }
}

function assertKnownInOrder(key: SeriesKey, parts: readonly SeriesPart[]): void {
  for (let i = 1; i < parts.length; i++) {
    if (parts[i].lastKnownMs >= parts[i - 1].lastKnownMs) continue;
    throw new UserError(
      `${describeSeries(key)}: rows of ${parts[i].file} became known before those of ${parts[i - 1].file}.`,
      {
        hint: 'Nothing was stored. Correct the source of these rows.',
      },
    );
  }
}

/** Both as one, each time once; of a row that both have, the stored one. */
function mergeSeries(
  old: TimedSeries,
  added: TimedSeries,
): { readonly series: TimedSeries; readonly revisedRows: number } {
  const names = Object.keys(old.columns);
  const from: { series: TimedSeries; row: number }[] = [];
  let revisedRows = 0;
  for (let i = 0, j = 0; i < old.time.length || j < added.time.length;) {
    const [left, right] = [old.time.at(i) ?? Infinity, added.time.at(j) ?? Infinity];
    if (left === right && names.some((name) => !Object.is(old.columns[name][i], added.columns[name][j])))
      revisedRows++;
    from.push(left <= right ? { series: old, row: i } : { series: added, row: j });
    if (left <= right) i++;
    if (right <= left) j++;
  }
  const gather = (pick: (series: TimedSeries) => Float64Array): Float64Array =>
    Float64Array.from(from, ({ series, row }) => pick(series)[row]);
  const series = {
    time: gather(({ time }) => time),
    known: gather(({ known }) => known),
    columns: Object.fromEntries(names.map((name) => [name, gather(({ columns }) => columns[name])])),
  };
  return { series, revisedRows };
}

const PART_LENGTH = { day: 10, month: 7, year: 4 } as const;

/** The rows of each file as views. */
function splitByPart(key: SeriesKey, series: TimedSeries): ReadonlyMap<string, TimedSeries> {
  const length = PART_LENGTH[seriesKind(key.name).part];
  const fileOf = (row: number): string => `${formatTime(series.time[row]).slice(0, length)}.parquet`;
  const parts = new Map<string, TimedSeries>();
  for (let from = 0; from < series.time.length;) {
    const file = fileOf(from);
    let to = from + 1;
    while (to < series.time.length && fileOf(to) === file) to++;
    parts.set(file, sliceSeries(series, from, to));
    from = to;
  }
  return parts;
}

function describePart(file: string, series: TimedSeries, bytes: Uint8Array): SeriesPart {
  const last = series.time.length - 1;
  return {
    file,
    rows: series.time.length,
    firstTimeMs: series.time[0],
    lastTimeMs: series.time[last],
    lastKnownMs: series.known[last],
    sha256: sha256(bytes),
    contentSha256: seriesSha256(series),
  };
}

function describe(
  { name, subject }: SeriesKey,
  unsorted: readonly SeriesPart[],
  { source, askedSinceMs }: { readonly source: string; readonly askedSinceMs?: number | undefined },
): SeriesManifest {
  const parts = unsorted.toSorted((a, b) => a.firstTimeMs - b.firstTimeMs);
  const last = parts[parts.length - 1];
  const lines = [`${name} ${subject}`, ...parts.map((part) => `${part.file} ${part.contentSha256}`)];
  return {
    version: 1,
    name,
    subject,
    source,
    rows: parts.reduce((total, part) => total + part.rows, 0),
    firstTimeMs: parts[0].firstTimeMs,
    lastTimeMs: last.lastTimeMs,
    lastKnownMs: last.lastKnownMs,
    ...(askedSinceMs !== undefined && { askedSinceMs }),
    parts,
    sha256: sha256(Buffer.from(lines.join('\n'))),
  };
}

const joinSources = (before: string | undefined, source: string): string =>
  before === undefined || before.split(' + ').includes(source) ? (before ?? source) : `${before} + ${source}`;

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);

/** Folders with a manifest below `series/<name>`; anything else is left alone. */
async function listKeys(dataDir: string): Promise<readonly SeriesKey[]> {
  const root = join(dataDir, 'series');
  const files = await readdir(root, { recursive: true }).catch(() => []);
  return files
    .map((file) => file.split(sep))
    .filter((path) => path.at(-1) === MANIFEST_FILE || path.at(-1) === NEXT_FILE)
    .flatMap(([name, ...rest]) =>
      isSeriesName(name) ? [{ name, subject: rest.slice(0, -1).join('/') }] : [],
    )
    .filter((key, i, all) => all.findIndex((one) => describeSeries(one) === describeSeries(key)) === i)
    .toSorted((a, b) => describeSeries(a).localeCompare(describeSeries(b)));
}

const NEXT_FILE = 'manifest.next.json';
