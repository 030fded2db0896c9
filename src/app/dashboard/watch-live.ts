import { formatTime } from '../../core/foundation/time.ts';
import { liveSessions, liveStanding } from '../workflows/live-standing.ts';
import type { LiveView } from './view.ts';

/** Orders, the newest first. */
const NEWEST = 200;

/** Every live session of a project; one that is damaged says so. */
export const lookAtLive = (dataDir: string, nowMs: number): Promise<readonly LiveView[]> =>
  Promise.all(
    liveSessions(dataDir).map(async (name) => {
      try {
        return await viewOf(dataDir, name, nowMs);
      } catch (error) {
        return { ...NOTHING, name, fault: error instanceof Error ? error.message : String(error) };
      }
    }),
  );

async function viewOf(dataDir: string, name: string, nowMs: number): Promise<LiveView> {
  const { state, pid, fault } = await liveStanding(dataDir, name, nowMs);
  const { session, account, orders, last } = state;
  return {
    name,
    exchange: session.exchange,
    account: session.account,
    sandbox: session.sandbox,
    pid,
    lastBarTime: last && formatTime(last.timeMs),
    decision: last?.decision,
    equity: account.equity(),
    cash: account.portfolio.cash,
    positions: account.positions(),
    orders: [...orders.values()]
      .slice(-NEWEST)
      .map(({ intent, state: at, filledKnown, reason }) => ({
        time: formatTime(intent.atMs),
        symbol: intent.symbol,
        side: intent.side,
        baseAmount: intent.baseAmount,
        filled: filledKnown,
        price: intent.price,
        state: at,
        reason,
      }))
      .toReversed(),
    fault,
  };
}

const NOTHING = {
  exchange: '',
  account: '',
  sandbox: false,
  pid: undefined,
  lastBarTime: undefined,
  decision: undefined,
  equity: NaN,
  cash: NaN,
  positions: [],
  orders: [],
} as const;
