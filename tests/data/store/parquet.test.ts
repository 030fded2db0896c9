import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Candles } from '../../../src/core/market/candles.ts';
import { candlesSha256 } from '../../../src/data/store/fingerprint.ts';
import { decodeParquet, encodeEach, encodeParquet } from '../../../src/data/store/parquet.ts';
import { encodeParts } from '../../../src/data/store/parts.ts';
import { syntheticCandles } from '../../../src/data/synthetic/generate.ts';
import { temporaryFolder } from '../../support/folder.ts';

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
  const scratch = join(temporaryFolder(), 'scratch');
  for (const path of [scratch, join(scratch, 'nowhere')])
    expect([...encodeEach(months, path)].map((bytes, k) => Buffer.compare(bytes, alone[k]))).toEqual(
      months.map(() => 0),
    );
  const files: Uint8Array[] = [];
  for await (const bytes of encodeParts(months, scratch)) files.push(bytes);
  expect(files.length).toBe(4);
  expect(existsSync(scratch)).toBe(false);
  files.forEach((bytes, k) => {
    expect(Buffer.from(bytes).equals(alone[k])).toBe(true);
    expect(candlesSha256(decodeParquet(bytes))).toBe(candlesSha256(months[k]));
  });
});
