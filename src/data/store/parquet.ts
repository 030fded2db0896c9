import pl from 'nodejs-polars';
import { invariant } from '../../core/foundation/errors.ts';
import { type Candles, CANDLE_COLUMNS, concatCandles } from '../../core/market/candles.ts';

type Columns<Name extends string> = Readonly<Record<Name, Float64Array>>;

/** Columns that are timestamps in a file (ms, UTC by convention); all others are doubles. */
const TIMES: readonly string[] = ['time', 'known'];

/** Columns of equal length as a zstd parquet file. */
export const encodeColumns = (columns: Columns<string>): Uint8Array => write(frameOf(columns));

const frameOf = (columns: Columns<string>): pl.DataFrame =>
  pl.DataFrame(
    Object.entries(columns).map(([name, values]) =>
      TIMES.includes(name)
        ? pl.Series(name, values, pl.Float64).cast(pl.Int64).cast(pl.Datetime('ms'))
        : pl.Series(name, values, pl.Float64),
    ),
  );

const write = (frame: pl.DataFrame): Uint8Array => frame.writeParquet({ compression: 'zstd' });

/**
 * The named columns of files that `encodeColumns` made, file after file. Throws when one is anything else. They
 * become one frame first: every column taken out of polars costs half a millisecond, however short it is.
 */
export function decodeColumns<const Name extends string>(
  names: readonly Name[],
  files: readonly Uint8Array[],
): ReadonlyMap<Name, Float64Array> {
  const frame = pl.concat(
    files.map((file) => pl.readParquet(Buffer.from(file.buffer, file.byteOffset, file.byteLength))),
  );
  return new Map(
    names.map((name) => {
      const series = frame.getColumn(name);
      const values: unknown = (
        TIMES.includes(name) ? series.cast(pl.Int64).cast(pl.Float64) : series
      ).toTypedArray();
      if (!(values instanceof Float64Array)) throw new TypeError(`column "${name}" does not hold doubles`);
      return [name, Float64Array.from(values)];
    }),
  );
}

const columnsOf = (candles: Candles): Columns<string> =>
  Object.fromEntries(CANDLE_COLUMNS.map((column) => [column, candles[column]]));

export const encodeParquet = (candles: Candles): Uint8Array => encodeColumns(columnsOf(candles));

/**
 * A file for each, cut out of one frame: to hand a column over to polars costs half a millisecond and a hundred closures,
 * however short it is.
 */
export function* encodeEach(parts: readonly Candles[]): Generator<Uint8Array> {
  const frame = frameOf(columnsOf(concatCandles(parts)));
  let from = 0;
  for (const { time } of parts) {
    yield write(frame.slice(from, time.length));
    from += time.length;
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
