import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Disk, nodeDisk } from '../../src/data/files.ts';
import { openStore } from '../../src/data/store/store.ts';
import { startSession } from '../../src/desk/paper/session.ts';
import { randomWalk, session, steps } from '../desk/paper/walk.ts';
import { walk } from '../support/candles.ts';
import { runCli } from '../support/cli.ts';
import { pair } from '../support/exchange/market.ts';
import { startExchange } from '../support/exchange/server.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const bin = resolve(import.meta.dirname, '../../bin/crypto-trader.js');
const turns = resolve(import.meta.dirname, '../support/turns.mjs');
const START = Date.UTC(2024, 0, 1);
const MINUTES = 120_000;
/** The window `two-years` of `results`. */
const RESULTS_FROM = Date.UTC(2024, 1, 15);
const RESULT_HOURS = (Date.UTC(2026, 1, 14) - RESULTS_FROM) / 3_600_000;
const SESSION_BARS = 10_000;

let cwd: string;
/** Processor seconds of a command that does nothing: what a loop that gives way is measured by, on any machine. */
let startup: number;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'interrupt-'));
  writeFileSync(
    join(cwd, 'config.yaml'),
    `market: { symbols: [BTC/USDT], timeframe: 1m, since: 2024-01-01 }
models: { boosted-trees: { rounds: 100000, earlyStoppingRounds: 100000 } }
`,
  );
  const store = openStore(join(cwd, 'data'));
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const).entries()) {
    const key = { exchange: 'binance', symbol } as const;
    const about = { source: 'csv', synthetic: false } as const;
    const minutes = walk(MINUTES, { startMs: START, timeframe: '1m', seed: i + 1 });
    await store.merge({ ...key, timeframe: '1m' }, minutes, about);
    const hours = walk(RESULT_HOURS, { startMs: RESULTS_FROM, seed: i + 1 });
    await store.merge({ ...key, timeframe: '1h' }, hours, about);
  }
  await longSession(join(cwd, 'data', 'paper', 'long'));
  for (const args of [['train', '--models', 'persistence,one-bar-reversal', '--name', 'run']]) {
    const { status, stderr } = await runCli(args, { cwd });
    if (status !== 0) throw new Error(stderr);
  }
  startup = (await interrupted(['config', 'show'], Infinity)).seconds;
});
afterAll(() => rmSync(cwd, { recursive: true }));

/** A paper session of many bars, written without waiting for the disk. */
async function longSession(folder: string): Promise<void> {
  const disk: Disk = {
    ...nodeDisk,
    open: async (...args) =>
      Object.assign(await nodeDisk.open(...args), { sync: async () => {}, datasync: async () => {} }),
  };
  const running = await startSession(folder, session, { disk });
  for (const { bar, decision } of steps(randomWalk(SESSION_BARS, 1)))
    await running.process(bar, decision, bar.timeMs);
  await running.close();
}

