import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { LOOPBACK_KEYS } from '../../support/exchange/account.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';
import { startTelegram } from '../../support/telegram.ts';

const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');
const HOUR = 3_600_000;
const FIRST_BAR = Date.UTC(2025, 0, 1);
const TRAINED_BARS = 400;
const START = FIRST_BAR + TRAINED_BARS * HOUR;

let exchange: LoopbackExchange;
let root: string;
let folders = 0;

const KEYS = { EXCHANGE_API_KEY: LOOPBACK_KEYS.apiKey, EXCHANGE_API_SECRET: LOOPBACK_KEYS.secret };
const OFF = { CRYPTO_TRADER_EXECUTION_DRY_RUN: 'false' };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'live-command-'));
  exchange = await startExchange({
    nowMs: START,
    pairs: ['BTC/USDT', 'ETH/USDT'].map((symbol, seed) =>
      pair(symbol, { '1h': walk(TRAINED_BARS + 100, { startMs: FIRST_BAR, seed }) }),
    ),
  });
  const template = join(root, 'template');
  cpSync(resolve(import.meta.dirname, '../../../data/README.md'), join(template, 'data/README.md'));
  writeFileSync(
    join(template, 'config.yaml'),
    `exchange: { baseUrl: "${exchange.url}", mode: live }
market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }
trading: { initialBalance: 1000 }
strategy: { name: own }
paper: { intervalSeconds: 0.01 }
fetch: { retries: 0, timeoutMs: 5000 }
`,
  );
  for (const args of [
    ['fetch', '--source', 'exchange'],
    ['train', '--models', 'one-bar-reversal'],
  ]) {
    const { status, stderr } = await runCli(args, { cwd: template });
    if (status !== 0) throw new Error(stderr);
  }
});
afterAll(async () => {
  await exchange.close();
  rmSync(root, { recursive: true });
});

function newFolder(): string {
  const folder = join(root, String(folders++));
  cpSync(join(root, 'template'), folder, { recursive: true });
  // A session is named by when it began, and its orders by it: those of two tests must not be the same.
  exchange.clock.set(START + folders * 1000);
  exchange.setFaults([]);
  return folder;
}

const live = (folder: string, args: readonly string[], environment: Record<string, string> = KEYS) =>
  runCli(['live', ...args], { cwd: folder, environment });

const Plan = z.object({ hash: z.string(), account: z.string(), dryRun: z.boolean() });

async function confirmed(folder: string, environment: Record<string, string>): Promise<string> {
  const { stdout } = await live(folder, ['plan', '--json'], environment);
  writeFileSync(join(folder, 'terms.txt'), `${Plan.parse(JSON.parse(stdout)).hash}\n`);
  return 'terms.txt';
}

it('sends nothing by default, whatever else is set', async () => {
  const folder = newFolder();
  const before = exchange.books.orders().length;
  const file = await confirmed(folder, KEYS);
  const { status, stdout } = await live(folder, ['start', '--max-cycles', '2', '--confirmed', file]);
  expect(status).toBe(0);
  expect(stdout).toContain('NONE is sent');
  expect(stdout).toMatch(/dry run: nothing sent; would buy/);
  expect(exchange.books.orders()).toHaveLength(before);
});

it('trades what was confirmed, resumes, and is flattened from another terminal', async () => {
  const folder = newFolder();
  const environment = { ...KEYS, ...OFF };
  const file = await confirmed(folder, environment);
  const first = await live(folder, ['start', '--max-cycles', '2', '--confirmed', file], environment);
  expect(first).toMatchObject({ status: 0 });
  expect(first.stdout).toContain('REAL MONEY');
  expect(first.stdout).toContain('filled:');
  expect(`${first.stdout}${first.stderr}`).not.toContain(LOOPBACK_KEYS.secret);
  const orders = exchange.books.orders();
  expect(orders.length).toBeGreaterThan(0);
  expect(orders.every(({ clientOrderId }) => /^ct[a-z2-7]{16}$/.test(clientOrderId))).toBe(true);

  const flat = await live(folder, ['flatten'], environment);
  expect(flat.stdout).toContain('is flattened');
  exchange.clock.set(START + HOUR);
  const second = await live(
    folder,
    ['start', '--max-cycles', '2', '--confirmed', file, '--json'],
    environment,
  );
  expect(second).toMatchObject({ status: 0 });
  const { positions } = z.object({ positions: z.array(z.unknown()) }).parse(JSON.parse(second.stdout));
  expect(positions).toEqual([]);
  const { stdout } = await live(folder, ['status'], environment);
  expect(stdout).toMatch(/binance-1h +stopped +flattened/);
});

it.each([
  ['nobody confirmed it', ['start'], { ...KEYS, ...OFF }, [], 'nobody is there to type'],
  [
    'other terms were confirmed',
    ['start', '--confirmed', 'config.yaml'],
    { ...KEYS, ...OFF },
    [],
    'confirms other terms',
  ],
  ['there is no key', ['start'], {}, [], 'There is no key for binance.'],
  ['the key may withdraw', ['start'], KEYS, [{ kind: 'may-withdraw' }], 'may withdraw money'],
  ['the key may not trade', ['start'], KEYS, [{ kind: 'may-not-trade' }], 'may not trade'],
  [
    'the account holds less than the plan',
    ['start'],
    { ...KEYS, CRYPTO_TRADER_TRADING_INITIAL_BALANCE: '90000' },
    [],
    'the plan is to trade with 90000',
  ],
  [
    'the project trades on paper',
    ['start'],
    { ...KEYS, CRYPTO_TRADER_EXCHANGE_MODE: 'paper' },
    [],
    'nothing is traded live',
  ],
  [
    'the exchange is not one of those',
    ['start'],
    { ...KEYS, CRYPTO_TRADER_EXCHANGE_ID: 'kraken' },
    [],
    'kraken',
  ],
] as const)('does not start when %s', async (_, args, environment, faults, message) => {
  const folder = newFolder();
  const before = exchange.books.orders().length;
  exchange.setFaults(faults);
  const { status, stderr } = await live(folder, [...args, '--max-cycles', '1'], environment);
  expect(stderr).toContain(message);
  expect(status).toBe(1);
  expect(exchange.books.orders()).toHaveLength(before);
});

