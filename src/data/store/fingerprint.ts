import { createHash } from 'node:crypto';
import { type Candles, CANDLE_COLUMNS } from '../../core/market/candles.ts';
import { symbolFolder } from '../../core/market/symbol.ts';
import type { DatasetKey, DatasetPart } from './manifest.ts';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 over the columns in order (time, open, high, low, close, volume), each as little-endian doubles. */
export function candlesSha256(candles: Candles): string {
  const hash = createHash('sha256');
  for (const column of CANDLE_COLUMNS) {
    const values = candles[column];
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest('hex');
}

/** The fingerprint of a dataset: SHA-256 of its key and of each month's content hash, oldest first. */
export function datasetSha256(key: DatasetKey, parts: readonly DatasetPart[]): string {
  const lines = [`${key.exchange} ${symbolFolder(key.symbol)} ${key.timeframe}`];
  for (const part of parts) lines.push(`${part.file} ${part.contentSha256}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
