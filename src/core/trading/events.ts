import type { PairSymbol } from '../market/symbol.ts';

/** What happened on a bar, in order. Times are the bar's open, epoch ms UTC. */
export type TradingEvent = Fill | Rejection | Trade | Payment | Ruin;

export interface Fill {
  readonly kind: 'fill';
  readonly time: number;
  readonly symbol: PairSymbol;
  readonly side: 'buy' | 'sell';
  readonly cause: Cause;
  readonly baseAmount: number;
  /** Slippage included. */
  readonly price: number;
  readonly feeQuote: number;
  /** What slippage cost against the reference price. */
  readonly slippageQuote: number;
}

/**
 * `target`: a decision at the close of the bar before. `liquidation`: nothing of the account was left. `delisted`: the
 * symbol has had no bar for too long. `order`: one that was placed (`orders/`). The others are the exits that protect a position.
 */
export type Cause =
  | 'target'
  | 'order'
  | 'stop-loss'
  | 'trailing-stop'
  | 'break-even'
  | 'take-profit'
  | 'time-exit'
  | 'liquidation'
  | 'delisted';

/** An order, or the rest of one, that could not trade. */
export interface Rejection {
  readonly kind: 'rejected';
  readonly time: number;
  readonly symbol: PairSymbol;
  readonly side: 'buy' | 'sell';
  readonly reason: RejectionReason;
  readonly baseAmount: number;
}

export type RejectionReason =
  | 'missing-bar'
  | 'below-amount-step'
  | 'below-min-notional'
  | 'insufficient-quote'
  | 'volume-share'
  | 'post-only'
  | 'reduce-only'
  | 'fill-or-kill'
  | 'expired';

/** A round trip, from flat to flat. */
export interface Trade {
  readonly kind: 'trade';
  readonly symbol: PairSymbol;
  readonly side: 'long' | 'short';
  readonly entryTime: number;
  readonly exitTime: number;
  readonly barsHeld: number;
  /** Averages over the fills, slippage included. */
  readonly entryPrice: number;
  readonly exitPrice: number;
  /** All that was bought (long) or sold (short) during the trade. */
  readonly baseAmount: number;
  readonly feeQuote: number;
  /** After fees, slippage and funding. */
  readonly profitQuote: number;
  /** `profitQuote` of what the entry cost (long, with fee) or yielded (short, less fee). */
  readonly profitPct: number;
  readonly exit: Cause;
}

/** Money that moved without a fill: funding of a perpetual, or what an isolated position lost beyond its margin, made good. */
export interface Payment {
  readonly kind: 'payment';
  readonly reason: 'funding' | 'insurance';
  readonly time: number;
  readonly symbol: PairSymbol;
  /** Positive: received. */
  readonly quote: number;
}

/** The account is worth nothing any more: everything was closed, and it never trades again. */
export interface Ruin {
  readonly kind: 'ruin';
  readonly time: number;
  /** What was lost beyond the account, 0 or more: prices jumped past the point where it was empty, or costs did. */
  readonly shortfallQuote: number;
}
