import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/data/store/store.ts';
import { catalogue } from '../../src/features/catalogue.ts';
import { walk } from '../support/candles.ts';
import { runCli } from '../support/cli.ts';

let cwd: string;
const candles = walk(300, { startMs: Date.UTC(2026, 0, 1) });
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'features-'));
  const key = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
  await openStore(join(cwd, 'data')).merge(key, candles, { source: 'csv', synthetic: false });
});
afterAll(() => rmSync(cwd, { recursive: true }));

const run = (...args: readonly string[]) => runCli(['features', ...args], { cwd });

it('lists the catalogue, whole or by group', async () => {
  const { status, stdout } = await run('--json');
  expect(status).toBe(0);
  expect((JSON.parse(stdout) as { features: object[] }).features.length).toBe(catalogue.length);
  const group = await run('--group', 'momentum');
  expect(group.stdout).toContain('rsi_14');
  expect(group.stdout).not.toContain('obv_balance_20');
});

it('prints values of a range, and null before the warm-up', async () => {
  const { stdout } = await run(
    'return_1',
    'rsi_14',
    '--symbols',
    'btc-usdt',
    '--since',
    '2026-01-01',
    '--until',
    '2026-01-01',
    '--json',
  );
  const [{ times, features }] = (
    JSON.parse(stdout) as { series: { times: string[]; features: Record<string, (number | null)[]> }[] }
  ).series;
  expect(times.length).toBe(24);
  expect(times[0]).toBe('2026-01-01T00:00:00.000Z');
  expect(features['return_1'][0]).toBeNull();
  expect(features['return_1'][1]).toBe(candles.close[1] / candles.close[0] - 1);
  expect(features['rsi_14'].findIndex((value) => value !== null)).toBe(14);
});

it('proves on the stored bars that nothing looks ahead', async () => {
  const { status, stdout } = await run('--check', '--symbols', 'BTC/USDT', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, datasets: [{ rows: 300, leaks: [] }] });
});

it('answers an unknown feature, group or symbol with what there is', async () => {
  const feature = await run('rsi_15');
  expect(feature.status).toBe(1);
  expect(feature.stderr).toContain('Did you mean "rsi_14"?');
  const group = await run('--group', 'momentun');
  expect(group.status).toBe(2);
  expect(group.stderr).toContain('"momentum"');
  expect((await run('rsi_14', '--symbols', 'ETH/USDT')).status).toBe(1);
});
