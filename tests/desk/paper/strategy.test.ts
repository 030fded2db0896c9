import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configuredInstruments, executionRules } from '../../../src/app/config/execution.ts';
import { ConfigSchema } from '../../../src/app/config/schema.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { runBacktest } from '../../../src/core/trading/run.ts';
import { tradeCostsFrom } from '../../../src/core/trading/trade-cost.ts';
import { encodeLink } from '../../../src/data/journal/chain.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { readLedger } from '../../../src/desk/paper/ledger.ts';
import { catchUp, createOutlooks, termsOf } from '../../../src/desk/paper/outlook.ts';
import type { BarRecord } from '../../../src/desk/paper/record.ts';
import { heed } from '../../../src/desk/paper/controls.ts';
import { decide } from '../../../src/lab/backtest/decide.ts';
import { trainedForecasts } from '../../../src/lab/backtest/trained-source.ts';
import { marketOf } from '../../../src/lab/backtest/strategies.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { runCli } from '../../support/cli.ts';
import { driftingWalk } from '../../support/planted.ts';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const;
const HOUR = 3_600_000;
const START = Date.UTC(2025, 0, 1);
const folder = mkdtempSync(join(tmpdir(), 'paper-strategy-'));
const session = join(folder, 'data/paper/planted-1h-stored');
const cli = async (...args: string[]) => {
  const result = await runCli(args, { cwd: folder });
  expect(result.status, result.stderr).toBe(0);
  return result.stdout;
};

