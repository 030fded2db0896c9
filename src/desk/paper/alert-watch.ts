import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { type AlertView, check, type Condition, conditionText, ENSEMBLE } from '../notify/alert.ts';
import type { Alert } from '../notify/alert-book.ts';
import { type AlertState, readAlertState, writeAlertState } from './alert-state.ts';
import { type Closes, createCloses, type StoredCloses } from './closes.ts';
import type { BarRecord, SessionRecord } from './record.ts';

/** What of a bar alerts look at, on paper and live. */
type Seen = Pick<
  BarRecord,
  'timeMs' | 'processedAtMs' | 'candles' | 'equity' | 'targets' | 'wanted' | 'models'
>;

/** The alerts of a session that runs. It never throws, and no bar waits for it. */
export interface AlertWatch {
  /** A bar is on record. */
  bar(record: Seen): void;
  /** Time has passed, with or without a bar. */
  tick(nowMs: number): void;
  /** Resolves when everything that was given is looked at and on disk. */
  settled(): Promise<void>;
}

interface AlertWatchOptions {
  readonly folder: string;
  readonly name: string;
  readonly session: Pick<SessionRecord, 'timeframe' | 'instruments' | 'rules'>;
  /** A replay of the past: its clock is that of its bars. */
  readonly isReplay: boolean;
  /** The alerts as they stand now. Throws `UserError` when they cannot be read. */
  readonly alerts: () => Promise<readonly Alert[]>;
  /** Bars on record behind a time, and the highest equity of all. */
  readonly barsAfter: (afterMs: number) => Promise<readonly Seen[]>;
  readonly peakEquity: () => Promise<number>;
  readonly stored: StoredCloses;
  /** Shows a line where the session runs. */
  readonly show: (text: string) => void;
  /** Sends it; `settled` says whether a channel took it, or there is none. */
  readonly tell: (text: string, settled: (delivered: boolean) => void) => void;
  readonly log: Log;
}

/** What no channel has taken for so long is dropped: it is news no more. */
const STALE_NEWS_MS = 86_400_000;
/** Between two attempts at what no channel took. */
const AGAIN_MS = 60_000;

/**
 * Looks at each bar once, in the order of the ledger, also at those that were written before a kill and not looked at. What it is
 * about to tell is on disk before it is sent, and stays there until a channel has taken it: after a kill it may come twice, and is not lost.
 */
