import type { Trade } from '../trading/events.ts';
import { drawdowns } from './drawdown.ts';
import { sharpe } from './returns.ts';
import { type TradeMetrics, tradeMetrics } from './trade-metrics.ts';

/** A finished run, bar by bar. */
interface BrokenRun {
  /** Open times of the bars, epoch ms UTC. */
  readonly time: Float64Array;
  readonly returns: Float64Array;
  /** Of buy and hold over the same bars; its last 30 days say what regime a bar is in. */
  readonly benchmark: Float64Array;
  readonly trades: readonly Trade[];
  readonly barsPerYear: number;
  /** Of an account that ended no part has a ratio. */
  readonly ruined?: boolean;
}

/** Some of the bars of a run. */
export interface PartOfBars {
  /** `2025`, `2025-03`, `bull`, `13` (hour, UTC). */
  readonly part: string;
  readonly bars: number;
  /** Compounded over these bars. */
  readonly returnPct: number;
  readonly benchmarkReturnPct: number;
  /** Annualised; `undefined` below 20 bars, where returns never vary, or of an account that was ruined. */
  readonly sharpe: number | undefined;
  /** Of the curve made of these bars alone. */
  readonly maxDrawdownPct: number;
}

/** Some of the closed trades of a run. */
export interface PartOfTrades extends TradeMetrics {
  /** `BTC/USDT`, `long`. */
  readonly part: string;
  readonly profitQuote: number;
}

export interface Breakdowns {
  readonly years: readonly PartOfBars[];
  readonly months: readonly PartOfBars[];
  readonly regimes: readonly PartOfBars[];
  readonly hours: readonly PartOfBars[];
  readonly symbols: readonly PartOfTrades[];
  readonly sides: readonly PartOfTrades[];
}

const DAY_MS = 86_400_000;
const LEAST_BARS = 20;

/** A run part by part: when it earned what it earned, in which market, with which pairs. Parts without a bar are left out. */
export function breakDown(run: BrokenRun): Breakdowns {
  const { time, trades } = run;
  const regimes = regimesOf(run);
  const stamp = (row: number, length: number): string => new Date(time[row]).toISOString().slice(0, length);
  return {
    years: partsOfBars(run, (row) => stamp(row, 4)),
    months: partsOfBars(run, (row) => stamp(row, 7)),
    regimes: inOrder(
      partsOfBars(run, (row) => regimes[row]),
      [...REGIMES],
    ),
    hours: inOrder(
      partsOfBars(run, (row) => String(new Date(time[row]).getUTCHours())),
      Array.from({ length: 24 }, (_, hour) => String(hour)),
    ),
    symbols: partsOfTrades(trades, ({ symbol }) => symbol),
    sides: partsOfTrades(trades, ({ side }) => side),
  };
}

export const REGIMES = ['bull', 'bear', 'ranging', 'high volatility', 'unknown'] as const;

/**
 * By the 30 days before each bar: the wildest fifth is `high volatility`; of the others `bull` and `bear` moved by more than one
 * standard deviation of such a stretch, and `ranging` did not. `unknown` in the first 30 days.
 */
export function regimesOf({
  time,
  benchmark,
}: Pick<BrokenRun, 'time' | 'benchmark'>): readonly (typeof REGIMES)[number][] {
  const bars = time.length;
  const barMs = bars > 1 ? (time[bars - 1] - time[0]) / (bars - 1) : DAY_MS;
  const width = Math.max(2, Math.round((30 * DAY_MS) / barMs));
  const drift = new Float64Array(bars).fill(NaN);
  const spread = new Float64Array(bars).fill(NaN);
  let [sum, squares] = [0, 0];
  for (let row = 0; row < bars; row++) {
    // What is known at the open of the bar: the returns before it.
    if (row >= width) {
      drift[row] = sum;
      spread[row] = Math.sqrt(Math.max(0, squares));
    }
    const move = Math.log1p(Math.max(benchmark[row], -1 + 1e-12));
    sum += move;
    squares += move * move;
    if (row >= width) {
      const old = Math.log1p(Math.max(benchmark[row - width], -1 + 1e-12));
      sum -= old;
      squares -= old * old;
    }
  }
  const known = spread.filter((value) => !Number.isNaN(value)).sort();
  const wild = known[Math.floor(0.8 * known.length)];
  return Array.from({ length: bars }, (_, row) => {
    if (Number.isNaN(spread[row])) return 'unknown';
    if (spread[row] > wild) return 'high volatility';
    if (Math.abs(drift[row]) <= spread[row]) return 'ranging';
    return drift[row] > 0 ? 'bull' : 'bear';
  });
}

function partsOfBars(
  { returns, benchmark, barsPerYear, time, ruined = false }: BrokenRun,
  partOf: (row: number) => string,
): readonly PartOfBars[] {
  const rows = new Map<string, number[]>();
  for (let row = 0; row < time.length; row++) {
    const part = partOf(row);
    const found = rows.get(part);
    if (found === undefined) rows.set(part, [row]);
    else found.push(row);
  }
  return [...rows].map(([part, own]) => {
    const chosen = Float64Array.from(own, (row) => returns[row]);
    let worth = 1;
    const curve = chosen.map((value) => (worth *= 1 + value));
    const hold = own.reduce((product, row) => product * (1 + benchmark[row]), 1);
    return {
      part,
      bars: own.length,
      returnPct: 100 * (worth - 1),
      benchmarkReturnPct: 100 * (hold - 1),
      sharpe: ruined || own.length < LEAST_BARS ? undefined : sharpe(chosen, barsPerYear),
      maxDrawdownPct: 100 * drawdowns(curve, 1).reduce((least, { depth }) => Math.min(least, depth), 0),
    };
  });
}

const inOrder = (parts: readonly PartOfBars[], order: readonly string[]): readonly PartOfBars[] =>
  parts.toSorted((a, b) => order.indexOf(a.part) - order.indexOf(b.part));

function partsOfTrades(trades: readonly Trade[], partOf: (trade: Trade) => string): readonly PartOfTrades[] {
  const parts = [...new Set(trades.map(partOf))].toSorted();
  return parts.map((part) => {
    const own = trades.filter((trade) => partOf(trade) === part);
    const profitQuote = own.reduce((sum, trade) => sum + trade.profitQuote, 0);
    return { part, profitQuote, ...tradeMetrics(own) };
  });
}
