import { invariant } from '../../core/foundation/errors.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { normaliseOrder } from '../../core/trading/orders/normalise.ts';
import type { OrderReport, Reply, Venue } from '../../data/exchange/venue.ts';
import { clientOrderId } from './client-id.ts';
import type { LiveLedger } from './ledger.ts';
import { isProtective, isSettled, isWorking, type LiveOrder, nextStep } from './orders.ts';
import type { Surroundings } from './reconcile.ts';
import type { Intent, LiveBar } from './record.ts';
import type { LiveState } from './state.ts';

/** Cancels what has rested long enough, and again what was to be cancelled and still works; how many requests that took. What came of it, the next look says. */
export async function cancelDue(ledger: LiveLedger, around: Surroundings): Promise<number> {
  const due = [...ledger.state.orders.values()].filter(
    (order) =>
      order.state === 'cancelling' ||
      (isWorking(order) && around.now() >= (order.intent.restUntilMs ?? Infinity)),
  );
  return cancelOrders(ledger, due, around);
}

/** Returns how many requests that took: one for both orders of a pair. What came of it, the next look says. */
export async function cancelOrders(
  ledger: LiveLedger,
  orders: readonly LiveOrder[],
  around: Surroundings,
): Promise<number> {
  for (const { intent, state, filledSaid: filled } of orders) {
    if (state === 'cancelling') continue;
    const { clientId } = intent;
    const report = { kind: 'report', atMs: around.now(), clientId, filled } as const;
    await ledger.write({ ...report, orderId: undefined, state: 'cancelling', reason: undefined });
  }
  const requests = new Map(orders.map(({ intent }) => [intent.listId ?? intent.clientId, intent]));
  for (const intent of requests.values()) await around.venue.cancel(intent, around.signal);
  return requests.size;
}

/**
 * Sends what the legs of the last decision need now: call it only while all that is held is known. Purchases wait until every sale
 * is over, since they spend what it brings. Returns how many orders were sent.
 */
export async function sendDue(ledger: LiveLedger, around: Surroundings, prices: Prices): Promise<number> {
  const { state } = ledger;
  let sent = 0;
  const { last } = state;
  if (last === undefined || !isSent(last) || state.halt !== undefined) return sent;
  for (const side of ['sell', 'buy'] as const) {
    let waits = false;
    for (const [leg, planned] of last.planned.entries()) {
      if (planned.side !== side) continue;
      const step = stepOf(state, last, leg, around.now());
      if (step.kind === 'wait') waits = true;
      if (step.kind !== 'send') continue;
      if (await send(ledger, { bar: last, leg, ...step }, around, prices)) {
        sent++;
        waits = true;
      }
    }
    if (waits) return sent;
  }
  return sent;
}

/** Prices of the last trades, for an order that is sent later than it was planned. */
export type Prices = (symbol: LiveBar['planned'][number]['symbol']) => Promise<number | undefined>;

const isSent = ({ decision }: LiveBar): boolean =>
  decision === 'placed' || decision === 'flattened' || decision === 'paused';

/** Every leg of the last decision has come to its end, and filled. */
export function isCarriedOut(state: LiveState): boolean {
  const { last } = state;
  if (last === undefined) return true;
  if (last.decision !== 'placed') return false;
  const steps = last.planned.map((_, leg) => stepOf(state, last, leg, Infinity));
  return last.unplaced.length === 0 && steps.every((step) => step.kind === 'done' && step.isWhole);
}

function stepOf(state: LiveState, bar: LiveBar, leg: number, nowMs: number): ReturnType<typeof nextStep> {
  const { execution, timeframe } = state.session;
  const tried = [...state.orders.values()].filter(
    ({ intent }) => intent.barMs === bar.timeMs && intent.leg === leg,
  );
  // What was decided at a close is worth nothing once the next bar has closed.
  const inTime = nowMs < bar.timeMs + 2 * TIMEFRAME_MS[timeframe];
  return nextStep(bar.planned[leg], tried, { rests: execution.restMs > 0, inTime });
}

