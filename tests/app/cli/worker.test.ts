import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { openStudy } from '../../../src/lab/tuning/study.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { freePort, pgCtl, startPostgres } from '../../support/postgres.ts';
import { startProgram } from '../../support/process.ts';

const WORKER_TOKEN = 'a secret of both sides, 32 letters';

describe.skipIf(pgCtl === undefined)('workers on a PostgreSQL queue (needs a server)', () => {
  const root = mkdtempSync(join(tmpdir(), 'worker-'));
  const cwd = join(root, 'here');
  const elsewhere = join(root, 'elsewhere');
  const children: ChildProcess[] = [];
  let queue = '';
  let postgres: ReturnType<typeof startPostgres> | undefined;

  beforeAll(async () => {
    const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
    const candles = walk(2000, { startMs: Date.UTC(2024, 2, 1), seed: 5 });
    await openStore(join(cwd, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
    for (const folder of [cwd, elsewhere]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'config.yaml'), 'market:\n  symbols: [BTC/USDT]\n');
    }
    const port = await freePort();
    postgres = startPostgres(join(root, 'postgres'), port);
    queue = postgres.url;
  }, 120_000);
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    postgres?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function start(args: readonly string[], folder: string, token = WORKER_TOKEN) {
    const started = startProgram(args, folder, { WORKER_TOKEN: token, QUEUE_URL: queue });
    children.push(started.child);
    return started;
  }
  const worker = (coordinator: string, token?: string) =>
    start(['worker', '--queue', 'env', '--coordinator', coordinator], elsewhere, token);

  it('measure every trial once, also when one is killed and another is told to stop', async () => {
    const args = [
      '--model',
      'ridge',
      '--folds',
      '3',
      '--min-trades',
      '0',
      '--pruner',
      'none',
      '--trials',
      '8',
    ];
    const search = start(['tune', ...args, '--queue', 'env', '--at-once', '3', '--name', 'far'], cwd);
    const address = await search.says(/--coordinator (http:\/\/\S+)/);
    // Nothing without the secret.
    expect((await fetch(`${address}/study`)).status).toBe(401);
    const stranger = worker(address, 'another secret of 32 letters');
    expect(await stranger.ended).toBe(1);
    expect(stranger.told()).toContain('refuses the token');

    const [killed, drained] = [worker(address), worker(address)];
    await Promise.all([killed.says(/trial \d+: /), drained.says(/trial \d+: /)]);
    killed.child.kill('SIGKILL');
    drained.child.kill('SIGTERM');
    expect(await drained.ended).toBe(0);
    expect(drained.told() + drained.printed()).toMatch(/Stopped after \d+ trials\./);
    const last = worker(address);
    expect(await search.ended).toBe(0);
    last.child.kill('SIGTERM');

    const study = await openStudy(join(cwd, 'tuning/far'));
    await study.refresh();
    expect(study.trials().map(({ number, state }) => [number, state])).toEqual(
      Array.from({ length: 8 }, (_, number) => [number, 'complete']),
    );
    expect(study.trials().every(({ intermediate }) => intermediate.length === 3)).toBe(true);
    expect(await study.verify()).toEqual([]);
    const ledger = readFileSync(join(cwd, 'data/trials.jsonl'), 'utf8').trimEnd().split('\n');
    expect(ledger.length).toBe(new Set(study.trials().map(({ params }) => JSON.stringify(params))).size);

    // The same trials here: the same digits.
    const alone = await runCli(['tune', ...args, '--name', 'near'], { cwd });
    expect(alone.status).toBe(0);
    const near = await openStudy(join(cwd, 'tuning/near'));
    await near.refresh();
    const figuresOf = (params: object): unknown =>
      near.trials().find((trial) => JSON.stringify(trial.params) === JSON.stringify(params))?.details;
    const [untuned] = study.trials();
    expect(untuned.details).toEqual(figuresOf(untuned.params));
  }, 240_000);

  it('are refused with other settings under trading, and by a search without a secret', async () => {
    const search = start(
      ['tune', '--model', 'ridge', '--folds', '2', '--trials', '2', '--queue', 'env', '--name', 'costs'],
      cwd,
    );
    const address = await search.says(/--coordinator (http:\/\/\S+)/);
    const costly = start(
      ['worker', '--queue', 'env', '--coordinator', address, '--set', 'trading.feeBps=50'],
      elsewhere,
    );
    expect(await costly.ended).toBe(1);
    expect(costly.told()).toContain('The settings under trading are not those that the study began with.');
    search.child.kill('SIGTERM');
    expect(await search.ended).toBe(130);
    expect(search.told()).toContain('Resume: crypto-trader tune --study costs');
    const secretless = await runCli(['tune', '--study', 'costs', '--queue', queue], { cwd });
    expect([secretless.status, secretless.stderr]).toEqual([1, expect.stringContaining('WORKER_TOKEN')]);
  }, 120_000);
});
