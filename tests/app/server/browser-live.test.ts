import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { buildWebIfStale } from '../../../bin/build.js';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';
import { executable, inBrowser, launch, openPage, visit } from './browser.ts';
import { serve, type TestServer } from './running.ts';

/* The page, while a paper session trades against an exchange on loopback. */

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HOUR = 3_600_000;
const BARS = 300;
/** Bars count as closed by the earlier of the exchange's clock and ours; when 20 have closed, it is this hour. */
const START = (Math.floor(Date.now() / HOUR) - 19) * HOUR;
const FIRST_BAR = START - BARS * HOUR;
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');

let cwd: string;
let exchange: LoopbackExchange;
let paper: ChildProcess;
let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  if (executable === undefined) return;
  buildWebIfStale();
  cwd = mkdtempSync(join(tmpdir(), 'browser-live-'));
  exchange = await startExchange({
    nowMs: START,
    pairs: ['BTC/USDT', 'ETH/USDT'].map((symbol, seed) =>
      pair(symbol, { '1h': walk(BARS + 60, { startMs: FIRST_BAR, seed }) }),
    ),
  });
  writeFileSync(
    join(cwd, 'config.yaml'),
    `exchange: { baseUrl: "${exchange.url}" }
market: { symbols: [BTC/USDT, ETH/USDT], since: ${new Date(FIRST_BAR).toISOString()} }
risk: { maxDrawdownPct: 40 }
fetch: { retries: 0, timeoutMs: 2000 }
`,
  );
  for (const command of [
    ['fetch', '--source', 'exchange'],
    ['train', '--models', 'one-bar-reversal'],
  ]) {
    const { status, stderr } = await runCli(command, { cwd });
    expect([command, status, stderr]).toEqual([command, 0, stderr]);
  }
  paper = spawn(process.execPath, [bin, 'paper', '--strategy', 'own', '--interval-seconds', '0.1'], {
    cwd,
    stdio: 'ignore',
  });
  server = await serve(cwd);
  browser = await launch();
});
afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await server.kill('SIGKILL');
  if (paper.exitCode === null) {
    const ended = once(paper, 'exit');
    paper.kill('SIGKILL');
    await ended;
  }
  await exchange.close();
  rmSync(cwd, { recursive: true });
});

inBrowser(
  'a paper session is followed bar by bar and price by price, explained, paused and never made live (needs a browser)',
  async () => {
    const complaints: string[] = [];
    const page = await openPage(browser, server, complaints);
    const main = page.getByRole('main');
    await main.getByText('1 bars').waitFor();

    // Last prices come with the stream, and are those of the exchange at its own time.
    await main.getByText(/prices of \d\d:\d\d:\d\d UTC/).waitFor();
    expect(exchange.calls).toContain('GET /api/v3/ticker/24hr');

    for (let bars = 2; bars <= 20; bars++) {
      exchange.clock.set(START + (bars - 1) * HOUR);
      if (bars % 10 === 0) await main.getByText(`${bars} bars`, { exact: true }).waitFor();
    }
    await page.getByRole('status').getByText('live', { exact: true }).waitFor();
    await main.getByRole('radio', { name: 'ETH/USDT' }).check({ force: true });
    await main.getByRole('img', { name: /ETH\/USDT: \d+ bars, last close [\d.]+, [1-9]\d* fills/ }).waitFor();

    // Each page by its link, as a person goes there.
    for (const name of await page.getByRole('navigation').getByRole('link').allInnerTexts()) {
      await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    }

    await visit(page, 'paper');
    await main.getByText(/Decided at the close of the bar of/).waitFor();
    await main.getByRole('img', { name: /^drawdown: .*, at most 40\.00 %$/ }).waitFor();
    await main.getByRole('button', { name: 'Show the newest orders' }).click();
    await main
      .getByRole('table', { name: /Newest orders/ })
      .getByRole('button')
      .first()
      .click();
    await main.getByText(/its own position: -?[01]\./).waitFor();
    await main.getByRole('button', { name: 'Pause' }).click();
    await main.getByText('Nothing is ordered; positions keep their stops.').waitFor();

    // Live trading is there to be looked at: nothing on its page does anything, and no job is called so.
    await visit(page, 'live');
    await main.getByText('Nothing trades live').waitFor();
    expect(await main.locator('button, input, select, a').count()).toBe(0);
    const asked = await server.ask('/api/jobs', { method: 'POST', body: { kind: 'live' } });
    expect(asked.status).toBe(400);
    expect(complaints).toEqual([]);
    await page.context().close();
  },
);
