import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import native from 'nodejs-polars/bin/native-polars.js';
import { z } from 'zod';
import { invariant } from '../../core/foundation/errors.ts';
import { type Candles, CANDLE_COLUMNS, concatCandles } from '../../core/market/candles.ts';

type Columns<Name extends string> = Readonly<Record<Name, Float64Array>>;

/**
 * What is used of polars, past its objects for JavaScript: to make one of those costs a millisecond and a hundred
 * closures, more than to encode a month.
 */
interface Series {
  cast(type: DataType, strict: boolean): Series;
  nullCount(): number;
  toTypedArray(): unknown;
}
interface Frame {
  readonly height: number;
  column(name: string): Series;
  slice(offset: number, length: number): Frame;
  writeParquet(to: string | { write(chunk: Uint8Array): boolean }, compression: 'zstd'): void;
}
interface DataType {
  readonly variant: string;
  readonly timeUnit?: 'ms';
  readonly timeZone?: null;
}
const isFunction = (value: unknown): boolean => typeof value === 'function';
const polars = z
  .object({
    JsSeries: z.custom<{ newFloat64Array(name: string, values: Float64Array): Series }>(isFunction),
    JsDataFrame: z.custom<new (columns: readonly Series[]) => Frame>(isFunction),
    readParquet: z.custom<(file: Buffer, options: object, parallel: 'auto') => Frame>(isFunction),
  })
  .parse(native);

const DOUBLE: DataType = { variant: 'Float64' };
const INTEGER: DataType = { variant: 'Int64' };
const TIME: DataType = { variant: 'Datetime', timeUnit: 'ms', timeZone: null };

/** Columns that are timestamps in a file (ms, UTC by convention); all others are doubles. */
const TIMES: readonly string[] = ['time', 'known'];

/** Columns of equal length as a zstd parquet file. */
export const encodeColumns = (columns: Columns<string>): Uint8Array => write(frameOf(columns));

const frameOf = (columns: Columns<string>): Frame =>
  new polars.JsDataFrame(
    Object.entries(columns).map(([name, values]) => {
      const series = polars.JsSeries.newFloat64Array(name, values);
      return TIMES.includes(name) ? series.cast(INTEGER, false).cast(TIME, false) : series;
    }),
  );

function write(frame: Frame, scratch?: string): Uint8Array {
  if (scratch !== undefined) {
    try {
      frame.writeParquet(scratch, 'zstd');
      return readFileSync(scratch);
    } catch {
      // A disk that is full says so where the file belongs.
    }
  }
  const pieces: Uint8Array[] = [];
  frame.writeParquet({ write: (piece) => pieces.push(piece) > 0 }, 'zstd');
  return Buffer.concat(pieces);
}

/** Makes an empty file of our own, never through a link: of a path that cannot be opened, polars makes a panic. */
function isWritable(path: string): boolean {
  try {
    rmSync(path, { force: true });
    writeFileSync(path, '', { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

/** The named columns of files that `encodeColumns` made, file after file. Throws when one is anything else. */
export function decodeColumns<const Name extends string>(
  names: readonly Name[],
  files: readonly Uint8Array[],
): ReadonlyMap<Name, Float64Array> {
  const frames = files.map((file) =>
    polars.readParquet(Buffer.from(file.buffer, file.byteOffset, file.byteLength), {}, 'auto'),
  );
  const rows = frames.reduce((sum, { height }) => sum + height, 0);
  return new Map(
    names.map((name) => {
      const values = new Float64Array(rows);
      let from = 0;
      for (const frame of frames) {
        values.set(doublesOf(frame, name), from);
        from += frame.height;
      }
      return [name, values];
    }),
  );
}

/** As polars holds them. */
function doublesOf(frame: Frame, name: string): Float64Array {
  const series = frame.column(name);
  if (series.nullCount() > 0) throw new TypeError(`column "${name}" has rows without a value`);
  const values = (
    TIMES.includes(name) ? series.cast(INTEGER, false).cast(DOUBLE, false) : series
  ).toTypedArray();
  if (!(values instanceof Float64Array)) throw new TypeError(`column "${name}" does not hold doubles`);
  return values;
}

const columnsOf = (candles: Candles): Columns<string> =>
  Object.fromEntries(CANDLE_COLUMNS.map((column) => [column, candles[column]]));

export const encodeParquet = (candles: Candles): Uint8Array => encodeColumns(columnsOf(candles));

/**
 * A file for each, cut out of one frame, by way of a file at `scratch`, which is removed in the end: a month is nine
 * hundred writes, most of one byte, and each that polars hands to JavaScript costs six microseconds. Where no file can be
 * written, without.
 */
export function* encodeEach(parts: readonly Candles[], scratch: string): Generator<Uint8Array> {
  const frame = frameOf(columnsOf(concatCandles(parts)));
  const by = isWritable(scratch) ? scratch : undefined;
  let from = 0;
  try {
    for (const { time } of parts) {
      yield write(frame.slice(from, time.length), by);
      from += time.length;
    }
  } finally {
    if (by !== undefined) rmSync(by, { force: true });
  }
}

export function decodeParquet(...files: readonly Uint8Array[]): Candles {
  const columns = decodeColumns(CANDLE_COLUMNS, files);
  const [time, open, high, low, close, volume] = CANDLE_COLUMNS.map((column) => {
    const values = columns.get(column);
    invariant(values !== undefined, 'every column asked for is there');
    return values;
  });
  return { time, open, high, low, close, volume };
}
