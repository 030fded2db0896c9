import { join } from 'node:path';
import { DEFAULT_SOURCES } from '../src/core/features/inputs.ts';
import type { PairSymbol } from '../src/core/market/symbol.ts';
import { SPOT_RULES } from '../src/core/trading/rules.ts';
import type { Store } from '../src/data/store/store.ts';
import type { SessionRecord } from '../src/desk/paper/record.ts';
import { planRun, type TrainingSettings } from '../src/learning/training/plan.ts';
import { finishRun, startRun } from '../src/learning/training/train.ts';

/** What is measured on: three pairs, or the first few of them. */
export const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const satisfies readonly PairSymbol[];

/** A paper session on bars of an exchange, by the strategy and the ensemble that are the defaults. */
export const sessionOn = (
  of: Pick<SessionRecord, 'sessionId' | 'exchange' | 'timeframe' | 'runId'>,
  symbols: readonly PairSymbol[],
): SessionRecord => ({
  ...{ kind: 'session', version: 1, startedAtMs: 0, feed: 'exchange', synthetic: false, ...of },
  instruments: symbols.map((symbol) => ({ symbol, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 })),
  strategy: { id: 'cost-aware', params: {} },
  ensemble: { id: 'enhanced', params: {} },
  risk: undefined,
  rules: SPOT_RULES,
});

/** Trains what the session decides by on what is stored, into `checkpoints` below `root`; returns the run's name. */
export async function trainOn(
  store: Store,
  root: string,
  of: Pick<TrainingSettings, 'exchange' | 'symbols' | 'timeframe' | 'params'> & {
    readonly models: readonly string[];
  },
): Promise<string> {
  const around = {
    store,
    checkpointDir: join(root, 'checkpoints'),
    logDir: join(root, 'logs'),
    snapshots: { everyMinutes: 60, everyEpochs: 1000, kept: 1 },
    signal: new AbortController().signal,
    onEvent: () => {},
  };
  const plan = await planRun(store, {
    ...{ mode: 'quick', approach: 'ml', seed: 1, seeds: 1, validationPct: 15, testPct: 15, ...of },
    costs: { feeBps: 10, slippageBps: 5 },
    allowSynthetic: false,
    sources: DEFAULT_SOURCES,
  });
  const { runId } = await finishRun(await startRun(plan, around), around);
  return runId;
}
