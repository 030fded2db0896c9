import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

let cwd: string;
const run = (...args: readonly string[]) => runCli(args, { cwd });

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'verify-'));
  writeFileSync(
    join(cwd, 'config.yaml'),
    'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\nstrategy: { name: own }\n',
  );
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries())
    await openStore(join(cwd, 'data')).merge(
      { exchange: 'binance', symbol, timeframe: '1h' },
      walk(900, { startMs: Date.UTC(2025, 0, 1), seed: i + 1 }),
      { source: 'synthetic', synthetic: true },
    );
  const made = await run(
    'backtest',
    '--walk-forward',
    '--folds',
    '2',
    '--models',
    'ridge',
    '--report',
    'r.html',
  );
  expect(made.status, made.stderr).toBe(0);
});
afterAll(() => rmSync(cwd, { recursive: true }));

it('a report holds when every digit comes out again, and not when one was changed', async () => {
  const { status, stdout, stderr } = await run('verify', 'r.html');
  expect(status, stderr).toBe(0);
  expect(stdout).toContain('r.html holds: every digit is the same again.');

  const html = readFileSync(join(cwd, 'r.html'), 'utf8');
  const sharpe = /"sharpe":(-?\d+\.\d+)/.exec(html)?.[1] ?? '';
  writeFileSync(join(cwd, 'forged.html'), html.replaceAll(`"sharpe":${sharpe}`, '"sharpe":3.5'));
  const forged = await run('verify', 'forged.html', '--json');
  expect(forged.status).toBe(3);
  const { differences } = z
    .object({ differences: z.array(z.object({ path: z.string(), a: z.unknown() })) })
    .parse(JSON.parse(forged.stdout));
  expect(differences).toContainEqual(expect.objectContaining({ path: 'metrics.sharpe', a: 3.5 }));
});

it('a page that is no report is told from one', async () => {
  writeFileSync(join(cwd, 'page.html'), '<html></html>');
  const { status, stderr } = await run('verify', 'page.html');
  expect(status).toBe(1);
  expect(stderr).toContain('"page.html" carries no evidence that can be verified.');
});

it('the ledger lists what was tried, with parameters, seed and data', async () => {
  const { stdout } = await run('trials', 'list', '--json');
  const { markets } = z
    .object({
      markets: z.array(
        z.object({
          market: z.string(),
          trials: z.number(),
          rules: z.array(
            z.object({ strategy: z.string(), by: z.string(), data: z.string(), params: z.unknown() }),
          ),
        }),
      ),
    })
    .parse(JSON.parse(stdout));
  expect(markets).toMatchObject([
    { market: 'binance 1h BTC/USDT ETH/USDT', trials: 1, rules: [{ strategy: 'ridge', by: 'walk-forward' }] },
  ]);
  expect((await run('trials', 'list')).stdout).toContain(
    'One decision rule was tried on this market so far.',
  );
});
