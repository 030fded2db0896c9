import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { predictions } from '../../../src/app/workflows/prediction-log.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { createRandom } from '../../../src/core/foundation/random.ts';
import { lowerBound, sliceCandles } from '../../../src/core/market/candles.ts';
import type { FittedModel } from '../../../src/core/forecast/model.ts';
import { createExchangeFeed } from '../../../src/desk/paper/exchange-feed.ts';
import { createOutlooks, termsOf } from '../../../src/desk/paper/outlook.ts';
import { BarRecord, SessionRecord } from '../../../src/desk/paper/record.ts';
import { verifySession } from '../../../src/desk/paper/session.ts';
import { loadTrained, type TrainedSet } from '../../../src/learning/training/checkpoints.ts';
import type { TrainedMember } from '../../../src/learning/training/member-folder.ts';
import { walk } from '../../support/candles.ts';
import { runCli, runCommand } from '../../support/cli.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';

const HOUR = 3_600_000;
const FIRST_BAR = Date.UTC(2025, 0, 1);
const TRAINED_BARS = 400;
/** The last bar that has closed when a session starts opens an hour before. */
const START = FIRST_BAR + TRAINED_BARS * HOUR;
const bin = resolve(import.meta.dirname, '../../../bin/crypto-trader.js');

let exchange: LoopbackExchange;
let root: string;
let folders = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'paper-exchange-'));
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
    `exchange: { baseUrl: "${exchange.url}" }
market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }
trading: { stopLossPct: 2, takeProfitPct: 2 }
fetch: { retries: 0, timeoutMs: 2000 }
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

/** A folder with settings, candles until START and trained models. */
function newFolder(): string {
  const folder = join(root, String(folders++));
  cpSync(join(root, 'template'), folder, { recursive: true });
  exchange.clock.set(START);
  exchange.setFaults([]);
  return folder;
}

const paper = (folder: string, ...args: string[]) =>
  runCli(['paper', '--interval-seconds', '0', ...args], { cwd: folder });

const Document = z.object({
  cycles: z.number(),
  barsProcessed: z.number(),
  missedDecisions: z.number(),
  recovered: z.boolean(),
  orders: z.array(z.object({ status: z.enum(['filled', 'rejected', 'pending']), symbol: z.string() })),
  equity: z.number(),
  realizedPnl: z.number(),
  lastBarTime: z.string(),
});

async function paperJson(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = await paper(folder, '--json', ...args);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return Document.parse(JSON.parse(stdout));
}

const slotFolder = (folder: string): string => join(folder, 'data/paper/binance-1h');

function readLedger(folder: string): { session: SessionRecord; bars: readonly BarRecord[] } {
  const text = readFileSync(join(slotFolder(folder), 'ledger.jsonl'), 'utf8');
  const [first, ...rest] = text
    .slice(0, text.lastIndexOf('\n'))
    .split('\n')
    .map((line) => JSON.parse(line) as { hash: string });
  const bare = ({ hash: _, ...record }: { hash: string }): unknown => record;
  return { session: SessionRecord.parse(bare(first)), bars: rest.map((line) => BarRecord.parse(bare(line))) };
}

/** The bars of a ledger without the time at which each was processed. */
const barsOf = (folder: string) => readLedger(folder).bars.map(({ processedAtMs: _, ...bar }) => bar);

function lastBarMs(folder: string): number | undefined {
  if (!existsSync(join(slotFolder(folder), 'ledger.jsonl'))) return undefined;
  return readLedger(folder).bars.at(-1)?.timeMs;
}

function start(folder: string, ...args: string[]): { child: ChildProcess; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [bin, 'paper', '--interval-seconds', '0.02', ...args], {
    cwd: folder,
    stdio: 'ignore',
  });
  return { child, ended: new Promise((done) => child.once('close', (status) => done(status))) };
}

/** Closes one more bar whenever the ledger has the last one, until `bars` of them are in it or `stop` is called. */
function closeBarsBehind(folder: string, bars: number): { stop(): void; all: Promise<void> } {
  let stopped = false;
  const lastMs = START + (bars - 2) * HOUR;
  const all = (async () => {
    while (!stopped) {
      const seen = lastBarMs(folder);
      if (seen === lastMs) return;
      if (seen !== undefined && seen + HOUR === exchange.clock.now()) exchange.clock.set(seen + 2 * HOUR);
      await sleep(10);
    }
  })();
  return { stop: () => (stopped = true), all };
}

async function uninterrupted(bars: number): Promise<string> {
  const folder = newFolder();
  const running = start(folder);
  await closeBarsBehind(folder, bars).all;
  running.child.kill('SIGINT');
  expect(await running.ended).toBe(130);
  return folder;
}

/** What the models and the ensemble predicted at these closes stands in the log of signals, beside what has happened since. */
async function expectPredictions(folder: string, closes: readonly number[]): Promise<void> {
  const kept = await predictions(join(folder, 'data'), openStore(join(folder, 'data')));
  const pairs = ['BTC/USDT', 'ETH/USDT'];
  const said = ({ barTimeMs, symbol, model }: { barTimeMs: number; symbol: string; model: string }) =>
    `${barTimeMs} ${symbol} ${model}`;
  expect(kept.map(said).toSorted()).toEqual(
    closes
      .flatMap((barTimeMs) =>
        pairs.flatMap((symbol) =>
          ['one-bar-reversal', 'ensemble'].map((model) => said({ barTimeMs, symbol, model })),
        ),
      )
      .toSorted(),
  );
  const { session, bars } = readLedger(folder);
  for (const { symbol, barTimeMs, position, model } of kept) {
    if (model === 'ensemble') continue;
    const s = session.instruments.findIndex((instrument) => instrument.symbol === symbol);
    expect(position).toBe(bars.find(({ timeMs }) => timeMs === barTimeMs)?.models[model]?.[s]?.[0]);
  }
}

describe('paper trading against an exchange', () => {
  it('killed at random moments it keeps the ledger of an uninterrupted run, and that of a backtest', async () => {
    const BARS = 60;
    const expected = await uninterrupted(BARS);
    const folder = newFolder();
    const random = createRandom(2026);
    const closing = closeBarsBehind(folder, BARS);
    for (let kills = 0; kills < 5; kills++) {
      const running = start(folder);
      // From before the first look of this life to some bars later.
      await sleep(250 + 700 * random());
      running.child.kill('SIGKILL');
      await running.ended;
    }
    const last = start(folder);
    await closing.all;
    last.child.kill('SIGINT');
    expect(await last.ended).toBe(130);

    expect(barsOf(folder)).toEqual(barsOf(expected));
    expect((await verifySession(slotFolder(folder)))?.bars).toBe(BARS);
    await expectBacktestParity(folder);
  }, 120_000);

  it('a decision is pending until the next bar has closed, then filled at its open', async () => {
    const folder = newFolder();
    const first = await paperJson(folder, '--max-cycles', '2');
    expect(first).toMatchObject({ cycles: 2, barsProcessed: 1, recovered: false, equity: 10_000 });
    expect(new Set(first.orders.map(({ status }) => status))).toEqual(new Set(['pending']));
    await expectPredictions(folder, [START - HOUR]);
    exchange.clock.set(START + HOUR);
    const second = await paperJson(folder, '--max-cycles', '1');
    expect(second).toMatchObject({ barsProcessed: 1, recovered: true, missedDecisions: 0 });
    await expectPredictions(folder, [START - HOUR, START]);
    const { bars } = readLedger(folder);
    const fills = bars.flatMap(({ events }) => events.filter((event) => event.kind === 'fill'));
    expect(fills.length).toBeGreaterThan(0);
    for (const { symbol, time, price, cause } of fills.filter((fill) => fill.cause === 'target')) {
      const s = symbol === 'BTC/USDT' ? 0 : 1;
      const bar = bars.find(({ timeMs }) => timeMs === time);
      expect({ cause, price }).toEqual({ cause: 'target', price: (bar?.candles[s]?.[0] ?? NaN) * 1.0005 });
    }
  });

  it('bars that closed while the program was away are processed in order, their decisions not', async () => {
    const folder = newFolder();
    await paperJson(folder, '--max-cycles', '1');
    exchange.clock.set(START + 5 * HOUR);
    const away = await paperJson(folder, '--max-cycles', '1');
    expect(away).toMatchObject({ barsProcessed: 5, missedDecisions: 4 });
    const { bars } = readLedger(folder);
    expect(bars.map(({ decision }) => decision)).toEqual([
      'placed',
      ...Array.from({ length: 4 }, () => 'missed'),
      'placed',
    ]);
    expect(bars.map(({ timeMs }) => timeMs)).toEqual(bars.map((_, i) => START + (i - 1) * HOUR));
  });

  it('goes on through a lost connection and says so', async () => {
    const folder = newFolder();
    exchange.setFaults([{ kind: 'server-error', path: '/time', after: 5, times: 1 }]);
    const { status, stdout } = await paper(folder, '--max-cycles', '8');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Feed is STALE since .*cannot be reached[\s\S]*Feed is back\./);
    expect(readLedger(folder).bars).toHaveLength(1);
  });

  it('that never answers a bounded run is an error, and the session is kept', async () => {
    const folder = newFolder();
    await paperJson(folder, '--max-cycles', '1');
    exchange.setFaults([{ kind: 'server-error' }]);
    const { status, stderr } = await paper(folder, '--max-cycles', '1');
    expect(status).toBe(1);
    expect(stderr).toContain('The exchange never answered');
    exchange.setFaults([]);
    expect((await paperJson(folder, '--max-cycles', '1')).recovered).toBe(true);
  });

  it('lets only one process write a session', async () => {
    const folder = newFolder();
    const first = start(folder);
    while (lastBarMs(folder) === undefined) await sleep(20);
    const { status, stderr } = await paper(folder, '--max-cycles', '1');
    first.child.kill('SIGKILL');
    await first.ended;
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is already paper trading') as string,
    });
    expect((await paperJson(folder, '--max-cycles', '1')).recovered).toBe(true);
  });

  it('refuses other rules than the session was started with, until --fresh archives it', async () => {
    const folder = newFolder();
    await paperJson(folder, '--max-cycles', '1');
    const before = readFileSync(join(slotFolder(folder), 'ledger.jsonl'), 'utf8');
    const environment = { CRYPTO_TRADER_TRADING_FEE_BPS: '20' };
    const args = ['paper', '--max-cycles', '1'];
    const refused = await runCli(args, { cwd: folder, environment });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/other settings: "feeBps"[\s\S]*--fresh/);
    const fresh = await runCli([...args, '--fresh'], { cwd: folder, environment });
    expect(fresh.status).toBe(0);
    const archive = join(folder, 'data/paper/archive');
    const [archived] = readdirSync(archive);
    expect(readFileSync(join(archive, archived, 'ledger.jsonl'), 'utf8')).toBe(before);
    expect(readLedger(folder).session.rules.feeBps).toBe(20);
  });

  it('asks the models for every bar that is new, though they answer for no other', async () => {
    const folder = newFolder();
    exchange.clock.set(START + 4 * HOUR);
    expect((await runCli(['fetch', '--source', 'exchange'], { cwd: folder })).status).toBe(0);
    const trained = await loadTrained(join(folder, 'checkpoints'));
    const terms = termsOf({ strategy: undefined, ensemble: undefined, rules: SPOT_RULES });
    const look = (set: TrainedSet, afterMs?: number) =>
      createExchangeFeed({
        store: openStore(join(folder, 'data')),
        trained: set,
        terms,
        source: {
          name: 'binance',
          synthetic: false,
          clockMs: async () => START + 4 * HOUR,
          pages: () => {
            throw new Error('all bars are stored');
          },
        },
        log: silentLog,
        now: () => START + 4 * HOUR,
      }).look(afterMs === undefined ? undefined : { timeMs: afterMs }, new AbortController().signal);
    const sparing = { ...trained, members: trained.members.map(answeringOnlyWhatIsAsked) };
    for (const afterMs of [undefined, START - HOUR]) {
      const { bars } = await look(sparing, afterMs);
      expect(bars.map(({ bar }) => bar.timeMs / HOUR)).toEqual(
        (afterMs === undefined ? [3] : [0, 1, 2, 3]).map((hours) => START / HOUR + hours),
      );
      expect(bars).toEqual((await look(trained, afterMs)).bars);
      expect(bars.flatMap(({ decision }) => decision.targets)).not.toContain(null);
    }
  });

  it('leaves within five seconds of SIGTERM, also when a message is never taken, and tells a supervisor', async () => {
    const folder = newFolder();
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    const { port } = deaf.address() as AddressInfo;
    const child = spawn(process.execPath, [bin, 'paper', '--interval-seconds', '0.02'], {
      cwd: folder,
      stdio: 'ignore',
      env: { ...process.env, NOTIFY_WEBHOOK_SECRET_URL: `http://127.0.0.1:${port}/` },
    });
    const ended = once(child, 'close');
    await once(deaf, 'request');
    await expect.poll(() => lastBarMs(folder), { timeout: 60_000 }).toBe(START - HOUR);
    const asked = performance.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual([130, null]);
    expect(performance.now() - asked).toBeLessThan(5_000);
    deaf.closeAllConnections();
    deaf.close();
    const { status, stdout } = await runCli(['paper', 'status', '--check', '--json'], { cwd: folder });
    expect({ status, document: JSON.parse(stdout) as unknown }).toMatchObject({
      status: 3,
      document: {
        sessions: [{ fault: 'no process runs it', health: { state: 'stopped' } }],
        error: { kind: 'check', message: '1 of 1 paper sessions do not run as they should.' },
      },
    });
  });

  it('refuses a project that is set to trade live', async () => {
    const environment = { CRYPTO_TRADER_EXCHANGE_MODE: 'live' };
    const { status, stderr } = await runCli(['paper'], { cwd: newFolder(), environment });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('only ever trades on paper') as string,
    });
  });
});

