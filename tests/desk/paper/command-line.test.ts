import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { activateRun, rollbackRun } from '../../../src/learning/training/active-run.ts';
import { findRun } from '../../../src/learning/training/run-folder.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HOUR = 3_600_000;
const FIRST_BAR = Date.UTC(2025, 0, 1);
const BARS = 400;
const START = FIRST_BAR + BARS * HOUR;
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');

let exchange: LoopbackExchange;
let root: string;
let folders = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'paper-cli-'));
  exchange = await startExchange({
    nowMs: START,
    pairs: ['BTC/USDT', 'ETH/USDT'].map((symbol, seed) =>
      pair(symbol, { '1h': walk(BARS + 50, { startMs: FIRST_BAR, seed }) }),
    ),
  });
  const template = join(root, 'template');
  cpSync(resolve(import.meta.dirname, '../../../data/README.md'), join(template, 'data/README.md'));
  writeFileSync(
    join(template, 'config.yaml'),
    `exchange: { baseUrl: "${exchange.url}" }
market: { since: 2025-01-01 }
fetch: { retries: 0, timeoutMs: 2000 }
`,
  );
  const symbols = ['--symbols', 'BTC/USDT,ETH/USDT'];
  for (const args of [
    ['fetch', '--source', 'exchange', ...symbols],
    ['train', '--name', 'first', '--models', 'one-bar-reversal', ...symbols],
    ['train', '--name', 'second', '--models', 'one-bar-reversal', ...symbols],
  ]) {
    const { status, stderr } = await runCli(args, { cwd: template });
    if (status !== 0) throw new Error(stderr);
  }
});
afterAll(async () => {
  await exchange.close();
  rmSync(root, { recursive: true });
});

/** A folder with settings, candles until START and a trained run. */
function newFolder(): string {
  const folder = join(root, String(folders++));
  cpSync(join(root, 'template'), folder, { recursive: true });
  exchange.clock.set(START);
  exchange.setFaults([]);
  return folder;
}

const Bar = z.object({
  timeMs: z.number(),
  runId: z.string(),
  decision: z.string(),
  candles: z.array(z.array(z.number()).nullable()),
});

