/**
 * Draws the pictures in docs/images/: runs the program in tmux in a project of its own and keeps what the screen shows as SVG, then
 * serves that project and keeps its pages as PNG, in Chromium where there is one. The candles are of the seeded generator, so that everybody gets the same pictures: all but times and names of
 * runs. `npm run screens`.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { z } from 'zod';
import { ansiToSvg } from './ansi-svg.ts';

const root = resolve(import.meta.dirname, '..');
const images = join(root, 'docs/images');
const program = join(root, 'bin/crypto-trader.js');
const SIZE = { columns: 110, rows: 36 };
const SOCKET = `crypto-trader-screens-${process.pid}`;

if (spawnSync('tmux', ['-V']).status !== 0) {
  process.stderr.write('`npm run screens` needs tmux.\n');
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'crypto-trader-screens-'));
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-L', SOCKET, ...args], { cwd: folder, encoding: 'utf8' });
const screen = (): string => tmux('capture-pane', '-e', '-p', '-t', 'screen');

async function shows(expected: RegExp): Promise<string> {
  for (const until = Date.now() + 600_000; ; await sleep(100)) {
    const now = screen();
    if (expected.test(now.replace(/\u001b\[[\d;]*m/g, ''))) return now;
    if (Date.now() > until) throw new Error(`The screen never showed ${String(expected)}:\n${now}`);
  }
}

const keep = (name: string, shown: string): void =>
  writeFileSync(join(images, `terminal-${name}.svg`), ansiToSvg(shown, SIZE.columns));

/** Types a command on an empty screen and waits for what is printed after it. */
async function run(command: string, expected: RegExp): Promise<string> {
  tmux('send-keys', '-t', 'screen', 'clear', 'Enter');
  await shows(/^\$\s*$/);
  tmux('send-keys', '-t', 'screen', '-l', command);
  tmux('send-keys', '-t', 'screen', 'Enter');
  return shows(expected);
}

/** Name, page, width and height, and what has to stand there. Low enough for small files: what is below is more of the same. */
const PAGES = [
  { name: 'dashboard', page: '', width: 1280, height: 1000, theme: 'dark', shows: '.curve canvas' },
  { name: 'dashboard-narrow', page: '', width: 360, height: 760, theme: 'light', shows: '.chart canvas' },
  { name: 'backtests', page: 'backtests', width: 1280, height: 780, theme: 'light', shows: '.curve canvas' },
  { name: 'training', page: 'training', width: 1280, height: 900, theme: 'dark', shows: '.curve canvas' },
  { name: 'paper', page: 'paper', width: 1280, height: 1000, theme: 'dark', shows: '.curve canvas' },
] as const;

/** How many. */
async function pages(): Promise<number> {
  const executablePath = [
    process.env['CHROMIUM'] ?? '',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
  ].find((path) => path !== '' && existsSync(path));
  if (executablePath === undefined) return 0;
  const server = spawn(process.execPath, [program, 'serve', '--port', '0', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = z.tuple([z.instanceof(Buffer)]).parse(await once(server.stdout, 'data'));
  const { url, token } = z.object({ url: z.string(), token: z.string() }).parse(JSON.parse(line.toString()));
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    for (const { name, page: hash, width, height, theme, shows: expected } of PAGES) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
      const page = await context.newPage();
      await page.goto(`${url}#token=${token}`);
      await page.locator('h1').waitFor();
      await page.evaluate(`location.hash = '#/${hash}'`);
      await page.locator(expected).first().waitFor();
      // Everything that it asks for has come, and two frames are drawn.
      while ((await page.evaluate("document.body.innerText.includes('Loading…')")) === true) await sleep(50);
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
      if (hash === 'backtests')
        await page.getByRole('heading', { name: /^Result of/ }).scrollIntoViewIfNeeded();
      await page.screenshot({ path: join(images, `${name}.png`) });
      await context.close();
    }
  } finally {
    await browser.close();
    server.kill();
  }
  return PAGES.length;
}

try {
  writeFileSync(
    join(folder, 'config.yaml'),
    'exchange: { id: synthetic }\nmarket: { symbols: [BTC/USDT, ETH/USDT, SOL/USDT] }\nrisk: { maxDrawdownPct: 25, maxDailyLossPct: 5 }\n',
  );
  writeFileSync(
    join(folder, 'rc'),
    `PS1='$ '\ncrypto-trader() { "${process.execPath}" "${program}" "$@"; }\nclear\n`,
  );
  const { columns, rows } = SIZE;
  tmux(
    'new-session',
    '-d',
    '-s',
    'screen',
    '-x',
    String(columns),
    '-y',
    String(rows),
    'bash',
    '--rcfile',
    'rc',
  );
  await run('crypto-trader fetch --source synthetic --since 2025-01-01 --until 2025-12-31', /Next: /);
  await run(
    'crypto-trader train --models momentum-garch,boosted-trees,logistic,gru --allow-synthetic',
    /Next: [\s\S]*\$\s*$/,
  );
  keep('train', screen());
  // Its tables and what they mean fill more than one screen.
  tmux('resize-window', '-t', 'screen', '-x', String(columns), '-y', '120');
  await run('crypto-trader backtest --strategy own', /Next: [\s\S]*\$\s*$/);
  keep('backtest', screen().split('\n').slice(0, 44).join('\n'));
  tmux('resize-window', '-t', 'screen', '-x', String(columns), '-y', String(rows));
  await run(
    'crypto-trader paper --no-exchange --strategy own --interval-seconds 0 --max-cycles 400 > paper.log; echo done',
    /^done$/m,
  );
  await run('crypto-trader dashboard', /400 bars/);
  keep('overview', await shows(/Signals at the last close/));
  const views: readonly (readonly [string, string, RegExp])[] = [
    ['2', 'markets', /▶ BTC\/USDT 1h/],
    ['3', 'models', /weight hash/],
    ['5', 'trades', /Opened to/],
    ['6', 'risk', /drawdown .*25\.00 %/],
    ['v', 'validation', /came true/],
  ];
  for (const [key, name, expected] of views) {
    tmux('send-keys', '-t', 'screen', key);
    keep(name, await shows(expected));
  }
  tmux('send-keys', '-t', 'screen', 'q');
  process.stdout.write(`docs/images/terminal-*.svg: ${views.length + 3} pictures\n`);
  process.stdout.write(`docs/images/*.png: ${await pages()} pictures\n`);
} finally {
  spawnSync('tmux', ['-L', SOCKET, 'kill-server']);
  rmSync(folder, { recursive: true });
}