describe('paper trading on stored bars', () => {
  it('runs over what training has not seen, asks no exchange, resumes, and gives the fills of a backtest', async () => {
    const folder = newFolder();
    exchange.setFaults([{ kind: 'server-error' }]);
    const asked = exchange.requests.length;
    const first = await paperJson(folder, '--no-exchange', '--max-cycles', '30');
    const rest = await paperJson(folder, '--no-exchange');
    expect(first).toMatchObject({ cycles: 30, barsProcessed: 30, recovered: false });
    expect(rest).toMatchObject({ recovered: true, lastBarTime: new Date(START - HOUR).toISOString() });
    expect(exchange.requests.length).toBe(asked);
    const trained = await loadTrained(join(folder, 'checkpoints'));
    const stored = join(folder, 'data/paper/binance-1h-stored');
    expect((await verifySession(stored))?.bars).toBe((START - trained.validateUntilMs) / HOUR);
    cpSync(stored, slotFolder(folder), { recursive: true });
    await expectBacktestParity(folder);
  });

  it('ends with an error where the disk takes no more, and loses nothing', async () => {
    const whole = newFolder();
    await paperJson(whole, '--no-exchange');
    const ledger = (folder: string): string => join(folder, 'data/paper/binance-1h-stored/ledger.jsonl');
    const bars = (folder: string): readonly string[] =>
      readFileSync(ledger(folder), 'utf8')
        .replaceAll(/"(processedAtMs|startedAtMs)":\d+|"(hash|sessionId)":"[^"]*"/g, '')
        .split('\n');
    for (const kibibytes of [2, 7, 20]) {
      const folder = newFolder();
      const command = `ulimit -f ${kibibytes}; exec "${process.execPath}" "${bin}" paper --no-exchange`;
      const limited = await runCommand('bash', ['-c', command], {
        cwd: folder,
        environment: { CRYPTO_TRADER_LOG_LEVEL: 'error' },
      });
      expect(limited).toMatchObject({ status: 1, stderr: expect.stringContaining('EFBIG') as string });
      expect(existsSync(join(folder, 'data/paper/binance-1h-stored/snapshot.json'))).toBe(false);
      expect((await paperJson(folder, '--no-exchange')).recovered).toBe(true);
      expect(bars(folder)).toEqual(bars(whole));
    }
  });
});

