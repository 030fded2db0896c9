import { invariant } from '../foundation/errors.ts';
import { isInverse, unitValue, worthAt } from './accounts/worth.ts';
import type { TradingEvent } from './events.ts';
import type { Instrument } from './instrument.ts';
import { createLiquidity, type LiquidityColumns } from './liquidity.ts';
import type { Market } from './market.ts';
import type { OpenOrder } from './orders/order.ts';
import type { ExecutionRules } from './rules.ts';

/**
 * Cash and positions under fixed rules, changed in place by `advance` and `setTarget` only. Columns hold one
 * entry a symbol, in the order of `instruments`.
 */
export interface Portfolio {
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  /** Open time of the last bar seen; NaN before the first. */
  time: number;
  /** Bars seen. */
  bars: number;
  /** Open time of the bar on which nothing was left; NaN while there is something. It never trades again. */
  ruinedAt: number;
  /** Quote currency. */
  cash: number;
  feesQuote: number;
  slippageQuote: number;
  /** Funding received less paid, and interest paid; both are in the cash. */
  fundingQuote: number;
  interestQuote: number;
  /** Sum of the notional of all fills. */
  turnoverQuote: number;
  readonly columns: PositionColumns;
  /** Orders that work or sleep (`orders/`), in the order in which they were placed. */
  orders: readonly OpenOrder[];
  ordersPlaced: number;
  /** Turnover of the last 31 days with fills, by day of the epoch modulo 31; kept when fees have tiers. */
  readonly turnoverDays: Float64Array;
  turnoverDay: number;
  /**
   * Events of the last bar. A new array whenever it held something, so a caller may keep it. `undefined`: nobody
   * reads them, none is made.
   */
  events: TradingEvent[] | undefined;
  /** Scratch of one open: wanted position values, then the capital they are shares of. No state. */
  readonly wanted: Float64Array;
  /** Numbers of the symbols in the order in which they are served: `rules.priority`, then as they stand. */
  readonly turns: readonly number[];
}

/** The state of each position. `NaN` where there is none. */
export interface PositionColumns extends LiquidityColumns {
  /** Base amount, negative when short. */
  readonly amount: Float64Array;
  /** Last known close: what positions are valued at. */
  readonly mark: Float64Array;
  /** Open time of the symbol's own last bar. */
  readonly barTime: Float64Array;
  /** Decision waiting for the next open; NaN: none. */
  readonly target: Float64Array;
  /** Side (1, -1) that a protective exit closed and that may not be entered; 0: none. */
  readonly blocked: Float64Array;
  /** Average entry price of what is held. */
  readonly entryPrice: Float64Array;
  readonly stopPrice: Float64Array;
  /** What moved `stopPrice` to where it is: 0 nothing, 1 the trailing stop, 2 the break-even. */
  readonly stopTrails: Float64Array;
  readonly takePrice: Float64Array;
  /** Best price since entry. */
  readonly bestPrice: Float64Array;
  /** Wilder's average true range so far, and the bars in it; kept when the rules have exits. */
  readonly trueRange: Float64Array;
  readonly rangeBars: Float64Array;
  /** ATR as of the entry. */
  readonly entryRange: Float64Array;
  /** Partial targets that were taken, and the share of the target position that they left. */
  readonly partials: Float64Array;
  readonly kept: Float64Array;
  /** Of the trade that is open: its start and the sums of its fills so far. */
  readonly entryTime: Float64Array;
  readonly entryBar: Float64Array;
  readonly openedBase: Float64Array;
  readonly openedQuote: Float64Array;
  readonly openedFees: Float64Array;
  readonly closedQuote: Float64Array;
  readonly closedFees: Float64Array;
  /** Margin that an isolated position stands on, and the funding of the trade that is open. */
  readonly margin: Float64Array;
  readonly openedFunding: Float64Array;
}

export function createPortfolio(
  instruments: readonly Instrument[],
  rules: ExecutionRules,
  { keepsEvents = true }: { readonly keepsEvents?: boolean } = {},
): Portfolio {
  invariant(instruments.length > 0, 'a portfolio has at least one instrument');
  invariant(rules.initialBalance > 0, 'a portfolio starts with capital');
  const { account } = rules;
  invariant(
    account === undefined || rules.maxExposurePct <= 100 * account.leverage,
    'the exposure limit is within the leverage',
  );
  invariant(
    !isInverse(rules) || (rules.impact === undefined && rules.maxVolumeSharePct === undefined),
    'volumes in coins say nothing of amounts in quote currency',
  );
  const size = instruments.length;
  const zeros = (): Float64Array => new Float64Array(size);
  const unknown = (): Float64Array => new Float64Array(size).fill(NaN);
  return {
    instruments,
    rules,
    time: NaN,
    bars: 0,
    ruinedAt: NaN,
    cash: rules.initialBalance,
    feesQuote: 0,
    slippageQuote: 0,
    fundingQuote: 0,
    interestQuote: 0,
    turnoverQuote: 0,
    orders: [],
    ordersPlaced: 0,
    turnoverDays: new Float64Array(31),
    turnoverDay: NaN,
    columns: {
      amount: zeros(),
      mark: unknown(),
      barTime: unknown(),
      target: unknown(),
      blocked: zeros(),
      entryPrice: unknown(),
      stopPrice: unknown(),
      stopTrails: zeros(),
      takePrice: unknown(),
      bestPrice: unknown(),
      entryTime: unknown(),
      entryBar: unknown(),
      openedBase: zeros(),
      openedQuote: zeros(),
      openedFees: zeros(),
      closedQuote: zeros(),
      closedFees: zeros(),
      trueRange: zeros(),
      rangeBars: zeros(),
      entryRange: unknown(),
      partials: zeros(),
      kept: new Float64Array(size).fill(1),
      ...createLiquidity(size),
      margin: zeros(),
      openedFunding: zeros(),
    },
    events: keepsEvents ? [] : undefined,
    wanted: new Float64Array(size + 1),
    turns: turnsOf(instruments, rules),
  };
}

function turnsOf(instruments: readonly Instrument[], { priority = [] }: ExecutionRules): readonly number[] {
  const rank = ({ symbol }: Instrument): number => {
    const at = priority.indexOf(symbol);
    return at < 0 ? priority.length : at;
  };
  return [...instruments.keys()].sort((a, b) => rank(instruments[a]) - rank(instruments[b]));
}

/** The open of bar `row`; the last close where the symbol has no bar. */
export function openPrice({ columns }: Portfolio, market: Market, row: number, s: number): number {
  const open = market.candles[s].open[row];
  return open === open ? open : columns.mark[s];
}

/** Cash plus positions at their last close, in quote currency. */
export function equity({ columns, cash, rules }: Portfolio): number {
  const { amount } = columns;
  const inverse = isInverse(rules);
  let total = cash;
  for (let s = 0; s < amount.length; s++)
    if (amount[s] !== 0) total += amount[s] * worthAt(inverse, priceOf(columns, s));
  return total;
}

/** Sum of the absolute values of all positions, in quote currency. */
export function grossExposure({ columns, rules }: Portfolio): number {
  const { amount } = columns;
  const inverse = isInverse(rules);
  let total = 0;
  for (let s = 0; s < amount.length; s++)
    if (amount[s] !== 0) total += Math.abs(amount[s] * unitValue(inverse, priceOf(columns, s)));
  return total;
}

/** The last close; inside the very first bar of a symbol, which has none before it, what was paid. */
const priceOf = ({ mark, entryPrice }: PositionColumns, s: number): number =>
  mark[s] === mark[s] ? mark[s] : entryPrice[s];
