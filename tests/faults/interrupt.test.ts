import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../src/data/store/store.ts';
import { walk } from '../support/candles.ts';
import { runCli } from '../support/cli.ts';
import { pair } from '../support/exchange/market.ts';
import { startExchange } from '../support/exchange/server.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const bin = resolve(import.meta.dirname, '../../bin/crypto-trader.js');
const START = Date.UTC(2024, 0, 1);
const MINUTES = 120_000;

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
  const candles = walk(MINUTES, { startMs: START, timeframe: '1m' });
  await store.merge({ exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1m' }, candles, {
    source: 'csv',
    synthetic: false,
  });
  for (const args of [['train', '--models', 'persistence,one-bar-reversal', '--name', 'run']]) {
    const { status, stderr } = await runCli(args, { cwd });
    if (status !== 0) throw new Error(stderr);
  }
  startup = (await interrupted(['config', 'show'], Infinity)).seconds;
});
afterAll(() => rmSync(cwd, { recursive: true }));

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
 * `after`: since the signal.
 */
async function interrupted(args: readonly string[], atSeconds: number) {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] },
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
  return { status, stdout, stderr, seconds, after: seconds - (signalled ?? seconds) };
}

const range = ['--since', '2024-01-01', '--until', '2024-12-31'];
/** What each prints at its end, and whether it lasts on these bars: it must be stopped then, never be finished first. */
const COMMANDS: readonly (readonly [args: readonly string[], result: RegExp, lasts: boolean])[] = [
  [['train', '--models', 'boosted-trees'], /Result:/, true],
  [['train', '--models', 'random-forest', '--mode', 'full'], /Result:/, true],
  [['train', '--models', 'gru'], /Result:/, true],
  [['train', '--models', 'dqn'], /Result:/, true],
  [['backtest'], /Result:/, false],
  [['backtest', '--walk-forward', '--models', 'ridge,boosted-trees'], /Result:/, true],
  [['features', '--symbols', 'BTC/USDT', '--since', '2024-03-01', '--until', '2024-03-02'], /^BTC/m, false],
  [['features', '--check', '--symbols', 'BTC/USDT'], /none looks ahead/, true],
  [['features', '--select', '--model', 'boosted-trees'], /Importance/, true],
  [['fetch', '--source', 'synthetic', '--exchange', 'made', ...range], /Result:/, true],
  [['paper', '--no-exchange'], /Result:/, false],
  [['signals'], /Decided by/, false],
  [['data', 'verify'], /good/, false],
  [
    ['data', 'export', '--symbols', 'BTC/USDT', '--exchange', 'binance', '--out', 'out.csv'],
    /written/,
    false,
  ],
];

/** Processor time, in units of an empty command, after which the signal is sent, and within which the end must come. */
const AT = 3.5;
const WITHIN = 5;

describe.skipIf(process.platform !== 'linux')('Ctrl-C in the middle of', () => {
  it.each(COMMANDS.map(([args, ...rest]) => [args.join(' '), args, ...rest] as const))(
    '%s ends it soon, without a result',
    async (_, args, result, lasts) => {
      const { status, stdout, stderr, after } = await interrupted(args, startup * AT);
      expect(after / startup).toBeLessThan(WITHIN);
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
