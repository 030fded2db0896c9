import { describeReason } from '../../core/strategy/reason.ts';
import { lockHolder } from '../../data/lock.ts';
import { readControl } from '../../desk/paper/controls.ts';
import { LEDGER_FILE } from '../../desk/paper/ledger.ts';
import type { BarRecord, SessionRecord } from '../../desk/paper/record.ts';
import { lockOf, sessionFolder } from '../../desk/paper/sessions.ts';
import { followLedger } from './follow-ledger.ts';
import { riskOf } from './risk-view.ts';
import type { RiskView } from './view.ts';

/** A paper session over time, as columns. Times are epoch ms UTC. */
export interface SessionHistory {
  readonly session: SessionRecord;
  readonly bars: number;
  /** Equity over the whole session, thinned, and of an account that bought every pair in equal parts at the first close. */
  readonly equity: readonly number[];
  readonly hold: readonly number[];
  readonly curveTime: readonly number[];
  /** Of the newest bars: their times, and by symbol open, high, low, close, volume; null: no bar. */
  readonly time: readonly number[];
  readonly candles: readonly {
    readonly symbol: string;
    readonly bars: readonly (readonly number[] | null)[];
  }[];
  /** Fills, rejections and closed trades of the whole session, the newest last. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly last: BarRecord | undefined;
  /** By symbol, why the strategy wants what it wants since the last close. */
  readonly why: readonly (string | undefined)[];
  readonly risk: RiskView;
}

/** Follows one session's ledger; each call reads what was added since the one before. Never writes. */
export function followSession(dataDir: string, name: string): () => Promise<SessionHistory | undefined> {
  const path = sessionFolder(dataDir, name);
  const ledger = followLedger(path, (file) => file === LEDGER_FILE);
  return async () => {
    await ledger.poll();
    const state = ledger.state();
    if (state === undefined) return undefined;
    const [control, holder] = await Promise.all([readControl(path), lockHolder(lockOf(path))]);
    const { session, bars, curve, recent, events, last } = state;
    return {
      session,
      bars,
      equity: curve.equity,
      hold: curve.hold,
      curveTime: curve.time,
      time: recent.map(({ timeMs }) => timeMs),
      candles: session.instruments.map(({ symbol }, s) => ({
        symbol,
        bars: recent.map(({ candles }) => candles[s] ?? null),
      })),
      events,
      last,
      why: session.instruments.map((_, s) => {
        const reason = last?.reasons?.[s];
        return reason === null || reason === undefined ? undefined : describeReason(reason);
      }),
      risk: riskOf(state, control, holder?.pid),
    };
  };
}
