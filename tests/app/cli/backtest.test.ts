import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { Candles } from '../../../src/core/market/candles.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';
import { temporaryFolder } from '../../support/folder.ts';

const BARS = 1200;
const MODELS = 'buy-and-hold,one-bar-reversal';

const Document = z.object({
  synthetic: z.boolean(),
  warnings: z.array(z.string()),
  range: z.object({ from: z.string(), to: z.string() }),
  bars: z.number(),
  trades: z.array(z.object({ entryTime: z.iso.datetime(), exit: z.string(), profitQuote: z.number() })),
  metrics: z.object({
    totalReturnPct: z.number(),
    sharpe: z.number(),
    conventions: z.record(z.string(), z.string()),
  }),
  benchmark: z.object({ name: z.literal('buy-and-hold'), totalReturnPct: z.number() }),
  costs: z.object({
    feeBps: z.number(),
    slippageBps: z.number().nullable(),
    feesQuote: z.number(),
    curve: z.array(z.object({ costBps: z.number() })),
  }),
  confidence: z.object({ bars: z.number(), trials: z.number(), sharpe95: z.object({ low: z.number() }) }),
  models: z.array(z.object({ model: z.string() })),
  equityCurve: z.string(),
  barsPerSecond: z.number().positive(),
});

/** Two symbols of made-up candles with a trained set on them; shared by the tests, which only read. */
let cwd: string;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'backtest-'));
  writeFileSync(join(cwd, 'config.yaml'), 'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\n');
  const store = openStore(join(cwd, 'data'));
  for (const [i, symbol] of (['BTC/USDT', 'ETH/USDT'] as const).entries()) {
    const candles = walk(BARS, { startMs: Date.UTC(2025, 0, 1), seed: i + 1 });
    await store.merge({ exchange: 'binance', symbol, timeframe: '1h' }, candles, {
      source: 'synthetic',
      synthetic: true,
    });
  }
  const trained = await runCli(['train', '--models', MODELS, '--allow-synthetic'], { cwd });
  expect(trained.stderr + String(trained.status)).toMatch(/0$/);
});
afterAll(() => rmSync(cwd, { recursive: true }));

const backtest = (...args: readonly string[]) => runCli(['backtest', ...args], { cwd });
const documentOf = async (...args: readonly string[]) =>
  Document.parse(JSON.parse((await backtest('--json', ...args)).stdout));

it('by default tests the bars that training has not seen, a fifth of them, and writes the curve it names', async () => {
  const document = await documentOf();
  expect(document.bars).toBe(BARS / 5);
  expect(document.range.to).toBe('2025-02-20T00:00:00.000Z');
  expect(document.warnings).toEqual([]);
  expect(document.synthetic).toBe(true);
  const lines = readFileSync(join(cwd, document.equityCurve), 'utf8').trim().split('\n');
  expect(lines[0]).toBe('time,ensemble,one-bar-reversal,buy-and-hold,exposure');
  expect(lines).toHaveLength(document.bars + 1);
});

it('warns when the range was seen in training', async () => {
  const { warnings, bars } = await documentOf('--from', '2025-01-05', '--to', '2025-01-31');
  expect(warnings).toEqual([expect.stringContaining('IN SAMPLE')]);
  expect(bars).toBe(27 * 24);
});

it('takes costs from the command line', async () => {
  const free = await documentOf('--fee-bps', '0', '--slippage-bps', '0');
  expect(free.costs).toMatchObject({ feeBps: 0, slippageBps: 0, feesQuote: 0 });
  // Slippage is modelled: no rate is that of every fill.
  expect((await documentOf()).costs.slippageBps).toBeNull();
  expect(free.costs.curve.map(({ costBps }) => costBps)).toEqual([0, 2, 5, 10, 20]);
});

it('applies the risk rules of the settings, to all but buying and holding, and says so', async () => {
  const limit = { CRYPTO_TRADER_RISK_MAX_TRADE_PCT: '5' };
  const args = ['backtest', '--strategy', 'own', '--models', 'one-bar-reversal'];
  const limited = await runCli(args, { cwd, environment: limit });
  expect(limited.stdout).toContain('Risk rules above every strategy but buy and hold: maxTradePct 5.');
  const Exposed = z.object({ averageExposurePct: z.number() });
  const Document = z.object({ metrics: Exposed, benchmark: Exposed, risk: z.unknown() });
  const document = async (environment: Readonly<Record<string, string>>) =>
    Document.parse(JSON.parse((await runCli([...args, '--json'], { cwd, environment })).stdout));
  const [free, held] = [await document({}), await document(limit)];
  expect([free.risk, held.risk]).toEqual([null, { maxTradePct: 5, protections: [] }]);
  // No decision adds more than 5 % of equity to a position.
  expect(held.metrics.averageExposurePct).toBeLessThan(free.metrics.averageExposurePct / 2);
  expect(held.benchmark.averageExposurePct).toBeCloseTo(free.benchmark.averageExposurePct, 10);
});

