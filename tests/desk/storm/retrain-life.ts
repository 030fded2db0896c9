import { join } from 'node:path';
import { followActive } from '../../../src/app/workflows/follow-active.ts';
import { retrain, type Retrained } from '../../../src/app/workflows/retrain.ts';
import { DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import { SPOT_RULES } from '../../../src/core/trading/rules.ts';
import { openStore } from '../../../src/data/store/store.ts';
import { termsOf } from '../../../src/desk/paper/outlook.ts';
import type { SessionRecord } from '../../../src/desk/paper/record.ts';
import { resumeSession, startSession } from '../../../src/desk/paper/session.ts';
import { createStoredFeed } from '../../../src/desk/paper/stored-feed.ts';
import { ENHANCED } from '../../../src/learning/ensemble/registry.ts';
import { activeRunId } from '../../../src/learning/training/active-run.ts';
import { loadTrained } from '../../../src/learning/training/checkpoints.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { finishRun, startRun, type TrainingSurroundings } from '../../../src/learning/training/train.ts';
import { walk } from '../../support/candles.ts';

const HOUR = 3_600_000;
const START_MS = Date.UTC(2024, 0, 1);
const TRAINED_ROWS = 700;
const ROWS = 800;
/** Neither run was fitted on what the session trades. */
const SESSION_FROM_MS = START_MS + 700 * HOUR;
const KEY = { exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h' } as const;
const SHARES = { validationPct: 15, testPct: 15, costs: { feeBps: 10, slippageBps: 5 } };

export const checkpoints = (root: string): string => join(root, 'checkpoints');
export const sessionFolder = (root: string): string => join(root, 'session');
export const surroundings = (root: string): TrainingSurroundings => ({
  store: openStore(join(root, 'data')),
  checkpointDir: checkpoints(root),
  logDir: join(root, 'logs'),
  snapshots: { everyMinutes: 60, everyEpochs: 1000, kept: 1 },
  signal: new AbortController().signal,
  onEvent: () => undefined,
});

/** A project whose active run was trained before the newest bars came. */
export async function prepare(root: string, seed: number): Promise<void> {
  const around = surroundings(root);
  const candles = walk(ROWS, { startMs: START_MS, seed });
  await around.store.merge(KEY, candles, { source: 'binance', synthetic: false });
  const plan = await planRun(around.store, {
    ...SHARES,
    ...{ mode: 'quick', approach: 'ml', models: ['ridge', 'logistic'], params: {} },
    ...{ seed: 1, seeds: 1, exchange: KEY.exchange, symbols: [KEY.symbol], timeframe: KEY.timeframe },
    untilMs: START_MS + TRAINED_ROWS * HOUR,
    allowSynthetic: false,
    sources: DEFAULT_SOURCES,
  });
  await finishRun(await startRun(plan, around), around);
}

const session: SessionRecord = {
  ...{ kind: 'session', version: 1, sessionId: 'storm', startedAtMs: 0, feed: 'stored' },
  ...{ exchange: KEY.exchange, timeframe: KEY.timeframe, synthetic: false, runId: undefined },
  instruments: [{ symbol: KEY.symbol, amountStep: 1e-5, priceTick: 0.01, minNotional: 5 }],
  strategy: { id: 'own', params: {} },
  ensemble: { id: 'enhanced', params: {} },
  risk: undefined,
  rules: SPOT_RULES,
};

export interface RetrainWorld {
  readonly folder: string;
}

/** The session takes one bar by the run that is active, then the models are trained again. */
export async function live({ folder }: RetrainWorld): Promise<Retrained> {
  const around = surroundings(folder);
  const { checkpointDir, store, signal } = around;
  const open = async (runId: string | undefined) => {
    const trained = await loadTrained(checkpointDir, runId === undefined ? {} : { runId });
    const terms = termsOf(session);
    return { trained, feed: createStoredFeed({ store, trained, terms, sinceMs: SESSION_FROM_MS }) };
  };
  const feed = followActive(await open(undefined), {
    active: () => activeRunId(checkpointDir),
    open,
    onChange: () => undefined,
    onRefused: (_, why) => {
      throw why;
    },
  });
  const place = sessionFolder(folder);
  const running = (await resumeSession(place)) ?? (await startSession(place, session));
  const { bars } = await feed.look(running.last, signal);
  for (const { bar, decision } of bars) await running.process(bar, decision, bar.timeMs);
  await running.close();
  feed.dispose();
  return retrain({
    ...around,
    contest: {
      ...chooseStrategy('own', {}),
      ensemble: ENHANCED,
      rules: () => SPOT_RULES,
      risk: undefined,
      instruments: () => session.instruments,
    },
    trialsFile: join(folder, 'trials.jsonl'),
    shares: SHARES,
    olderThanMs: undefined,
    now: Date.now,
  });
}
