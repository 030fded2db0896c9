import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, normal } from '../src/core/foundation/random.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import { nodeDisk } from '../src/data/files.ts';
import { encodeLink } from '../src/data/journal/chain.ts';
import { checkChain } from '../src/data/journal/read.ts';
import { openAccount } from '../src/desk/paper/account.ts';
import { LEDGER_FILE, ledgerFile } from '../src/desk/paper/ledger.ts';
import type { BarRecord, SessionRecord } from '../src/desk/paper/record.ts';
import { resumeSession, startSession } from '../src/desk/paper/session.ts';
import { writeSnapshot } from '../src/desk/paper/snapshot.ts';
import { advanceAccount } from '../src/desk/paper/step.ts';
import { type BenchRow, medianMs } from './bench.ts';
import { barRows } from './paper-bars.ts';

const MINUTE_MS = 60_000;
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;

const session: SessionRecord = {
  kind: 'session',
  version: 1,
  sessionId: 'bench-1m',
  startedAtMs: 0,
  feed: 'stored',
  exchange: 'bench',
  timeframe: '1m',
  synthetic: true,
  runId: undefined,
  instruments: SYMBOLS.map((symbol) => ({ symbol, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 })),
  strategy: undefined,
  ensemble: undefined,
  risk: undefined,
  rules: { ...SPOT_RULES, maxPositionPct: 33, stopLossPct: 2, takeProfitPct: 4 },
};

/** What it costs to come back after a stop, and to write one bar. */
export async function run(): Promise<readonly BenchRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'crypto-trader-bench-'));
  try {
    const half = join(root, 'half-a-month');
    const bytes = await writeLedger(half, 21_000, { snapshotBefore: undefined });
    const replay = await medianMs(() => recover(half), 3);
    const million = join(root, 'million');
    const millionBytes = await writeLedger(million, 1_000_000, { snapshotBefore: 499 });
    const resume = await medianMs(() => recover(million), 3);
    const check = await medianMs(() => checkChain(ledgerFile(million)), 1);
    const append = await appending(join(root, 'append'));
    const megabytes = (count: number): string => `${(count / 1e6).toFixed(0)} MB`;
    return [
      ...(await barRows()),
      {
        name: 'recovery of 21 000 bars of three symbols without a snapshot',
        value: replay / 1000,
        unit: 's',
        target: '<= 0.3 s',
        note: `${megabytes(bytes)}: hashes, shapes, and every bar through the trading core again`,
      },
      {
        name: 'recovery of a million bars, 499 of them behind the snapshot',
        value: resume / 1000,
        unit: 's',
        target: '<= 2 s',
        note: `${megabytes(millionBytes)}; what lies before the snapshot is checked in the background`,
      },
      { name: 'that check: every hash of the million', value: check / 1000, unit: 's' },
      {
        name: 'a bar through the account and onto the disk',
        value: append,
        unit: 'ms',
        note: 'two fsyncs cannot overlap: the disk decides',
      },
    ];
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function recover(folder: string): Promise<void> {
  const resumed = await resumeSession(folder);
  if (resumed === undefined) throw new Error('no session');
  await resumed.close();
  if (resumed.recovery.barsReplayed > 1000) rmSync(join(folder, 'snapshot.json'));
}

async function appending(folder: string): Promise<number> {
  const running = await startSession(folder, session);
  const bars = randomBars();
  const ms = await medianMs(async () => {
    const { bar, decision } = bars.next();
    await running.process(bar, decision, bar.timeMs);
  }, 201);
  await running.close();
  return ms;
}

/** A ledger as a session writes it, without waiting for the disk at every bar; returns its size. */
async function writeLedger(
  folder: string,
  count: number,
  { snapshotBefore }: { readonly snapshotBefore: number | undefined },
): Promise<number> {
  mkdirSync(folder);
  const account = openAccount(session);
  const bars = randomBars();
  const out = createWriteStream(join(folder, LEDGER_FILE));
  let { line, hash } = encodeLink(session, '');
  out.write(line);
  let offset = Buffer.byteLength(line);
  for (let i = 1; i <= count; i++) {
    const { bar, decision } = bars.next();
    const record: BarRecord = {
      kind: 'bar',
      timeMs: bar.timeMs,
      processedAtMs: bar.timeMs,
      candles: bar.candles,
      ...advanceAccount(account, bar, decision),
      ...decision,
    };
    ({ line, hash } = encodeLink(record, hash));
    offset += line.length;
    if (!out.write(line)) await once(out, 'drain');
    if (snapshotBefore !== undefined && i === count - snapshotBefore)
      await writeSnapshot(
        folder,
        { position: { offset, hash }, last: record, portfolio: account.snapshot(), risk: undefined },
        nodeDisk,
      );
  }
  out.end();
  await once(out, 'close');
  return offset;
}

/** Random walks, and a target that changes about every twenty bars. */
function randomBars() {
  const random = createRandom(5);
  const prices = [50_000, 3_000, 150];
  let timeMs = 0;
  return {
    next: () => {
      timeMs += MINUTE_MS;
      const candles = prices.map((open, s) => {
        const close = open * Math.exp(0.001 * normal(random));
        prices[s] = close;
        return [open, Math.max(open, close) * 1.0003, Math.min(open, close) * 0.9997, close, 10 * random()];
      });
      const targets = prices.map(() => (random() < 0.05 ? Math.round(2 * random()) / 2 : null));
      const models = { trees: prices.map((): [number, number] => [random(), random()]) };
      return {
        bar: { timeMs, candles },
        decision: { runId: 'bench', decision: 'placed' as const, targets, models },
      };
    },
  };
}