beforeAll(async () => {
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/README.md'), '');
  writeFileSync(
    join(folder, 'config.yaml'),
    `exchange: { id: planted }
market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }
strategies: { cost-aware: { riskAversion: 2 } }
models: { ridge: { features: [log_return_1, log_return_5, ema_distance_7, ema_distance_25] } }
`,
  );
  const store = openStore(join(folder, 'data'));
  for (const [seed, symbol] of SYMBOLS.entries()) {
    const { candles } = driftingWalk(4000, {
      startMs: START,
      seed,
      noise: 0.004,
      drift: 0.003,
      persistence: 0.95,
    });
    await store.merge({ exchange: 'planted', symbol, timeframe: '1h' }, candles, {
      source: 'planted',
      synthetic: false,
    });
  }
  await cli('train', '--models', 'ridge,momentum-garch,boosted-trees');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a paper session decides by a strategy', () => {
  it('as a backtest does, over restarts, and says why', async () => {
    for (const cycles of ['37', '1', '150', '2']) await cli('paper', '--no-exchange', '--max-cycles', cycles);
    // Without its snapshot a session comes back as after a kill.
    rmSync(join(session, 'snapshot.json'));
    const last = await cli('paper', '--no-exchange', '--max-cycles', '400');
    expect(last).toMatch(/decided by cost-aware/);
    expect(last).toMatch(/BTC\/USDT: edge [\d.]+ bp( down)? (<|>=) cost [\d.]+ bp(, [^:]+)?: /);

    const { session: about, bars } = await readLedger(session);
    expect(about.strategy).toEqual({ id: 'cost-aware', params: { riskAversion: 2, costMultiple: 1 } });
    expect(bars).toHaveLength(590);
    const config = ConfigSchema.parse({});
    const rules = executionRules(config, SYMBOLS.length);
    const found = await trainedForecasts(join(folder, 'checkpoints'), {
      store: openStore(join(folder, 'data')),
      exchange: 'planted',
      timeframe: '1h',
      fromMs: undefined,
      untilMs: bars[589].timeMs + HOUR,
      models: undefined,
      seeds: false,
    });
    const { source, edges } = decide(found, {
      ...chooseStrategy('cost-aware', { riskAversion: 2 }),
      cost: tradeCostsFrom(rules),
      allowShort: false,
    });
    expect(edges['ensemble']?.low).toBeGreaterThan(0);
    const { market, targetsOf } = marketOf(source.panel, source.range);
    const instruments = configuredInstruments(config.trading, SYMBOLS);
    const run = runBacktest({ market, targets: targetsOf(source.ensemble), instruments, rules });
    expect(run.trades.length).toBeGreaterThan(10);
    expect(bars.map(({ equity }) => equity)).toEqual([...run.equity]);

    // Wherever it stops, it goes on from what it wanted as if it had not.
    const trained = await loadTrained(join(folder, 'checkpoints'));
    const outlooks = createOutlooks(openStore(join(folder, 'data')), trained, termsOf(about));
    for (let i = 40; i < bars.length; i += 10) {
      const outlook = await outlooks.look({
        sinceMs: bars[i].timeMs,
        untilMs: bars[i + 9].timeMs + HOUR,
        wanted: bars[i - 1].wanted,
        state: bars[i - 1].ensemble?.state,
      });
      const row = outlook.market.time.indexOf(bars[i].timeMs);
      for (let k = 0; k < 10; k++) {
        const { targets, wanted, reasons, ensemble } = bars[i + k];
        expect(outlook.decide(row + k, 'placed')).toMatchObject({ targets, wanted, reasons, ensemble });
      }
    }
    expect(await cli('paper', 'parity')).toMatch(/Every trade is the same to the bit/);
  }, 120_000);

  it('keeps its strategy when another one becomes the default, and refuses one that somebody chose', async () => {
    const kept = await cli('paper', '--no-exchange', '--max-cycles', '1');
    expect(kept).toMatch(/decided by cost-aware/);
    const other = await runCli(['paper', '--no-exchange', '--max-cycles', '1', '--strategy', 'threshold'], {
      cwd: folder,
    });
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(/other settings: "strategy"[\s\S]*--fresh/);
  }, 60_000);

  it('goes on with a ledger from before there were strategies, by the positions of the models', async () => {
    const { session: about, bars } = await readLedger(session);
    const older = join(folder, 'data/paper/older');
    mkdirSync(older);
    let hash = '';
    const lines: string[] = [];
    const { strategy: _, ensemble: ____, ...first } = about;
    for (const record of [
      first,
      ...bars.slice(0, 3).map(({ wanted: __, reasons: ___, ensemble: _____, ...bar }) => bar),
    ]) {
      const link = encodeLink(record, hash);
      lines.push(link.line.toString());
      ({ hash } = link);
    }
    writeFileSync(join(older, 'ledger.jsonl'), lines.join(''));
    // Nobody chooses a strategy here.
    writeFileSync(
      join(folder, 'config.yaml'),
      readFileSync(join(folder, 'config.yaml'), 'utf8').replace(/^strategies.*\n/m, ''),
    );
    const resumed = await cli('paper', '--no-exchange', '--name', 'older', '--max-cycles', '2');
    expect(resumed).toMatch(/resumed after the bar of .*; 3 bars of the ledger replayed; .* decided by own/);
    expect(existsSync(join(older, 'snapshot.json'))).toBe(true);
    const after = await readLedger(older);
    expect(after.bars).toHaveLength(5);
    expect(after.bars[4].wanted).toBeUndefined();
    expect(after.bars[4].targets).not.toContain(null);
  }, 60_000);
});

describe('what could not be ordered', () => {
  const decision = (over: Partial<BarRecord>) => ({
    runId: 'run',
    decision: 'placed' as const,
    targets: [null, 0.5],
    wanted: [0.25, 0.5],
    models: {},
    ...over,
  });

  it.each([
    ['placed', [null, 0.5]],
    ['missed', [0.25, 0.5]],
    ['paused', [0.25, 0.5]],
    ['flattened', [0.25, 0.5]],
  ] as const)('is ordered at the next bar, if it still is wanted: after %s', (last, targets) => {
    expect(catchUp(decision({}), decision({ decision: last })).targets).toEqual(targets);
  });

  it('stays unordered while the session is paused, and where a strategy remembers nothing', () => {
    const paused = heed(decision({}), { version: 1, mode: 'pause', sinceMs: 0 });
    expect(paused).toMatchObject({ decision: 'paused', targets: [null, 0.5] });
    const own = decision({ wanted: undefined });
    expect(catchUp(own, decision({ decision: 'missed' })).targets).toEqual([null, 0.5]);
  });
});