/** Processor seconds of a process so far, in user and kernel mode, all threads: fields 14 and 15 of proc(5). */
function secondsOf(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

/**
 * Runs a command until it has used `atSeconds` of the processor, then sends Ctrl-C. `seconds`: what it had used in all;
 * `after`: since the signal; `longest`: at most between two turns of its event loop.
 */
async function interrupted(args: readonly string[], atSeconds: number) {
  const file = join(cwd, 'turns');
  rmSync(file, { force: true });
  const child = spawn(process.execPath, ['--import', turns, bin, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], TURNS_FILE: file },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  let signalled: number | undefined;
  let seconds = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  let status: number | null | undefined;
  const ended = new Promise<void>((done) =>
    child.once('close', (code) => {
      status = code;
      done();
    }),
  );
  while (status === undefined) {
    const used = secondsOf(child.pid);
    if (used !== undefined && used > seconds) seconds = used;
    if (signalled === undefined && seconds >= atSeconds) {
      signalled = seconds;
      child.kill('SIGINT');
    }
    await setImmediate();
  }
  await ended;
  const longest = Number(readFileSync(file, 'utf8'));
  return { status, stdout, stderr, seconds, longest, after: seconds - (signalled ?? seconds) };
}

const range = ['--since', '2024-01-01', '--until', '2024-12-31'];
const ASSETS = ['--exchange', 'binance', '--timeframe', '1m', '--symbols', 'BTC/USDT,ETH/USDT,SOL/USDT'];
/** What each prints at its end, and whether it lasts on these bars: it must be stopped then, never be finished first. */
const COMMANDS: readonly (readonly [args: readonly string[], result: RegExp, lasts: boolean])[] = [
  [['train', '--models', 'boosted-trees'], /Result:/, true],
  [['train', '--models', 'random-forest', '--mode', 'full'], /Result:/, true],
  [['train', '--models', 'ridge,logistic'], /Result:/, false],
  [['train', '--models', 'gru'], /Result:/, true],
  [['train', '--models', 'dqn'], /Result:/, true],
  [['backtest'], /Result:/, false],
  [['backtest', '--walk-forward', '--models', 'ridge,boosted-trees'], /Result:/, true],
  [['features', '--symbols', 'BTC/USDT', '--since', '2024-03-01', '--until', '2024-03-02'], /^BTC/m, false],
  [['features', '--check', '--symbols', 'BTC/USDT'], /none looks ahead/, true],
  [['features', '--select', '--model', 'boosted-trees'], /Importance/, true],
  [['fetch', '--source', 'synthetic', '--exchange', 'made', ...range], /Result:/, true],
  [['paper', '--no-exchange'], /Result:/, false],
  [['paper', 'verify', '--name', 'long'], /good/, false],
  [['signals'], /Decided by/, false],
  [['data', 'verify'], /good/, false],
  [['tune', '--model', 'ridge', '--trials', '10000', '--folds', '2'], /Result:/, true],
  [['automl', '--models', 'ridge,logistic', '--trials', '10000', '--folds', '2'], /Result:/, true],
  [['audit', 'run'], /passed, \d+ failed/, false],
  [
    ['results', '--windows', 'two-years', '--models', 'ridge,boosted-trees', '--out', 'r.md'],
    /Results:/,
    true,
  ],
  [['portfolio', 'optimise', ...ASSETS], /residual/, false],
  [['portfolio', 'compare', ...ASSETS, '--window', '400'], /Unstable:/, false],
  [['portfolio', 'frontier', ...ASSETS, '--points', '200'], /The band holds/, false],
  [['portfolio', 'correlation', ...ASSETS], /Correlation/, false],
  [['portfolio', 'backtest', ...ASSETS, '--rebalance', '1d'], /Result:/, true],
  [['portfolio', 'train', ...ASSETS, '--allocator', 'deep', '--steps', '100000'], /Result:/, true],
  [
    [
      'data',
      'export',
      '--symbols',
      'BTC/USDT',
      '--timeframe',
      '1m',
      '--exchange',
      'binance',
      '--out',
      'out.csv',
    ],
    /written/,
    false,
  ],
];

/** Processor time, in units of an empty command, after which the signal is sent, and within which the end must come. */
const AT = 3.5;
const WITHIN = 5;
/** And what the program may compute at most, at any moment, without looking up. */
const TURN = 1.5;

/** Every other one by default, all of them with `npm run storm:faults`. */
const TRIED = COMMANDS.filter((_command, i) => process.env['FAULTS'] === 'all' || i % 2 === 0);

describe.skipIf(process.platform !== 'linux')('Ctrl-C in the middle of', () => {
  it.each(TRIED.map(([args, ...rest]) => [args.join(' '), args, ...rest] as const))(
    '%s ends it soon, without a result',
    async (_, args, result, lasts) => {
      const { status, stdout, stderr, after, longest } = await interrupted(args, startup * AT);
      expect(after / startup).toBeLessThan(WITHIN);
      expect(longest / startup).toBeLessThan(TURN);
      if (lasts) expect({ status, stderr }).toMatchObject({ status: 130 });
      if (status === 0) {
        // It was faster than the signal, and does not say otherwise.
        expect(stdout).toMatch(result);
        expect(stderr).not.toContain('Interrupted');
      } else if (status !== null) {
        expect(stderr).toMatch(/Interrupted\.\n$/);
        expect(stdout).not.toMatch(result);
      }
    },
  );

  it('demo reaches the step that runs, also from another terminal', async () => {
    const exchange = await startExchange({
      nowMs: START + MINUTES * 60_000,
      pairs: ['BTC/USDT'].map((symbol) =>
        pair(symbol, { '1h': walk(3_000, { startMs: START - 1_000 * 3_600_000 }) }),
      ),
    });
    const child = spawn(process.execPath, [bin, 'demo', '--dir', 'demo'], {
      cwd,
      env: {
        PATH: process.env['PATH'],
        CRYPTO_TRADER_EXCHANGE_BASE_URL: exchange.url,
        CRYPTO_TRADER_MARKET_TIMEFRAME: '1h',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    let step: number | undefined;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      // The training itself is speaking: its process is there.
      if (step !== undefined || !/^boosted-trees: /m.test(stderr)) return;
      step = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
      child.kill('SIGTERM');
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const status = await new Promise((done) => child.once('close', done));
    await exchange.close();
    expect({ status, stdout, stderr }).toMatchObject({ status: 130 });
    expect(step).toBeGreaterThan(0);
    expect(secondsOf(step)).toBeUndefined();
    expect(stdout).not.toContain('Done in');
  });
});
