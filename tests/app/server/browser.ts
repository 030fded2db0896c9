import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { it } from 'vitest';
import type { TestServer } from './running.ts';

/** Debian's, or whatever `CHROMIUM` names. */
export const executable = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path));

export const inBrowser = it.skipIf(executable === undefined);

/** Pages of the program, by their hash. */
export const PAGES = [
  '',
  'markets',
  'training',
  'predictions',
  'backtests',
  'portfolio',
  'paper',
  'live',
  'texts',
  'advisor',
  'jobs',
  'settings',
  'api',
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: executable ?? '', args: ['--no-sandbox'] });

/** The page of `server` with its token; errors, refusals of the policy and requests to anywhere else go to `complaints`. */
export async function openPage(
  browser: Browser,
  server: TestServer,
  complaints: string[],
  { width = 1280, theme = 'dark' }: { readonly width?: number; readonly theme?: 'dark' | 'light' } = {},
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: theme });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(request.url());
  });
  await page.goto(`${server.url}#token=${server.token}`);
  await page.locator('h1').waitFor();
  return page;
}

/** Opens a page of the program and waits until everything that it asks for has come. */
export async function visit(page: Page, name: string): Promise<void> {
  const hash = JSON.stringify(`#/${name}`);
  await page.evaluate(`location.hash = ${hash}`);
  const there = `location.hash === ${hash} && document.querySelector('main .panel, main .stats') !== null`;
  // Evaluated by the debugger: the page's policy forbids what `waitForFunction` does.
  while ((await page.evaluate(`${there} && !document.body.innerText.includes('Loading…')`)) !== true)
    await page.waitForTimeout(50);
}
