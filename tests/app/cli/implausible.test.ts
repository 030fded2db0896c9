import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

/** 400 hourly bars whose prices are a thousand times higher from the 361st on, as after a redenomination. */
const SENTENCE = /bar of 2024-01-16T00:00:00.000Z: its open \d+\S* is 1000 times the last close/;

let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'implausible-'));
  const market = 'market: { symbols: [J/USDT], since: 2024-01-01';
  const features = 'features: { benchmark: J/USDT }';
  writeFileSync(join(cwd, 'config.yaml'), `exchange: { id: x }\n${market} }\n${features}\n`);
  writeFileSync(
    join(cwd, 'accepting.yaml'),
    `exchange: { id: x }\n${market}, acceptImplausible: [j-usdt] }\n${features}\n`,
  );
  const candles = walk(400, { startMs: Date.UTC(2024, 0, 1) });
  for (const column of ['open', 'high', 'low', 'close'] as const)
    candles[column].set(
      candles[column].subarray(360).map((price) => 1000 * price),
      360,
    );
  const key = { exchange: 'x', symbol: 'J/USDT', timeframe: '1h' } as const;
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'test', synthetic: false });
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (...args: readonly string[]) => runCli(args, { cwd });
const accepting = ['--config', 'accepting.yaml'] as const;

it('data verify counts it as a fault and exits with 3, or as a doubt where the pair is accepted', async () => {
  const refused = await run('data', 'verify');
  expect(refused.status).toBe(3);
  expect(refused.stdout).toMatch(SENTENCE);
  expect(refused.stderr).toContain('market.acceptImplausible');
  expect(refused.stderr).not.toContain('--repair');
  const accepted = await run('data', 'verify', ...accepting);
  expect(accepted.status).toBe(0);
  expect(accepted.stdout).toMatch(/good, 1 doubtful/);
  expect(accepted.stdout).toMatch(SENTENCE);
});

it('doctor names it', async () => {
  expect((await run('doctor', '--offline')).stdout).toMatch(SENTENCE);
});

it('training and walk-forward backtests refuse it and leave nothing behind', async () => {
  for (const args of [
    ['train', '--models', 'buy-and-hold'],
    ['backtest', '--walk-forward', '--models', 'buy-and-hold'],
  ]) {
    const { status, stderr } = await run(...args);
    expect({ args, status }).toEqual({ args, status: 1 });
    expect(stderr).toMatch(SENTENCE);
    expect(stderr).toContain('market.acceptImplausible: [J/USDT]');
  }
  expect(existsSync(join(cwd, 'checkpoints'))).toBe(false);
});

it('accepted by name they run, and the backtest repeats it as a warning', async () => {
  const trained = await run('train', '--models', 'buy-and-hold', ...accepting);
  expect(trained.status).toBe(0);
  expect(trained.stderr).toMatch(SENTENCE);
  const { stdout, status } = await run('backtest', '--json', ...accepting);
  expect(status).toBe(0);
  const { warnings } = z.object({ warnings: z.array(z.string()) }).parse(JSON.parse(stdout));
  expect(warnings.join('\n')).toMatch(SENTENCE);
  const refused = await run('backtest');
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect((await run('signals', ...accepting)).stdout).toMatch(SENTENCE);
});

it('a file is imported once its bars are accepted by a flag, with a warning; the flag is about files', async () => {
  const exported = await run('data', 'export', '--exchange', 'x', '--symbols', 'J/USDT', '--out', 'j.csv');
  expect(exported.status).toBe(0);
  const args = ['fetch', '--csv', 'j.csv', '--symbols', 'J/USDT', '--exchange', 'y'] as const;
  const refused = await run(...args);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(SENTENCE);
  expect(existsSync(join(cwd, 'data/ohlcv/y'))).toBe(false);
  const imported = await run(...args, '--accept-implausible');
  expect(imported.status).toBe(0);
  expect(imported.stdout).toMatch(SENTENCE);
  expect((await run('fetch', '--source', 'synthetic', '--accept-implausible')).status).toBe(2);
});
