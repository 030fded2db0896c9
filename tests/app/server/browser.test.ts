import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { z } from 'zod';
import { buildWebIfStale } from '../../../bin/build.js';
import { walkStore } from '../../learning/training/runs.ts';
import { runCli } from '../../support/cli.ts';
import { executable, inBrowser, launch, openPage, PAGES, visit } from './browser.ts';
import { serve, type TestServer } from './running.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let cwd: string;
let server: TestServer;
let browser: Browser;
const complaints: string[] = [];

beforeAll(async () => {
  if (executable === undefined) return;
  buildWebIfStale();
  cwd = mkdtempSync(join(tmpdir(), 'browser-'));
  await walkStore(cwd);
  const environment = {
    CRYPTO_TRADER_MARKET_SYMBOLS: 'BTC/USDT,ETH/USDT',
    CRYPTO_TRADER_MARKET_SINCE: '2025-01-01',
  };
  for (const command of [
    ['train', '--models', 'buy-and-hold,persistence', '--name', 'walked'],
    ['backtest', '--strategy', 'own'],
    ['backtest', '--strategy', 'sign'],
    ['signals'],
    ['paper', '--no-exchange', '--strategy', 'own', '--max-cycles', '60'],
  ]) {
    const { status, stderr } = await runCli(command, { cwd, environment });
    expect([command, status, stderr]).toEqual([command, 0, stderr]);
  }
  server = await serve(cwd, environment);
  browser = await launch();
});
afterAll(async () => {
  if (executable === undefined) return;
  await browser.close();
  await server.kill('SIGKILL');
  rmSync(cwd, { recursive: true });
});

const opened = (options: Parameters<typeof openPage>[3] = {}): Promise<Page> =>
  openPage(browser, server, complaints, options);

const Violations = z.array(
  z.object({ id: z.string(), impact: z.string().nullable(), nodes: z.array(z.object({ html: z.string() })) }),
);

describe('every page', () => {
  inBrowser(
    'opens without a complaint, in 360 pixels too, and axe finds nothing serious in either theme (needs a browser)',
    async () => {
      for (const theme of ['dark', 'light'] as const) {
        const page = await opened({ width: theme === 'dark' ? 1280 : 360, theme });
        for (const name of PAGES) {
          await visit(page, name);
          const beyond = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          expect([name, theme, beyond]).toEqual([name, theme, 0]);
          await page.evaluate(axe);
          const found = Violations.parse(
            await page.evaluate(
              'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }).then((result) => result.violations)',
            ),
          );
          const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
          expect([name, theme, serious.map(({ id, nodes }) => [id, nodes[0]?.html])]).toEqual([
            name,
            theme,
            [],
          ]);
        }
        await page.context().close();
      }
      expect(complaints).toEqual([]);
    },
  );
});

describe('a person', () => {
  inBrowser(
    'who has no token is asked for it, and it does not stay in the address (needs a browser)',
    async () => {
      const page = await opened();
      expect(page.url()).not.toContain(server.token);
      const stranger = await browser.newContext();
      const door = await stranger.newPage();
      await door.goto(server.url);
      await door.getByLabel('Token').fill(server.token);
      await door.getByRole('button', { name: 'Open' }).click();
      await door.getByRole('heading', { name: 'Dashboard' }).waitFor();
      await stranger.close();
      await page.context().close();
    },
  );

  inBrowser('goes from page to page by keys, starts a job and sees it end (needs a browser)', async () => {
    const page = await opened();
    await page.keyboard.press('g');
    await page.keyboard.press('m');
    await page.getByRole('heading', { name: 'Markets', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Verify everything' }).click();
    await page.getByText('done', { exact: true }).waitFor();
    await page.getByText('data verify').first().waitFor();
    await page.context().close();
  });

  inBrowser('sees the fills of the session on its candles, and pauses it (needs a browser)', async () => {
    const page = await opened();
    await visit(page, '');
    // Of two pairs that are bought at the first open.
    await page.getByRole('img', { name: /BTC\/USDT: \d+ bars, last close [\d.]+, [1-9]\d* fills/ }).waitFor();
    await visit(page, 'paper');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Nothing is ordered; positions keep their stops.').waitFor();
    const status = await runCli(['paper', 'status', '--json'], { cwd });
    expect(status.stdout).toContain('"mode": "pause"');
    await page.context().close();
  });

  inBrowser('changes a setting, and reads why a wrong one is refused (needs a browser)', async () => {
    const page = await opened();
    await visit(page, 'settings');
    await page.getByText('Trading', { exact: true }).click();
    const field = page.getByLabel('trading.feeBps');
    await field.fill('5');
    await field.press('Enter');
    await page.locator('.setting', { has: field }).getByText('file', { exact: true }).waitFor();
    expect(readFileSync(join(cwd, 'config.yaml'), 'utf8')).toContain('feeBps: 5');
    await field.fill('-5');
    await field.press('Enter');
    await page.getByRole('alert').getByText('at least 0').waitFor();
    await page.context().close();
  });
});

describe('the first load', () => {
  inBrowser('is at most 150 kB over the wire, charts included (needs a browser)', async () => {
    const page = await opened();
    await visit(page, '');
    await page.locator('.chart canvas').first().waitFor();
    const entries = z
      .array(z.object({ name: z.string(), encodedBodySize: z.number() }))
      .parse(
        await page.evaluate(
          'performance.getEntriesByType("resource").map(({ name, encodedBodySize }) => ({ name, encodedBodySize }))',
        ),
      );
    const files = entries.filter(({ name }) => /\.(js|css|svg)$/.test(new URL(name).pathname));
    const bytes = files.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(150 * 1024);
    await page.context().close();
  });
});
