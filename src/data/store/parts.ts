import { join } from 'node:path';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { UserError } from '../../core/foundation/errors.ts';
import { type Candles, concatCandles } from '../../core/market/candles.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { firstFault } from '../candle-faults.ts';
import { readBytes } from '../text-file.ts';
import { candlesSha256, sha256 } from './fingerprint.ts';
import { type DatasetKey, type DatasetPart, describeKey } from './manifest.ts';

/** A month's file that does not hold what the manifest says; `problem` is one line. */
export class DamagedPart extends Error {
  override readonly name = 'DamagedPart';
}

/** A month of minutes takes a megabyte. */
const LARGEST_PART_BYTES = 64 * 2 ** 20;

/** Polars costs 80 ms to load: only those who read or write candles pay for it. */
const parquet = () => import('./parquet.ts');

export const encodePart = async (candles: Candles): Promise<Uint8Array> =>
  (await parquet()).encodeParquet(candles);

/** Rows encoded together: enough to save time, few enough to bound the copy that is made of them. */
const ROWS_AT_ONCE = 65_536;

/** A file for each of several months. `scratch` is the path of a file that is made and removed again. */
export async function* encodeParts(months: readonly Candles[], scratch: string): AsyncGenerator<Uint8Array> {
  const { encodeEach } = await parquet();
  for (let from = 0, to = 0; from < months.length; from = to) {
    let rows = 0;
    while (to < months.length && (to === from || rows + months[to].time.length <= ROWS_AT_ONCE))
      rows += months[to++].time.length;
    for (const bytes of encodeEach(months.slice(from, to), scratch)) {
      yield bytes;
      await yieldToEventLoop();
    }
  }
}

/** The candles of one month, its bytes checked before they are parsed. `UserError` when damaged. */
export async function readPart(folder: string, key: DatasetKey, part: DatasetPart): Promise<Candles> {
  try {
    return await decodeChecked(join(folder, part.file), part);
  } catch (error) {
    if (!(error instanceof DamagedPart)) throw error;
    throw new UserError(error.message, {
      hint: `Run "crypto-trader fetch --exchange ${key.exchange} --symbols ${key.symbol} --timeframe ${key.timeframe} --repair": it sets the file aside and asks for its month again.`,
      cause: error,
    });
  }
}

/** The candles of several months, oldest first, each file checked. `UserError` when one is damaged. */
export async function readParts(
  folder: string,
  key: DatasetKey,
  parts: readonly DatasetPart[],
): Promise<Candles> {
  const read: Candles[] = [];
  for (const part of parts) {
    read.push(await readPart(folder, key, part));
    await yieldToEventLoop();
  }
  return concatCandles(read);
}

/** What is wrong with a month's file or its candles, or `undefined`. */
export async function partFault(
  folder: string,
  part: DatasetPart,
  timeframe: Timeframe,
): Promise<string | undefined> {
  try {
    const path = join(folder, part.file);
    const candles = await decodeChecked(path, part);
    if (candlesSha256(candles) !== part.contentSha256) {
      return `The manifest disagrees with "${path}": content hash`;
    }
    const fault = firstFault(candles, timeframe);
    return fault === undefined ? undefined : `"${path}": ${fault.message}`;
  } catch (error) {
    if (error instanceof DamagedPart) return error.message;
    throw error;
  }
}

/** The bytes of a file, when they are those that the manifest knows. Throws `DamagedPart`. */
export function readChecked(path: string, part: { readonly sha256: string }): Uint8Array {
  const bytes = readBytes({ path, largestBytes: LARGEST_PART_BYTES });
  if (bytes === undefined) throw new DamagedPart(`"${path}" is missing.`);
  const found = sha256(bytes);
  if (found !== part.sha256) {
    throw new DamagedPart(
      `"${path}" is damaged: its SHA-256 is ${found.slice(0, 12)}…, the manifest says ${part.sha256.slice(0, 12)}….`,
    );
  }
  return bytes;
}

async function decodeChecked(path: string, part: DatasetPart): Promise<Candles> {
  const candles = (await parquet()).decodeParquet(readChecked(path, part));
  const { time } = candles;
  const said = [part.rows, part.firstTimeMs, part.lastTimeMs].join(' ');
  const held = [time.length, time[0], time[time.length - 1]].join(' ');
  if (said !== held) {
    throw new DamagedPart(
      `The manifest disagrees with "${path}": it says "${said}" (rows, first and last time), the file holds "${held}".`,
    );
  }
  return candles;
}

/** The dataset is not in the store: what is there instead of it, and what to run. */
export function absentDataset(key: DatasetKey, stored: readonly DatasetKey[]): UserError {
  const { exchange, symbol, timeframe } = key;
  const others = stored.filter((one) => one.exchange === exchange && one.timeframe === timeframe);
  const there = `Stored of ${exchange} ${timeframe}: ${others.map((one) => one.symbol).join(', ')}. `;
  return new UserError(`There are no candles of ${describeKey(key)} in the store.`, {
    hint: `${others.length > 0 ? there : ''}Fetch them: crypto-trader fetch --exchange ${exchange} --symbols ${symbol} --timeframe ${timeframe}`,
  });
}
