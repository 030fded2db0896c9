import type { Reply, Venue } from '../../data/exchange/venue.ts';
import { OUR_PREFIX } from './client-id.ts';
import type { LiveLedger } from './ledger.ts';
import { isOver, isProtective, isSettled, type LiveOrder } from './orders.ts';
import type { Report } from './record.ts';
import { assetsOf, type LiveState, tradeKey, unsettled } from './state.ts';

/** Whether what the session holds is known, and equal to what the exchange holds. */
export type Standing =
  | { readonly kind: 'known' }
  /** Not known now, and asked for again. `reason`: what is missing. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** Known, and not what the ledger says: only a person can tell why. */
  | { readonly kind: 'other'; readonly reason: string };

export interface Surroundings {
  readonly venue: Venue;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** An order that the exchange does not know this long after it was sent, it will not take any more. */
  readonly arrivesWithinMs: number;
}

/** The exchanges refuse requests that are older than 5 to 10 seconds; a clock may be off by some. */
export const ARRIVES_WITHIN_MS = 60_000;

/** Clocks differ: executions are asked for from before the first order that lacks some. */
const CLOCK_MARGIN_MS = 600_000;
/** What is asked for again although it was over: an order that was taken after all. */
const SECOND_LOOK_MS = 86_400_000;
/** Balances are kept to 8 decimals, and ours are sums of doubles. */
const SAME_AMOUNT = 5e-8;

/**
 * Learns from the exchange what became of every order, then compares what it holds with the ledger. Whatever is learned is on disk
 * before it counts. `fully`: also when no order is in question, and for orders of ours that the ledger does not know.
 */
export async function reconcile(
  ledger: LiveLedger,
  around: Surroundings,
  { fully }: { readonly fully: boolean },
): Promise<Standing> {
  const { state } = ledger;
  const asked = unsettled(state);
  for (const { intent } of asked) await lookUp(ledger, intent.clientId, around);
  const unread = await readFills(ledger, around);
  const open = unsettled(state);
  if (unread !== undefined) return { kind: 'unknown', reason: unread };
  if (open.some((order) => !rests(order, around.now())))
    return { kind: 'unknown', reason: open.map(orderWords).join('; ') };
  if (!fully && asked.length === 0) return { kind: 'known' };
  const strangers = await strangeOrders(state, around);
  if (strangers.kind !== 'known') return strangers;
  const balances = await compareBalances(state, around);
  if (balances.kind !== 'other') return balances;
  // An order that was given up may have been taken after all.
  if (!(await lookAgain(ledger, around))) return balances;
  return compareBalances(state, around);
}

/** An order of known executions that waits for its price, or protects. */
const rests = (order: LiveOrder, nowMs: number): boolean =>
  order.state === 'open' &&
  order.filledKnown >= order.filledSaid * (1 - 1e-9) &&
  (isProtective(order) || nowMs < (order.intent.restUntilMs ?? 0));

async function lookUp(ledger: LiveLedger, clientId: string, around: Surroundings): Promise<void> {
  const order = ledger.state.orders.get(clientId);
  if (order === undefined || isOver(order)) return;
  const { intent } = order;
  const reply = await around.venue.lookUp(intent, around.signal);
  if (reply.kind !== 'answered') return;
  const atMs = around.now();
  const report = {
    kind: 'report',
    atMs,
    clientId,
    orderId: undefined,
    filled: 0,
    reason: undefined,
  } as const;
  if (reply.value === undefined) {
    // One that it knew before it has not forgotten: something is wrong, and asked for again.
    if (order.orderId !== undefined) return;
    if (order.reason !== undefined) return ledger.write({ ...report, state: 'refused' });
    if (atMs - intent.atMs < around.arrivesWithinMs) return;
    return ledger.write({ ...report, state: 'never-arrived' });
  }
  const { orderId, filled, state } = reply.value;
  const now: Report['state'] =
    state === 'ended' ? 'ended' : order.state === 'cancelling' ? 'cancelling' : 'open';
  if (now !== order.state || filled > order.filledSaid || orderId !== order.orderId)
    await ledger.write({ ...report, orderId, filled, state: now });
}

