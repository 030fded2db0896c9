import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { normaliseOrder } from '../../core/trading/orders/normalise.ts';
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
  for (const order of due) await cancelOrder(ledger, order, around);
  return due.length;
}

/** What came of it, the next look says. */
export async function cancelOrder(
  ledger: LiveLedger,
  { intent, state, filledSaid: filled }: LiveOrder,
  around: Surroundings,
): Promise<void> {
  const { clientId } = intent;
  const report = { kind: 'report', atMs: around.now(), clientId, filled } as const;
  if (state !== 'cancelling')
    await ledger.write({ ...report, orderId: undefined, state: 'cancelling', reason: undefined });
  await around.venue.cancel(intent, around.signal);
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
  const resting = [...orders.values()].find(
    (one) => isProtective(one) && one.intent.symbol === symbol && !isSettled(one),
  );
  if (side === 'sell' && resting !== undefined) {
    await cancelOrder(ledger, resting, around);
    return true;
  }
  const restUntilMs = timeInForce === 'GTC' ? around.now() + restMs : undefined;
  const { baseAmount } = order;
  const intent = { leg, attempt, symbol, side, baseAmount, price: order.price, timeInForce, restUntilMs };
  await sendOrder(ledger, { barMs: bar.timeMs, ...intent, stopPrice: undefined }, around);
  return true;
}

/** Writes the intent, sends the order, and writes what was answered. */
export async function sendOrder(
  ledger: LiveLedger,
  intent: Omit<Intent, 'kind' | 'atMs' | 'clientId'>,
  around: Surroundings,
): Promise<void> {
  const { sessionId } = ledger.state.session;
  const { barMs, leg, attempt, symbol, restUntilMs: _, ...order } = intent;
  const clientId = clientOrderId({ sessionId, barMs, symbol, leg, attempt });
  await ledger.write({ kind: 'intent', atMs: around.now(), clientId, ...intent });
  const reply = await around.venue.submit({ clientId, symbol, ...order }, around.signal);
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
