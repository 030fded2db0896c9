import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';
import { temporaryFolder } from '../../support/folder.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2024, 0, 1);
const ROWS = 1500;

const Demo = z.object({
  synthetic: z.literal(false),
  source: z.string(),
  exchange: z.string(),
  report: z.string(),
});

it(
  'the demo fetches from an exchange, trains, backtests, signals and trades one bar on paper',
  { timeout: 600_000 },
  async () => {
    const exchange = await startExchange({
      pairs: [pair('BTC/USDT', { '1h': walk(ROWS, { startMs: START, seed: 1 }) })],
      nowMs: START + ROWS * HOUR,
    });
    onTestFinished(() => exchange.close());
    const cwd = temporaryFolder();
    writeFileSync(
      join(cwd, 'config.yaml'),
      `exchange: { id: binance, baseUrl: '${exchange.url}' }
market: { symbols: [BTC/USDT], since: 2024-01-01, until: ${new Date(START + ROWS * HOUR).toISOString()} }
`,
    );
    const { status, stdout, stderr } = await runCli(['demo', '--json'], { cwd });
    expect(status, stderr).toBe(0);
    const demo = Demo.parse(JSON.parse(stdout));
    expect(demo).toMatchObject({ source: 'exchange', exchange: 'binance' });
    expect(readFileSync(join(cwd, demo.report), 'utf8')).toContain('<html');
    expect(existsSync(join(cwd, 'demo/data/paper/binance-1h/ledger.jsonl'))).toBe(true);
    // What it made lies in its folder, and nowhere else.
    expect(existsSync(join(cwd, 'checkpoints'))).toBe(false);
  },
);
