import assert from 'node:assert/strict';
import { join } from 'node:path';
import { z } from 'zod';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openVenue } from '../../../src/data/exchange/open-venue.ts';
import type { Venue } from '../../../src/data/exchange/venue.ts';
import { type Disk, nodeDisk } from '../../../src/data/files.ts';
import { type LiveLedger, resumeLive, startLive } from '../../../src/desk/live/ledger.ts';
import type { LiveSession } from '../../../src/desk/live/record.ts';
import { type LiveOptions, runLive } from '../../../src/desk/live/run.ts';
import { barAt } from '../../../src/desk/paper/bar.ts';
import type { BarFeed } from '../../../src/desk/paper/feed.ts';
import type { Decision } from '../../../src/desk/paper/step.ts';
import { walk } from '../../support/candles.ts';
import { LOOPBACK_KEYS } from '../../support/exchange/account.ts';
import { pair } from '../../support/exchange/market.ts';
import { type LoopbackExchange, startExchange } from '../../support/exchange/server.ts';

export const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
export const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const satisfies readonly PairSymbol[];
const WARM_BARS = 30;
const candles = SYMBOLS.map((_, seed) => walk(WARM_BARS + 40, { startMs: START, seed: seed + 1 }));

export const startLoopback = (): Promise<LoopbackExchange> =>
  startExchange({
    nowMs: START + WARM_BARS * HOUR,
    pairs: SYMBOLS.map((symbol, s) => pair(symbol, { '1h': candles[s] })),
  });

export const liveSession: LiveSession = {
  kind: 'live-session',
  version: 1,
  sessionId: 'binance-1h-test',
  startedAtMs: START,
  exchange: 'binance',
  sandbox: false,
  host: undefined,
  account: 'test',
  timeframe: '1h',
  runId: 'run',
  instruments: SYMBOLS.map((symbol) => ({ symbol, amountStep: 0.00001, priceTick: 0.01, minNotional: 5 })),
  rules: { ...SPOT_RULES, initialBalance: 1_000, maxPositionPct: 50, rebalanceBandPct: 1 },
  strategy: undefined,
  ensemble: undefined,
  risk: undefined,
  execution: { collarPct: 1, restMs: 0 },
  baseline: { BTC: 0, ETH: 0, USDT: 10_000 },
};

/** As the exchange tells them: a book that is stale tells others. */
export async function lastPrices(
  exchange: Pick<LoopbackExchange, 'url'>,
  symbols: readonly PairSymbol[],
): Promise<number[]> {
  const asked = JSON.stringify(symbols.map((symbol) => symbol.replace('/', '')));
  const answer = await fetch(`${exchange.url}/api/v3/ticker/24hr?symbols=${encodeURIComponent(asked)}`);
  return z
    .array(z.object({ lastPrice: z.coerce.number() }))
    .parse(await answer.json())
    .map(({ lastPrice }) => lastPrice);
}

/** One target a symbol for each bar; null: no opinion. */
export type Script = readonly (readonly (number | null)[])[];

/** Of the exchange's time, between bars: enough for everything that the bar before asked for to come to its end. */
const BETWEEN_BARS_MS = 100_000;

/** Bars that close one after another. */
export function scripted(exchange: Pick<LoopbackExchange, 'clock'>, script: Script): BarFeed {
  return {
    look: async (last) => {
      const row = last === undefined ? 0 : (last.timeMs - START) / HOUR - WARM_BARS + 1;
      if (row >= script.length) return { bars: [], ended: true };
      const nextMs = last === undefined ? 0 : last.timeMs + HOUR + BETWEEN_BARS_MS;
      if (exchange.clock.now() < nextMs) return { bars: [], ended: false };
      const at = WARM_BARS + row;
      exchange.clock.set(START + (at + 1) * HOUR + 1_000);
      const market = { time: candles[0].time, barMs: HOUR, candles };
      const targets = [...script[row]];
      const wanted = script
        .slice(0, row + 1)
        .reduce<(number | null)[]>(
          (held, asked) => asked.map((target, s) => target ?? held[s]),
          [null, null],
        );
      const decision: Decision = { runId: 'run', decision: 'placed', targets, models: {}, wanted };
      return { bars: [{ bar: barAt(market, at), decision }], ended: false };
    },
  };
}

export const loopbackVenue = (exchange: Pick<LoopbackExchange, 'url'>, timeoutMs = 5_000): Promise<Venue> =>
  openVenue({
    id: 'binance',
    baseUrl: exchange.url,
    sandbox: false,
    paced: false,
    timeoutMs,
    credentials: { ...LOOPBACK_KEYS, password: undefined },
  });

/** Opens the session in `folder`, or starts it, and runs it to the end of the script. */
export async function runScript(
  exchange: Pick<LoopbackExchange, 'url' | 'clock'>,
  script: Script,
  about: {
    readonly folder: string;
    readonly venue: Venue;
    readonly session?: Partial<LiveSession>;
    readonly disk?: Disk;
    readonly options?: Partial<LiveOptions>;
    readonly feed?: BarFeed;
  },
): Promise<LiveLedger> {
  const { folder, venue, disk = nodeDisk } = about;
  const place = join(folder, 'session');
  const ledger =
    (await resumeLive(place, disk)) ?? (await startLive(place, { ...liveSession, ...about.session }, disk));
  const stop = new AbortController();
  try {
    await runLive(ledger, about.feed ?? scripted(exchange, script), {
      venue,
      signal: stop.signal,
      now: () => exchange.clock.now(),
      arrivesWithinMs: 20_000,
      intervalMs: 0,
      pollMs: 1,
      maxCycles: 2_000,
      dryRun: false,
      control: async () => undefined,
      prices: (symbols) => lastPrices(exchange, symbols),
      onDoubt: () => undefined,
      onBar: () => undefined,
      onEntry: () => undefined,
      onFeed: () => undefined,
      // Every poll takes ten seconds of the exchange's time.
      onStanding: () => exchange.clock.set(exchange.clock.now() + 10_000),
      ...about.options,
    });
    return ledger;
  } finally {
    await ledger.close();
  }
}

/** No fill is lost, doubled or made up, and what is held is what the exchange holds. */
export function expectTruth(exchange: LoopbackExchange, { state }: LiveLedger): void {
  const theirs = exchange.books.fills().map(({ tradeId }) => tradeId);
  const known = [...state.tradeIds].map((key) => Number(key.split(' ')[1]));
  const inOrder = (ids: readonly number[]): number[] => ids.toSorted((a, b) => a - b);
  assert.deepEqual(inOrder(known), inOrder(theirs), "executions on record are the exchange's");
  for (const { clientOrderId, filled } of exchange.books.orders())
    assertClose(state.orders.get(clientOrderId)?.filledKnown, filled, 1e-8, `filled of ${clientOrderId}`);
  for (const [asset, held] of exchange.books.balances())
    assertClose(state.expected.get(asset), held, 1e-5, `balance of ${asset}`);
}

const assertClose = (known: number | undefined, theirs: number, tolerance: number, what: string): void =>
  assert.ok(
    known !== undefined && Math.abs(known - theirs) < tolerance,
    `${what}: ${known} on record, ${theirs} at the exchange`,
  );
