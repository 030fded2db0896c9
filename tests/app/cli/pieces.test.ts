import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { thisMachine } from '../../../src/app/workflows/piece-coordinator.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { loadMember } from '../../../src/learning/training/member-folder.ts';
import { seedFolder } from '../../../src/learning/training/seeds.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { freePort } from '../../support/postgres.ts';
import { startProgram } from '../../support/process.ts';
import { hasRedis, startRedis } from '../../support/redis.ts';
import { startS3 } from '../../support/s3.ts';

const CONFIG = `market: { symbols: [BTC/USDT] }
models:
  gru: { lookBack: 8, epochs: 1, windowsPerEpoch: 64, validationWindows: 64 }
`;

describe.skipIf(!hasRedis)('work for other machines on a Redis queue (needs a server)', () => {
  const root = mkdtempSync(join(tmpdir(), 'pieces-'));
  const [here, alone, elsewhere] = ['here', 'alone', 'elsewhere'].map((name) => join(root, name));
  const children: ChildProcess[] = [];
  let redis: ReturnType<typeof startRedis> | undefined;
  let s3: Awaited<ReturnType<typeof startS3>>;

  beforeAll(async () => {
    const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
    for (const folder of [here, alone, elsewhere]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'config.yaml'), CONFIG);
      if (folder === elsewhere) continue;
      const candles = walk(1500, { startMs: Date.UTC(2024, 2, 1), seed: 5 });
      await openStore(join(folder, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
    }
    redis = startRedis(join(root, 'redis'), await freePort());
    s3 = await startS3();
  }, 60_000);
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    redis?.stop();
    s3.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function start(args: readonly string[], folder: string) {
    const started = startProgram(args, folder, {
      WORKER_TOKEN: 'a secret of both sides, 32 letters',
      QUEUE_URL: redis?.url,
      ...s3.environment,
    });
    children.push(started.child);
    return started;
  }
  const worker = (coordinator: string, ...more: readonly string[]) =>
    start(['worker', '--queue', 'env', '--coordinator', coordinator, ...more], elsewhere);
  const queued = ['--queue', 'env', '--at-once', '3', '--store', 's3://research/parts'];

  it('fits every fold with the bits of one machine alone, also when a worker is killed', async () => {
    const args = ['backtest', '--walk-forward', '--models', 'ridge,gru', '--folds', '4', '--json'];
    const far = start([...args, ...queued], here);
    const address = await far.says(/--coordinator (http:\/\/\S+)/);
    const killed = worker(address, '--store', 's3://research/parts');
    await killed.says(/fold \w+: /);
    killed.child.kill('SIGKILL');
    const last = worker(address);
    expect(await far.ended, far.told()).toBe(0);
    last.child.kill('SIGTERM');
    expect(await last.ended).toBe(0);

    const near = await runCli(args, { cwd: alone });
    expect(near.status).toBe(0);
    const folds = (folder: string) =>
      readdirSync(join(folder, 'data/folds'))
        .filter((name) => name.endsWith('.forecast'))
        .map((name) => [name, readFileSync(join(folder, 'data/folds', name)).toString('base64')]);
    expect(folds(here)).toEqual(folds(alone));
    expect(folds(here)).toHaveLength(8);
    const figures = (text: string): unknown => (JSON.parse(text) as { metrics: unknown }).metrics;
    expect(figures(far.printed())).toEqual(figures(near.stdout));
    // The first worker took the candles from the store, into which the coordinator had put them.
    const parts = s3.asked.filter((line) => line.startsWith('PUT')).map((line) => line.slice(4));
    expect(parts.length).toBeGreaterThan(0);
    for (const part of parts) expect(s3.asked).toContain(`GET ${part}`);
  }, 120_000);

  it('trains every model from every seed with the weights of one machine alone', async () => {
    const args = ['train', '--models', 'ridge,gru', '--seeds', '2', '--name', 'spring', '--json'];
    const far = start([...args, ...queued, '--workers', '1'], here);
    expect(await far.ended, far.told()).toBe(0);
    expect((await runCli(args, { cwd: alone })).status).toBe(0);
    const weights = async (folder: string) => {
      const { members } = await loadTrained(join(folder, 'checkpoints'));
      const second = await loadMember(seedFolder(join(folder, 'checkpoints/spring'), 'gru', 2));
      return [...members, ...(second ? [second] : [])].map(({ manifest }) => manifest);
    };
    const [made, expected] = [await weights(here), await weights(alone)];
    expect(made.map(({ weightHash }) => weightHash)).toEqual(expected.map(({ weightHash }) => weightHash));
    expect(made).toHaveLength(3);
    // Whose processor it was stands in each of them.
    expect(made.map(({ versions }) => versions['processor'])).toEqual(Array(3).fill(thisMachine()));
    expect(expected.map(({ versions }) => versions['processor'])).toEqual(Array(3).fill(undefined));
  }, 120_000);
});
