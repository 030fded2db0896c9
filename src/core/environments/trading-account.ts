import type { Portfolio } from '../trading/portfolio.ts';
import type { RewardState } from './trading-reward.ts';

/** What an agent sees of its own account, behind the features of the market. */
export const ACCOUNT_OBSERVATION = ['position', 'unrealisedReturn', 'drawdown', 'timeInPosition'] as const;

/** Bars held at which `timeInPosition` reads one half. */
const HALF_TIME_BARS = 24;

/**
 * Writes the account at the last close: position as a signed share of equity, return of the open trade in
 * tenths before costs of closing it, drawdown from the highest equity of the episode in tenths, bars held as
 * n / (n + 24): all of the order of 1, as a network likes its inputs.
 */
export function observeAccount(
  portfolio: Portfolio,
  { equity, drawdown }: RewardState,
  into: Float32Array,
  at: number,
): void {
  const { amount, mark, entryPrice, entryBar } = portfolio.columns;
  const held = amount[0];
  const bars = portfolio.bars - entryBar[0];
  into[at] = held === 0 ? 0 : (held * mark[0]) / equity;
  into[at + 1] = held === 0 ? 0 : 10 * Math.sign(held) * (mark[0] / entryPrice[0] - 1);
  into[at + 2] = 10 * drawdown;
  into[at + 3] = held === 0 ? 0 : bars / (bars + HALF_TIME_BARS);
}

const columnsOf = (portfolio: Portfolio): readonly Float64Array[] => Object.values({ ...portfolio.columns });

/** The state of a portfolio of one instrument as numbers, for a snapshot. */
export function portfolioNumbers(portfolio: Portfolio): number[] {
  const { time, bars, cash, feesQuote, slippageQuote, turnoverQuote } = portfolio;
  const totals = [time, bars, cash, feesQuote, slippageQuote, turnoverQuote];
  return [...totals, ...columnsOf(portfolio).map((column) => column[0])];
}

export function restorePortfolio(portfolio: Portfolio, state: readonly number[]): void {
  [
    portfolio.time,
    portfolio.bars,
    portfolio.cash,
    portfolio.feesQuote,
    portfolio.slippageQuote,
    portfolio.turnoverQuote,
  ] = state;
  // A state of an earlier version ends sooner: what it lacks is as in a new portfolio.
  columnsOf(portfolio).forEach((column, i) => (column[0] = state[6 + i] ?? column[0]));
}