it('models slippage unless a rate is stated', async () => {
  const modelled = await backtest('--intrabar-band');
  expect(modelled.stdout).toContain('fee 10 bp per side, slippage by spread');
  expect(modelled.stdout).toContain('No path inside a bar matters');
  expect((await backtest('--slippage-bps', '3')).stdout).toContain('fee 10 bp and slippage 3 bp per side');
});

it('refuses modelled slippage on inverse contracts, with what to state instead', async () => {
  const inverse = 'trading.account={kind: perpetual, contract: inverse, funding: waived}';
  const refused = await runCli(['backtest', '--set', inverse], { cwd });
  expect(refused.stderr).toContain('amounts of inverse contracts are not in coins');
  expect(refused.stderr).toContain('--slippage-bps 5');
});

it("says whose rules fill the orders where they are another system's", async () => {
  expect((await backtest('--rules-of', 'vectorbt')).stdout).toContain('WARNING: Orders fill as in vectorbt');
});

it('looks inside the bars in finer candles, and says the band of profits', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'detail-'));
  cpSync(cwd, folder, { recursive: true });
  writeFileSync(
    join(folder, 'config.yaml'),
    'market: { symbols: [BTC/USDT, ETH/USDT], since: 2025-01-01 }\ntrading: { stopLossPct: 0.5, takeProfitPct: 0.5 }\n',
  );
  const store = openStore(join(folder, 'data'));
  for (const symbol of ['BTC/USDT', 'ETH/USDT'] as const) {
    const hours = await store.read({ exchange: 'binance', symbol, timeframe: '1h' });
    await store.merge({ exchange: 'binance', symbol, timeframe: '30m' }, halves(hours), {
      source: 'synthetic',
      synthetic: true,
    });
  }
  const run = (...args: readonly string[]) =>
    runCli(['backtest', '--intrabar-band', ...args], { cwd: folder });
  expect((await run()).stdout).toMatch(/the profit lies between -?[\d.]+ % and -?[\d.]+ %/);
  const fine = await run('--detail', '30m');
  expect(fine.stdout).toContain('Stops and targets looked for in 30m candles in 100.0 % of the bars');
  rmSync(folder, { recursive: true });
});

/** Half-hours that first go to the low, then to the high. */
function halves({ time, open, high, low, close, volume }: Candles): Candles {
  const two = (first: Float64Array, second: Float64Array): Float64Array =>
    Float64Array.from({ length: 2 * time.length }, (_, i) => (i % 2 === 0 ? first : second)[i >> 1]);
  return {
    time: two(
      time,
      time.map((at) => at + 1_800_000),
    ),
    open: two(open, low),
    high: two(open, high),
    low: two(low, low),
    close: two(low, close),
    volume: two(volume, volume),
  };
}

it('refits before every fold on request, and counts what was tried', async () => {
  const first = await documentOf('--walk-forward', '--folds', '3', '--models', MODELS);
  expect(first.bars).toBe(BARS / 2);
  const other = await documentOf('--walk-forward', '--folds', '4', '--models', MODELS);
  expect(other.confidence.trials).toBe(first.confidence.trials + 1);
});

it('finds finished folds again, and trains a rolling window on as many bars in each', async () => {
  const args = ['--walk-forward', '--folds', '3', '--window', 'rolling', '--models', 'ridge'];
  const Folds = z.object({
    folds: z.array(z.object({ trainedFrom: z.iso.datetime(), trainedUntil: z.iso.datetime() })),
  });
  const first = await backtest('--json', ...args);
  expect(first.stderr).toContain('3 of 3 folds to fit.');
  const { folds } = Folds.parse(JSON.parse(first.stdout));
  const lengths = folds.map((fold) => Date.parse(fold.trainedUntil) - Date.parse(fold.trainedFrom));
  expect(lengths).toEqual([lengths[0], lengths[0], lengths[0]]);
  const again = await backtest(...args);
  expect(again.stderr).toContain('All 3 folds were finished before');
  expect(again.stdout).toContain('Fold by fold');
});

