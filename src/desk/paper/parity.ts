import { isDeepStrictEqual } from 'node:util';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { emptyCandles } from '../../core/market/candles.ts';
import type { Trade } from '../../core/trading/events.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import { runBacktest } from '../../core/trading/run.ts';
import type { Bar } from './bar.ts';
import type { BarRecord, SessionRecord } from './record.ts';

/** What a session and a backtest of the same bars may see or do differently, in the order in which it is evened out. */
export type ParityCause =
  'missed-bars' | 'paused' | 'candles' | 'forecasts' | 'changed-models' | 'exchange-steps';

/** What a backtest of today works on, row by row from the first bar of the session to its last. */
export interface Hindsight {
  readonly bars: readonly Bar[];
  /** What the models say at each close; null: no opinion. */
  readonly targets: readonly (readonly (number | null)[])[];
  readonly runId: string;
  readonly instruments: readonly Instrument[];
}

/** A trade that the session and the backtest do not share, bit for bit. */
export interface TradeDifference {
  readonly symbol: PairSymbol;
  readonly entryTime: number;
  readonly session: Trade | undefined;
  readonly backtest: Trade | undefined;
  /** Every cause that, evened out, changed this trade. */
  readonly causes: readonly ParityCause[];
}

export interface Parity {
  readonly bars: number;
  readonly sessionTrades: number;
  readonly backtestTrades: number;
  readonly differences: readonly TradeDifference[];
  /** After the last bar, quote currency. */
  readonly sessionEquity: number;
  readonly backtestEquity: number;
  /** How many bars differ in what each cause is about, whether or not a trade came of it. */
  readonly affectedBars: Readonly<Record<ParityCause, number>>;
}

/** One bar with what was placed at its close. */
interface Row {
  readonly bar: Bar;
  readonly targets: readonly (number | null)[];
}

/**
 * Runs the bars of a session through the core of the backtest, first as recorded, then with one difference after another
 * taken away until it is the backtest, and names for each trade that came out otherwise what changed it.
 */
export function compareWithBacktest(
  session: SessionRecord,
  records: readonly BarRecord[],
  hindsight: Hindsight,
): Parity {
  const stages = createStages(session, records, hindsight);
  const runs = stages.map(({ rows, instruments }) => replay(session, rows, instruments));
  const [first] = runs;
  const last = runs[runs.length - 1];
  const changedBy = new Map<string, ParityCause[]>();
  stages.forEach(({ cause }, i) => {
    if (cause === undefined) return;
    for (const key of differingKeys(runs[i - 1].trades, runs[i].trades))
      changedBy.set(key, [...(changedBy.get(key) ?? []), cause]);
  });
  const differences = [...differingKeys(first.trades, last.trades)].map((key): TradeDifference => {
    const [own, other] = [first.trades.get(key), last.trades.get(key)];
    const known = own ?? other;
    if (known === undefined) throw new Error('Invariant broken: a difference has a trade');
    return {
      symbol: known.symbol,
      entryTime: known.entryTime,
      session: own,
      backtest: other,
      causes: changedBy.get(key) ?? [],
    };
  });
  return {
    bars: records.length,
    sessionTrades: first.trades.size,
    backtestTrades: last.trades.size,
    differences: differences.toSorted(
      (a, b) => a.entryTime - b.entryTime || a.symbol.localeCompare(b.symbol),
    ),
    sessionEquity: first.equity,
    backtestEquity: last.equity,
    affectedBars: affected(stages),
  };
}

interface Stage {
  /** What this stage has taken away beyond the one before; `undefined` in the first, which is the session as recorded. */
  readonly cause: ParityCause | undefined;
  readonly rows: readonly Row[];
  readonly instruments: readonly Instrument[];
}

