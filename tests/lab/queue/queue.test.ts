import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQueue, takeJobs } from '../../../src/lab/queue/queue.ts';
import { freePort } from '../../support/postgres.ts';
import { hasRedis, startRedis } from '../../support/redis.ts';

describe.skipIf(!hasRedis)('a queue on Redis (needs a server)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  let server: ReturnType<typeof startRedis> | undefined;
  let url = '';
  beforeAll(async () => {
    server = startRedis(folder, await freePort());
    url = server.url;
  });
  afterAll(() => {
    server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives every job to one worker, and knows which are still to be done', async () => {
    const queue = await openQueue(url, 'jobs');
    const seen: unknown[] = [];
    const problems: string[] = [];
    let all = (): void => {};
    const done = new Promise<void>((resolve) => (all = resolve));
    const work = (data: unknown): Promise<void> => {
      seen.push(data);
      if (seen.length === 20) all();
      return data === 7 ? Promise.reject(new Error('cannot do seven')) : Promise.resolve();
    };
    await queue.add('0-0', 0);
    // The same job is not put in twice while it waits.
    await queue.add('0-0', 0);
    expect(await queue.isPending('0-0')).toBe(true);
    expect(await queue.isPending('1-0')).toBe(false);
    const options = { atOnce: 2, onError: ({ message }: Error) => problems.push(message) };
    const workers = [await takeJobs(url, 'jobs', work, options), await takeJobs(url, 'jobs', work, options)];
    for (let i = 1; i < 20; i++) await queue.add(`${i}-0`, i);
    await done;
    for (const worker of workers) await worker.drain();
    expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(problems).toEqual(['cannot do seven']);
    expect(await queue.isPending('0-0')).toBe(false);
    await queue.close();
  });

  it('says which jobs a server that kept nothing has lost', async () => {
    const queue = await openQueue(url, 'lost');
    await queue.add('0-0', 0);
    expect(await queue.isPending('0-0')).toBe(true);
    server?.restart();
    expect(await queue.isPending('0-0')).toBe(false);
    await queue.clear();
    await queue.close();
  });
});
