import { expect, it } from 'vitest';
import type { Candles } from '../../../src/core/market/candles.ts';
import { decodeParquet, encodeEach, encodeParquet } from '../../../src/data/store/parquet.ts';
import { encodeParts } from '../../../src/data/store/parts.ts';
import { syntheticCandles } from '../../../src/data/synthetic/generate.ts';

const sinceMs = Date.UTC(2024, 0, 1);
const minutes = (from: number, rows: number): Candles =>
  syntheticCandles({
    symbol: 'BTC/USDT',
    timeframe: '1m',
    sinceMs: sinceMs + from * 60_000,
    untilMs: sinceMs + (from + rows) * 60_000,
    seed: 1,
  });

it('writes months together as the files that each of them makes alone', async () => {
  // One month above what is encoded at once, so that there is a second frame.
  const months = [minutes(0, 1), minutes(1, 700), minutes(701, 66_000), minutes(66_701, 300)];
  const alone = months.map(encodeParquet);
  expect([...encodeEach(months)].map((bytes) => Buffer.from(bytes))).toEqual(
    alone.map((bytes) => Buffer.from(bytes)),
  );
  const files: Uint8Array[] = [];
  for await (const bytes of encodeParts(months)) files.push(bytes);
  expect(files.length).toBe(4);
  files.forEach((bytes, k) => {
    expect(Buffer.from(bytes).equals(alone[k])).toBe(true);
    expect(decodeParquet(bytes)).toEqual(months[k]);
  });
});
