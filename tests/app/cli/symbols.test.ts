import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSymbol } from '../../../src/core/market/symbol.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const SINCE = Date.UTC(2025, 0, 1);

async function folderWith(symbols: readonly string[], config = ''): Promise<string> {
  const cwd = temporaryFolder();
  const store = openStore(join(cwd, 'data'));
  for (const [i, text] of symbols.entries()) {
    const candles = walk(300, { startMs: SINCE, seed: i + 1 });
    const key = { exchange: 'binance', symbol: parseSymbol(text), timeframe: '1h' } as const;
    await store.merge(key, candles, { source: 'test', synthetic: false });
  }
  writeFileSync(join(cwd, 'config.yaml'), config);
  return cwd;
}

describe('pairs of several quote currencies', () => {
  const mixed = 'market: { symbols: [ETH/BTC, BTC/USDT], since: 2025-01-01 }\n';

  it.each([
    ['train', '--models', 'ridge'],
    ['backtest', '--walk-forward', '--models', 'ridge'],
    ['features', '--select'],
  ])('are refused by %s, with both currencies named', async (...args) => {
    const cwd = await folderWith(['ETH/BTC', 'BTC/USDT'], mixed);
    const { status, stderr } = await runCli(args, { cwd });
    expect({ args, status, stderr }).toMatchObject({ status: 1 });
    expect(stderr).toContain('(BTC: ETH/BTC; USDT: BTC/USDT)');
    expect(existsSync(join(cwd, 'checkpoints'))).toBe(false);
  });

  it('may be fetched and listed together', async () => {
    const cwd = await folderWith([], mixed);
    const fetched = await runCli(
      ['fetch', '--source', 'synthetic', '--since', '2024-01-01', '--until', '2024-01-03'],
      { cwd },
    );
    expect(fetched).toMatchObject({ status: 0 });
    expect((await runCli(['data', 'list'], { cwd })).stdout).toMatch(/BTC\/USDT[^]*ETH\/BTC/);
  });
});

describe('a pair that is named twice', () => {
  it('in config.yaml is refused with its line by every command', async () => {
    const cwd = await folderWith(['BTC/USDT'], 'market:\n  symbols:\n    - BTC/USDT\n    - btc-usdt\n');
    for (const args of [['train'], ['backtest'], ['paper', '--no-exchange'], ['signals'], ['fetch']]) {
      const { status, stderr } = await runCli(args, { cwd });
      expect({ args, status }).toEqual({ args, status: 1 });
      expect(stderr).toContain(
        'config.yaml:4: "market.symbols.1": BTC/USDT comes twice; name each pair once (found "btc-usdt")',
      );
    }
  });

  it.each([
    ['fetch', '--source', 'synthetic'],
    ['fetch', '--series', 'funding'],
    ['features', 'rsi_14'],
    ['data', 'list'],
    ['data', 'verify'],
    ['data', 'gaps'],
    ['data', 'export', '--out', 'x.csv'],
  ])('on the command line is refused by %s %s %s', async (...args) => {
    const cwd = await folderWith(['BTC/USDT']);
    const { status, stderr } = await runCli([...args, '--symbols', 'BTC/USDT,btc_usdt'], { cwd });
    expect(status).toBe(1);
    expect(stderr).toContain('BTC/USDT comes twice in the list of symbols, as "BTC/USDT" and as "btc_usdt".');
  });
});

it('keeps pairs of any letters apart on disk and finds them again', async () => {
  const cwd = await folderWith([]);
  const fetched = await runCli(
    [
      ...['fetch', '--source', 'synthetic', '--symbols', '币安人生/USDT,kPEPE/USDT'],
      ...['--since', '2024-01-01', '--until', '2024-01-03'],
    ],
    { cwd },
  );
  expect(fetched).toMatchObject({ status: 0 });
  expect(existsSync(join(cwd, 'data/ohlcv/synthetic/币安人生-USDT/1h/manifest.json'))).toBe(true);
  const listed = await runCli(['data', 'verify', '--symbols', 'kpepe-usdt,币安人生-usdt'], { cwd });
  expect(listed.stdout).toMatch(/KPEPE\/USDT.*good\n.*币安人生\/USDT.*good/);
});

it.each([
  ['BTC/USDT:USDT', '--exchange binanceusdm --symbols BTC/USDT'],
  ['BTCUSDT', 'Did you mean BTC/USDT?'],
])('answers %s with what to write', async (symbol, hint) => {
  const cwd = await folderWith([]);
  const { status, stderr } = await runCli(['fetch', '--symbols', symbol, '--source', 'synthetic'], { cwd });
  expect(status).toBe(1);
  expect(stderr).toContain(hint);
  expect(existsSync(join(cwd, 'data'))).toBe(false);
});
