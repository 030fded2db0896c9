/** An order for symbol number `s` of a portfolio, placed at the close of a bar; it works from the next open on. */
export interface OrderRequest {
  readonly s: number;
  readonly side: 'buy' | 'sell';
  readonly baseAmount: number;
  readonly kind: OrderKind;
  /**
   * `GTC`: until it is filled or cancelled. `IOC`: what does not fill in its first bar is cancelled. `FOK`: all of it at once in
   * its first bar, or nothing. A number: good till that time, epoch ms.
   */
  readonly timeInForce?: 'GTC' | 'IOC' | 'FOK' | number;
  /** Only ever makes a position smaller; what is larger than the position is cut. */
  readonly reduceOnly?: boolean;
  /** Works from the first bar that opens at or after this time, epoch ms: latency, or the time of an exit. */
  readonly notBeforeMs?: number;
  /** Orders of one group cancel each other: the first fill of one ends the rest (OCO). */
  readonly group?: string;
  /** Sleeps until the order of this name has ended, and then works for as much as that filled, as exchanges' OTO lists do. */
  readonly after?: string;
  /** A name of the caller's, for `after`. */
  readonly name?: string;
}

export type OrderKind =
  | { readonly kind: 'market' }
  /** `postOnly`: rejected when it would fill at once. */
  | { readonly kind: 'limit'; readonly price: number; readonly postOnly?: boolean }
  /** A market order once the price is as bad as this. */
  | { readonly kind: 'stop'; readonly price: number }
  /** A limit order once the price is as bad as this. */
  | { readonly kind: 'stop-limit'; readonly price: number; readonly limitPrice: number }
  /** A market order once the price is as good as this. */
  | { readonly kind: 'take-profit'; readonly price: number }
  /** A stop that follows the best price since it began to work. `atr`: multiples of the true range of `rules.exits`. */
  | { readonly kind: 'trailing'; readonly by: 'price' | 'percent' | 'atr'; readonly distance: number };

/** An order that works or sleeps. Plain values: it is stored as it stands. */
export interface OpenOrder {
  readonly id: number;
  readonly request: OrderRequest;
  /** Base amount still to fill. */
  left: number;
  filled: number;
  /** It has worked in a bar before. */
  rests: boolean;
  /** Its stop was reached: a limit or market order from then on. */
  triggered: boolean;
  /** Best price since it began to work, for a trailing stop. */
  best: number | undefined;
}

/** An entry with its way out on both sides: stop and target sleep until it fills, and one cancels the other. */
export function bracket(
  entry: OrderRequest,
  { name, stop, target }: { readonly name: string; readonly stop: number; readonly target: number },
): readonly OrderRequest[] {
  const side = entry.side === 'buy' ? 'sell' : 'buy';
  const { s, baseAmount } = entry;
  const way = { s, side, baseAmount, reduceOnly: true, after: name, group: name } as const;
  return [
    { ...entry, name },
    { ...way, kind: { kind: 'stop', price: stop } },
    { ...way, kind: { kind: 'limit', price: target } },
  ];
}

/** `count` limit orders of equal amounts, evenly spaced between two prices. */
export function scaled(
  entry: Omit<OrderRequest, 'kind'>,
  { from, to, count }: { readonly from: number; readonly to: number; readonly count: number },
): readonly OrderRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    ...entry,
    baseAmount: entry.baseAmount / count,
    kind: { kind: 'limit', price: count === 1 ? from : from + ((to - from) * i) / (count - 1) },
  }));
}
