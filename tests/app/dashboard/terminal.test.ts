import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';

/*
 * The real program in a real terminal, driven by keys, while a paper session trades against an exchange on loopback.
 */

const hasTmux = spawnSync('tmux', ['-V']).status === 0;
const HOUR = 3_600_000;
const BARS = 400;
/** Bars count as closed by the earlier of the exchange's clock and ours; when 30 have closed, it is this hour. */
const START = (Math.floor(Date.now() / HOUR) - 29) * HOUR;
const FIRST_BAR = START - BARS * HOUR;
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');

describe.skipIf(!hasTmux)('the dashboard in a terminal (needs tmux)', () => {
  let exchange: LoopbackExchange;
  let root: string;
  let paper: ChildProcess;
  const socket = `crypto-trader-${process.pid}`;
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8', cwd: root });
  const screen = (): string => tmux('capture-pane', '-p', '-t', 'view');
  const press = (...keys: string[]): string => tmux('send-keys', '-t', 'view', ...keys);

  /** Waits until the screen shows it, and returns the screen. */
  async function shows(expected: RegExp): Promise<string> {
    const until = Date.now() + 60_000;
    for (;;) {
      const now = screen();
      if (expected.test(now)) return now;
      if (Date.now() > until) throw new Error(`The screen never showed ${String(expected)}:\n${now}`);
      await sleep(50);
    }
  }

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'dashboard-'));
    exchange = await startExchange({
      nowMs: START,
      pairs: ['BTC/USDT', 'ETH/USDT'].map((symbol, seed) =>
        pair(symbol, { '1h': walk(BARS + 100, { startMs: FIRST_BAR, seed }) }),
      ),
    });
    writeFileSync(
      join(root, 'config.yaml'),
      `exchange: { baseUrl: "${exchange.url}" }
market: { symbols: [BTC/USDT, ETH/USDT], since: ${new Date(FIRST_BAR).toISOString()} }
risk: { maxDrawdownPct: 40 }
fetch: { retries: 0, timeoutMs: 2000 }
`,
    );
    for (const args of [
      ['fetch', '--source', 'exchange'],
      ['train', '--models', 'one-bar-reversal'],
    ]) {
      const { status, stderr } = await runCli(args, { cwd: root });
      if (status !== 0) throw new Error(stderr);
    }
    paper = spawn(process.execPath, [bin, 'paper', '--strategy', 'own', '--interval-seconds', '0.1'], {
      cwd: root,
      stdio: 'ignore',
    });
  }, 120_000);

  afterAll(async () => {
    spawnSync('tmux', ['-L', socket, 'kill-server']);
    const ended = new Promise((done) => paper.once('exit', done));
    if (paper.exitCode === null && paper.kill('SIGINT')) await ended;
    await exchange.close();
    rmSync(root, { recursive: true });
  });

  it('follows a session bar by bar, shows every view by its key, and leaves the terminal as it was', async () => {
    // Containers of build services and of some editors have CI set.
    const inside = `unset NO_COLOR FORCE_COLOR; echo before; CI=1 "${process.execPath}" "${bin}" dashboard; echo "after $?"; exec cat`;
    tmux('new-session', '-d', '-s', 'view', '-x', '110', '-y', '24', 'sh', '-c', inside);
    await shows(/, 1 bar, last[^\n]*\n\[1 Overview\]/);
    expect(tmux('capture-pane', '-e', '-p', '-t', 'view')).toContain('\u001b[36m');
    for (let bars = 2; bars <= 30; bars++) {
      exchange.clock.set(START + (bars - 1) * HOUR);
      if (bars % 10 === 0) await shows(new RegExp(`, ${bars} bars, last`));
    }

    expect(screen()).not.toContain('STALE');
    tmux('resize-window', '-t', 'view', '-x', '80', '-y', '24');
    await shows(/\[1 Overview\]2 Markets 3 Models 4 Train /);
    press('2');
    expect(await shows(/▲ *[\s\S]*▼|▼[\s\S]*▲/)).toMatch(/▶ BTC\/USDT 1h ─/);
    press(']');
    await shows(/▶ ETH\/USDT 1h ─/);
    press('-');
    await shows(/▶ ETH\/USDT 1h x 2 ─/);

    press('3');
    expect(await shows(/\* \S+-quick/)).toMatch(/one-bar-reversal +\d\d\.\d \(/);
    press('4');
    await shows(/\[4 Train\][\s\S]*one-bar-reversal +█{12} +done in/);
    press('5');
    expect(await shows(/[1-9]\d* closed trades/)).toMatch(/Opened to \w+ 100 % at the close of the bar of/);
    press('/', 'e', 't', 'h');
    expect(await shows(/closed trades with "eth"/)).toMatch(/filter: eth_/);
    press('Enter', 's');
    await shows(/with "eth".*; by profit/);

    press('6');
    expect(await shows(/drawdown +\d+\.\d\d % +[█░]{24} +40\.00 %/)).toContain(`process ${paper.pid ?? ''}`);
    expect((await runCli(['paper', 'pause'], { cwd: root })).status).toBe(0);
    await shows(/PAUSED: nothing is ordered/);
    press('7');
    await shows(/cash +[\d ]+\.\d\d +\d+\.\d %/);
    press('8');
    await shows(/No job yet/);
    press('9');
    await shows(/Log: \d+ of \d+ lines, following/);
    press('v');
    await shows(/Validation of \S+-quick/);

    tmux('resize-window', '-t', 'view', '-x', '150', '-y', '40');
    press('1');
    const wide = await shows(/\[1 Overview\] 2 Markets {2}/);
    expect(wide.split('\n').some((line) => /▶ Equity ─+.*─ Signals at the last close/.test(line))).toBe(true);
    press('?');
    await shows(/It changes nothing/);
    press('q');
    // Of the screen before, and nothing of the dashboard.
    const after = await shows(/after \d/);
    expect(after.trim()).toBe('before\nafter 0');
  }, 120_000);

  it('writes nothing', async () => {
    const ended = new Promise((done) => paper.once('exit', done));
    paper.kill('SIGINT');
    await ended;
    const files = (): readonly string[] =>
      (readdirSync(root, { recursive: true }) as string[])
        .toSorted()
        .map((name) => `${name} ${statSync(join(root, name)).mtimeMs}`);
    const before = files();
    const { status, stdout } = await runCli(['dashboard', '--json'], { cwd: root });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      session: { bars: 30, strategy: 'own' },
      runs: [{ active: true, complete: true, models: [{ model: 'one-bar-reversal' }] }],
      markets: [{ symbol: 'BTC/USDT', source: 'stored' }, { symbol: 'ETH/USDT' }],
      risk: { control: 'pause' },
    });
    expect((await runCli(['dashboard', '--once', '--view', 'markets'], { cwd: root })).status).toBe(0);
    expect(files()).toEqual(before);
  }, 60_000);

  it('refuses the name of a session that cannot be one, and a view that there is not', async () => {
    const named = await runCli(['dashboard', '--name', '../x'], { cwd: root });
    expect(named).toMatchObject({ status: 2, stderr: expect.stringContaining('paper status') as string });
    const viewed = await runCli(['dashboard', '--view', 'moon'], { cwd: root });
    expect(viewed).toMatchObject({ status: 2, stderr: expect.stringContaining('overview') as string });
  });
});
