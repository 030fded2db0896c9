import { formatTime } from '../../core/foundation/time.ts';
import { readControl } from '../../desk/paper/controls.ts';
import { lockOf, sessionFolder } from '../../desk/paper/sessions.ts';
import { lockHolder } from '../../data/lock.ts';
import { recordOf } from './record-view.ts';
import { riskOf } from './risk-view.ts';
import type { DashboardView, Details } from './view.ts';
import { watchJobs } from './watch-jobs.ts';
import { watchLedger } from './watch-ledger.ts';
import { watchLog } from './watch-log.ts';
import { type ConfiguredMarket, watchMarkets } from './watch-markets.ts';
import { watchRuns } from './watch-runs.ts';
import type { watchStudies } from './watch-studies.ts';
import { watchTraining } from './watch-training.ts';

export type Detail = keyof Details;
export const DETAILS: readonly Detail[] = [
  'markets',
  'trades',
  'risk',
  'runs',
  'jobs',
  'record',
  'studies',
  'live',
];

export interface Watch {
  /** Reads what was written since the last look; of the details, those that are asked for. */
  look(wanted?: readonly Detail[]): Promise<DashboardView>;
}

interface WatchSettings {
  readonly dataDir: string;
  readonly logDir: string;
  readonly checkpointDir: string;
  readonly tuningDir: string;
  readonly market: ConfiguredMarket;
  /** The paper session to follow; `undefined`: the one that was written last. */
  readonly session?: string | undefined;
  readonly now: () => number;
}

/** Watches the files that the other commands write; writes none itself. */
export function createWatch(settings: WatchSettings): Watch {
  const { dataDir, logDir, now } = settings;
  const ledger = watchLedger(dataDir, settings.session);
  const log = watchLog(logDir);
  const training = watchTraining(logDir);
  const runs = watchRuns(settings.checkpointDir);
  const jobs = watchJobs(dataDir);
  const markets = watchMarkets(dataDir, settings.market);
  let studies: ReturnType<typeof watchStudies> | undefined;

  const details: { readonly [K in Detail]: () => Promise<Details[K] | undefined> } = {
    markets: () => markets.look(ledger.state()),
    trades: async () => Promise.resolve(ledger.trades()),
    risk: async () => {
      const state = ledger.state();
      const name = ledger.name();
      if (state === undefined || name === undefined) return undefined;
      const path = sessionFolder(dataDir, name);
      const [control, holder] = await Promise.all([readControl(path), lockHolder(lockOf(path))]);
      return riskOf(state, control, holder?.pid);
    },
    runs: () => runs.look(),
    jobs: () => jobs.look(now()),
    // What they read with is not loaded before somebody looks.
    studies: async () => {
      studies ??= (await import('./watch-studies.ts')).watchStudies(settings.tuningDir);
      return studies.look(now());
    },
    live: async () => (await import('./watch-live.ts')).lookAtLive(dataDir, now()),
    record: async () => {
      const state = ledger.state();
      if (state === undefined) return undefined;
      const runId = state.last?.runId ?? state.session.runId;
      const run = (await runs.look()).find((one) => one.runId === runId);
      return recordOf(state, (id) => run?.models.find(({ model }) => model === id)?.horizonBars);
    },
  };
  return {
    look: async (wanted = []) => {
      await Promise.all([ledger.poll(), log.poll(), training.poll()]);
      const nowMs = now();
      const asked = await Promise.all(wanted.map(async (one) => [one, await details[one]()] as const));
      return {
        time: formatTime(nowMs),
        ...ledger.view(nowMs),
        training: training.view(),
        log: log.view(),
        ...Object.fromEntries(asked.filter(([, value]) => value !== undefined)),
      };
    },
  };
}