/** The bars of a session's ledger. */
const ledger = (folder: string, name = 'binance-1h') =>
  readFileSync(join(folder, 'data/paper', name, 'ledger.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Bar.parse(JSON.parse(line)));

/**
 * Runs `paper` until it has printed the bar of `untilMs`, and whenever it prints a line lets `onLine` change the exchange;
 * then Ctrl-C. All that it printed.
 */
async function session(
  folder: string,
  until: RegExp,
  onLine: (line: string) => void,
  args: readonly string[] = [],
): Promise<string> {
  const child = spawn(
    process.execPath,
    [bin, 'paper', '--interval-seconds', '0.01', '--log-level', 'debug', ...args],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let text = '';
  let rest = '';
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const hear = (chunk: string): void => {
    text += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (until.test(line)) child.kill('SIGINT');
      else onLine(line);
    }
  };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  expect({ status: await ended, text }).toMatchObject({ status: 130 });
  return text;
}

const hour = (bars: number): string =>
  new Date(START + bars * HOUR).toISOString().slice(0, 16).replace('T', ' ');

describe('a session against an exchange', () => {
  it('waits for a bar that is published late, and trades it as if it had been in time', async () => {
    const folder = newFolder();
    let cycles: number | undefined;
    await session(folder, new RegExp(`^${hour(1)}  equity`), (line) => {
      if (line.startsWith(`${hour(-1)}  equity`)) {
        // The next bar closes, and is published half an hour after that.
        exchange.setFaults([{ kind: 'late', offsetMs: HOUR / 2, path: 'klines' }]);
        exchange.clock.set(START + HOUR);
        cycles = 0;
      }
      // It has asked several times by then, and was told of no such bar.
      if (cycles !== undefined && line.includes('paper cycle') && ++cycles === 4) {
        expect(ledger(folder).at(-1)?.timeMs).toBe(START - HOUR);
        exchange.clock.set(START + HOUR * 1.75);
      }
      if (line.startsWith(`${hour(0)}  equity`)) {
        expect(cycles).toBeGreaterThanOrEqual(4);
        exchange.setFaults([]);
        exchange.clock.set(START + 2 * HOUR);
      }
    });
    expect(ledger(folder).map(({ timeMs, decision }) => [timeMs, decision])).toEqual([
      [START - HOUR, 'placed'],
      [START, 'placed'],
      [START + HOUR, 'placed'],
    ]);
  });

  it('sets a bar aside that no market has, says why once, and takes it when it is right', async () => {
    const folder = newFolder();
    let struck = 0;
    const text = await session(folder, new RegExp(`^${hour(1)}  equity`), (line) => {
      if (line.startsWith(`${hour(-1)}  equity`)) {
        exchange.setFaults([{ kind: 'huge', path: 'klines', atMs: START }]);
        exchange.clock.set(START + HOUR);
      }
      if (/Left out, and asked for again/.test(line)) {
        struck++;
        exchange.setFaults([]);
      }
      if (line.startsWith(`${hour(0)}  equity`)) exchange.clock.set(START + 2 * HOUR);
    });
    expect(struck).toBeGreaterThan(0);
    expect(text).toMatch(/(BTC|ETH)\/USDT .*1e\+300/);
    const bars = ledger(folder);
    expect(bars.map(({ timeMs }) => timeMs)).toEqual([START - HOUR, START, START + HOUR]);
    for (const { candles } of bars)
      for (const candle of candles) expect(Math.max(...(candle ?? []))).toBeLessThan(1e9);
  });

  it('says once that the clocks are apart, however often it asks', async () => {
    const folder = newFolder();
    const text = await session(folder, new RegExp(`^${hour(3)}  equity`), (line) => {
      const [, bar] = /^(\S+ \S+) {2}equity/.exec(line) ?? [];
      if (bar !== undefined) exchange.clock.set(Date.parse(`${bar}Z`) + 2 * HOUR);
    });
    expect(text.match(/The clock of .* this machine's/g)).toHaveLength(1);
  });
});

it('takes a run that becomes active between two bars, and the one before it again, when told to', async () => {
  const folder = newFolder();
  const checkpoints = join(folder, 'checkpoints');
  const at = (bars: number) => new RegExp(`^${hour(bars)}  equity`);
  const text = await session(
    folder,
    at(1),
    (line) => {
      if (at(-1).test(line))
        void findRun(checkpoints, 'second').then((run) => activateRun(checkpoints, run, async () => {}));
      if (line.startsWith('From the next bar on the models of second')) exchange.clock.set(START + HOUR);
      if (at(0).test(line)) void rollbackRun(checkpoints);
      if (line.startsWith('From the next bar on the models of first')) exchange.clock.set(START + 2 * HOUR);
    },
    ['--follow-active'],
  );
  expect(ledger(folder).map(({ runId }) => runId)).toEqual(['first', 'second', 'first']);
  expect(text).not.toContain('The session keeps its training run');
  const refused = await runCli(['paper', '--follow-active', '--run', 'first'], { cwd: folder });
  expect(refused).toMatchObject({ status: 2 });
  expect(refused.stderr).toContain('--follow-active does nothing with --run.');
});

describe('the symbols of a session', () => {
  const run = (folder: string, args: readonly string[], environment = {}) =>
    runCli(['paper', '--no-exchange', '--max-cycles', '2', ...args], { cwd: folder, environment });

  it('are those of the settings or of the command line, and stay those of the session', async () => {
    const folder = newFolder();
    const set = { CRYPTO_TRADER_MARKET_SYMBOLS: 'ETH/USDT,SOL/USDT' };
    const first = await run(folder, [], set);
    expect(first).toMatchObject({ status: 0 });
    expect(first.stdout).toContain('SOL/USDT (market.symbols): not in the run "first"');
    const named = await run(folder, ['--symbols', 'BTC/USDT', '--name', 'btc']);
    expect(named).toMatchObject({ status: 0 });
    expect((await run(folder, ['--name', 'btc'])).stdout).toContain('resumed');
    for (const [name, symbol] of [
      ['binance-1h-stored', 'ETH/USDT'],
      ['btc', 'BTC/USDT'],
    ]) {
      const path = join(folder, 'data/paper', name, 'ledger.jsonl');
      const [about] = readFileSync(path, 'utf8').split('\n');
      expect(about).toContain(`"instruments":[{"symbol":"${symbol}"`);
      expect(ledger(folder, name).every(({ candles }) => candles.length === 1)).toBe(true);
    }
    const parity = await runCli(['paper', 'parity', '--name', 'btc'], { cwd: folder });
    expect(parity.stdout).toContain('Every trade is the same to the bit.');
    const other = await run(folder, ['--symbols', 'DOGE/USDT', '--name', 'doge']);
    expect(other).toMatchObject({ status: 1 });
    expect(other.stderr).toContain('was not trained on DOGE/USDT');
  });

  it.each([
    [['--exchange', 'kraken'], {}, 1, 'trained on exchange "binance"'],
    [['--timeframe', '4h'], {}, 1, 'trained on timeframe "1h"'],
    [['--run', 'third'], {}, 1, '"third" is not a training run.'],
    [['--since', '2025-01-02'], {}, 1, 'lies in what training has seen'],
    [[], { CRYPTO_TRADER_EXCHANGE_MODE: 'live' }, 1, 'only ever trades on paper'],
  ])('%j with %j exits with %i', async (args, environment, status, message) => {
    const refused = await run(newFolder(), args, environment);
    expect(refused).toMatchObject({ status });
    expect(refused.stderr).toContain(message);
  });

  it('cannot be bought by an account that is too small, which is said', async () => {
    const environment = { CRYPTO_TRADER_TRADING_INITIAL_BALANCE: '4' };
    const { stdout } = await run(newFolder(), [], environment);
    expect(stdout).toContain('BTC/USDT, ETH/USDT cannot trade: trading.initialBalance is 4 USDT');
  });
});

it('a replay can begin and end where it is told, and a session that exists has begun', async () => {
  const folder = newFolder();
  const replay = ['paper', '--no-exchange', '--since', '2025-01-16', '--until', '2025-01-16T03:00Z'];
  const first = await runCli(replay, { cwd: folder });
  expect(first).toMatchObject({ status: 0 });
  expect(ledger(folder, 'binance-1h-stored').map(({ timeMs }) => new Date(timeMs).toISOString())).toEqual(
    ['00', '01', '02'].map((at) => `2025-01-16T${at}:00:00.000Z`),
  );
  const again = await runCli(replay, { cwd: folder });
  expect(again).toMatchObject({ status: 2 });
  expect(again.stderr).toContain('--since does nothing in a session that exists');
  const market = await runCli(['paper', '--since', '2025-01-16'], { cwd: folder });
  expect(market.stderr).toContain('--since does nothing without --no-exchange.');
});

it('a run that a session uses is not deleted', async () => {
  const folder = newFolder();
  const cli = (...args: string[]) => runCli(args, { cwd: folder });
  await cli('paper', '--no-exchange', '--max-cycles', '1', '--run', 'second', '--name', 'mine');
  const refused = await cli('models', 'delete', 'second');
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('The paper session "mine" uses the run "second".');
  await cli('paper', '--no-exchange', '--max-cycles', '1', '--run', 'first', '--name', 'mine');
  expect(await cli('models', 'delete', 'second')).toMatchObject({ status: 0 });
});

it('tells of an alert by webhook once, over restarts, until it is removed', async () => {
  const folder = newFolder();
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const environment = { NOTIFY_WEBHOOK_SECRET_URL: `http://127.0.0.1:${address.port}/` };
  const cli = (...args: string[]) => runCli(args, { cwd: folder, environment });
  expect(await cli('alerts', 'add', 'BTC/USDT', 'above', '1')).toMatchObject({ status: 0 });
  for (let i = 0; i < 2; i++) await cli('paper', '--no-exchange', '--max-cycles', '2');
  expect(bodies.join('').split('ALERT a1: BTC/USDT above 1. close')).toHaveLength(2);
  expect((await cli('alerts', 'list')).stdout).toMatch(/a1 +BTC\/USDT above 1 .* binance-1h-stored/);
  const unknown = await cli('alerts', 'add', 'BTC/USDT', 'gru', 'says', 'long');
  expect(unknown).toMatchObject({ status: 1 });
  expect(unknown.stderr).toContain('No session that trades BTC/USDT has a model "gru".');
  expect((await cli('alerts', 'remove', 'all')).stdout).toBe('Removed: a1.\n');
  server.close();
});
