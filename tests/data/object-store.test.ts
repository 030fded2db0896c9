import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openObjectStore } from '../../src/data/object-store.ts';
import { startS3 } from '../support/s3.ts';

const BYTES = Buffer.from('candles');
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

describe('a store of objects', () => {
  let s3: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    s3 = await startS3();
  });
  beforeEach(() => {
    for (const [name, value] of Object.entries(s3.environment)) vi.stubEnv(name, value);
    return () => vi.unstubAllEnvs();
  });
  afterAll(() => s3.stop());

  it('keeps files by their hash below its folder, by signed requests', async () => {
    const store = await openObjectStore('s3://research/parts/v1');
    expect([await store.has(SHA256), await store.get(SHA256)]).toEqual([false, undefined]);
    await store.put(SHA256, BYTES);
    expect(s3.objects.get(`/research/parts/v1/${SHA256}`)).toEqual(BYTES);
    expect(await store.has(SHA256)).toBe(true);
    expect(Buffer.from((await store.get(SHA256)) ?? [])).toEqual(BYTES);
    expect(s3.asked.map((line) => line.replace(SHA256, ''))).toEqual([
      'HEAD /research/parts/v1/ 404',
      'GET /research/parts/v1/ 404',
      'PUT /research/parts/v1/ 200',
      'HEAD /research/parts/v1/ 200',
      'GET /research/parts/v1/ 200',
    ]);
  });

  it('has nothing where the bytes are others than the hash says', async () => {
    s3.objects.set(`/research/${SHA256}`, Buffer.from('other candles'));
    expect(await (await openObjectStore('s3://research')).get(SHA256)).toBeUndefined();
  });

  it('says what is wrong with keys and addresses', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'another');
    const store = await openObjectStore('s3://research');
    await expect(store.get(SHA256)).rejects.toThrow(/refuses or does not answer: SignatureDoesNotMatch/);
    await expect(openObjectStore('https://research')).rejects.toThrow('"https://research" is no store.');
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    await expect(openObjectStore('s3://research')).rejects.toThrow(/AWS_ACCESS_KEY_ID/);
  });
});
