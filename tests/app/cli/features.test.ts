import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../../src/data/store/store.ts';
import { catalogue } from '../../../src/core/features/catalogue.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

let cwd: string;
const candles = walk(1500, { startMs: Date.UTC(2026, 0, 1) });
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

it('shows the inputs and the source of a feature that is named', async () => {
  const { stdout } = await run('mfi_14');
  expect(stdout).toContain('high, low, close, volume');
  expect(stdout).toContain('Quong and Soudack 1989');
});

it('says which bars there are when a range holds none', async () => {
  const { status, stderr } = await run('rsi_14', '--symbols', 'BTC/USDT', '--since', '2030-01-01');
  expect(status).toBe(1);
  expect(stderr).toContain('There are no bars of BTC/USDT 1h in that range.');
  expect(stderr).toContain('Stored are 2026-01-01 00:00 to 2026-03-04 11:00');
});

it('names what is stored beside a symbol that is not, in lists too', async () => {
  const { stderr } = await run('rsi_14', '--symbols', 'BTC/USD');
  expect(stderr).toContain('Stored of binance 1h: BTC/USDT.');
  const listed = await runCli(['data', 'list', '--symbols', 'DOGE/USDT'], { cwd });
  expect(listed.stdout).toBe('Nothing that is stored matches; `crypto-trader data list` shows everything.\n');
});

it('proves on the stored bars that nothing looks ahead', async () => {
  const { status, stdout } = await run('--check', '--symbols', 'BTC/USDT', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, datasets: [{ rows: 1500, leaks: [] }] });
});

it('selects features on the training bars alone, and says on which', async () => {
  const args = ['--symbols', 'BTC/USDT', '--model', 'logistic', '--horizon', '1', '--folds', '2'];
  const { status, stdout, stderr } = await run('return_1', 'rsi_14', 'rsi_7', '--select', ...args, '--json');
  expect(status, stderr).toBe(0);
  // 1500 bars, of which the newest 20 % are for backtests and the 10 % before for validation.
  expect(JSON.parse(stdout)).toMatchObject({
    model: 'logistic',
    horizonBars: 1,
    trainedFrom: '2026-01-01T00:00:00.000Z',
    trainedUntil: '2026-02-13T18:00:00.000Z',
    candidates: 3,
    folds: [{}, {}],
  });
  const { clusters } = JSON.parse(stdout) as { clusters: { members: string[] }[] };
  expect(clusters.flatMap(({ members }) => members).toSorted()).toEqual(['return_1', 'rsi_14', 'rsi_7']);
  // A triangle needs three pairs: here it has no value, and takes no other feature's rows with it.
  const alone = await run('return_1', 'rsi_14', 'rsi_7', 'triangular_gap', '--select', ...args, '--json');
  expect(JSON.parse(alone.stdout)).toEqual(JSON.parse(stdout));
  expect(alone.stderr).toContain('Left out, without a value on these bars: triangular_gap.');
  const refused = await run('rsi_14', '--select', '--model', 'tft', '--symbols', 'BTC/USDT');
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('boosted-trees');
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
