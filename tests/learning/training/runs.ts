import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import { join } from 'node:path';
import { openStore, type Store } from '../../../src/data/store/store.ts';
import type { Candles } from '../../../src/core/market/candles.ts';
import type { PairSymbol } from '../../../src/core/market/symbol.ts';
import type { TrainingEvent } from '../../../src/learning/training/journal.ts';
import { planRun, type TrainingSettings } from '../../../src/learning/training/plan.ts';
import {
  type FinishedRun,
  finishRun,
  startRun,
  type TrainingSurroundings,
} from '../../../src/learning/training/train.ts';
import type { SnapshotHabits } from '../../../src/learning/training/snapshots.ts';
import { walk } from '../../support/candles.ts';

export const START_MS = Date.UTC(2025, 0, 1);
export const BARS = 600;
const SYMBOLS = ['BTC/USDT', 'ETH/USDT'] as const;

/** A store with hourly walks of two symbols. */
export async function walkStore(
  folder: string,
  options: { synthetic?: boolean; change?: (candles: Candles) => void } = {},
): Promise<Store> {
  const store = openStore(join(folder, 'data'));
  for (const [i, symbol] of SYMBOLS.entries()) {
    const candles = walk(BARS, { startMs: START_MS, seed: i + 1 });
    options.change?.(candles);
    await add(store, symbol, candles, options.synthetic ?? false);
  }
  return store;
}

/** A coin that trades but never moves. */
export function flat(): Candles {
  const candles = walk(BARS, { startMs: START_MS });
  for (const column of [candles.open, candles.high, candles.low, candles.close]) column.fill(1);
  return candles;
}

export const add = (store: Store, symbol: PairSymbol, candles: Candles, synthetic = false) =>
  store.merge({ exchange: 'binance', symbol, timeframe: '1h' }, candles, { source: 'csv', synthetic });

export const SETTINGS: TrainingSettings = {
  mode: 'quick',
  seed: 42,
  seeds: 1,
  exchange: 'binance',
  symbols: SYMBOLS,
  timeframe: '1h',
  validationPct: 10,
  testPct: 20,
  costs: { feeBps: 10, slippageBps: 5 },
  models: ['buy-and-hold', 'persistence', 'one-bar-reversal'],
  params: {},
  approach: 'ml',
  allowSynthetic: false,
  sources: DEFAULT_SOURCES,
};

export function surroundings(
  folder: string,
  store: Store,
  more: {
    signal?: AbortSignal;
    snapshots?: Partial<SnapshotHabits>;
    onEvent?: (event: TrainingEvent) => void;
  } = {},
): TrainingSurroundings {
  return {
    store,
    checkpointDir: join(folder, 'checkpoints'),
    logDir: join(folder, 'logs'),
    snapshots: { everyMinutes: 5, everyEpochs: 10, kept: 3, ...more.snapshots },
    signal: more.signal ?? new AbortController().signal,
    onEvent: more.onEvent ?? (() => {}),
  };
}

/** A whole run from plan to end. */
export async function trainOn(
  folder: string,
  store: Store,
  settings: Partial<TrainingSettings> = {},
): Promise<FinishedRun> {
  const around = surroundings(folder, store);
  return finishRun(await startRun(await planRun(store, { ...SETTINGS, ...settings }), around), around);
}

export const weightHashes = ({ members }: FinishedRun): Readonly<Record<string, string>> =>
  Object.fromEntries(members.map(({ id, manifest }) => [id, manifest.weightHash]));
