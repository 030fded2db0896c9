import { formatTime } from '../../core/foundation/time.ts';
import type { DashboardView } from './view.ts';
import { watchLedger } from './watch-ledger.ts';
import { watchLog } from './watch-log.ts';
import { watchTraining } from './watch-training.ts';

export interface Watch {
  /** Reads what was written since the last look. */
  look(): Promise<DashboardView>;
}

/** Watches the files that the other commands write; writes none itself. */
export function createWatch(settings: {
  readonly dataDir: string;
  readonly logDir: string;
  readonly now: () => number;
}): Watch {
  const ledger = watchLedger(settings.dataDir);
  const log = watchLog(settings.logDir);
  const training = watchTraining(settings.logDir);
  return {
    look: async () => {
      await Promise.all([ledger.poll(), log.poll(), training.poll()]);
      const nowMs = settings.now();
      return {
        time: formatTime(nowMs),
        ...ledger.view(nowMs),
        training: training.view(),
        log: log.view(),
      };
    },
  };
}
