import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

const cwd = mkdtempSync(join(tmpdir(), 'automl-'));
afterAll(() => rmSync(cwd, { recursive: true }));
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');
beforeAll(async () => {
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  const candles = walk(2400, { startMs: Date.UTC(2024, 2, 1), seed: 5 });
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
  const features = '[return_1, return_3, volatility_20, rsi_14]';
  writeFileSync(
    join(cwd, 'config.yaml'),
    `market: { symbols: [BTC/USDT] }\nmodels: { ridge: { features: ${features} }, logistic: { features: ${features} } }\n`,
  );
});
const SMALL = ['--models', 'ridge,logistic', '--features', 'own', '--folds', '2', '--min-trades', '0'];
const automl = (...args: readonly string[]) => runCli(['automl', ...args], { cwd });
interface Shown {
  trials: { number: number; state: string; params: Record<string, unknown>; given: boolean }[];
  notReproduced: number[];
}
const shown = async (name: string): Promise<Shown> =>
  JSON.parse((await runCli(['tune', 'show', name, '--json'], { cwd })).stdout) as Shown;

it('searches everything together, tries what is not searched first, and finds nothing in a random walk', async () => {
  const { status, stdout } = await automl(...SMALL, '--trials', '12');
  expect(status).toBe(0);
  expect(stdout).toMatch(/Best of 12 trials, number \d+: 1h bars, its own features, (ridge|logistic) \(/);
  expect(stdout).toMatch(/deflated Sharpe ratio \d+ %; probability of overfitting/);
  expect(stdout).toMatch(/Hansen's test against .+, the hardest to beat: p \d\.\d\d/);
  expect(stdout).toContain('On these bars it does not beat all symbols held alike: ');
  expect(stdout).toContain('On these bars it does not beat all models with equal weights: ');
  expect(stdout).toContain('Nothing found: ');
  const { trials, notReproduced } = await shown('automl');
  // Each model as it is, then both with equal weights.
  expect(trials.slice(0, 3).map(({ params, given }) => [params['model'], params['ensemble'], given])).toEqual(
    [
      ['ridge', 'none', true],
      ['logistic', 'none', true],
      ['ridge', 'equal', true],
    ],
  );
  expect(trials.length).toBe(12);
  expect(notReproduced).toEqual([]);
  const measured = trials.filter(({ state }) => state === 'complete' || state === 'pruned');
  const ledger = readFileSync(join(cwd, 'data/trials.jsonl'), 'utf8').trimEnd().split('\n');
  const rules = new Set(measured.map(({ params }) => JSON.stringify(params)));
  expect(ledger.length).toBe(rules.size);

  const file = join(cwd, 'found.yaml');
  const applied = await runCli(['tune', 'apply', 'automl', '--out', file], { cwd });
  expect(applied.stdout).toMatch(/train --config .+ --models /);
  const settings = await runCli(['config', 'show', '--config', file, '--json'], { cwd });
  expect(settings.status).toBe(0);
  expect(readFileSync(file, 'utf8')).toMatch(/strategy:\n {2}name: \S+ # study automl, trial \d+ of 12/);
  expect((await runCli(['tune', 'list'], { cwd })).stdout).toMatch(/^automl +ridge\|logistic +net-return/m);
});

it('stops when its time is up, resumes after kill -9 with the same trials, and takes more', async () => {
  const args = ['automl', ...SMALL, '--pruner', 'none', '--name', 'killed', '--trials', '500'];
  const child = spawn(process.execPath, [bin, ...args], {
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
  const done = before.trials.filter(({ state }) => state === 'complete').length;
  expect(done).toBeGreaterThan(0);
  // Less than what the trials so far have taken: no further one is begun.
  const late = await automl('--study', 'killed', '--budget', '0.001s', '--json');
  expect(late.status).toBe(0);
  expect(JSON.parse(late.stdout)).toMatchObject({ outOfTime: true, complete: done });
  const more = await automl('--study', 'killed', '--trials', String(done + 2));
  expect(more.status).toBe(0);
  const after = await shown('killed');
  expect(after.trials.slice(0, done)).toEqual(before.trials.slice(0, done));
  expect(after.trials.filter(({ state }) => state === 'complete').length).toBe(done + 2);
  expect(after.notReproduced).toEqual([]);
});

it.each([
  [['--budget', '2'], 2, '--budget cannot be "2": expected minutes, hours or days: 30m, 2h, 1d.'],
  [['--strategies', 'cost', '--trials', '1'], 1, 'Unknown strategy "cost".'],
  [
    ['--timeframes', '1h,4h', '--trials', '1', '--name', 'b'],
    1,
    'There are no candles of binance BTC/USDT 4h in the store.',
  ],
  [['--study', 'automl', '--models', 'ridge'], 2, '--models cannot be given with --study'],
] as const)('refuses %j with exit code %i', async (args, code, message) => {
  const { status, stderr } = await automl(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(code);
});

it('is not mixed up with a search of one model', async () => {
  const wrong = await runCli(['tune', '--study', 'automl'], { cwd });
  expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('automl --study automl')]);
});
