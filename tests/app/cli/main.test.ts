import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (args: readonly string[], environment: Record<string, string> = {}) =>
  runCli(args, { cwd, environment });

describe('exit codes and where things are printed', () => {
  it('--help lists every command on stdout and exits with 0', async () => {
    const { status, stdout, stderr } = await run(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Exit codes: 0 done');
  });

  it.each([
    [['confg'], /Did you mean config/],
    [['config', 'show', '--jsn'], /Did you mean --json/],
    [['models', 'shwo'], /unknown command 'models shwo'\n\(Did you mean show\?\)/],
    [['data', 'verfy'], /unknown command 'data verfy'\n\(Did you mean verify\?\)/],
    [['backtest', 'lst'], /unknown command 'backtest lst'\n\(Did you mean list\?\)/],
    [['signals', 'histry'], /unknown command 'signals histry'\n\(Did you mean history\?\)/],
    [['paper', 'foo'], /unknown command 'paper foo'\n/],
    [['fetch', 'BTC/USDT'], /'fetch' takes no arguments, and got 'BTC\/USDT'; options are given by name/],
    [['config', 'set', 'seed', '7', '8'], /'config set' takes <setting> <value> and no more, and got '8'/],
    [['config', '--log-level', 'inf'], /Did you mean "info"/],
    [['backtest', '--models', ''], /^--models is empty\.\n/],
    [['audit', '--checks', ' , '], /^--checks is empty\.\n/],
    [['config', '--config', ''], /^--config is empty\.\n/],
    [['paper', '--interval-seconds', '1e300'], /expected a number, between 0 and 86400/],
    [['portfolio', 'optimise', '--investment', '1e308'], /expected a number, between 1 and 1000000000000000/],
    [['config', '--seed', '1.5'], /whole number/],
  ])('%j is a wrong command line: exit 2 and the nearest valid word', async (args, message) => {
    const { status, stdout, stderr } = await run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('a wrong setting exits with 1, and under --json stdout holds the error as one document', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'sed: 1\n');
    const { status, stdout, stderr } = await run(['config', '--json', '--config', 'bad.yaml']);
    expect(status).toBe(1);
    expect(stderr).toContain('bad.yaml:1: unknown key "sed". Did you mean "seed"?');
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'user' } });
  });

  it.each([
    [['audit'], /No trained models in "checkpoints"\.\n/],
    [['results', '--out', '/proc/nope/r.md'], /Cannot make the folder "\/proc\/nope"/],
  ])('%j: a sentence and exit 1, at once', async (args, message) => {
    const { status, stderr } = await run(args);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringMatching(message) as string });
  });

  it('a study that is damaged is named in the list, and hides no other', async () => {
    mkdirSync(join(cwd, 'tuning', 'mine'), { recursive: true });
    writeFileSync(join(cwd, 'tuning', 'mine', 'study.jsonl'), '{"a":1}\n');
    writeFileSync(join(cwd, 'tuning', 'a-file'), '');
    const { status, stdout } = await run(['tune', 'list', '--json']);
    expect({ status, stdout: JSON.parse(stdout) as unknown }).toEqual({
      status: 0,
      stdout: {
        studies: [],
        damaged: [{ name: 'mine', why: expect.stringContaining('damaged at line 1') as string }],
      },
    });
  });

  it('a wrong variable is answered with the nearest one', async () => {
    const { status, stderr } = await run(['config'], { CRYPTO_TRADER_TRADING_FEEBPS: '5' });
    expect(status).toBe(1);
    expect(stderr).toContain('Did you mean CRYPTO_TRADER_TRADING_FEE_BPS?');
  });

  it('--json prints exactly one document on stdout', async () => {
    const { status, stdout } = await run(['config', 'show', '--json', '--seed', '7']);
    expect(status).toBe(0);
    const { settings } = JSON.parse(stdout) as {
      settings: { path: string; value: unknown; origin: string }[];
    };
    expect(settings.find(({ path }) => path === 'seed')).toMatchObject({ value: 7, origin: 'flag' });
  });

  it('secrets never appear, not even in an error about themselves', async () => {
    const secret = 'do-not-print-me';
    const { stdout, stderr } = await run(['config', '--log-level', secret], { EXCHANGE_API_SECRET: secret });
    expect(stdout + stderr).not.toContain(secret);
    expect(stderr).toContain('[redacted]');
  });
});

it.each([
  ['config schema'],
  ['fetch --source synthetic --since 2024-01-01 --until 2024-01-05 2>&1 >/dev/null'],
])('a reader that goes away early, as head does, ends `%s` without a word', (args) => {
  const node = `"${process.execPath}" "${resolve(import.meta.dirname, '../../../bin/crypto-trader.js')}"`;
  const { status, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${node} ${args} | true`], {
    cwd,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