export function watchAlerts(options: AlertWatchOptions): AlertWatch {
  const { folder, session, name, isReplay, log } = options;
  const barMs = TIMEFRAME_MS[session.timeframe];
  const symbols = session.instruments.map(({ symbol }) => symbol);
  const closes = createCloses(options.stored, barMs);
  let known: readonly Alert[] = [];
  let state: AlertState | undefined;
  let newest: Seen | undefined;
  let numbers = 0;
  let triedAtMs = -Infinity;
  const said = new Set<string>();
  const warnOnce = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    if (!said.has(text)) log.warn({ session: name }, `alerts: ${text}`);
    said.add(text);
  };

  const mine = (alerts: readonly Alert[]): readonly Alert[] =>
    alerts.filter(
      ({ session: of, condition }) =>
        (of === undefined || of === name) &&
        (!('symbol' in condition) || condition.symbol === undefined || symbols.includes(condition.symbol)),
    );

  const open = async (): Promise<AlertState> => {
    const found = await readAlertState(folder).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      warnOnce(error);
      return undefined;
    });
    numbers = Math.max(0, ...(found?.waiting ?? []).map(({ number }) => number));
    return found ?? { version: 1, lastCloseMs: {}, alerts: {}, waiting: [] };
  };

  /** The alerts as they are now; those of before where they cannot be read. */
  const refresh = async (): Promise<void> => {
    try {
      known = mine(await options.alerts());
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      warnOnce(error);
    }
  };

  const look = async (now: AlertState, record: Seen): Promise<AlertState> => {
    const closedMs = record.timeMs + barMs;
    newest = record;
    record.candles.forEach((candle, s) => {
      if (candle !== null) closes.add(symbols[s], record.timeMs, candle[3]);
    });
    const lastCloseMs = {
      ...now.lastCloseMs,
      ...Object.fromEntries(
        symbols.flatMap((symbol, s) => (record.candles[s] === null ? [] : [[symbol, closedMs]])),
      ),
    };
    for (const { condition } of known)
      if (condition.kind === 'change') await closes.reach(condition.symbol, condition.withinMs, closedMs);
    let { peakEquity } = now;
    if (peakEquity === undefined && known.some(({ condition }) => condition.kind === 'drawdown'))
      peakEquity = Math.max(session.rules.initialBalance, await options.peakEquity());
    if (peakEquity !== undefined) peakEquity = Math.max(peakEquity, record.equity);
    const seen = {
      ...now,
      asOfMs: record.timeMs,
      lastCloseMs,
      ...(peakEquity !== undefined && { peakEquity }),
    };
    const nowMs = isReplay ? closedMs : record.processedAtMs;
    return judge(seen, () => true, viewOf(record, seen, { symbols, closes, closedMs, nowMs }), nowMs);
  };

  /** Time alone changes only what is about time. */
  const wait = (now: AlertState, nowMs: number): AlertState => {
    if (newest === undefined || isReplay) return now;
    const view = viewOf(newest, now, { symbols, closes, closedMs: newest.timeMs + barMs, nowMs });
    return judge(now, ({ kind }) => kind === 'stale', view, nowMs);
  };

  const judge = (
    now: AlertState,
    asks: (condition: Condition) => boolean,
    view: AlertView,
    nowMs: number,
  ): AlertState => {
    const alerts = { ...now.alerts };
    const waiting = [...now.waiting];
    for (const { id, condition, once, quietMs } of known) {
      if (!asks(condition)) continue;
      const found = check(condition, view);
      const before = alerts[id] ?? { told: false };
      if (found === undefined || (once && before.toldAtMs !== undefined)) continue;
      if (!found.holds) {
        alerts[id] = { ...before, told: false };
        continue;
      }
      const isQuiet = before.toldAtMs !== undefined && nowMs - before.toldAtMs < quietMs;
      if (before.told || isQuiet) continue;
      const { figure } = found;
      alerts[id] = { told: true, toldAtMs: nowMs, figure };
      const text = `ALERT ${id}: ${conditionText(condition)}. ${figure} (${formatMinute(nowMs)})`;
      options.show(text);
      waiting.push({ number: ++numbers, id, atMs: nowMs, text });
    }
    // What was removed is forgotten.
    const ids = new Set(known.map(({ id }) => id));
    return {
      ...now,
      alerts: Object.fromEntries(Object.entries(alerts).filter(([id]) => ids.has(id))),
      waiting,
    };
  };

  const sent = new Set<number>();
  const send = (now: AlertState): void => {
    for (const { number, text } of now.waiting) {
      if (sent.has(number)) continue;
      sent.add(number);
      options.tell(text, (delivered) => {
        if (delivered) later(async (current) => without(current, number));
        else sent.delete(number);
      });
    }
  };
  const without = (now: AlertState, number: number): AlertState => ({
    ...now,
    waiting: now.waiting.filter((one) => one.number !== number),
  });

  let chain: Promise<void> = (async () => {
    state = await open();
  })().catch(warnOnce);
  let queued = 0;
  let unsaved = false;
  const later = (change: (now: AlertState) => Promise<AlertState>): void => {
    queued++;
    chain = chain
      .then(async () => {
        queued--;
        if (state === undefined) return;
        const before = state;
        state = await change(before);
        unsaved ||= JSON.stringify(state) !== JSON.stringify(before);
        // Bars that follow one another at once share a write; what is to be told does not wait for them.
        const isNews = state.waiting.length !== before.waiting.length;
        const isDue = isNews || queued === 0;
        // Nobody who has no alert needs the file.
        if (unsaved && isDue && (known.length > 0 || before.waiting.length > 0)) {
          // A disk that refuses it must not keep the message back.
          await writeAlertState(folder, state).then(() => (unsaved = false), warnOnce);
        }
        send(state);
      })
      .catch(warnOnce);
  };

  later(async (now) => {
    await refresh();
    let current = now;
    if (now.asOfMs !== undefined)
      for (const record of await options.barsAfter(now.asOfMs)) current = await look(current, record);
    return current;
  });
  later(async (now) => {
    send(now);
    return now;
  });
  return {
    bar: (record) =>
      later(async (now) => {
        if (now.asOfMs !== undefined && record.timeMs <= now.asOfMs) return now;
        await refresh();
        return look(now, record);
      }),
    tick: (nowMs) =>
      later(async (now) => {
        await refresh();
        const fresh = now.waiting.filter(({ atMs }) => nowMs - atMs < STALE_NEWS_MS);
        if (nowMs - triedAtMs >= AGAIN_MS) {
          triedAtMs = nowMs;
          send({ ...now, waiting: fresh });
        }
        return wait(fresh.length === now.waiting.length ? now : { ...now, waiting: fresh }, nowMs);
      }),
    settled: async () => {
      for (let before; before !== chain;) {
        before = chain;
        await chain;
      }
    },
  };
}

function viewOf(
  record: Seen,
  { lastCloseMs, peakEquity }: AlertState,
  of: {
    readonly symbols: readonly PairSymbol[];
    readonly closes: Closes;
    readonly closedMs: number;
    readonly nowMs: number;
  },
): AlertView {
  const { symbols, closes, closedMs, nowMs } = of;
  return {
    nowMs,
    close: (symbol) => record.candles[symbols.indexOf(symbol)]?.[3],
    closeBefore: (symbol, agoMs) => closes.before(symbol, agoMs, closedMs),
    opinion: (symbol, model) => {
      const s = symbols.indexOf(symbol);
      if (model === ENSEMBLE) {
        const position = record.wanted?.[s] ?? record.targets[s];
        return position === null || position === undefined ? undefined : { position, confidence: undefined };
      }
      const opinion = record.models[model]?.[s];
      return opinion ? { position: opinion[0], confidence: opinion[1] } : undefined;
    },
    equity: record.equity,
    peakEquity,
    lastCloseMs: (symbol) => (symbol === undefined ? closedMs : lastCloseMs[symbol]),
  };
}