/** Executions that orders are said to have and the ledger lacks; what went wrong, if anything. */
async function readFills(ledger: LiveLedger, around: Surroundings): Promise<string | undefined> {
  const lacking = [...ledger.state.orders.values()].filter(
    (order) => order.filledSaid > order.filledKnown && !isSettled(order),
  );
  for (const symbol of new Set(lacking.map(({ intent }) => intent.symbol))) {
    const orders = lacking.filter(({ intent }) => intent.symbol === symbol);
    const sinceMs = Math.min(...orders.map(({ intent }) => intent.atMs)) - CLOCK_MARGIN_MS;
    const reply = await around.venue.fills(symbol, sinceMs, around.signal);
    if (reply.kind !== 'answered') return `executions of ${symbol}: ${reply.reason}`;
    for (const { orderId, side: _, ...fill } of reply.value) {
      const order = orders.find((one) => one.orderId === orderId);
      if (order === undefined || ledger.state.tradeIds.has(tradeKey(symbol, fill.tradeId))) continue;
      await ledger.write({ kind: 'fill', clientId: order.intent.clientId, ...fill });
    }
  }
  return undefined;
}

/** Orders of this program's shape that work at the exchange and that this ledger has not sent. */
async function strangeOrders(state: LiveState, { venue, signal }: Surroundings): Promise<Standing> {
  const symbols = state.session.instruments.map(({ symbol }) => symbol);
  const reply = await venue.openOrders(symbols, signal);
  if (reply.kind !== 'answered') return silence('open orders', reply);
  const strange = reply.value.filter(
    ({ clientId }) => clientId.startsWith(OUR_PREFIX) && !state.orders.has(clientId),
  );
  if (strange.length === 0) return { kind: 'known' };
  const names = strange.map(({ clientId, symbol }) => `${clientId} (${symbol})`).join(', ');
  return {
    kind: 'other',
    reason: `the exchange works on orders of this program that this ledger never sent: ${names}. Does another session trade on this account? Cancel them there, or stop it.`,
  };
}

async function compareBalances(state: LiveState, { venue, signal }: Surroundings): Promise<Standing> {
  const reply = await venue.balances(signal);
  if (reply.kind !== 'answered') return silence('balances', reply);
  const different = assetsOf(state.session).flatMap((asset) => {
    const expected = state.expected.get(asset) ?? 0;
    const held = reply.value.get(asset) ?? 0;
    const tolerance = SAME_AMOUNT * Math.max(1, state.orders.size) + 1e-9 * Math.abs(expected);
    return Math.abs(held - expected) <= tolerance
      ? []
      : [`${asset}: the exchange holds ${decimal(held)}, the ledger says ${decimal(expected)}`];
  });
  if (different.length === 0) return { kind: 'known' };
  return {
    kind: 'other',
    reason: `${different.join('; ')}. Look at the account's history for a deposit, a withdrawal or another trader; if it is right as it is: crypto-trader live adopt.`,
  };
}

/** Asks once more for orders of the last day that were refused or never arrived; whether one was taken after all. */
async function lookAgain(ledger: LiveLedger, around: Surroundings): Promise<boolean> {
  const { state } = ledger;
  let found = false;
  for (const order of [...state.orders.values()]) {
    const { intent } = order;
    const given = order.state === 'refused' || order.state === 'never-arrived';
    if (!given || around.now() - intent.atMs > SECOND_LOOK_MS) continue;
    const reply = await around.venue.lookUp(intent, around.signal);
    if (reply.kind !== 'answered' || reply.value === undefined) continue;
    const { orderId, filled, state: said } = reply.value;
    const { clientId } = intent;
    const entry = { kind: 'report', atMs: around.now(), clientId, orderId, filled } as const;
    await ledger.write({ ...entry, state: said, reason: 'taken after all' });
    found = true;
  }
  if (found) await readFills(ledger, around);
  return found;
}

const silence = (what: string, { reason }: Exclude<Reply<unknown>, { kind: 'answered' }>): Standing => ({
  kind: 'unknown',
  reason: `${what}: ${reason}`,
});

const orderWords = ({ intent, state, filledSaid, filledKnown }: LiveOrder): string =>
  `${intent.side} ${decimal(intent.baseAmount)} ${intent.symbol} (${intent.clientId}) is ${state}, ${decimal(filledKnown)} of ${decimal(filledSaid)} filled on record`;

const decimal = (value: number): string => String(Number(value.toPrecision(12)));
