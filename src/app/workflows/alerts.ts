import type { Log } from '../../core/foundation/log.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Store } from '../../data/store/store.ts';
import { liveBarsAfter } from '../../desk/live/ledger.ts';
import type { LiveSession } from '../../desk/live/record.ts';
import { readAlerts } from '../../desk/notify/alert-book.ts';
import { type AlertWatch, watchAlerts } from '../../desk/paper/alert-watch.ts';
import type { StoredCloses } from '../../desk/paper/closes.ts';
import { barsAfter } from '../../desk/paper/later-bars.ts';
import type { SessionRecord } from '../../desk/paper/record.ts';
import { openSessionIndex } from '../../desk/paper/session-index.ts';
import { sessionFolder } from '../../desk/paper/sessions.ts';
import { liveFolder } from './live.ts';

interface Watched<Session> {
  readonly dataDir: string;
  readonly name: string;
  readonly session: Session;
  readonly store: Store;
  /** Shows a line where the session runs. */
  readonly show: (text: string) => void;
  readonly tell: (text: string, settled: (delivered: boolean) => void) => void;
  readonly log: Log;
}

/** The alerts of a paper session, over what is on disk of it. */
export function watchPaperAlerts(of: Watched<SessionRecord>): AlertWatch {
  const { dataDir, session, store } = of;
  const folder = sessionFolder(dataDir, of.name);
  return watchAlerts({
    ...of,
    folder,
    isReplay: session.feed === 'stored',
    alerts: () => readAlerts(dataDir),
    barsAfter: (afterMs) => barsAfter(folder, afterMs),
    peakEquity: async () => {
      const index = await openSessionIndex(folder);
      try {
        const [row] = index?.query('SELECT max(equity) AS peak FROM bars') ?? [];
        const peak = typeof row === 'object' && row !== null && 'peak' in row ? row.peak : undefined;
        return typeof peak === 'number' ? peak : -Infinity;
      } finally {
        index?.close();
      }
    },
    stored: closesIn(store, session),
  });
}

/** The same of a live session. */
export function watchLiveAlerts(of: Watched<LiveSession>): AlertWatch {
  const { dataDir, session, store } = of;
  const folder = liveFolder(dataDir, of.name);
  return watchAlerts({
    ...of,
    folder,
    isReplay: false,
    alerts: () => readAlerts(dataDir),
    barsAfter: (afterMs) => liveBarsAfter(folder, afterMs),
    peakEquity: async () =>
      (await liveBarsAfter(folder, -Infinity)).reduce(
        (peak, { equity }) => Math.max(peak, equity),
        -Infinity,
      ),
    stored: closesIn(store, session),
  });
}

const closesIn =
  (
    store: Store,
    { exchange, timeframe }: { readonly exchange: string; readonly timeframe: Timeframe },
  ): StoredCloses =>
  (symbol, sinceMs, untilMs) =>
    store.read({ exchange, timeframe, symbol }, { sinceMs, untilMs });
