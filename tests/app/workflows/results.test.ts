import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configuredInstruments, executionRules } from '../../../src/app/config/execution.ts';
import { loadConfig } from '../../../src/app/config/load.ts';
import { resultsDocument } from '../../../src/app/report/results-document.ts';
import { results } from '../../../src/app/workflows/results.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { builtIn } from '../../../src/learning/models/registry.ts';
import { openFoldCache } from '../../../src/learning/validation/fold-cache.ts';
import type { WalkForwardCost } from '../../../src/learning/validation/walk-forward.ts';
import { walk } from '../../support/candles.ts';
import { runCli } from '../../support/cli.ts';

const BARS = 2000;
const startMs = Date.UTC(2024, 1, 15);
const window = {
  id: 'short',
  exchange: 'binance',
  timeframe: '1h',
  symbols: ['BTC/USDT', 'ETH/USDT'],
  sinceMs: startMs,
  untilMs: startMs + BARS * 3_600_000,
} as const;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'results-'));
  for (const [i, symbol] of window.symbols.entries())
    await openStore(join(folder, 'data')).merge(
      { exchange: 'binance', symbol, timeframe: '1h' },
      walk(BARS, { startMs, seed: i + 1 }),
      { source: 'synthetic', synthetic: true },
    );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function made(): Promise<{ readonly text: string; readonly cost: WalkForwardCost | undefined }> {
  let cost: WalkForwardCost | undefined;
  const { config } = loadConfig({
    file: join(folder, 'none.yaml'),
    fileRequired: false,
    environment: {},
    flags: {},
  });
  const found = await results({
    windows: [window],
    store: openStore(join(folder, 'data')),
    cache: openFoldCache(join(folder, 'folds')),
    registry: builtIn,
    params: {},
    sources: config.features,
    acceptImplausible: [],
    validationPct: 15,
    strategies: builtIn.strategies.map((strategy) => ({ strategy, params: strategy.params.parse({}) })),
    rulesOf: ({ length }) => executionRules(config, length),
    instrumentsOf: (symbols) => configuredInstruments(config.trading, symbols),
    trialsFile: join(folder, 'trials.jsonl'),
    models: ['buy-and-hold', 'persistence', 'ridge'],
    folds: 2,
    embargoBars: 24,
    mostFitSeconds: 10,
    seed: 1,
    signal: new AbortController().signal,
    onWindow: () => {},
    onCost: (one) => (cost = one),
    onFold: () => {},
    onStep: () => {},
  });
  return { text: resultsDocument(found), cost };
}

test('one document holds every strategy, its baselines and the audit, and comes out the same again', async () => {
  const first = await made();
  expect(first.cost).toMatchObject({ folds: 6, kept: 0 });
  for (const part of [
    '(SYNTHETIC)',
    ...builtIn.strategies.map(({ id }) => `### Decided by ${id}`),
    '| buy-and-hold |',
    '| persistence |',
    '| reproduction | passed |',
    'no check proved it wrong',
  ])
    expect(first.text).toContain(part);
  const again = await made();
  expect(again.cost).toMatchObject({ folds: 6, kept: 6 });
  expect(again.text).toBe(first.text);
});

test('the command says which candles it needs, and how to get them', async () => {
  const { status, stderr } = await runCli(['results', '--windows', 'five-years'], { cwd: folder });
  expect(status).toBe(1);
  expect(stderr).toContain('The store does not hold all binance BTC/USDT 1h candles of "five-years".');
  expect(stderr).toContain(
    '--symbols BTC/USDT,ETH/USDT --timeframe 1h --since 2020-09-20 --until 2026-02-13',
  );
});
