import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openPortfolioPaper,
  type PortfolioPaperRequest,
} from '../../../src/app/workflows/paper-portfolio.ts';
import { sessionParity } from '../../../src/app/workflows/paper-parity.ts';
import { loadPortfolioMarket } from '../../../src/app/workflows/portfolio.ts';
import { silentLog } from '../../../src/core/foundation/log.ts';
import { ALLOCATION_DEFAULTS, allocators } from '../../../src/core/portfolio/allocator.ts';
import { openLimits } from '../../../src/core/portfolio/limits.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openExchange } from '../../../src/data/exchange/client.ts';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import type { BarRecord } from '../../../src/desk/paper/record.ts';
import { verifySession } from '../../../src/desk/paper/session.ts';
import { sessionFolder } from '../../../src/desk/paper/sessions.ts';
import { loadLinearSolver } from '../../../src/lab/portfolio/highs.ts';
import { type PortfolioStrategy, walkForward } from '../../../src/lab/portfolio/walk-forward.ts';
import { walk } from '../../support/candles.ts';
import { pair } from '../../support/exchange/market.ts';
import { startExchange } from '../../support/exchange/server.ts';

const DAY = 86_400_000;
const BARS = 130;
const WINDOW = 30;
/** A Monday. */
const FIRST = Date.UTC(2024, 0, 1);
const PAIRS = ['AAA/USDT', 'BBB/USDT', 'CCC/USDT'] as const;
/** The bar of a Sunday: what is decided at its close trades at Monday's open. */
const SINCE = FIRST + 41 * DAY;

const named = (id: string): PortfolioStrategy => {
  const found = allocators.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

let root: string;
let store: Store;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'paper-portfolio-'));
  store = openStore(join(root, 'data'));
  for (const [seed, symbol] of PAIRS.entries())
    await store.merge(
      { exchange: 'x', symbol, timeframe: '1d' },
      walk(BARS, { startMs: FIRST, seed: seed + 1, timeframe: '1d' }),
      { source: 'csv', synthetic: false },
    );
});
afterAll(() => rmSync(root, { recursive: true }));

const steps = (symbols: readonly (typeof PAIRS)[number][]) =>
  symbols.map((symbol) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }));

async function asked(own: Partial<PortfolioPaperRequest> = {}): Promise<PortfolioPaperRequest> {
  return {
    store,
    dataDir: join(root, 'data'),
    bars: { kind: 'stored', since: SINCE },
    name: 'p',
    fresh: false,
    exchange: 'x',
    timeframe: '1d',
    members: PAIRS.map((symbol) => ({ symbol })),
    named: true,
    terms: { allocator: 'min-variance' },
    allocator: 'min-variance',
    windowBars: WINDOW,
    rebalance: { kind: 'every', bars: 7 },
    strategyFor: async () => named('min-variance'),
    limitsFor: (assets) => openLimits(assets.length),
    settings: ALLOCATION_DEFAULTS,
    solveLinear: await loadLinearSolver(),
    rules: { ...SPOT_RULES, rebalanceBandPct: 0 },
    risk: undefined,
    instruments: () => steps(PAIRS),
    log: silentLog,
    signal: new AbortController().signal,
    ...own,
  };
}

async function run(request: PortfolioPaperRequest, maxCycles?: number): Promise<readonly BarRecord[]> {
  const opened = await openPortfolioPaper(request, () => {});
  const records: BarRecord[] = [];
  try {
    await opened.run({ intervalMs: 0, maxCycles, onBar: (record) => records.push(record) });
  } finally {
    await opened.close();
  }
  return records;
}

const core = ({ processedAtMs: _, ...record }: BarRecord) => record;

