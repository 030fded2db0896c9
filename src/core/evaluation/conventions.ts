import type { Trade } from '../trading/events.ts';
import { drawdowns } from './drawdown.ts';
import { annualGrowth, barReturns, sharpe, sortino, volatility } from './returns.ts';
import { deviation, mean } from '../foundation/moments.ts';

/** Systems whose figures can be asked for, to compare with theirs. No two agree. */
export const CONVENTION_NAMES = [
  'freqtrade',
  'backtesting.py',
  'empyrical',
  'quantstats',
  'vectorbt',
] as const;
export type ConventionName = (typeof CONVENTION_NAMES)[number];

interface ConventionRun {
  readonly initialBalance: number;
  /** Open times of the bars, epoch ms UTC, and equity at their closes. */
  readonly time: Float64Array;
  readonly equity: Float64Array;
  readonly trades: readonly Trade[];
  readonly barsPerYear: number;
}

/** `undefined` where it is not defined, also where the system prints -100 or infinity in its place. */
export interface ConventionFigures {
  readonly sharpe: number | undefined;
  readonly sortino: number | undefined;
  readonly calmar: number | undefined;
  readonly annualReturnPct: number | undefined;
  readonly volatilityPct: number | undefined;
  readonly maxDrawdownPct: number;
}

export const CONVENTION_TEXTS: Readonly<Record<ConventionName, string>> = {
  freqtrade:
    'profit per day of the closed trades, of starting capital, over the population deviation of single trades (losing ones for Sortino), times sqrt(365); drawdown of the balance at closed trades',
  'backtesting.py':
    'geometric annual return of daily equity over its compounded volatility, 365 days; drawdown at bar closes',
  empyrical: 'daily returns, 252 days a year, sample deviation, risk-free rate 0',
  quantstats:
    'daily returns, 252 days a year, sample deviation, risk-free rate 0; years from the number of days',
  vectorbt: 'bar returns, 365 days a year, sample deviation, risk-free rate 0',
};

export function measureAs(convention: ConventionName, run: ConventionRun): ConventionFigures {
  switch (convention) {
    case 'freqtrade':
      return asFreqtrade(run);
    case 'backtesting.py':
      return asBacktestingPy(run);
    case 'empyrical':
    case 'quantstats':
      return fromReturns(dailyReturns(run), 252);
    case 'vectorbt':
      return fromReturns(barReturns(run.equity, run.initialBalance), run.barsPerYear);
  }
}

/** Ratios of simple returns with a fixed number of periods per year; drawdown of the returns compounded. */
function fromReturns(returns: Float64Array, periodsPerYear: number): ConventionFigures {
  let worth = 1;
  const curve = returns.map((value) => (worth *= 1 + value));
  const deepest = depthOf(curve, 1);
  const annual = annualGrowth(worth, returns.length, periodsPerYear);
  return {
    sharpe: sharpe(returns, periodsPerYear),
    sortino: sortino(returns, periodsPerYear),
    calmar: annual === undefined || deepest === 0 ? undefined : annual / -deepest,
    annualReturnPct: percent(annual),
    volatilityPct: percent(volatility(returns, periodsPerYear)),
    maxDrawdownPct: 100 * deepest,
  };
}

/** backtesting.py 0.6: the first day has no return. */
function asBacktestingPy({ time, equity, initialBalance }: ConventionRun): ConventionFigures {
  const days = dailyEquity(time, equity);
  const returns = barReturns(days.subarray(1), days[0]);
  const deepest = depthOf(equity, initialBalance);
  const growth = days.length > 1 ? (days[days.length - 1] / days[0]) ** (1 / (days.length - 1)) : NaN;
  const annual = growth ** 365 - 1;
  const variance = (deviation(returns) ?? NaN) ** 2;
  const spread = Math.sqrt((variance + growth ** 2) ** 365 - growth ** (2 * 365));
  const squares = returns.reduce((sum, value) => sum + Math.min(0, value) ** 2, 0) / returns.length;
  return {
    sharpe: ratio(annual, spread),
    sortino: ratio(annual, Math.sqrt(squares) * Math.sqrt(365)),
    calmar: ratio(annual, -deepest),
    annualReturnPct: percent(known(annual)),
    volatilityPct: percent(known(spread)),
    maxDrawdownPct: 100 * deepest,
  };
}

/** freqtrade 2025: everything from closed trades; no volatility is given. */
function asFreqtrade({ time, trades, initialBalance }: ConventionRun): ConventionFigures {
  const closed = trades.toSorted((a, b) => a.exitTime - b.exitTime);
  const profits = Float64Array.from(closed, (trade) => trade.profitQuote / initialBalance);
  const days = Math.max(1, Math.floor(((time.at(-1) ?? 0) - (time[0] ?? 0)) / DAY_MS));
  const total = profits.reduce((sum, value) => sum + value, 0);
  const daily = total / days;
  const root = Math.sqrt(365);
  let balance = initialBalance;
  const balances = Float64Array.from(closed, (trade) => (balance += trade.profitQuote));
  const deepest = accountDrawdown(balances, initialBalance);
  return {
    sharpe: ratio(daily * root, population(profits)),
    sortino: ratio(daily * root, population(profits.filter((value) => value < 0))),
    calmar: ratio(100 * daily * root, deepest),
    annualReturnPct: percent(annualGrowth(1 + total, days, 365)),
    volatilityPct: undefined,
    maxDrawdownPct: -100 * deepest,
  };
}

/** Share of the balance at its peak that the fall with the largest amount took. */
function accountDrawdown(balances: Float64Array, initialBalance: number): number {
  let [peak, largest, share] = [initialBalance, 0, 0];
  for (const balance of balances) {
    peak = Math.max(peak, balance);
    if (peak - balance > largest) [largest, share] = [peak - balance, (peak - balance) / peak];
  }
  return share;
}

const DAY_MS = 86_400_000;

function dailyReturns({ time, equity, initialBalance }: ConventionRun): Float64Array {
  return barReturns(dailyEquity(time, equity), initialBalance);
}

/** Equity at the last close of each UTC day that has a bar. */
function dailyEquity(time: Float64Array, equity: Float64Array): Float64Array {
  const lastOfDay = (row: number): boolean =>
    row === time.length - 1 || Math.floor(time[row + 1] / DAY_MS) !== Math.floor(time[row] / DAY_MS);
  return equity.filter((_, row) => lastOfDay(row));
}

const depthOf = (equity: Float64Array, initial: number): number =>
  drawdowns(equity, initial).reduce((least, { depth }) => Math.min(least, depth), 0);

function population(values: Float64Array): number {
  const centre = mean(values);
  if (centre === undefined) return 0;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length);
}

const known = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
const ratio = (above: number, below: number): number | undefined =>
  below > 0 ? known(above / below) : undefined;
const percent = (fraction: number | undefined): number | undefined =>
  fraction === undefined ? undefined : 100 * fraction;
