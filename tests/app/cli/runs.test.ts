import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { walkStore } from '../../learning/training/runs.ts';
import { runCli } from '../../support/cli.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll } from 'vitest';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const Signals = z.object({
  runId: z.string(),
  untrainedSymbols: z.array(z.string()),
  signals: z.array(z.object({ symbol: z.string(), model: z.string(), time: z.string() })),
});

/** A project with two runs of different models, the first of them active. */
let cwd: string;
const environment = {
  CRYPTO_TRADER_MARKET_SINCE: '2025-01-01',
};
const run = (...args: readonly string[]) => runCli(args, { cwd, environment });
const signals = async (...args: readonly string[]) => {
  const { stdout, stderr } = await run('signals', '--json', ...args);
  expect(stderr).toBe('');
  return Signals.parse(JSON.parse(stdout));
};
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'runs-'));
  writeFileSync(join(cwd, 'config.yaml'), '');
  await walkStore(cwd);
  const flags = ['--symbols', 'BTC/USDT,ETH/USDT'];
  const first = await run('train', '--name', 'first', '--models', 'persistence', ...flags);
  expect(first.stdout).toContain('It is active: signals, backtest and paper use it.');
  const until = ['--since', '2025-01-03', '--until', '2025-01-20'];
  const second = await run(
    'train',
    '--name',
    'second',
    '--set',
    'training.models=[buy-and-hold]',
    ...flags,
    ...until,
  );
  expect(second.stdout).toContain('crypto-trader models activate second');
  expect(second.stdout).toContain('2025-01-03 .. ');
});
afterAll(() => rmSync(cwd, { recursive: true }));

describe('signals', () => {
  it('are of the active run, or of the one that is named, under its old name too', async () => {
    expect(await signals()).toMatchObject({ runId: 'first', untrainedSymbols: [] });
    expect(await signals('--run', 'second')).toMatchObject({ runId: 'second' });
    expect(await signals('--checkpoint', 'checkpoints/second')).toMatchObject({ runId: 'second' });
  });

  it('are of the symbols that are asked for, and of what a bar knew', async () => {
    const document = await signals('--symbols', 'ETH/USDT', '--until', '2025-01-22');
    expect(new Set(document.signals.map(({ symbol }) => symbol))).toEqual(new Set(['ETH/USDT']));
    expect(new Set(document.signals.map(({ time }) => time))).toEqual(new Set(['2025-01-23T00:00:00.000Z']));
  });

  it('are on record when they were asked for now, not for a day of the past', async () => {
    const onRecord = async () => {
      const { stdout } = await run('signals', 'report', '--symbols', 'ETH/USDT', '--json');
      return z.object({ count: z.number() }).parse(JSON.parse(stdout)).count;
    };
    await signals();
    const before = await onRecord();
    expect(before).toBeGreaterThan(0);
    await signals('--until', '2025-01-22');
    expect(await onRecord()).toBe(before);
    const { stdout } = await run('signals', 'history', '--last', '1');
    expect(stdout).toMatch(/ open .*\n.* of \d+; --last shows more\./);
    const refused = await runCli(['signals', 'history', '--until', '2025-01-22'], { cwd });
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toContain('--until does nothing with "signals history"');
  });

  it('heed market.symbols, and say which of them the run does not know', async () => {
    const set = { ...environment, CRYPTO_TRADER_MARKET_SYMBOLS: 'ETH/USDT,SOL/USDT' };
    const { stdout } = await runCli(['signals'], { cwd, environment: set });
    expect(stdout).toContain('SOL/USDT (market.symbols): not in the run "first"');
    expect(stdout).not.toMatch(/^BTC\/USDT/m);
    const refused = await run('signals', '--symbols', 'SOL/USDT');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain('was not trained on SOL/USDT');
  });
});

describe('backtest', () => {
  it('names the run that has a model which the active one lacks', async () => {
    const refused = await run('backtest', '--models', 'buy-and-hold');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('The training run "first" has no model "buy-and-hold".');
    expect(refused.stderr).toContain('--run second');
  });

  it('trades some of the symbols of a run', async () => {
    const { stdout, stderr } = await run(
      'backtest',
      '--json',
      '--symbols',
      'ETH/USDT',
      '--since',
      '2025-01-22',
    );
    const document = z
      .object({ symbols: z.array(z.string()), range: z.object({ from: z.string() }) })
      .parse(JSON.parse(stdout || stderr));
    expect(document).toEqual({ symbols: ['ETH/USDT'], range: { from: '2025-01-22T00:00:00.000Z' } });
  });

  it.each([
    [['--since', '2025-01-20', '--until', '2025-01-10'], 2, '--since must lie before --until.'],
    [['--since', '2025-01-20T01:00', '--until', '2025-01-20T01:00'], 2, 'are the same time'],
    [['--since', '2025-01-20', '--from', '2025-01-10'], 2, 'the same option'],
    [['--run', 'third'], 1, '"third" is not a training run.'],
    [['--run', 'first', '--checkpoint', 'second'], 2, 'give one of them'],
    [['--exchange', 'kraken'], 1, 'trained on exchange "binance"'],
    [['--timeframe', '4h'], 1, 'trained on timeframe "1h"'],
  ])('%j exits with %i', async (args, status, message) => {
    const refused = await run('backtest', ...args);
    expect(refused).toMatchObject({ status, stdout: '' });
    expect(refused.stderr).toContain(message);
  });
});

it('models promote, go back, delete and bring back, and list what is what', async () => {
  const list = async () => (await run('models')).stdout;
  expect(await list()).toMatch(/^first +active/m);
  expect((await run('models', 'activate', 'second')).stdout).toContain('second is active');
  expect(await signals()).toMatchObject({ runId: 'second' });
  const refused = await run('models', 'delete', 'second');
  expect(refused.status).toBe(1);
  expect((await run('models', 'rollback')).stdout).toContain('first is active again, instead of second.');
  expect((await run('models', 'delete', 'second')).stdout).toContain('models restore second');
  expect(await list()).toContain('Deleted: second.');
  expect((await run('models', 'restore', 'second')).stdout).toContain('second is back.');
  expect(await list()).toMatch(/^second/m);
});

it('models compare says what differs, and whether the figures may be compared', async () => {
  const apart = await run('models', 'compare', 'first', 'second');
  expect(apart.stderr).toBe('');
  expect(apart.stdout).toMatch(/^trained on .*2025-01-01 00:00 .*2025-01-03 00:00 .*NO$/m);
  expect(apart.stdout).toMatch(/^mode .*yes$/m);
  expect(apart.stdout).toContain('The figures do not compare: validated on differ.');
  expect(apart.stdout).toMatch(/^persistence +\d/m);
  expect(apart.stdout).toMatch(/^buy-and-hold +- +- +\d/m);
  const same = await run('models', 'compare', 'first', 'first', '--json');
  expect(JSON.parse(same.stdout)).toMatchObject({ comparable: true, differences: [], otherParameters: [] });
  const unknown = await run('models', 'compare', 'first', 'third');
  expect(unknown).toMatchObject({ status: 1, stdout: '' });
  expect(unknown.stderr).toContain('"third" is not a training run.');
});

it('paper refuses to be live, in one sentence', async () => {
  const live = { ...environment, CRYPTO_TRADER_EXCHANGE_MODE: 'live' };
  const refused = await runCli(['paper'], { cwd, environment: live });
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toMatch(/^exchange.mode is "live", and `paper` only ever trades on paper.\n/);
});