describe('a portfolio on paper', () => {
  it.each([
    ['min-variance', { kind: 'every', bars: 7 }],
    ['equal-weight', { kind: 'drift', share: 0.005 }],
  ] as const)('trades %s as the walk forward does, bar by bar', async (id, rebalance) => {
    const request = await asked({ name: id, rebalance, strategyFor: async () => named(id) });
    const records = await run(request);
    const members = PAIRS.map((symbol) => ({ symbol }));
    const source = await loadPortfolioMarket(store, {
      exchange: 'x',
      timeframe: '1d',
      members,
      named: true,
      untilMs: undefined,
    });
    const walked = await walkForward(
      { ...request, ...source, instruments: steps(PAIRS), fromMs: SINCE, untilMs: Infinity },
      named(id),
    );
    expect(records.map(({ timeMs }) => timeMs).slice(1)).toEqual([...walked.time]);
    expect(records.slice(1).map(({ equity }) => equity)).toEqual([...walked.equity]);
    expect(records.flatMap(({ events }) => events).length).toBeGreaterThan(20);
    const changes = records.slice(0, -1).filter(({ targets }) => targets.some((one) => one !== null));
    expect(changes.map(({ timeMs, targets }) => [timeMs, ...targets])).toEqual(
      walked.rebalances.map(({ time, weights }) => [time, ...weights]),
    );
  });

  it('stopped and started again, it goes on as if it had not been', async () => {
    const whole = await run(await asked({ name: 'whole' }));
    const first = await run(await asked({ name: 'halves' }), 17);
    const rest = await run(await asked({ name: 'halves' }));
    expect(first).toHaveLength(17);
    expect([...first, ...rest].map(core)).toEqual(whole.map(core));
    expect(await verifySession(sessionFolder(join(root, 'data'), 'halves'))).toMatchObject({
      bars: whole.length,
    });
  });

  it('is shown bars up to the close it decides at, and none after', async () => {
    const shown: number[] = [];
    const records = await run(
      await asked({
        name: 'blind',
        strategyFor: async ({ market }) => {
          shown.push(market.time[market.time.length - 1]);
          return named('equal-weight');
        },
      }),
      20,
    );
    const decided = records.filter(({ targets }) => !targets.includes(null));
    expect(shown).toEqual([SINCE, SINCE + 7 * DAY, SINCE + 14 * DAY]);
    expect(decided.map(({ timeMs }) => timeMs)).toEqual(shown);
  });

  it('refuses other terms, and parity with models', async () => {
    await run(await asked({ name: 'terms' }), 2);
    await expect(run(await asked({ name: 'terms', terms: { allocator: 'hrp' } }), 1)).rejects.toThrow(
      'was started with other settings: "strategy"',
    );
    const parity = sessionParity({
      store,
      dataDir: join(root, 'data'),
      checkpointDir: join(root, 'checkpoints'),
      session: 'terms',
      run: undefined,
    });
    await expect(parity).rejects.toThrow('holds a portfolio, and parity compares the decisions of models');
  });

  it('follows an exchange: orders at the newest close, and catches up on what it missed', async () => {
    const exchange = await startExchange({
      nowMs: SINCE + DAY,
      pairs: PAIRS.map((symbol, seed) =>
        pair(symbol, { '1d': walk(BARS, { startMs: FIRST, seed: seed + 1, timeframe: '1d' }) }),
      ),
    });
    try {
      const own = openStore(join(root, 'live'));
      // What is stored ends ten days before: the rest is asked for.
      for (const [seed, symbol] of PAIRS.entries()) {
        const candles = walk(32, { startMs: FIRST, seed: seed + 1, timeframe: '1d' });
        await own.merge({ exchange: 'binance', symbol, timeframe: '1d' }, candles, {
          source: 'csv',
          synthetic: false,
        });
      }
      const request = await asked({
        store: own,
        dataDir: join(root, 'live'),
        exchange: 'binance',
        bars: {
          kind: 'exchange',
          open: (id) =>
            openExchange({ id, baseUrl: exchange.url, timeoutMs: 5000, retries: 0, log: silentLog }),
        },
      });
      const [first] = await run(request, 1);
      expect(first).toMatchObject({ timeMs: SINCE, decision: 'placed' });
      expect(first.targets.reduce<number>((sum, one) => sum + (one ?? 0), 0)).toBeCloseTo(1, 9);
      // Nine days nobody looked: the Sunday among them is decided on, and ordered with the newest bar.
      exchange.clock.set(SINCE + 10 * DAY);
      const later = await run(request, 1);
      expect(later.map(({ decision }) => decision)).toEqual([
        ...Array.from({ length: 8 }, () => 'missed'),
        'placed',
      ]);
      expect(later[0].events).toMatchObject(PAIRS.map((symbol) => ({ kind: 'fill', symbol, side: 'buy' })));
      const sunday = later[6];
      expect(sunday.targets).not.toContain(null);
      expect(later[8].targets).toEqual(sunday.wanted);
    } finally {
      await exchange.close();
    }
  });
});
