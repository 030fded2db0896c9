import { z } from 'zod';
import { parseLine } from '../../desk/paper/ledger.ts';
import { BarRecord, SessionRecord } from '../../desk/paper/record.ts';
import { createHistory } from './history.ts';
import { parseJson } from './parse-json.ts';
import { createTail } from './tail.ts';

/** Of a line of the ledger, what a chart needs; its hash is checked by `paper verify`. */
const { timeMs, equity, events, verdicts, reasons } = BarRecord.shape;
const columns = z.custom<readonly (readonly number[] | null)[]>(isColumns, 'numbers by symbol');
const Glance = z.object({
  timeMs,
  equity,
  events,
  verdicts,
  reasons,
  candles: columns,
  targets: z.custom<readonly (number | null)[]>(isNumbers, 'a number by symbol'),
  models: z.custom<Readonly<Record<string, readonly (readonly number[] | null)[]>>>(
    (value) => typeof value === 'object' && value !== null && Object.values(value).every(isColumns),
    'numbers by model and symbol',
  ),
});
type Glance = z.output<typeof Glance>;

/** By hand: they are most of a line, and a ledger has many. */
function isColumns(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => one === null || isNumbers(one));
}
function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => one === null || typeof one === 'number');
}

type Event = BarRecord['events'][number];
type Verdict = NonNullable<BarRecord['verdicts']>[number];

/** What was decided on a symbol at the close before the bar of an order. Times are epoch ms UTC. */
export interface OrderDecision {
  readonly symbol: string;
  /** Of the bar that the order was filled or refused in, and of the one at whose close it was decided. */
  readonly barMs: number;
  readonly decidedMs: number;
  readonly target: number | null;
  readonly reason: NonNullable<BarRecord['reasons']>[number];
  readonly votes: readonly { readonly model: string; readonly said: readonly number[] }[];
}

export interface LedgerState {
  readonly session: SessionRecord;
  readonly last: BarRecord | undefined;
  readonly bars: number;
  readonly trades: number;
  readonly wins: number;
  readonly peak: number;
  readonly maxDrawdown: number;
  /** At the end of the UTC day before. */
  readonly dayEquity: number;
  /** Equity over the whole session, thinned, and of an account that bought every pair in equal parts at the first close. */
  readonly curve: {
    readonly time: readonly number[];
    readonly equity: readonly number[];
    readonly hold: readonly number[];
  };
  /** Of the newest bars. */
  readonly recent: readonly Pick<Glance, 'timeMs' | 'candles' | 'models'>[];
  /** The newest fills, rejections and closed trades, the newest last. */
  readonly events: readonly (Event & { readonly barMs: number })[];
  readonly decisions: readonly OrderDecision[];
  readonly verdictCounts: ReadonlyMap<string, number>;
  readonly verdicts: readonly { readonly timeMs: number; readonly verdict: Verdict }[];
}

const NEWEST = { bars: 1500, events: 20_000, decisions: 2000, verdicts: 50 };
const DAY_MS = 86_400_000;

/**
 * Follows the ledger below `folder` that was written last, of those that match; `poll` reads what was added and says whether
 * anything was. Never writes.
 */
export function followLedger(
  folder: string,
  matches: (file: string) => boolean,
): { poll(): Promise<boolean>; state(): LedgerState | undefined; path(): string | undefined } {
  let session: SessionRecord | undefined;
  let kept = fresh(0);
  let lastLine: string | undefined;
  let last: BarRecord | undefined;
  let changed = false;
  const tail = createTail(folder, {
    matches,
    onReset: () => {
      [session, kept, lastLine, last, changed] = [undefined, fresh(0), undefined, undefined, true];
    },
    onLine: (line) => {
      changed = true;
      if (session === undefined) {
        session = parseLine(line, 'line 1', SessionRecord);
        kept = fresh(session.rules.initialBalance);
        return;
      }
      heed(kept, session, Glance.parse(parseJson(line)));
      lastLine = line;
    },
  });
  return {
    path: () => tail.path(),
    poll: async () => {
      changed = false;
      await tail.poll();
      if (lastLine !== undefined) last = parseLine(lastLine, 'its end', BarRecord);
      lastLine = undefined;
      return changed;
    },
    state: () =>
      session && {
        ...kept,
        session,
        last,
        curve: {
          time: kept.curve.time.points(),
          equity: kept.curve.equity.points(),
          hold: kept.curve.hold.points(),
        },
        recent: kept.recent.slice(-NEWEST.bars),
        events: kept.events.slice(-NEWEST.events),
      },
  };
}