async function send(
  ledger: LiveLedger,
  about: {
    readonly bar: LiveBar;
    readonly leg: number;
    readonly attempt: number;
    readonly baseAmount: number;
    readonly timeInForce: 'IOC' | 'GTC';
  },
  around: Surroundings,
  prices: Prices,
): Promise<boolean> {
  const { bar, leg, attempt, timeInForce } = about;
  const { session, account, orders } = ledger.state;
  const { symbol, side, price: planned } = bar.planned[leg];
  const s = session.instruments.findIndex((one) => one.symbol === symbol);
  const { collarPct, restMs } = session.execution;
  const worse = 1 + ((side === 'buy' ? 1 : -1) * collarPct) / 100;
  // The first order goes out at the price it was planned with, which its size was cut to; later ones at today's.
  const last = attempt === 0 ? planned / worse : await prices(symbol);
  if (s < 0 || last === undefined) return false;
  const price = timeInForce === 'GTC' ? last : attempt === 0 ? planned : last * worse;
  // A stop may have sold some of it meanwhile.
  const held = side === 'sell' ? account.portfolio.columns.amount[s] : Infinity;
  const asked = { side, baseAmount: Math.min(about.baseAmount, held), price };
  const order = normaliseOrder(session.instruments[s], asked);
  if (order.kind === 'rejected') return false;
  // What a protective order holds cannot be sold by another: it goes first, and is known to be gone.
  const resting = [...orders.values()].filter(
    (one) => isProtective(one) && one.intent.symbol === symbol && !isSettled(one),
  );
  if (side === 'sell' && resting.length > 0) {
    await cancelOrders(ledger, resting, around);
    return true;
  }
  const restUntilMs = timeInForce === 'GTC' ? around.now() + restMs : undefined;
  const { baseAmount } = order;
  const intent = { leg, attempt, symbol, side, baseAmount, price: order.price, timeInForce, restUntilMs };
  await sendOrder(ledger, { barMs: bar.timeMs, ...intent, stopPrice: undefined }, around);
  return true;
}

type Draft = Omit<Intent, 'kind' | 'atMs' | 'clientId' | 'listId'>;

/** Writes the intent, sends the order, and writes what was answered. */
export async function sendOrder(ledger: LiveLedger, draft: Draft, around: Surroundings): Promise<void> {
  const intent = await writeIntent(ledger, draft, undefined, around);
  const { clientId, symbol, side, baseAmount, price, timeInForce, stopPrice } = intent;
  const order = { clientId, symbol, side, baseAmount, price, timeInForce, stopPrice };
  const reply = await around.venue.submit(order, around.signal);
  await writeReply(ledger, intent, reply, around);
}

/** A stop and a target as one request, as `sendOrder`: both intents are on disk before it leaves, and it takes both orders or neither. */
export async function sendPair(
  ledger: LiveLedger,
  [stop, take]: readonly [Draft, Draft],
  around: Surroundings & { readonly submitPair: NonNullable<Venue['submitPair']> },
): Promise<void> {
  const { barMs, symbol, attempt, baseAmount, stopPrice } = stop;
  invariant(stopPrice !== undefined, 'the first of a pair is a stop');
  const { sessionId } = ledger.state.session;
  const listId = clientOrderId({ sessionId, barMs, symbol, leg: 'pair', attempt });
  const stopIntent = await writeIntent(ledger, stop, listId, around);
  const takeIntent = await writeIntent(ledger, take, listId, around);
  const legs = {
    stop: { clientId: stopIntent.clientId, stopPrice, price: stop.price },
    take: { clientId: takeIntent.clientId, price: take.price },
  };
  const reply = await around.submitPair({ listId, symbol, baseAmount, ...legs }, around.signal);
  for (const [leg, intent] of [
    ['stop', stopIntent],
    ['take', takeIntent],
  ] as const)
    await writeReply(
      ledger,
      intent,
      reply.kind === 'answered' ? { ...reply, value: reply.value[leg] } : reply,
      around,
    );
}

async function writeIntent(
  ledger: LiveLedger,
  draft: Draft,
  listId: string | undefined,
  around: Surroundings,
): Promise<Intent> {
  const { barMs, symbol, leg, attempt } = draft;
  const { sessionId } = ledger.state.session;
  const clientId = clientOrderId({ sessionId, barMs, symbol, leg, attempt });
  const intent: Intent = { kind: 'intent', atMs: around.now(), clientId, listId, ...draft };
  await ledger.write(intent);
  return intent;
}

async function writeReply(
  ledger: LiveLedger,
  { clientId }: Intent,
  reply: Reply<OrderReport>,
  around: Surroundings,
): Promise<void> {
  const report = { kind: 'report', atMs: around.now(), clientId } as const;
  if (reply.kind === 'answered') {
    const { orderId, filled, state } = reply.value;
    await ledger.write({ ...report, orderId, filled, state, reason: undefined });
    return;
  }
  // A refusal, too, is believed once the exchange says that it does not know the order.
  const reason = reply.kind === 'refused' ? reply.reason : undefined;
  await ledger.write({ ...report, orderId: undefined, filled: 0, state: 'in-flight', reason });
}
