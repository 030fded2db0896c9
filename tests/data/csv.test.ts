import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { UserError } from '../../src/core/foundation/errors.ts';
import { readTime } from '../../src/data/csv/columns.ts';
import { csvPathFor, importCsv } from '../../src/data/csv/import.ts';
import { readCandlesCsv } from '../../src/data/csv/read.ts';
import { openStore } from '../../src/data/store/store.ts';
import { temporaryFolder } from '../support/folder.ts';

const key = { exchange: 'csv', symbol: 'BTC/USDT', timeframe: '1h' } as const;
const T0 = Date.UTC(2024, 0, 1);
const HOUR = 3_600_000;

function file(text: string | Buffer, name = 'candles.csv'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}
const HEADER = 'timestamp,open,high,low,close,volume\n';
const row = (hour: number, rest = '10,12,9,11,5'): string => `${T0 + hour * HOUR},${rest}\n`;

const EXPECTED = {
  time: Float64Array.of(T0, T0 + HOUR),
  open: Float64Array.of(10, 11),
  high: Float64Array.of(12, 13),
  low: Float64Array.of(9, 10),
  close: Float64Array.of(11, 12),
  volume: Float64Array.of(5, 6),
};

test.each([
  ['epoch milliseconds', `${HEADER}1704067200000,10,12,9,11,5\n1704070800000,11,13,10,12,6\n`],
  ['no line feed at the end', `${HEADER}1704067200000,10,12,9,11,5\n1704070800000,11,13,10,12,6`],
  [
    'Windows line ends and a byte-order mark',
    `\uFEFF${HEADER.trim()}\r\n1704067200000,10,12,9,11,5\r\n1704070800000,11,13,10,12,6\r\n`,
  ],
  [
    'seconds, other column order, capitals',
    'Date,Close,Open,High,Low,Volume\n1704067200,11,10,12,9,5\n1704070800,12,11,13,10,6\n',
  ],
  [
    'ISO times without a zone',
    'datetime,open,high,low,close,vol\n2024-01-01 00:00:00,10,12,9,11,5\n2024-01-01 01:00:00,11,13,10,12,6\n',
  ],
  [
    'ISO times with an offset',
    'time,o,h,l,c,v\n2024-01-01T02:00:00+02:00,10,12,9,11,5\n2024-01-01T01:00:00Z,11,13,10,12,6\n',
  ],
  [
    'a Binance archive: no header, microseconds, 12 columns',
    '1704067200000000,10,12,9,11,5,1704070799999999,1,1,1,1,0\n1704070800000000,11,13,10,12,6,1704074399999999,1,1,1,1,0\n',
  ],
  [
    'an archive with an advertisement and two volumes',
    'https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume USDT,Volume BTC\n1704067200000,x,BTCUSDT,10,12,9,11,55,5\n1704070800000,x,BTCUSDT,11,13,10,12,66,6\n',
  ],
])('reads %s', async (_name, text) => {
  expect({ ...(await readCandlesCsv(file(text), key)) }).toEqual(EXPECTED);
  expect({ ...(await readCandlesCsv(file(gzipSync(text), 'candles.csv.gz'), key)) }).toEqual(EXPECTED);
});

test.each([
  [
    'a missing column',
    'timestamp,open,high,low,volume\n1704067200000,1,1,1,1\n',
    /has no column for close. Its first line is "timestamp,open,high,low,volume"/,
  ],
  [
    'a bar that comes twice',
    HEADER + row(0) + row(1) + row(1),
    /line 4: 2024-01-01T01:00:00.000Z comes twice, first in line 3/,
  ],
  [
    'bars out of order',
    HEADER + row(1) + row(0),
    /line 3: 2024-01-01T00:00:00.000Z comes after the later 2024-01-01T01:00:00.000Z of line 2/,
  ],
  [
    'a negative price',
    HEADER + row(0) + row(1, '10,12,-9,11,5'),
    /line 3: low is -9, expected a positive number/,
  ],
  ['a zero price', HEADER + row(0, '0,12,9,11,5'), /line 2: open is 0/],
  ['a high below the close', HEADER + row(0, '10,10.5,9,11,5'), /line 2: high 10.5 is below another price/],
  ['a negative volume', HEADER + row(0, '10,12,9,11,-1'), /line 2: volume is -1/],
  ['a field that is no number', HEADER + row(0, '10,12,n/a,11,5'), /line 2: low is "n\/a"/],
  ['an empty field', HEADER + row(0, '10,12,,11,5'), /line 2: low is ""/],
  ['a time that is none', `${HEADER}yesterday,10,12,9,11,5\n`, /line 2: time is "yesterday"/],
  [
    'bars of another length',
    `${HEADER}${T0 + 60_000},10,12,9,11,5\n`,
    /line 2: .* is not the open of a 1h bar; is --timeframe right/,
  ],
  ['a row that is too short', `${HEADER}${T0},10,12\n`, /line 2: it has 3 fields, too few/],
  ['nothing but a header', HEADER, /holds no candles/],
  ['an empty file', '', /holds no candles/],
])('refuses %s, with its line', async (_name, text, says) => {
  await expect(readCandlesCsv(file(text), key)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(says) as string,
  });
});

