import { gunzipSync } from 'node:zlib';
import { UserError } from '../core/foundation/errors.ts';
import { plainLine } from '../core/foundation/plain-text.ts';
import { headerHint, plainHeader, readTime, TIME_HEADERS } from './csv/columns.ts';
import { assertFile, CsvRecord, records } from './csv/read.ts';
import { readBytes } from './text-file.ts';
import type { PastText, Taken } from './text/store.ts';
import { openTextStore } from './text/store.ts';
import { foundText } from './text/source.ts';

/** Names of fields in files of texts, lower case without spaces and underscores; the first match is taken. */
const FIELDS = {
  time: ['published', 'publishedat', ...TIME_HEADERS, 'createdat', 'pubdate'],
  seen: ['seen', 'firstseen', 'seenat', 'known', 'knownat'],
  title: ['title', 'headline', 'text', 'tweet', 'sentence'],
  body: ['body', 'description', 'summary', 'content'],
  url: ['url', 'link'],
  guid: ['id', 'guid'],
  author: ['author', 'user', 'username'],
  language: ['language', 'lang'],
} as const;
type Field = keyof typeof FIELDS;
type Row = { readonly [Name in Field]?: string };

const LARGEST_BYTES = 1024 * 2 ** 20;

export interface TextImport extends Taken {
  readonly rejected: readonly string[];
}

/**
 * Takes in a file of texts: CSV or JSON lines, gzip or plain. When a text was first seen is its own field "seen"; else
 * `assumedDelayMs` after it was published, marked as an assumption; else now. All of the file or, where a row cannot be
 * understood, nothing of it (`UserError` with the line).
 */
export async function importTexts(
  dataDir: string,
  path: string,
  options: {
    readonly source: string;
    /** Tickers that every text of the file is about, beside those that it names. */
    readonly assets: readonly string[];
    readonly assumedDelayMs: number | undefined;
    readonly nowMs: number;
  },
): Promise<TextImport> {
  const { source, assets, assumedDelayMs, nowMs } = options;
  const texts: PastText[] = [];
  const rejected: string[] = [];
  let nextMs = nowMs;
  const rows = /\.(jsonl|ndjson)(\.gz)?$/i.test(path) ? jsonRows(path) : csvRows(path);
  for await (const { row, line } of rows) {
    const bad = (why: string): UserError =>
      new UserError(`"${path}", line ${line}: ${why}.`, {
        hint: 'Nothing was imported. Correct the file and run the command again.',
      });
    const published = row.time === undefined || row.time === '' ? undefined : readTime(row.time);
    if (published !== undefined && Number.isNaN(published))
      throw bad(`the time is "${plainLine(row.time ?? '', 60)}"`);
    const found = foundText(
      {
        guid: row.guid ?? row.url ?? `${row.time ?? ''} ${row.title ?? ''}`,
        url: row.url,
        title: row.title ?? '',
        body: row.body,
        author: row.author,
        language: row.language,
        assets,
      },
      { nowMs, published },
    );
    if (typeof found === 'string') {
      rejected.push(`line ${line}: ${found}`);
      continue;
    }
    const claimed = row.seen === undefined || row.seen === '' ? undefined : readTime(row.seen);
    if (claimed !== undefined && !(claimed <= nowMs && claimed >= (found.publishedMs ?? 0)))
      throw bad(
        `first seen is "${plainLine(row.seen ?? '', 60)}", expected a time after it was published and not in the future`,
      );
    if (claimed === undefined && assumedDelayMs !== undefined && found.publishedMs === undefined)
      throw bad('it has no time of publication to count the delay from');
    const assumed = assumedDelayMs === undefined ? undefined : (found.publishedMs ?? 0) + assumedDelayMs;
    texts.push({
      ...found,
      seenMs: claimed ?? Math.min(assumed ?? nextMs++, nowMs),
      assumedDelayMs: claimed === undefined && assumed !== undefined ? (assumedDelayMs ?? null) : null,
    });
  }
  if (texts.length === 0) throw new UserError(`"${path}" holds no texts.`, { hint: 'Check the path.' });
  const store = await openTextStore(dataDir);
  try {
    const byTime = texts.toSorted((a, b) => a.seenMs - b.seenMs);
    return { ...(await store.takePast(source, byTime)), rejected };
  } finally {
    await store.close();
  }
}

interface Located {
  readonly row: Row;
  readonly line: number;
}

async function* csvRows(path: string): AsyncGenerator<Located> {
  await assertFile(path);
  let layout: ReadonlyMap<Field, number> | undefined;
  for await (const entry of records(path)) {
    const { record, info } = CsvRecord.parse(entry);
    if (layout === undefined) {
      layout = layoutOf(record, path);
      continue;
    }
    const row = Object.fromEntries([...layout].map(([field, at]) => [field, record[at] ?? '']));
    yield { row, line: info.lines };
  }
}

function layoutOf(first: readonly string[], path: string): ReadonlyMap<Field, number> {
  const header = first.map(plainHeader);
  const layout = new Map<Field, number>();
  for (const field of FIELD_NAMES) {
    const at = FIELDS[field].map((name) => header.indexOf(name)).find((found) => found >= 0);
    if (at !== undefined) layout.set(field, at);
  }
  if (layout.has('title')) return layout;
  throw new UserError(
    `"${path}" has no column for the text. Its first line is "${plainLine(first.join(','), 120)}".`,
    { hint: headerHint(first, 'published,title,body,url,author') },
  );
}

const FIELD_NAMES = Object.keys(FIELDS).filter((name): name is Field => Object.hasOwn(FIELDS, name));

async function* jsonRows(path: string): AsyncGenerator<Located> {
  const bytes = readBytes({ path, largestBytes: LARGEST_BYTES });
  if (bytes === undefined) throw new UserError(`Cannot open "${path}".`, { hint: 'Check the path.' });
  const text =
    bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: LARGEST_BYTES }) : bytes;
  for (const [at, json] of text.toString('utf8').split('\n').entries()) {
    if (json.trim() === '') continue;
    yield { row: rowOf(json, path, at + 1), line: at + 1 };
  }
}

function rowOf(json: string, path: string, line: number): Row {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null)
    throw new UserError(`"${path}", line ${line}: it is no JSON object.`, {
      hint: 'Nothing was imported. Correct the file and run the command again.',
    });
  const given = new Map(
    Object.entries(value).map(([name, one]): [string, unknown] => [plainHeader(name), one]),
  );
  return Object.fromEntries(
    FIELD_NAMES.flatMap((field) => {
      const one = FIELDS[field].map((name) => given.get(name)).find((found) => found !== undefined);
      return typeof one === 'string' || typeof one === 'number' ? [[field, String(one)]] : [];
    }),
  );
}