it('tells and answers Telegram, evaluates alerts, writes its health, and leaves on SIGTERM though the exchange is silent', async () => {
  const folder = newFolder();
  const telegram = await startTelegram({ token: 'live-token', chat: 7 });
  onTestFinished(() => telegram.close());
  const environment = {
    ...KEYS,
    ...OFF,
    NOTIFY_TELEGRAM_TOKEN: 'live-token',
    NOTIFY_TELEGRAM_CHAT_ID: '7',
    NOTIFY_TELEGRAM_API_URL: telegram.url,
    CRYPTO_TRADER_TELEGRAM_COMMANDS: 'control',
    CRYPTO_TRADER_TRADING_STOP_LOSS_PCT: '50',
    CRYPTO_TRADER_TRADING_TAKE_PROFIT_PCT: '60',
  };
  const alert = await runCli(['alerts', 'add', 'BTC/USDT', 'above', '1'], { cwd: folder });
  expect(alert).toMatchObject({ status: 0 });
  const file = await confirmed(folder, environment);
  const running = spawn(process.execPath, [bin, 'live', 'start', '--confirmed', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void running.kill('SIGKILL'));
  let printed = '';
  for (const stream of [running.stdout, running.stderr])
    stream.on('data', (bytes: Buffer) => (printed += bytes.toString()));
  const ended = once(running, 'close');
  const told = (...words: RegExp[]) =>
    telegram.until(() => words.every((one) => telegram.said.some((text) => one.test(text))));
  await Promise.race([
    told(/filled:/, /BTC\/USDT.*above 1/, /stop: sell .* from/, /take: sell /),
    ended.then(() => Promise.reject(new Error(printed))),
  ]);

  expect(await telegram.write('/status')).toContain('live/binance-1h: runs, placed');
  const asked = await telegram.write('/flatten live/binance-1h');
  expect(asked).toMatch(/Confirm within a minute/);
  const code = /\/confirm (\d{6})/.exec(asked)?.[1] ?? '';
  expect(await telegram.write(`/confirm ${code}`)).toContain('flattened');
  const live = join(folder, 'data/live/binance-1h');
  expect(readFileSync(join(live, 'control.json'), 'utf8')).toContain('"flatten"');
  const health: unknown = JSON.parse(readFileSync(join(live, 'health.json'), 'utf8'));
  expect(health).toMatchObject({ version: 2, pid: running.pid, unprotected: [] });

  // Stop and target rest, and are told to whoever asks.
  const { stdout } = await runCli(['live', 'status'], { cwd: folder, environment });
  expect(stdout).toMatch(/a stop rests: [\d.]+ (BTC|ETH)\/USDT from [\d.]+ down to [\d.]+$/m);
  expect(stdout).toMatch(/a target rests: [\d.]+ (BTC|ETH)\/USDT at [\d.]+$/m);
  exchange.setFaults([{ kind: 'timeout' }]);
  const stoppedMs = performance.now();
  running.kill('SIGTERM');
  await ended;
  expect(performance.now() - stoppedMs).toBeLessThan(5_000);
  expect(printed).not.toContain('live-token');
  const after = await runCli(['live', 'status'], { cwd: folder, environment });
  expect(after).toMatchObject({ status: 3 });
  expect(after.stderr).toContain('no process runs it');
  exchange.setFaults([]);
  const doctor = await runCli(['doctor'], { cwd: folder, environment });
  expect(doctor.stdout).toMatch(/live session binance-1h +ok +\d+ bars, \d+ orders, the ledger replays/);
  expect(doctor.stdout).toMatch(/live key +(ok|note) +may trade, may not withdraw; the account holds/);
});

it('tells what an exchange and a key are good for', async () => {
  const folder = newFolder();
  const cli = (environment: Record<string, string>) =>
    runCli(['exchanges', 'test'], { cwd: folder, environment });
  const good = await cli(KEYS);
  // The loopback exchange lives in another year.
  expect(good).toMatchObject({ status: 3 });
  expect(good.stderr).toContain('Needs attention: the clock (synchronise it with NTP).');
  expect(good.stdout).toMatch(/BTC\/USDT +0\.00001 +0\.01 +5/);
  expect(good.stdout).toContain('May trade: yes; may withdraw: no.');
  const bad = await cli({ ...KEYS, EXCHANGE_API_SECRET: 'another-secret' });
  expect(bad.stdout).toContain('The key is REFUSED');
  exchange.setFaults([{ kind: 'may-withdraw' }]);
  expect((await cli(KEYS)).stderr).toContain('a key that may withdraw');
  const names = await runCli(['exchanges', 'list'], { cwd: folder });
  expect(names.stdout).toContain('Live trading (spot): binance, bybit, okx.');
  const wrong = await runCli(['exchanges', 'use', 'krakenn'], { cwd: folder });
  expect(wrong).toMatchObject({ status: 1, stdout: '' });
  expect(wrong.stderr).toContain('Did you mean "kraken"?');
  const used = await runCli(['exchanges', 'use', 'kraken'], { cwd: folder });
  expect(used.stdout).toContain('exchange.id is kraken in config.yaml.');
  expect((await runCli(['exchanges', 'list'], { cwd: folder })).stdout).toContain('In use: kraken.');
});
