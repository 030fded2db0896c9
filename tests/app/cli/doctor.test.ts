import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;

async function withCandles(): Promise<string> {
  const cwd = temporaryFolder();
  const candles = walk(100, { startMs: Date.UTC(2025, 0, 1) });
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'binance', synthetic: false });
  return cwd;
}

it('a healthy machine and store pass', async () => {
  const { status, stdout } = await runCli(['doctor', '--offline', '--json'], { cwd: await withCandles() });
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ healthy: true });
});

it('a damaged file is named with the command that mends it, and exits with 3', async () => {
  const cwd = await withCandles();
  const file = join(openStore(join(cwd, 'data')).folder(key), '2025-01.parquet');
  writeFileSync(file, 'not parquet');
  const { status, stdout, stderr } = await runCli(['doctor', '--offline'], { cwd });
  expect(status).toBe(3);
  expect(stdout).toContain('fetch --repair');
  expect(stderr).toContain('candles binance BTC/USDT 1h');
});

it('--fix sets a damaged file aside, names it, and finds the rest healthy', async () => {
  const cwd = await withCandles();
  const folder = openStore(join(cwd, 'data')).folder(key);
  writeFileSync(join(folder, '2025-01.parquet'), 'not parquet');
  const fixed = await runCli(['doctor', '--offline', '--fix'], { cwd });
  expect(fixed.stdout).toMatch(/^Repaired candles binance BTC\/USDT 1h: .*2025-01/m);
  expect(fixed.status).toBe(0);
  // Kept beside, for whoever wants to know what happened to it.
  expect(readdirSync(folder).some((name) => name.startsWith('2025-01.parquet.'))).toBe(true);
  const again = await runCli(['doctor', '--offline', '--fix'], { cwd });
  expect(again.stdout).toContain('There is nothing that can be repaired here.');
});

it('keys are reported by name and never by value', async () => {
  const environment = { EXCHANGE_API_KEY: 'k-123456', EXCHANGE_API_SECRET: 's-123456' };
  const { stdout, stderr } = await runCli(['doctor', '--offline'], { cwd: temporaryFolder(), environment });
  expect(stdout).toContain('set: EXCHANGE_API_KEY, EXCHANGE_API_SECRET');
  expect(stdout + stderr).not.toContain('123456');
});