describe('paper commands from another terminal', () => {
  const storedBars = (folder: string) =>
    readFileSync(join(folder, 'data/paper/binance-1h-stored/ledger.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as { decision: string; positions: unknown[]; targets: number[] });
  const run = async (folder: string, ...args: string[]) => {
    const { status, stdout, stderr } = await runCli(['paper', ...args], { cwd: folder });
    expect({ args, status, stderr }).toMatchObject({ status: 0 });
    return stdout;
  };

  it('pause, flatten and resume hold from the next bar on, over restarts, and are on record', async () => {
    const folder = newFolder();
    const cycles = (count: number) => paperJson(folder, '--no-exchange', '--max-cycles', String(count));
    await cycles(12);
    expect(await run(folder, 'pause')).toContain('No process runs it now');
    await cycles(3);
    expect(await run(folder, 'flatten')).toContain('closed at the next open');
    await cycles(4);
    await run(folder, 'resume');
    await cycles(2);
    const bars = storedBars(folder);
    expect(bars.map(({ decision }) => decision)).toEqual([
      ...Array.from({ length: 12 }, () => 'placed'),
      ...Array.from({ length: 3 }, () => 'paused'),
      ...Array.from({ length: 4 }, () => 'flattened'),
      'placed',
      'placed',
    ]);
    expect(bars.some(({ positions }) => positions.length > 0)).toBe(true);
    for (const { positions } of bars.slice(16, 20)) expect(positions).toEqual([]);
    const status: unknown = JSON.parse(await run(folder, 'status', '--json'));
    expect(status).toMatchObject({
      sessions: [
        { name: 'binance-1h-stored', state: 'stopped', mode: 'trade', feed: 'stored', synthetic: false },
      ],
    });
    expect(await run(folder, 'verify')).toMatch(/binance-1h-stored\W+21\W+good/);
  }, 240_000);

  it('verify, doctor and data verify notice a flipped byte before the snapshot, with exit code 3', async () => {
    const folder = newFolder();
    await paperJson(folder, '--no-exchange', '--max-cycles', '5');
    const path = join(folder, 'data/paper/binance-1h-stored/ledger.jsonl');
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('"equity":') + 12] ^= 1;
    writeFileSync(path, bytes);
    for (const args of [
      ['paper', 'verify'],
      ['doctor', '--offline'],
      ['data', 'verify'],
    ]) {
      const { status, stdout } = await runCli(args, { cwd: folder });
      expect({ args, status, stdout }).toMatchObject({
        status: 3,
        stdout: expect.stringContaining('paper ledger is damaged') as string,
      });
    }
    const { status, stderr } = await runCli(['paper', '--no-exchange'], { cwd: folder });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is damaged at') as string,
    });
  }, 240_000);

  it('sessions of two names stand side by side; which is meant has to be said', async () => {
    const folder = newFolder();
    for (const name of ['one', 'two'])
      await paperJson(folder, '--no-exchange', '--max-cycles', '2', '--name', name);
    expect(readdirSync(join(folder, 'data/paper')).toSorted()).toEqual(['one', 'two']);
    const { status, stderr } = await runCli(['paper', 'pause'], { cwd: folder });
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--name one or --name two') as string,
    });
    await run(folder, 'pause', '--name', 'two');
    expect(JSON.parse(await run(folder, 'status', '--json'))).toMatchObject({
      sessions: [
        { name: 'one', mode: 'trade' },
        { name: 'two', mode: 'pause' },
      ],
    });
  }, 240_000);

  it.each([
    [['paper', '--name', '../up'], '--name cannot be "../up"'],
    [['paper', '--name', 'archive'], '--name cannot be "archive"'],
    [['paper', 'status', '--fresh'], '--fresh does nothing with "paper status"'],
    [['paper', 'explain', 'first'], 'The order number cannot be "first"'],
  ])('%j is a wrong command line', async (args, words) => {
    const { status, stderr } = await runCli(args, { cwd: newFolder() });
    expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining(words) as string });
  });

  it('keeps the training run it was started with until it is told another', async () => {
    const folder = newFolder();
    const first = (await paperJsonRun(folder)).runId;
    const trained = await runCli(['train', '--models', 'one-bar-reversal'], { cwd: folder });
    expect(trained).toMatchObject({ status: 0 });
    const [, second] = readdirSync(join(folder, 'checkpoints'))
      .filter((name) => /^\d{4}-/.test(name))
      .toSorted();
    expect(second).not.toBe(first);
    expect((await paperJsonRun(folder)).runId).toBe(first);
    expect((await paperJsonRun(folder, '--run', second)).runId).toBe(second);
    expect((await paperJsonRun(folder)).runId).toBe(second);
  }, 240_000);

  async function paperJsonRun(folder: string, ...args: string[]): Promise<{ runId: string }> {
    await paperJson(folder, '--no-exchange', '--max-cycles', '1', ...args);
    const { sessions } = JSON.parse(await run(folder, 'status', '--json')) as {
      sessions: { runId: string }[];
    };
    return sessions[0];
  }

  it('explain says what led to an order, and parity finds the trades of a backtest', async () => {
    const folder = newFolder();
    await paperJson(folder, '--no-exchange');
    const list = JSON.parse(await run(folder, 'explain', '--json')) as {
      orders: { number: number; cause: string }[];
    };
    const order = list.orders.find(({ cause }) => cause === 'target');
    const text = await run(folder, 'explain', String(order?.number));
    expect(text).toMatch(/Decided at the close of the bar of .* by the models of .*target position/);
    expect(text).toContain('one-bar-reversal');
    // The index is a copy: gone or torn, it is made again from the ledger.
    const index = join(folder, 'data/paper/binance-1h-stored/index.sqlite');
    writeFileSync(index, 'no database');
    expect(await run(folder, 'explain', String(order?.number))).toBe(text);
    expect(await run(folder, 'parity')).toContain('Every trade is the same to the bit.');
  }, 240_000);
});