function fresh(balance: number) {
  return {
    bars: 0,
    trades: 0,
    wins: 0,
    peak: -Infinity,
    maxDrawdown: 0,
    day: undefined as number | undefined,
    dayEquity: balance,
    lastEquity: balance,
    // They take the same points: each is asked once per bar.
    curve: { time: createHistory(), equity: createHistory(), hold: createHistory() },
    hold: equalHolder(),
    recent: [] as Pick<Glance, 'timeMs' | 'candles' | 'models'>[],
    events: [] as (Event & { readonly barMs: number })[],
    decisions: [] as OrderDecision[],
    before: undefined as Glance | undefined,
    verdictCounts: new Map<string, number>(),
    verdicts: [] as { timeMs: number; verdict: Verdict }[],
  };
}
type Kept = ReturnType<typeof fresh>;

function heed(kept: Kept, session: SessionRecord, bar: Glance): void {
  kept.bars++;
  kept.peak = Math.max(kept.peak, bar.equity);
  kept.maxDrawdown = Math.max(kept.maxDrawdown, 1 - bar.equity / kept.peak);
  const day = Math.floor(bar.timeMs / DAY_MS);
  if (day !== kept.day) [kept.day, kept.dayEquity] = [day, kept.lastEquity];
  kept.lastEquity = bar.equity;
  kept.curve.time.add(bar.timeMs);
  kept.curve.equity.add(bar.equity);
  kept.curve.hold.add(kept.hold(bar.candles, session.rules.initialBalance));
  kept.recent.push({ timeMs: bar.timeMs, candles: bar.candles, models: bar.models });
  for (const event of bar.events) {
    kept.events.push({ ...event, barMs: bar.timeMs });
    if (event.kind === 'trade') {
      kept.trades++;
      if (event.profitQuote > 0) kept.wins++;
    }
    if (event.kind === 'rejected' || (event.kind === 'fill' && event.cause === 'target'))
      keepDecision(kept, session, event.symbol, bar.timeMs);
  }
  for (const verdict of bar.verdicts ?? []) {
    kept.verdictCounts.set(verdict.rule, (kept.verdictCounts.get(verdict.rule) ?? 0) + 1);
    kept.verdicts.push({ timeMs: bar.timeMs, verdict });
  }
  kept.before = bar;
  trim(kept.recent, NEWEST.bars);
  trim(kept.events, NEWEST.events);
  trim(kept.decisions, NEWEST.decisions);
  trim(kept.verdicts, NEWEST.verdicts);
}

/** Rarely, and many at once: shifting one out per bar moves all others. */
function trim(list: unknown[], most: number): void {
  if (list.length > 2 * most) list.splice(0, list.length - most);
}

function keepDecision(kept: Kept, session: SessionRecord, symbol: string, barMs: number): void {
  const { before } = kept;
  if (before === undefined) return;
  const s = session.instruments.findIndex((instrument) => instrument.symbol === symbol);
  kept.decisions.push({
    symbol,
    barMs,
    decidedMs: before.timeMs,
    target: before.targets[s] ?? null,
    reason: before.reasons?.[s] ?? null,
    votes: Object.entries(before.models).flatMap(([model, opinions]) => {
      const said = opinions[s];
      return said === null || said === undefined ? [] : [{ model, said }];
    }),
  });
}

/** Equal parts of the capital in every pair from its first close on, before costs; a pair not there yet is cash. */
function equalHolder(): (candles: Glance['candles'], capital: number) => number {
  const first: (number | undefined)[] = [];
  const close: number[] = [];
  return (row, capital) => {
    row.forEach((candle, s) => {
      if (candle === null) return;
      close[s] = candle[3];
      first[s] ??= candle[3];
    });
    const part = capital / row.length;
    return row.reduce((sum, _, s) => {
      const start = first[s];
      return sum + (start === undefined ? part : (part * close[s]) / start);
    }, 0);
  };
}
