import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const MODELS = 'buy-and-hold,one-bar-reversal,ma-cross';

/** A trained project with two backtests, by the trained set and refitted with other costs; it keeps no third. */
let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'kept-'));
  writeFileSync(
    join(cwd, 'config.yaml'),
    'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\nbacktest: { kept: 2 }\n',
  );
  await storeCandles(cwd, 1);
  for (const args of [
    ['train', '--models', MODELS, '--allow-synthetic', '--name', 'first'],
    ['backtest', '--fee-bps', '1'],
    ['backtest', '--fee-bps', '5'],
    ['backtest', '--walk-forward', '--folds', '2', '--models', MODELS, '--seed', '7'],
  ])
    expect((await runCli(args, { cwd })).status).toBe(0);
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function storeCandles(folder: string, seed: number): Promise<void> {
  const store = openStore(join(folder, 'data'));
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries()) {
    const candles = walk(900, { startMs: Date.UTC(2025, 0, 1), seed: seed + i });
    const key = { exchange: 'binance', symbol, timeframe: '1h' } as const;
    await store.merge(key, candles, { source: 'synthetic', synthetic: true });
  }
}

const backtest = (...args: readonly string[]) => runCli(['backtest', ...args], { cwd });
const List = z.object({ backtests: z.array(z.looseObject({ id: z.string(), trainedBy: z.string() })) });
const ids = async (): Promise<readonly string[]> =>
  List.parse(JSON.parse((await backtest('list', '--json')).stdout)).backtests.map(({ id }) => id);

it('keeps as many as the settings say, the newest', async () => {
  expect(await ids()).toHaveLength(2);
  expect((await backtest('show', (await ids())[0])).stdout).toContain('fee 5 bp');
});

describe('every backtest', () => {
  it('is kept with its settings, hashes, trades, curves and result', async () => {
    const [first] = await ids();
    const { stdout } = await backtest('show', first, '--json');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      id: first,
      settings: {
        forecasts: { kind: 'trained', run: 'first', exchange: 'binance', symbols: ['BTC/USDT', 'ETH/USDT'] },
        untilMs: '2025-02-07T12:00:00.000Z',
        trading: { feeBps: 5 },
        seed: 42,
      },
      program: { codeSha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      machine: { node: process.version },
      weights: { 'ma-cross': expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      dataFingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(readdirSync(join(cwd, 'data/backtests', first)).sort()).toEqual([
      'document.json',
      'equity.csv',
      'summary.json',
    ]);
    const human = await backtest('show');
    expect(human.stdout).toMatch(/SYNTHETIC[^]*walk-forward, 2 folds[^]*ma-cross[^]*rerun/);
  });

  it('comes out again from its document alone, in every digit, whatever the settings are by now', async () => {
    const folder = temporaryFolder();
    cpSync(cwd, folder, { recursive: true });
    // Nothing that the document does not say may matter.
    writeFileSync(
      join(folder, 'config.yaml'),
      'seed: 99\nmarket: { symbols: [SOL/USDT], timeframe: 4h, since: 2025-01-05 }\ntrading: { feeBps: 50, initialBalance: 7 }\ntraining: { validationPct: 33 }\n',
    );
    await runCli(['train', '--models', 'ridge', '--allow-synthetic', '--name', 'later'], { cwd: folder });
    for (const id of await ids()) {
      const { status, stdout } = await runCli(['backtest', 'rerun', id, '--json'], { cwd: folder });
      const { differences } = JSON.parse(stdout) as { readonly differences: unknown };
      expect(differences).toEqual([]);
      expect(status).toBe(0);
    }
    // Running one again is no new trial, and no new backtest.
    expect(readFileSync(join(folder, 'data/trials.jsonl'), 'utf8')).toBe(
      readFileSync(join(cwd, 'data/trials.jsonl'), 'utf8'),
    );
    expect(readdirSync(join(folder, 'data/backtests'))).toEqual(readdirSync(join(cwd, 'data/backtests')));
  });

  it('that does not come out the same says why, with exit code 3', async () => {
    const folder = temporaryFolder();
    cpSync(cwd, folder, { recursive: true });
    rmSync(join(folder, 'data/ohlcv'), { recursive: true });
    await storeCandles(folder, 5);
    const { status, stderr, stdout } = await runCli(['backtest', 'rerun'], { cwd: folder });
    expect(stderr).toContain('The candles have changed since.');
    expect(stdout).toMatch(/metrics.totalReturnPct: .* -> /);
    expect(status).toBe(3);
  });
});

describe('two backtests', () => {
  it('differ in what was asked, in figures and in trades', async () => {
    const { status, stdout } = await backtest('diff');
    expect(status).toBe(0);
    expect(stdout).toContain('forecasts.kind: trained -> walk-forward');
    expect(stdout).toContain('trading.feeBps: 5 -> 10');
    expect(stdout).toContain('seed: 42 -> 7');
    expect(stdout).toMatch(/metrics\.totalReturnPct: /);
    expect(stdout).toMatch(/Trades: \d+ the same, \d+ entered alike/);
    const [first] = await ids();
    expect((await backtest('diff', first, first)).stdout).toMatch(
      /Settings: the same\.\nData, weights and figures: the same/,
    );
  });

  it('are put side by side, with what makes that unfair', async () => {
    const { stdout } = await backtest('compare', ...(await ids()));
    expect(stdout).toContain('NOTE: They cover different ranges of bars');
    expect(stdout).toContain('NOTE: They pay different costs.');
  });
});

it.each([
  [['show', 'nothing'], 1, 'No backtest "nothing" is kept'],
  [['compare', '2'], 1, 'may mean 2 backtests'],
  [['list', '--fee-bps', '3'], 2, '--fee-bps does nothing with "backtest list"'],
  [['diff', '--walk-forward'], 2, '--walk-forward does nothing'],
])('backtest %j exits with %d and says "%s"', async (args, code, message) => {
  const { status, stderr } = await backtest(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(code);
});