/** As an expensive model: no forecast for a bar that is not asked for. */
function answeringOnlyWhatIsAsked(member: TrainedMember): TrainedMember {
  const forecast: FittedModel['forecast'] = async (panel, wanted) =>
    (await member.fitted.forecast(panel, wanted)).map((one, s) => ({
      ...one,
      position: one.position.map((value, row) =>
        panel.series[s].candles.time[row] < (wanted?.sinceMs ?? 0) ? NaN : value,
      ),
    }));
  return { ...member, fitted: { ...member.fitted, forecast } };
}

/** The ledger's targets and fills are those of a later backtest, computed from the whole store at once. */
async function expectBacktestParity(folder: string): Promise<void> {
  const { session, bars } = readLedger(folder);
  const trained = await loadTrained(join(folder, 'checkpoints'));
  const outlook = await createOutlooks(openStore(join(folder, 'data')), trained, termsOf(session)).look({
    sinceMs: bars[0].timeMs,
    untilMs: Infinity,
  });
  const { market } = outlook;
  const from = lowerBound(market.time, bars[0].timeMs);
  const decisions = bars.map((_, i) => outlook.decide(from + i, 'placed'));
  expect(bars.map(({ targets }) => targets)).toEqual(decisions.map(({ targets }) => targets));
  const backtest = runBacktest({
    market: {
      ...market,
      time: market.time.subarray(from, from + bars.length),
      candles: market.candles.map((candles) => sliceCandles(candles, from, from + bars.length)),
    },
    targets: session.instruments.map((_, s) =>
      Float64Array.from(decisions, ({ targets }) => targets[s] ?? NaN),
    ),
    instruments: session.instruments,
    rules: session.rules,
  });
  const fills = bars.flatMap(({ events }) => events.filter((event) => event.kind === 'fill'));
  expect(fills).toEqual(backtest.fills);
  expect(fills.length).toBeGreaterThan(10);
  expect(bars.map(({ equity }) => equity)).toEqual([...backtest.equity]);
}
