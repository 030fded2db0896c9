import { invariant } from '../../core/foundation/errors.ts';
import { type LiveAccount, openLiveAccount } from './account.ts';
import { filled, isSettled, type LiveOrder, reported, sentOrder } from './orders.ts';
import type { LiveBar, LiveEntry, LiveSession } from './record.ts';

/** Everything that a live ledger says, up to its last line. Only `remember` changes it. */
export interface LiveState {
  readonly session: LiveSession;
  readonly account: LiveAccount;
  /** By the id they were sent with, in that order. */
  readonly orders: Map<string, LiveOrder>;
  /** Executions on record, by the exchange's ids. */
  readonly tradeIds: Set<string>;
  /** What the exchange has to hold of each asset that is traded, if nobody else moves any. */
  readonly expected: Map<string, number>;
  last: LiveBar | undefined;
  bars: number;
  /** Why trading is stopped; `undefined`: it is not. */
  halt: string | undefined;
}

export function createState(session: LiveSession): LiveState {
  return {
    session,
    account: openLiveAccount(session),
    orders: new Map(),
    tradeIds: new Set(),
    expected: new Map(Object.entries(session.baseline)),
    last: undefined,
    bars: 0,
    halt: undefined,
  };
}

/** Assets whose balances the session answers for. */
export const assetsOf = ({ instruments }: LiveSession): readonly string[] => [
  ...new Set(instruments.flatMap(({ symbol }) => symbol.split('/'))),
];

/** An execution is one of its pair: exchanges count them by pair. */
export const tradeKey = (symbol: string, tradeId: string): string => `${symbol} ${tradeId}`;

/** Takes an entry in that is on disk; the same entries give the same state, while they are written and after a restart. */
export function remember(state: LiveState, entry: LiveEntry): void {
  switch (entry.kind) {
    case 'intent':
      state.orders.set(entry.clientId, sentOrder(entry));
      return;
    case 'report': {
      state.orders.set(entry.clientId, reported(orderOf(state, entry.clientId), entry));
      return;
    }
    case 'fill': {
      const order = orderOf(state, entry.clientId);
      const { symbol, side } = order.intent;
      state.orders.set(entry.clientId, filled(order, entry));
      state.tradeIds.add(tradeKey(symbol, entry.tradeId));
      const [base, quote] = symbol.split('/');
      const sign = side === 'buy' ? 1 : -1;
      move(state, base, sign * entry.baseAmount);
      move(state, quote, -sign * entry.baseAmount * entry.price);
      move(state, entry.feeAsset, -entry.feeAmount);
      state.account.execute(side, symbol, entry, CAUSES[order.intent.leg]);
      return;
    }
    case 'bar':
      seeBar(state, entry);
      state.account.clear();
      state.last = entry;
      state.bars++;
      return;
    case 'halt':
      state.halt = entry.reason;
      return;
    case 'adopt':
      for (const [asset, amount] of Object.entries(entry.baseline)) state.expected.set(asset, amount);
      state.halt = undefined;
      return;
  }
}

/** What executions of a protective order are in the books; those of a decision are of its target. */
const CAUSES: Readonly<Record<string, 'stop-loss' | 'take-profit'>> = {
  stop: 'stop-loss',
  take: 'take-profit',
};

/** The part of a bar that moves the account: the same before it is written and when it is read. */
export function seeBar(
  { account }: LiveState,
  bar: Pick<LiveBar, 'timeMs' | 'candles' | 'decision' | 'targets'>,
): ReturnType<LiveAccount['place']> {
  account.see(bar, bar.decision === 'placed' || bar.decision === 'flattened');
  switch (bar.decision) {
    case 'placed':
    case 'dry-run':
      return account.place(bar.targets);
    case 'flattened':
      return account.place(bar.targets.map(() => 0));
    // A pause holds decisions back, not the rule that closes everything.
    case 'paused':
      return account.place(bar.targets.map(() => null));
    case 'halted':
    case 'missed':
    case 'unknown':
      return [];
  }
}

/** Orders of which something is still to be learned. */
export const unsettled = ({ orders }: LiveState): readonly LiveOrder[] =>
  [...orders.values()].filter((order) => !isSettled(order));

function orderOf({ orders }: LiveState, clientId: string): LiveOrder {
  const order = orders.get(clientId);
  invariant(order !== undefined, 'a ledger reports on orders that it sent');
  return order;
}

function move({ expected }: LiveState, asset: string, amount: number): void {
  const before = expected.get(asset);
  // A fee in an asset that is not traded is nobody's business here.
  if (before !== undefined) expected.set(asset, before + amount);
}
