import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '../../core/foundation/time.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import { knownMsOf, seriesFault, seriesKind, type SeriesName } from '../../core/market/series-kinds.ts';
import { knownAt, type TimedSeries } from '../../core/market/timed-series.ts';
import type { SeriesChange, SeriesKey, SeriesStore } from '../store/series-store.ts';
import { headerHint, plainHeader, readTime, TIME_HEADERS } from './columns.ts';
import { assertFile, CsvRecord, records } from './read.ts';

export interface SeriesImport extends SeriesChange {
  /** Rows of the file without any value. */
  readonly emptyRows: number;
  /** Rows of the file that describe a time not over yet, or not known yet: they are left out. */
  readonly unfinishedRows: number;
}

/** Adds a CSV file's rows to a series; rows that are stored already stay as they are. */
export async function importSeries(
  store: SeriesStore,
  key: SeriesKey,
  { path, nowMs }: { readonly path: string; readonly nowMs: number },
): Promise<SeriesImport> {
  const { series, emptyRows } = await readSeriesCsv(path, key.name);
  const known = knownAt(series, nowMs);
  if (known.time.length === 0) {
    throw new UserError(`"${path}" holds no row of ${key.name} that is known yet.`, {
      hint: 'Check the path.',
    });
  }
  const change = await store.merge(key, known, { source: 'csv' });
  return { ...change, emptyRows, unfinishedRows: series.time.length - known.time.length };
}

/**
 * A timed series from a CSV file, gzip or plain, with a header line: a time and the kind's columns, empty where a
 * row has no value. When a row became known is the kind's rule, or the file's own column "known". Nothing is
 * repaired: a missing column, a field that is no number, a row out of order is a `UserError` with its line.
 */
export async function readSeriesCsv(
  path: string,
  name: SeriesName,
): Promise<{ readonly series: TimedSeries; readonly emptyRows: number }> {
  await assertFile(path);
  const kind = seriesKind(name);
  const time: number[] = [];
  const known: number[] = [];
  const columns: number[][] = kind.columns.map(() => []);
  let layout: Layout | undefined;
  let emptyRows = 0;
  for await (const entry of records(path)) {
    const { record, info } = CsvRecord.parse(entry);
    if (layout === undefined) {
      layout = findLayout(record, name, path);
      continue;
    }
    const bad = (why: string): UserError =>
      new UserError(`"${path}", line ${info.lines}: ${why}.`, {
        hint: 'Nothing was imported. Correct the file and run the command again.',
      });
    const timeField = record[layout.time] ?? '';
    const timeMs = readTime(timeField);
    if (Number.isNaN(timeMs)) throw bad(`the time is "${plainLine(timeField, 60)}"`);
    const previousMs = time.at(-1);
    if (previousMs !== undefined && timeMs <= previousMs)
      throw bad(
        `${formatTime(timeMs)} does not come after ${formatTime(previousMs)}; sort the file by time, each time once`,
      );
    const values = layout.columns.map((position, i) => {
      const field = record[position] ?? '';
      const value = field === '' ? NaN : Number(field);
      if (field !== '' && !Number.isFinite(value))
        throw bad(`${kind.columns[i].name} is "${plainLine(field, 60)}"`);
      return value;
    });
    if (values.every(Number.isNaN)) {
      emptyRows++;
      continue;
    }
    const fault = seriesFault(kind, timeMs, values);
    if (fault !== undefined) throw bad(`${formatTime(timeMs)}: ${fault}`);
    const knownField = layout.known < 0 ? undefined : record[layout.known];
    const knownMs = knownField === undefined ? knownMsOf(kind, timeMs) : readTime(knownField);
    if (Number.isNaN(knownMs)) throw bad(`known is "${plainLine(knownField ?? '', 60)}"`);
    time.push(timeMs);
    known.push(knownMs);
    values.forEach((value, i) => columns[i].push(value));
  }
  const series = {
    time: Float64Array.from(time),
    known: Float64Array.from(known),
    columns: Object.fromEntries(
      kind.columns.map((column, i) => [column.name, Float64Array.from(columns[i])]),
    ),
  };
  return { series, emptyRows };
}

interface Layout {
  readonly time: number;
  /** -1 where the file does not say. */
  readonly known: number;
  readonly columns: readonly number[];
}

function findLayout(first: readonly string[], name: SeriesName, path: string): Layout {
  const header = first.map(plainHeader);
  const position = (names: readonly string[]): number =>
    names.map((one) => header.indexOf(one)).find((found) => found >= 0) ?? -1;
  const { columns } = seriesKind(name);
  const layout = {
    time: position(TIME_HEADERS),
    known: position(['known', 'knownat', 'availableat']),
    columns: columns.map(({ headers }) => position(headers)),
  };
  const missing = [
    ...(layout.time < 0 ? ['time'] : []),
    ...columns.filter((_, i) => layout.columns[i] < 0).map((column) => column.name),
  ];
  if (missing.length === 0) return layout;
  throw new UserError(
    `"${path}" has no column for ${missing.join(', ')} of ${name}. Its first line is "${plainLine(first.join(','), 120)}".`,
    { hint: headerHint(first, `timestamp,${columns.map((column) => column.name).join(',')}`) },
  );
}

/**
 * The file of a series: `path` itself, or in a folder the one that is named after what the series belongs to
 * (`BTC-USDT.csv`, `BTC_….csv`) or after the series (`SPX_….csv`), with or without `.gz`.
 */
export async function seriesPathFor(path: string, { name, subject }: SeriesKey): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return path;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
  const begins = subject === '' ? seriesKind(name).files : [plain(subject.split('/').at(-1) ?? '')];
  const names = (await readdir(path)).filter((file) => /\.csv(\.gz)?$/.test(file));
  const found = names.filter((file) => begins.some((begin) => plain(file).startsWith(begin)));
  if (found.length === 1) return join(path, found[0]);
  throw new UserError(
    found.length === 0
      ? `No file in "${path}" is that of ${name} ${subject}: none is named "${begins.join('" or "')}….csv".`
      : `"${path}" has several files for ${name} ${subject}: ${found.join(', ')}.`,
    { hint: 'Name the file itself with --csv.' },
  );
}
