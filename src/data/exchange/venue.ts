import type { AccountListener } from './user-stream.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';

/**
 * What trading asks of an exchange. No call is repeated by itself, and none throws for what the exchange or the network
 * does: an order is sent at most once per call, and what nobody knows is said to be unknown.
 */
export interface Venue {
  /** `refused`: the exchange has said no. `unknown`: it may or may not have taken the order. */
  submit(order: VenueOrder, signal: AbortSignal): Promise<Reply<OrderReport>>;
  /** Both orders, or neither; what came of them, `lookUp` tells. Only where an exchange has lists of orders. */
  readonly submitPair?: (
    pair: VenuePair,
    signal: AbortSignal,
  ) => Promise<Reply<{ readonly stop: OrderReport; readonly take: OrderReport }>>;
  /** `answered`: it has taken the request. Whether the order had filled before, only `lookUp` tells. One of a pair: both. */
  cancel(
    order: OrderName & { readonly listId?: string | undefined },
    signal: AbortSignal,
  ): Promise<Reply<void>>;
  /** `undefined`: the exchange knows no such order. */
  lookUp(order: OrderName, signal: AbortSignal): Promise<Reply<OrderReport | undefined>>;
  openOrders(symbols: readonly PairSymbol[], signal: AbortSignal): Promise<Reply<readonly OrderReport[]>>;
  /** Executions from `sinceMs` on, oldest first. */
  fills(symbol: PairSymbol, sinceMs: number, signal: AbortSignal): Promise<Reply<readonly FillReport[]>>;
  /** What is held of each asset, resting orders included. */
  balances(signal: AbortSignal): Promise<Reply<ReadonlyMap<string, number>>>;
  permissions(signal: AbortSignal): Promise<Reply<KeyPermissions>>;
  /** All orders are cancelled by the exchange this long from now, unless this is asked again; 0: they are not. Only where it offers that. */
  readonly deadMan?: (afterMs: number, signal: AbortSignal) => Promise<Reply<void>>;
  /** Says when something happened to the account, until `signal` aborts; what, only the calls above tell. Never throws. */
  listen(listener: AccountListener, signal: AbortSignal): Promise<void>;
}

export type Reply<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** An order is known by the id that its sender gave it. */
export interface OrderName {
  readonly clientId: string;
  readonly symbol: PairSymbol;
}

/** A limit order: nothing is ever sent that may fill at any price. */
export interface VenueOrder extends OrderName {
  readonly side: 'buy' | 'sell';
  readonly baseAmount: number;
  readonly price: number;
  /** `IOC`: what does not fill at once is cancelled. `GTC`: it rests until it is cancelled. */
  readonly timeInForce: 'IOC' | 'GTC';
  /** The order sleeps until the price falls to this; only where `RESTING_STOPS` says so. */
  readonly stopPrice?: number | undefined;
}

/**
 * A stop and a target that sell the same coins: the first execution of one, or the trigger of the stop, ends the other, and they are
 * cancelled together.
 */
export interface VenuePair {
  /** The sender's id of both, beside those of each. */
  readonly listId: string;
  readonly symbol: PairSymbol;
  readonly baseAmount: number;
  /** Sleeps until the price falls to `stopPrice`, then sells down to `price`. */
  readonly stop: { readonly clientId: string; readonly stopPrice: number; readonly price: number };
  /** Rests at `price`. */
  readonly take: { readonly clientId: string; readonly price: number };
}

export interface OrderReport extends OrderName {
  /** The exchange's own id; its executions name it. */
  readonly orderId: string;
  readonly filled: number;
  readonly state: 'open' | 'ended';
}

export interface FillReport {
  readonly tradeId: string;
  readonly orderId: string;
  readonly side: 'buy' | 'sell';
  readonly baseAmount: number;
  readonly price: number;
  /** Zero where none was charged. */
  readonly feeAmount: number;
  readonly feeAsset: string;
  readonly timeMs: number;
}

/** What the key may do; `undefined` where the exchange does not say. */
export interface KeyPermissions {
  readonly trade: boolean | undefined;
  readonly withdraw: boolean | undefined;
}
