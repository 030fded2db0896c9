import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { formatTime } from '../../core/foundation/time.ts';
import { UserError } from '../../core/foundation/errors.ts';
import {
  CANDLE_COLUMNS,
  candleFault,
  type Candles,
  emptyCandles,
  sliceCandles,
} from '../../core/market/candles.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../core/market/timeframe.ts';
import { errorCode, explainReadError } from '../file-errors.ts';
import { findLayout, type Layout, readTime } from './columns.ts';

/**
 * Candles from a CSV file, gzip or plain. Nothing is repaired: a missing column, a field that is no number,
 * an impossible price, a bar that comes twice or out of order is a `UserError` with its line.
 */
export async function readCandlesCsv(
  path: string,
  { symbol, timeframe }: { readonly symbol: PairSymbol; readonly timeframe: Timeframe },
): Promise<Candles> {
  await assertFile(path);
  const [base] = symbol.split('/');
  const bad = (line: number, why: string): UserError =>
    new UserError(`"${path}", line ${line}: ${why}`, {
      hint: 'Nothing was imported. Correct the file and run the command again.',
    });

  let candles = emptyCandles(1024);
  let rows = 0;
  let previousLine = 0;
  let layout: Layout | undefined;
  for await (const entry of records(path)) {
    const { record, info } = CsvRecord.parse(entry);
    if (layout === undefined) {
      if (record.length === 1 && /^https?:/.test(record[0])) continue; // some archives begin with an advertisement
      layout = findLayout(record, { path, base });
      if (layout.hasHeader) continue;
    }
    if (rows === candles.time.length) candles = grown(candles);
    if (record.length <= Math.max(...layout.positions)) {
      throw bad(info.lines, `it has ${record.length} fields, too few for the columns of the first line.`);
    }
    for (const [i, column] of CANDLE_COLUMNS.entries()) {
      const field = record[layout.positions[i]];
      const value = column === 'time' ? readTime(field) : field.trim() === '' ? NaN : Number(field);
      if (Number.isNaN(value)) throw bad(info.lines, `${column} is "${plainLine(field, 60)}".`);
      candles[column][rows] = value;
    }
    const fault = orderFault(candles, rows, { timeframe, previousLine }) ?? candleFault(candles, rows);
    if (fault !== undefined) throw bad(info.lines, `${fault}.`);
    previousLine = info.lines;
    rows++;
  }
  if (rows === 0) throw new UserError(`"${path}" holds no candles.`, { hint: 'Check the path.' });
  return sliceCandles(candles, 0, rows);
}

function orderFault(
  { time }: Candles,
  row: number,
  { timeframe, previousLine }: { readonly timeframe: Timeframe; readonly previousLine: number },
): string | undefined {
  const iso = formatTime(time[row]);
  if (time[row] % TIMEFRAME_MS[timeframe] !== 0) {
    return `${iso} is not the open of a ${timeframe} bar; is --timeframe right`;
  }
  if (row === 0 || time[row] > time[row - 1]) return undefined;
  if (time[row] === time[row - 1]) return `${iso} comes twice, first in line ${previousLine}`;
  return `${iso} comes after the later ${formatTime(time[row - 1])} of line ${previousLine}; sort the file by time`;
}

/** A CSV record and the line it ends on. */
export const CsvRecord = z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) });

/** A bar is a hundred bytes; a file without line ends, or a gzip bomb, is one record without an end. */
const LARGEST_RECORD_BYTES = 2 ** 20;

/** The file's records with their lines; a broken gzip stream or broken quoting is a `UserError`. */
export async function* records(path: string): AsyncGenerator<unknown> {
  const parser = parse({
    info: true,
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: LARGEST_RECORD_BYTES,
  });
  const file = createReadStream(path);
  // Errors of any stage reach the parser, whose reader throws them.
  if (isNamedGzip(path)) pipeline(file, createGunzip(), parser, () => undefined);
  else pipeline(file, parser, () => undefined);
  try {
    for await (const entry of parser) yield entry;
  } catch (error) {
    // Not by its code: that of a quote within a field begins otherwise than all others of the library.
    const damaged = error instanceof CsvError || errorCode(error)?.startsWith('Z_') === true;
    if (!damaged) throw explainReadError(error, path);
    const line: unknown = error instanceof CsvError ? error['lines'] : undefined;
    throw new UserError(
      `"${path}" cannot be read${typeof line === 'number' ? `, line ${line}` : ''}: ${plainLine(error instanceof Error ? error.message : String(error), 200)}.`,
      {
        hint: 'The file is damaged or is no CSV. Nothing was imported.',
        cause: error,
      },
    );
  }
}

const isNamedGzip = (path: string): boolean => path.toLowerCase().endsWith('.gz');

/** First bytes of what is taken for a CSV file; a spreadsheet is a zip archive too. */
const NO_CSV: readonly (readonly [firstBytes: string, what: string, hint: string])[] = [
  ['504b0304', 'a zip archive', 'Unpack it first, and give the .csv file in it.'],
  ['504b0506', 'an empty zip archive', 'Get it again.'],
  ['50415231', 'a parquet file', 'Give the .csv file that it was made from.'],
  ['425a68', 'a bzip2 archive', 'Unpack it first (bunzip2).'],
  ['fd377a58', 'an xz archive', 'Unpack it first (unxz).'],
  ['28b52ffd', 'a zstd archive', 'Unpack it first (unzstd).'],
];

/** Throws `UserError` for what is no file or is, by its first bytes, a file of another kind. */
export async function assertFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserError(`Cannot open "${path}" (${errorCode(error)}).`, {
      hint: 'Check the path.',
      cause: error,
    });
  });
  if (!found.isFile())
    throw new UserError(`"${path}" is not a file.`, { hint: 'Give the path of a .csv or .csv.gz file.' });
  const first = await firstBytes(path);
  const other = NO_CSV.find(([bytes]) => first.startsWith(bytes));
  if (other !== undefined)
    throw new UserError(`"${path}" is ${other[1]}, not a CSV file.`, { hint: other[2] });
  if (first.startsWith('1f8b') && !isNamedGzip(path))
    throw new UserError(`"${path}" is gzip.`, {
      hint: 'Name it .csv.gz, and it is unpacked while it is read.',
    });
}

async function firstBytes(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
      return buffer.toString('hex', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explainReadError(error, path);
  }
}

function grown(candles: Candles): Candles {
  const larger = emptyCandles(candles.time.length * 2);
  for (const column of CANDLE_COLUMNS) larger[column].set(candles[column]);
  return larger;
}