test('refuses a gzip file that is cut off', async () => {
  const packed = gzipSync(HEADER + Array.from({ length: 500 }, (_, i) => row(i)).join(''));
  const path = file(packed.subarray(0, packed.length - 20), 'candles.csv.gz');
  await expect(readCandlesCsv(path, key)).rejects.toMatchObject({ name: 'UserError' });
});

test('a bad line leaves the store as it was', async () => {
  const store = openStore(temporaryFolder());
  const before = (await importCsv(store, key, { path: file(HEADER + row(0)) })).manifest;
  await expect(importCsv(store, key, { path: file(HEADER + row(1) + row(1)) })).rejects.toThrow(
    /comes twice/,
  );
  expect(await store.manifest(key)).toEqual(before);
});

test('imports the range asked for, and the bars that a file lacks become checked gaps', async () => {
  const store = openStore(temporaryFolder());
  const path = file(HEADER + [0, 1, 2, 5, 6, 7].map((hour) => row(hour)).join(''));
  const { manifest, addedRows } = await importCsv(store, key, {
    path,
    sinceMs: T0 + HOUR,
    untilMs: T0 + 7 * HOUR,
  });
  expect(addedRows).toBe(4);
  expect(manifest).toMatchObject({ rows: 4, source: 'csv', synthetic: false, firstTimeMs: T0 + HOUR });
  expect(manifest.gaps).toEqual([{ fromMs: T0 + 3 * HOUR, toMs: T0 + 4 * HOUR, bars: 2, checked: true }]);
});

test('a folder gives each symbol its file, one file serves one symbol only', async () => {
  const one = { symbol: 'BTC/USDT', timeframe: '1h', alone: true } as const;
  const path = file(HEADER + row(0));
  expect(await csvPathFor(path, one)).toBe(path);
  await expect(csvPathFor(path, { ...one, alone: false })).rejects.toThrow(
    /is one file, but several symbols/,
  );
  await expect(csvPathFor(temporaryFolder(), one)).rejects.toThrow(/BTC-USDT\/1h.csv", with or without .gz/);
});

test.each([
  ['1704067200', T0],
  ['1704067200000', T0],
  ['1704067200000000', T0],
  ['1704067200000000000', T0],
  ['2024-01-01', T0],
  ['2024-01-01T00:00', T0],
  ['2024-01-01 00:00:00 UTC', T0],
  ['2024-01-01T05:30:00+0530', T0],
  ['01/02/2024', NaN],
])('the time "%s" is read as %d', (text, expected) => {
  expect(readTime(text)).toBe(expected);
});

const ZIP = Buffer.from('504b0304140000000800', 'hex');
const GOOD = HEADER + row(0) + row(1);

test.each([
  ['a zip archive', ZIP, 'a.csv', /is a zip archive/, /Unpack it first/],
  ['gzip without its ending', gzipSync(GOOD), 'a.csv', /is gzip/, /Name it .csv.gz/],
  ['a parquet file', Buffer.from('PAR1....'), 'a.csv', /is a parquet file/, /Give the .csv file/],
  ['no gzip in spite of its ending', Buffer.from(GOOD), 'a.csv.gz', /cannot be read/, /damaged or is no CSV/],
  [
    'a quote within a field of the header',
    Buffer.from('unix,open,high,low,close,Volume "BTC"\n1704067200,1,1,1,1,1\n'),
    'a.csv',
    /cannot be read, line 1: /,
    /damaged or is no CSV/,
  ],
  ['a line without an end', Buffer.alloc(3 * 2 ** 20, 'x'), 'a.csv', /cannot be read.*record/i, /no CSV/],
  ['a gzip bomb', gzipSync(Buffer.alloc(2 ** 28)), 'a.csv.gz', /cannot be read.*record/i, /no CSV/],
  [
    'semicolons',
    Buffer.from(GOOD.replaceAll(',', ';')),
    'a.csv',
    /has no column for/,
    /separated by ";": save it with commas/,
  ],
  ['tabs', Buffer.from(GOOD.replaceAll(',', '\t')), 'a.csv', /has no column for/, /separated by tabs/],
  [
    'five columns without a header',
    Buffer.from('1704067200,10,12,9,11\n'),
    'a.csv',
    /has no column for/,
    /begins with values: put a first line above them/,
  ],
])('says what a file is that is no CSV of candles: %s', async (_, content, name, message, hint) => {
  const failure = await readCandlesCsv(file(content, name), key).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure).toMatchObject({
    message: expect.stringMatching(message) as string,
    hint: expect.stringMatching(hint) as string,
  });
});

test('terminal sequences of a file stay out of its errors', async () => {
  const failure = readCandlesCsv(file(`${HEADER}${T0},\u001b]0;x\u0007\u202eno,12,9,11,5\n`), key);
  await expect(failure).rejects.toThrow('line 2: open is "no".');
});

test('reads gzip whatever the case of its ending, and ISO times without a header', async () => {
  const text = '2024-01-01 00:00:00,10,12,9,11,5\n2024-01-01T01:00:00Z,11,13,10,12,6\n';
  expect({ ...(await readCandlesCsv(file(gzipSync(text), 'BTC.CSV.GZ'), key)) }).toEqual(EXPECTED);
});
