import { formatTime } from '../../core/foundation/time.ts';
import type { SessionStatus } from '../../desk/paper/sessions.ts';

/** A paper session as it stands on disk: what `paper status --json` and the API say of it. */
export const describeSession = ({ name, session, last, control, pid, health }: SessionStatus) => ({
  name,
  sessionId: session.sessionId,
  state: pid === undefined ? 'stopped' : 'running',
  pid,
  mode: control?.mode ?? 'trade',
  modeSince: control && formatTime(control.sinceMs),
  exchange: session.exchange,
  timeframe: session.timeframe,
  feed: session.feed,
  synthetic: session.synthetic,
  runId: last?.runId ?? session.runId,
  lastBarTime: last && formatTime(last.timeMs),
  equity: last?.equity ?? session.rules.initialBalance,
  cash: last?.cash ?? session.rules.initialBalance,
  positions: last?.positions ?? [],
  health: health && {
    state: health.state,
    at: formatTime(health.atMs),
    since: formatTime(health.sinceMs),
    reason: health.reason,
    residentMb: health.residentMb,
  },
});
