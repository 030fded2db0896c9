import { z } from 'zod';
import { sessionFolder } from '../../desk/paper/sessions.ts';
import { LEDGER_FILE, parseLine } from '../../desk/paper/ledger.ts';
import { BarRecord, SessionRecord } from '../../desk/paper/record.ts';
import { createHistory } from './history.ts';
import { parseJson } from './parse-json.ts';
import { createTail } from './tail.ts';

/** Of a line of the ledger, what a chart needs; its hash is checked by `paper verify`. */
const Glance = z.object({
  timeMs: z.number(),
  equity: z.number(),
  candles: z.array(z.array(z.number()).nullable()),
  events: z.array(z.looseObject({ kind: z.string() })),
});

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

const NEWEST_BARS = 1500;
const NEWEST_EVENTS = 20_000;

/** Follows one session's ledger; each call reads what was added since the one before. Never writes. */
export function followSession(dataDir: string, name: string): () => Promise<SessionHistory | undefined> {
  let session: SessionRecord | undefined;
  let state = fresh();
  let lastLine: string | undefined;
  let last: BarRecord | undefined;
  const tail = createTail(sessionFolder(dataDir, name), {
    matches: (file) => file === LEDGER_FILE,
    onReset: () => {
      [session, state, lastLine, last] = [undefined, fresh(), undefined, undefined];
    },
    onLine: (line) => {
      if (session === undefined) {
        session = parseLine(line, 'line 1', SessionRecord);
        return;
      }
      const bar = Glance.parse(parseJson(line));
      lastLine = line;
      state.bars++;
      state.time.push(bar.timeMs);
      state.candles.push(bar.candles);
      for (const event of bar.events) state.events.push({ barMs: bar.timeMs, ...event });
      if (state.time.length > 2 * NEWEST_BARS) {
        state.time = state.time.slice(-NEWEST_BARS);
        state.candles = state.candles.slice(-NEWEST_BARS);
      }
      if (state.events.length > 2 * NEWEST_EVENTS) state.events = state.events.slice(-NEWEST_EVENTS);
      state.curve.time.add(bar.timeMs);
      state.curve.equity.add(bar.equity);
      state.curve.hold.add(state.hold(bar.candles, session.rules.initialBalance));
    },
  });
  return async () => {
    await tail.poll();
    if (session === undefined) return undefined;
    if (lastLine !== undefined) last = parseLine(lastLine, 'its end', BarRecord);
    lastLine = undefined;
    return {
      session,
      bars: state.bars,
      equity: state.curve.equity.points(),
      hold: state.curve.hold.points(),
      curveTime: state.curve.time.points(),
      time: state.time.slice(-NEWEST_BARS),
      candles: session.instruments.map(({ symbol }, s) => ({
        symbol,
        bars: state.candles.slice(-NEWEST_BARS).map((row) => row[s] ?? null),
      })),
      events: state.events.slice(-NEWEST_EVENTS),
      last,
    };
  };
}

function fresh() {
  return {
    bars: 0,
    time: [] as number[],
    candles: [] as (readonly (readonly number[] | null)[])[],
    events: [] as Readonly<Record<string, unknown>>[],
    // They take the same points: each is asked once per bar.
    curve: { time: createHistory(), equity: createHistory(), hold: createHistory() },
    hold: equalHolder(),
  };
}

/** Equal parts of the capital in every pair from its first close on, before costs; a pair not there yet is cash. */
function equalHolder(): (candles: z.output<typeof Glance>['candles'], capital: number) => number {
  const first: (number | undefined)[] = [];
  const close: number[] = [];
  return (candles, capital) => {
    candles.forEach((candle, s) => {
      if (candle === null) return;
      close[s] = candle[3];
      first[s] ??= candle[3];
    });
    const part = capital / candles.length;
    return candles.reduce((sum, _, s) => {
      const start = first[s];
      return sum + (start === undefined ? part : (part * close[s]) / start);
    }, 0);
  };
}
