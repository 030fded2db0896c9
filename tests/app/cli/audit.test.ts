import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { auditOf } from '../../../src/app/workflows/kept-audits.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { type Finished, runCli } from '../../support/cli.ts';

const Document = z.object({
  runId: z.string(),
  failed: z.number(),
  findings: z.array(
    z.object({ check: z.string(), verdict: z.string(), figure: z.string().nullable(), text: z.string() }),
  ),
});

let cwd: string;
let trained: Finished;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'audit-'));
  writeFileSync(join(cwd, 'config.yaml'), 'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\n');
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries()) await stored(symbol, 3000, i + 1);
  const args = ['train', '--models', 'ridge,boosted-trees', '--allow-synthetic', '--name', 'walks'];
  trained = await runCli(args, { cwd });
  expect(trained.status).toBe(0);
});
afterAll(() => rmSync(cwd, { recursive: true }));

const stored = (symbol: 'BTC/USDT' | 'ETH/USDT' | 'LUNA/USDT', bars: number, seed: number) =>
  openStore(join(cwd, 'data')).merge(
    { exchange: 'binance', symbol, timeframe: '1h' },
    walk(bars, { startMs: Date.UTC(2025, 0, 1), seed }),
    { source: 'synthetic', synthetic: true },
  );

const audit = (...args: readonly string[]) => runCli(['audit', ...args], { cwd });

it('an honest run passes, and a pair that was left out because it ended proves the choice wrong', async () => {
  const { status, stdout } = await audit('walks', '--json', '--html', 'audit.html');
  const { failed, findings, runId } = Document.parse(JSON.parse(stdout));
  expect({ status, failed, runId }).toEqual({ status: 0, failed: 0, runId: 'walks' });
  expect(findings.find(({ check }) => check === 'reproduction')?.verdict).toBe('passed');
  expect(findings.find(({ check }) => check === 'planted-leak')?.verdict).toBe('passed');
  expect(readFileSync(join(cwd, 'audit.html'), 'utf8')).toContain('No check proved this result wrong.');

  // A backtest of the same weights carries what was found.
  const Kept = z.object({ audit: z.array(z.object({ check: z.string(), verdict: z.string() })) });
  const { stdout: kept } = await runCli(['backtest', '--run', 'walks', '--json'], { cwd });
  expect(Kept.parse(JSON.parse(kept)).audit).toEqual(
    findings.map(({ check, verdict }) => ({ check, verdict })),
  );
  const weights = { ridge: 'of other weights' };
  expect(await auditOf(join(cwd, 'data'), 'walks', weights)).toBeUndefined();
  expect(await auditOf(join(cwd, 'data'), 'never', {})).toBeUndefined();

  await stored('LUNA/USDT', 700, 3);
  const wrong = await audit('walks', '--checks', 'universe');
  expect(wrong.status).toBe(3);
  expect(wrong.stdout).toContain('failed  universe (1 left out): LUNA/USDT');
  expect(wrong.stderr).toContain('The audit proves it wrong: universe.');
});

it('names the checks when one is not known', async () => {
  const { status, stderr } = await audit('walks', '--checks', 'fils');
  expect(status).toBe(2);
  expect(stderr).toContain('--checks cannot be "fils". Did you mean "fills"?');
});

it('training marks the figures of models that the same bars stopped, or set thresholds for', () => {
  expect(trained.stdout).toMatch(/^boosted-trees \* /m);
  expect(trained.stdout).toMatch(/^buy-and-hold +baseline/m);
  expect(trained.stdout).toContain('* The same bars served early stopping');
});