it('gives a distribution of Sharpe ratios by combinatorial cross-validation', async () => {
  const { stdout, stderr } = await backtest(
    '--cpcv',
    '--models',
    'ridge,buy-and-hold',
    '--paths',
    '3',
    '--json',
  );
  expect(stderr).toContain('folds, 2 of them tested at once');
  const { paths, strategies } = z
    .object({
      paths: z.number(),
      strategies: z.array(z.object({ name: z.string(), sharpes: z.array(z.number().nullable()) })),
    })
    .parse(JSON.parse(stdout));
  expect(strategies.map(({ name }) => name)).toEqual(['ridge', 'buy-and-hold']);
  for (const { sharpes } of strategies) expect(sharpes).toHaveLength(paths);
  // Whatever is fitted, holding is the same on every path.
  expect(new Set(strategies[1].sharpes).size).toBe(1);
  const both = await backtest('--cpcv', '--strategy', 'own');
  expect([both.status, both.stderr]).toEqual([
    2,
    expect.stringContaining('--strategy does nothing with --cpcv.'),
  ]);
});

it('writes a report as one file, and says loudly what the figures are not', async () => {
  const { status, stdout } = await backtest('--from', '2025-01-05', '--report', 'out/report.html');
  expect(stdout).toMatch(/SYNTHETIC[^]*WARNING: IN SAMPLE/);
  expect(status).toBe(0);
  expect(stdout).toContain('Report: out/report.html');
  expect(readFileSync(join(cwd, 'out/report.html'), 'utf8')).toMatch(/^<!doctype html>[^]*<\/html>\s*$/);
});

it('gives the same document for the same seed', async () => {
  const stable = ({ equityCurve: _, barsPerSecond: __, ...rest }: z.output<typeof Document>) => rest;
  expect(stable(await documentOf('--seed', '5'))).toEqual(stable(await documentOf('--seed', '5')));
});

it.each([
  [['--from', '2025-02-10', '--to', '2025-02-01'], 2, '--since must lie before --until'],
  [['--strategy', 'cost-awre'], 2, '--strategy cannot be "cost-awre"'],
  [['--from', 'yesterday'], 1, 'yesterday'],
  [['--fee-bps', '-3'], 2, '--fee-bps'],
  [['--models', 'one-bar-reversl'], 1, 'one-bar-reversal'],
  [['--from', '2026-01-01'], 1, 'no bar to test'],
  [['--detail', '1m'], 1, 'No 1m candles of BTC/USDT are stored for this range'],
  [['--detail', '4h'], 1, '--detail 4h does not divide the bars of 1h'],
])('%j exits with %d and says "%s"', async (args, code, message) => {
  const { status, stderr } = await backtest(...args);
  expect(stderr).toContain(message);
  expect(status).toBe(code);
});

it('without a trained set says how to get one', async () => {
  const { status, stderr } = await runCli(['backtest'], { cwd: temporaryFolder() });
  expect(status).toBe(1);
  expect(stderr).toContain('crypto-trader train --mode quick');
});

it('sleeves share one wallet, what each brought adds up to its profit, and shares above 100 % are refused', async () => {
  const Sleeves = z.object({
    models: z.array(z.object({ model: z.string(), metrics: z.object({ totalReturnPct: z.number() }) })),
    sleeves: z.object({
      sleeves: z.array(z.object({ name: z.string(), grossQuote: z.number(), costQuote: z.number() })),
      otherQuote: z.number(),
    }),
  });
  const { stdout } = await backtest('--json', '--sleeves', 'buy-and-hold:own=50,one-bar-reversal:own=30');
  const { models, sleeves } = Sleeves.parse(JSON.parse(stdout));
  expect(sleeves.sleeves.map(({ name }) => name)).toEqual(['buy-and-hold:own', 'one-bar-reversal:own']);
  const parts = sleeves.sleeves.reduce(
    (sum, one) => sum + one.grossQuote - one.costQuote,
    sleeves.otherQuote,
  );
  const wallet = models.find(({ model }) => model === 'sleeves');
  expect(parts).toBeCloseTo(100 * (wallet?.metrics.totalReturnPct ?? NaN), 4);
  const most = await backtest('--sleeves', 'buy-and-hold=50,one-bar-reversal=51');
  expect([most.status, most.stderr]).toMatchObject([2, expect.stringContaining('--sleeves add up to 101 %')]);
  const none = await backtest('--sleeves', 'ridge=50');
  expect(none.stderr).toContain('The sleeve "ridge" is none of the models of this backtest.');
});
