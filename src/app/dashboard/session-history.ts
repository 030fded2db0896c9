import { LEDGER_FILE } from '../../desk/paper/ledger.ts';
import type { BarRecord, SessionRecord } from '../../desk/paper/record.ts';
import { sessionFolder } from '../../desk/paper/sessions.ts';
import { followLedger } from './follow-ledger.ts';

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
}

/** Follows one session's ledger; each call reads what was added since the one before. Never writes. */
export function followSession(dataDir: string, name: string): () => Promise<SessionHistory | undefined> {
  const ledger = followLedger(sessionFolder(dataDir, name), (file) => file === LEDGER_FILE);
  return async () => {
    await ledger.poll();
    const state = ledger.state();
    if (state === undefined) return undefined;
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
    };
  };
}