function createStages(
  { instruments }: SessionRecord,
  records: readonly BarRecord[],
  hindsight: Hindsight,
): readonly Stage[] {
  const nothing = instruments.map(() => null);
  const closing = instruments.map(() => 0);
  const rowsOf = (placed: (record: BarRecord) => readonly (number | null)[]): readonly Row[] =>
    records.map((record) => ({ bar: record, targets: placed(record) }));
  const recorded = rowsOf(({ decision, targets }) =>
    decision === 'placed' ? targets : decision === 'flattened' ? closing : nothing,
  );
  const before = new Map(records.slice(1).map((record, i) => [record, records[i]]));
  /** Without what was ordered only because the bar before could not be, for one of these reasons. */
  const decided = (record: BarRecord, ...evened: readonly BarRecord['decision'][]) => {
    const last = before.get(record);
    if (last === undefined || !evened.includes(last.decision)) return record.targets;
    return record.targets.map((target, s) => (target === last.wanted?.[s] ? null : target));
  };
  const caughtUp = rowsOf((record) =>
    record.decision === 'flattened'
      ? closing
      : record.decision === 'paused'
        ? nothing
        : decided(record, 'missed'),
  );
  const traded = rowsOf((record) => decided(record, 'missed', 'paused', 'flattened'));
  const byTime = new Map(traded.map((row) => [row.bar.timeMs, row]));
  const stored = hindsight.bars.map((bar) => ({ bar, targets: byTime.get(bar.timeMs)?.targets ?? nothing }));
  const recordAt = new Map(records.map((record) => [record.timeMs, record]));
  const foreseen = (also: (record: BarRecord | undefined) => boolean): readonly Row[] =>
    hindsight.bars.map((bar, i) => ({
      bar,
      targets: also(recordAt.get(bar.timeMs)) ? hindsight.targets[i] : stored[i].targets,
    }));
  return [
    { cause: undefined, rows: recorded, instruments },
    { cause: 'missed-bars', rows: caughtUp, instruments },
    { cause: 'paused', rows: traded, instruments },
    { cause: 'candles', rows: stored, instruments },
    {
      cause: 'forecasts',
      rows: foreseen((record) => record === undefined || record.runId === hindsight.runId),
      instruments,
    },
    { cause: 'changed-models', rows: foreseen(() => true), instruments },
    { cause: 'exchange-steps', rows: foreseen(() => true), instruments: hindsight.instruments },
  ];
}

function affected(stages: readonly Stage[]): Record<ParityCause, number> {
  const counts: Record<ParityCause, number> = {
    'missed-bars': 0,
    paused: 0,
    candles: 0,
    forecasts: 0,
    'changed-models': 0,
    'exchange-steps': 0,
  };
  stages.forEach(({ cause, rows, instruments }, i) => {
    if (cause === undefined) return;
    const before = stages[i - 1];
    if (cause === 'exchange-steps') {
      counts[cause] = isDeepStrictEqual(instruments, before.instruments) ? 0 : rows.length;
      return;
    }
    const earlier = new Map(before.rows.map((row) => [row.bar.timeMs, row]));
    const same = rows.filter((row) => {
      const other = earlier.get(row.bar.timeMs);
      return (
        other !== undefined &&
        isDeepStrictEqual(row.targets, other.targets) &&
        isDeepStrictEqual(row.bar.candles, other.bar.candles)
      );
    }).length;
    counts[cause] = Math.max(rows.length, before.rows.length) - same;
  });
  return counts;
}

function replay(session: SessionRecord, rows: readonly Row[], instruments: readonly Instrument[]) {
  const size = rows.length;
  const time = Float64Array.from(rows, ({ bar }) => bar.timeMs);
  const candles = instruments.map((_, s) => {
    const columns = { ...emptyCandles(size), time };
    rows.forEach(({ bar }, row) => {
      const [open, high, low, close, volume] = bar.candles[s] ?? [NaN, NaN, NaN, NaN, NaN];
      columns.open[row] = open;
      columns.high[row] = high;
      columns.low[row] = low;
      columns.close[row] = close;
      columns.volume[row] = volume;
    });
    return columns;
  });
  const targets = instruments.map((_, s) => Float64Array.from(rows, (row) => row.targets[s] ?? NaN));
  const market = { time, barMs: TIMEFRAME_MS[session.timeframe], candles };
  const run = runBacktest({ market, targets, instruments, rules: session.rules, risk: session.risk });
  return {
    trades: new Map(run.trades.map((trade) => [`${trade.symbol} ${trade.side} ${trade.entryTime}`, trade])),
    equity: run.equity.at(-1) ?? session.rules.initialBalance,
  };
}

function differingKeys(a: ReadonlyMap<string, Trade>, b: ReadonlyMap<string, Trade>): ReadonlySet<string> {
  return new Set([...a.keys(), ...b.keys()].filter((key) => !isDeepStrictEqual(a.get(key), b.get(key))));
}
