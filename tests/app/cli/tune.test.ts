import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'tune-'));
afterAll(() => rmSync(cwd, { recursive: true }));
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');
beforeAll(async () => {
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  const candles = walk(3000, { startMs: Date.UTC(2024, 2, 1), seed: 5 });
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
  writeFileSync(join(cwd, 'config.yaml'), 'market:\n  symbols: [BTC/USDT]\n');
});
const tune = (...args: readonly string[]) => runCli(['tune', ...args], { cwd });
interface Shown {
  trials: { number: number; state: string; params: object; given: boolean; reason?: string }[];
  notReproduced: number[];
}
const shown = async (name: string): Promise<Shown> =>
  JSON.parse((await tune('show', name, '--json')).stdout) as Shown;

it('searches, compares with the untuned parameters on bars that no trial saw, and says what luck would have found', async () => {
  const { status, stdout } = await tune(
    '--model',
    'ridge',
    '--trials',
    '12',
    '--folds',
    '3',
    '--min-trades',
    '2',
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/untuned +\S+ +\d+ +horizonBars 4, entryQuantile 0.7, penalty 0.01\n/);
  expect(stdout).toContain('by luck alone');
  // A random walk: there is nothing to find.
  expect(stdout).toContain('Nothing found: ');
  const { trials, notReproduced } = await shown('ridge');
  expect(trials.length).toBe(12);
  expect(notReproduced).toEqual([]);
  const ledger = readFileSync(join(cwd, 'data/trials.jsonl'), 'utf8').trimEnd().split('\n');
  expect(ledger.length).toBe(trials.filter(({ state }) => state !== 'failed').length);

  const best = JSON.parse((await tune('best', 'ridge', '--json')).stdout) as {
    params: Record<string, number>;
  };
  const applied = join(cwd, 'tuned.yaml');
  expect((await tune('apply', 'ridge', '--out', applied)).status).toBe(0);
  const lines = readFileSync(applied, 'utf8');
  for (const [name, value] of Object.entries(best.params))
    expect(lines).toContain(`    ${name}: ${value} # study ridge, trial `);
  const shownConfig = await runCli(['config', 'show', '--config', applied], { cwd });
  expect(shownConfig.status).toBe(0);

  const trained = await runCli(
    ['train', '--models', 'ridge', '--tuned', 'ridge', '--name', 'tuned', '--set', 'models.ridge.penalty=7'],
    { cwd },
  );
  expect(trained.stderr).toMatch(/ridge: parameters of trial \d+ of 12 in study ridge\./);
  const run = JSON.parse(readFileSync(join(cwd, 'checkpoints/tuned/run.json'), 'utf8')) as {
    models: { id: string; params: object }[];
  };
  expect(run.models.find(({ id }) => id === 'ridge')?.params).toMatchObject(best.params);
  const unknown = await runCli(['train', '--tuned', 'trees'], { cwd });
  expect([unknown.status, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('There is no study "trees".'),
  ]);

  expect((await tune('export', 'ridge', '--out', join(cwd, 'trials.csv'))).status).toBe(0);
  expect(readFileSync(join(cwd, 'trials.csv'), 'utf8').split('\n')[0]).toBe(
    'trial,state,net-return,horizonBars,entryQuantile,penalty,started,ended',
  );
  expect((await tune('list')).stdout).toMatch(/^ridge +ridge +net-return +tpe +12 /m);
});

it('goes on after kill -9 where it was: nothing lost, nothing twice', async () => {
  const args = ['--model', 'ridge', '--folds', '3', '--pruner', 'none', '--min-trades', '0'];
  const child = spawn(process.execPath, [bin, 'tune', ...args, '--trials', '500', '--name', 'killed'], {
    cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  await new Promise<void>((stopped) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (/trial \d+: /.test(told)) child.kill('SIGKILL');
    });
    child.once('close', () => stopped());
  });
  const before = await shown('killed');
  const complete = before.trials.filter(({ state }) => state === 'complete').length;
  expect(complete).toBeGreaterThan(0);
  const more = String(complete + 3);
  const { status } = await tune('--study', 'killed', '--trials', more);
  expect(status).toBe(0);
  const after = await shown('killed');
  expect(after.trials.slice(0, complete)).toEqual(before.trials.slice(0, complete));
  expect(after.trials.filter(({ state }) => state === 'complete').length).toBe(complete + 3);
  expect(after.notReproduced).toEqual([]);
});

it.each([
  [['--model', 'ridge'], 1, 'There is a study "ridge" already.'],
  [['--model', 'rige'], 1, 'ridge'],
  [[], 2, 'Which model?'],
  [['--study', 'nope'], 1, 'There is no study "nope".'],
  [['--study', 'ridge', '--folds', '9'], 2, '--folds cannot be given with --study'],
  [['--model', 'ridge', '--name', '../x'], 2, 'cannot be the name of a study'],
  [['--model', 'ridge', '--name', 'a', '--objective', 'sharp'], 2, 'sharpe'],
  [['--model', 'ridge', '--name', 'a', '--space', 'absent.yaml'], 1, 'There is no file "absent.yaml".'],
] as const)('refuses %j with exit code %i', async (args, code, message) => {
  const { status, stderr } = await tune(...args);
  expect(status).toBe(code);
  expect(stderr).toContain(message);
});

it('refuses to go on with other candles or costs than the study began with', async () => {
  const costly = await runCli(['tune', '--study', 'ridge', '--trials', '13'], {
    cwd,
    environment: { CRYPTO_TRADER_TRADING_FEE_BPS: '50' },
  });
  expect(costly.status).toBe(1);
  expect(costly.stderr).toContain('The settings under trading are not those that the study began with.');
});
