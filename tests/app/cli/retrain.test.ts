import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';

const HOUR = 3_600_000;
const FIRST_BAR = Date.UTC(2025, 0, 1);
const START = FIRST_BAR + 400 * HOUR;

let exchange: LoopbackExchange;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'retrain-'));
  exchange = await startExchange({
    nowMs: START,
    pairs: [pair('BTC/USDT', { '1h': walk(600, { startMs: FIRST_BAR }) })],
  });
  const template = join(root, 'template');
  cpSync(resolve(import.meta.dirname, '../../../data/README.md'), join(template, 'data/README.md'));
  writeFileSync(
    join(template, 'config.yaml'),
    `exchange: { baseUrl: "${exchange.url}" }
market: { symbols: [BTC/USDT], since: 2025-01-01 }
strategy: { name: own }
fetch: { retries: 0, timeoutMs: 5000 }
`,
  );
  for (const args of [
    ['fetch', '--source', 'exchange'],
    ['train', '--models', 'one-bar-reversal', '--name', 'old'],
  ]) {
    const { status, stderr } = await runCli(args, { cwd: template });
    if (status !== 0) throw new Error(stderr);
  }
});
afterAll(async () => {
  await exchange.close();
  rmSync(root, { recursive: true });
});

function folder(name: string): (...args: string[]) => ReturnType<typeof runCli> {
  const cwd = join(root, name);
  cpSync(join(root, 'template'), cwd, { recursive: true });
  return (...args) => runCli(args, { cwd });
}

const Document = z.object({
  kind: z.string(),
  champion: z.string(),
  challenger: z.string(),
  bars: z.number(),
  from: z.string(),
});

it('does nothing while the run is young, or when nothing new is stored', async () => {
  const run = folder('young');
  expect((await run('retrain', '--if-older-than', '7d')).stdout).toContain('Nothing to do: old is');
  expect((await run('retrain')).stdout).toContain('no bars have been stored since');
  expect(await run('retrain', '--if-older-than', 'soon')).toMatchObject({ status: 2 });
  const wrong = await run('retrain', '--every', '61 * * * *');
  expect(wrong).toMatchObject({ status: 2 });
  expect(wrong.stderr).toContain('--every cannot be "61 * * * *"');
});

it('promotes a run that is not worse on bars that neither has seen, and it can be taken back', async () => {
  const run = folder('promoted');
  exchange.clock.set(FIRST_BAR + 550 * HOUR);
  const { status, stdout, stderr } = await run('retrain', '--fetch', '--json');
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const document = Document.parse(JSON.parse(stdout));
  expect(document).toMatchObject({ kind: 'promoted', champion: 'old' });
  // A fifth of 550 bars were in nobody's training.
  expect(document.bars).toBe(110);
  expect(document.from).toBe(new Date(FIRST_BAR + 440 * HOUR).toISOString());
  expect((await run('models', 'list')).stdout).toContain(document.challenger);
  expect((await run('models', 'rollback')).stdout).toContain('old is active again');
});
