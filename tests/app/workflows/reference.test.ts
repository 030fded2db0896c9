import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configuredInstruments, executionRules } from '../../../src/app/config/execution.ts';
import { loadConfig } from '../../../src/app/config/load.ts';
import {
  cointegration,
  type Reference,
  reference,
  type ReferenceLine,
} from '../../../src/app/workflows/reference.ts';
import { createRandom, normal, type Random } from '../../../src/core/foundation/random.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { runCli } from '../../support/cli.ts';

const BARS = 4000;
const SAMPLE = 1200;
const startMs = Date.UTC(2024, 1, 15);
const window = {
  id: 'planted',
  exchange: 'binance',
  timeframe: '1h',
  symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'],
  sinceMs: startMs,
  untilMs: startMs + BARS * 3_600_000,
} as const;

/** A deviation that halves in 44.5 bars: rho = 2^(-1/44.5) - 1, by hand. */
const DECAY = 2 ** (-1 / 44.5);

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'reference-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const barsOf = (close: Float64Array, random: Random): Candles => {
  const candles = emptyCandles(close.length);
  close.forEach((price, row) => {
    const open = row === 0 ? price : close[row - 1];
    candles.time[row] = startMs + row * 3_600_000;
    candles.open[row] = open;
    candles.close[row] = price;
    candles.high[row] = Math.max(open, price) * (1 + 0.001 * random());
    candles.low[row] = Math.min(open, price) * (1 - 0.001 * random());
    candles.volume[row] = 1000 * random();
  });
  return candles;
};

/** BTC follows ETH with a deviation that dies out, or goes its own way; SOL's variance is GARCH(.37, .55). */
function plantedMarket(cointegrated: boolean): readonly Candles[] {
  const random = createRandom(5);
  let [eth, own, deviation, sol, variance, shock] = [2000, 50_000, 0, 100, 1e-5, 0];
  const columns = [0, 1, 2].map(() => new Float64Array(BARS));
  for (let row = 0; row < BARS; row++) {
    eth *= 1 + 0.005 * normal(random);
    own *= 1 + 0.005 * normal(random);
    deviation = DECAY * deviation + 40 * normal(random);
    variance = 8e-7 + 0.37 * shock ** 2 + 0.55 * variance;
    shock = Math.sqrt(variance) * normal(random);
    sol *= 1 + shock;
    columns[0][row] = cointegrated ? 10_000 + 20 * eth + deviation : own;
    columns[1][row] = eth;
    columns[2][row] = sol;
  }
  return columns.map((close) => barsOf(close, random));
}

async function made(): Promise<Reference> {
  const store = openStore(join(folder, 'data'));
  for (const [i, candles] of plantedMarket(true).entries())
    await store.merge({ exchange: 'binance', symbol: window.symbols[i], timeframe: '1h' }, candles, {
      source: 'synthetic',
      synthetic: true,
    });
  const { config } = loadConfig({
    file: join(folder, 'none.yaml'),
    fileRequired: false,
    environment: {},
    flags: {},
  });
  return reference({
    store,
    window,
    sampleBars: SAMPLE,
    sources: config.features,
    validationPct: 15,
    rules: { ...executionRules(config, 3), allowShort: true },
    instruments: configuredInstruments(config.trading, window.symbols),
    trialsFile: join(folder, 'trials.jsonl'),
    seed: 1,
    signal: new AbortController().signal,
    onStep: () => {},
  });
}

const of = ({ lines }: Reference, claim: ReferenceLine['claim']): readonly ReferenceLine[] =>
  lines.filter((line) => line.claim === claim);

test('a planted pair that returns within the published half-life reproduces, two walks do not', async () => {
  const planted = await made();
  const whole = 'BTC on ETH, prices, 4000 bars';
  const at = (found: Reference, claim: ReferenceLine['claim'], way: string) =>
    of(found, claim).find((line) => line.way === way);
  expect(at(planted, 'cointegration-p', whole)).toMatchObject({ reproduces: true });
  // The error of rho at 4000 bars is a fifth of it: the half-life is known to no more.
  const half = at(planted, 'half-life', whole)?.ours ?? NaN;
  expect(half).toBeGreaterThan(30);
  expect(half).toBeLessThan(60);
  const apart = plantedMarket(false).map((candles, i) => ({
    symbol: window.symbols[i],
    candles,
    features: { names: [], columns: [] },
  }));
  const ways = cointegration({ series: apart }, SAMPLE).filter(({ claim }) => claim === 'cointegration-p');
  expect(ways).toHaveLength(8);
  expect(ways.filter(({ reproduces }) => reproduces)).toEqual([]);

  const garch = of(planted, 'garch-alpha').find(({ way }) => way === 'SOL, 3999 returns');
  expect(Math.abs((garch?.ours ?? NaN) - 0.37)).toBeLessThan(0.12);
  expect(of(planted, 'bars')[0]).toMatchObject({ ours: 3 * BARS, reproduces: false });

  // Prices with next to no memory: trees are right half of the time, and not at the published rate.
  for (const line of of(planted, 'accuracy')) {
    expect(line).toMatchObject({ reproduces: false });
    expect(Math.abs((line.ours ?? NaN) - 50)).toBeLessThan(6);
  }
  const costs = of(planted, 'sharpe').map(({ way }) => way.replace(/^.*, /, ''));
  expect(costs).toEqual([
    '0 bp per side',
    '5 bp per side',
    '10 bp per side',
    '0 bp per side',
    '5 bp per side',
    '10 bp per side',
  ]);
  expect(of(planted, 'sharpe').filter(({ reproduces }) => reproduces)).toEqual([]);
  expect(planted.synthetic).toBe(true);

  // Two rules were compared, and two are counted.
  const trials = readFileSync(join(folder, 'trials.jsonl'), 'utf8').trim().split('\n');
  expect(trials.filter((text) => text.includes('boosted-trees'))).toHaveLength(2);
});

test('the command says which candles it needs, and how to get them', async () => {
  const { status, stderr } = await runCli(['report', 'reference'], { cwd: folder });
  expect(status).toBe(1);
  expect(stderr).toContain('--symbols BTC/USDT,ETH/USDT,SOL/USDT --timeframe 1h --since 2024-02-15');
});
