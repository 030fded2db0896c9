import { normaliseOrder } from '../../core/trading/orders/normalise.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { LiveLedger } from './ledger.ts';
import { isProtective, isSettled, type LiveOrder, MOST_ATTEMPTS } from './orders.ts';
import type { Surroundings } from './reconcile.ts';
import type { Intent, LiveSession } from './record.ts';
import { cancelOrders, type Prices, sendOrder, sendPair } from './send.ts';
import type { LiveState } from './state.ts';

/** An order that protects a position: as it should rest, or one that sells at once because its level has been passed. */
type Wanted = Pick<Intent, 'leg' | 'baseAmount' | 'price' | 'stopPrice' | 'timeInForce'>;

/**
 * Makes what rests at the exchange equal to what protects each position: places what is missing, cancels what is of another size or
 * level or of a position that is gone, one step a call. The next one is sent only once the last is known to be over, so two never work at
 * once. A stop and a target rest as a pair. Where the exchange has none, or has refused this one, the stop rests alone, and its target is
 * looked for at each close. Call it only while all that is held is known and nothing of a decision is under way; returns how many requests
 * it took.
 */
export async function protectDue(ledger: LiveLedger, around: Surroundings, prices: Prices): Promise<number> {
  const { state } = ledger;
  const { instruments } = state.session;
  const { submitPair } = around.venue;
  let acted = 0;
  if (state.halt !== undefined || state.last === undefined) return acted;
  for (const [s, { symbol }] of instruments.entries()) {
    const working = unsettledOf(state, symbol);
    if (working.some((order) => !isProtective(order))) continue;
    const wanted = wantedOf(state, s);
    if (working.length > 0) {
      if (!isRight(state, s, working, wanted)) acted += await cancelOrders(ledger, working, around);
      continue;
    }
    if (wanted.length === 0) continue;
    const tried = triedOf(state, symbol);
    const isPair = wanted.length > 1 && submitPair !== undefined && !isGivenUp(tried, 'pair');
    const last = isPair || !isGivenUp(tried, 'alone') ? await prices(symbol) : undefined;
    if (last === undefined) continue;
    const common = { barMs: state.last.timeMs, attempt: attemptsOf(tried), symbol, side: 'sell' } as const;
    const [first, second] = reachable(state, s, wanted, { last, isPair }).map((order) => ({
      ...common,
      ...order,
      restUntilMs: undefined,
    }));
    if (first === undefined) continue;
    if (second === undefined || submitPair === undefined) await sendOrder(ledger, first, around);
    else await sendPair(ledger, [first, second], { ...around, submitPair });
    acted++;
  }
  return acted;
}

/** Positions that a rule protects and no order does, after as many attempts as are made on one bar. */
export const unprotected = (state: LiveState): readonly PairSymbol[] =>
  state.session.instruments.flatMap(({ symbol }, s) => {
    const isLost =
      wantedOf(state, s).length > 0 &&
      unsettledOf(state, symbol).length === 0 &&
      isGivenUp(triedOf(state, symbol), 'alone');
    return isLost ? [symbol] : [];
  });

const unsettledOf = (state: LiveState, symbol: PairSymbol): readonly LiveOrder[] =>
  [...state.orders.values()].filter((order) => order.intent.symbol === symbol && !isSettled(order));

/** Protective orders that were sent since the last bar. */
const triedOf = (state: LiveState, symbol: PairSymbol): readonly LiveOrder[] =>
  [...state.orders.values()].filter(
    (order) =>
      isProtective(order) && order.intent.symbol === symbol && order.intent.barMs === state.last?.timeMs,
  );

/** A pair is one attempt. */
const attemptsOf = (tried: readonly LiveOrder[]): number =>
  1 + Math.max(-1, ...tried.map(({ intent }) => intent.attempt));

/** An exchange that refuses is not asked without end: after a pair it is asked for the stop alone, and the next bar tries again. */
function isGivenUp(tried: readonly LiveOrder[], kind: 'pair' | 'alone'): boolean {
  const failed = tried.filter(
    ({ intent, state }) =>
      (intent.listId === undefined) === (kind === 'alone') &&
      (state === 'refused' || state === 'never-arrived'),
  );
  const attempts = new Set(failed.map(({ intent }) => intent.attempt)).size;
  return attempts >= MOST_ATTEMPTS || attemptsOf(tried) >= MOST_ON_A_BAR;
}

/** Of one pair of coins: sizes and levels that change, and sales at once that find no buyer. */
const MOST_ON_A_BAR = 30;

/** The stop first. */
function wantedOf({ account, session }: LiveState, s: number): readonly Wanted[] {
  const found = account.protection(s);
  if (found === undefined) return [];
  const { baseAmount, stopPrice, takePrice } = found;
  const rests = { baseAmount, timeInForce: 'GTC' } as const;
  return [
    ...(stopPrice === undefined
      ? []
      : [{ ...rests, leg: 'stop', stopPrice, price: below(session, stopPrice) } as const]),
    ...(takePrice === undefined
      ? []
      : [{ ...rests, leg: 'take', stopPrice: undefined, price: takePrice } as const]),
  ].flatMap((order) => asSold(session, s, order));
}

/** How far down a sale may go that has to find a buyer. */
const below = ({ execution }: LiveSession, price: number): number => price * (1 - execution.collarPct / 100);

/** As the market's rules allow it; nothing where they do not. */
function asSold({ instruments }: LiveSession, s: number, wanted: Wanted): readonly Wanted[] {
  const { baseAmount, price } = wanted;
  const order = normaliseOrder(instruments[s], { side: 'sell', baseAmount, price });
  return order.kind === 'rejected' ? [] : [{ ...wanted, baseAmount: order.baseAmount, price: order.price }];
}

/** What is to be sent of `wanted`: a level that the price has passed already cannot rest, and what is held is sold now. */
function reachable(
  { session }: LiveState,
  s: number,
  wanted: readonly Wanted[],
  { last, isPair }: { readonly last: number; readonly isPair: boolean },
): readonly Wanted[] {
  const stop = wanted.find(({ leg }) => leg === 'stop');
  const take = wanted.find(({ leg }) => leg === 'take');
  // A target without a stop is an order at its price, which fills at once.
  if (stop?.stopPrice === undefined) return wanted;
  if (last <= stop.stopPrice)
    return asSold(session, s, {
      ...stop,
      price: below(session, last),
      stopPrice: undefined,
      timeInForce: 'IOC',
    });
  if (take !== undefined && last >= take.price) return [{ ...take, timeInForce: 'IOC' }];
  return isPair ? wanted : [stop];
}

/** Whether what works is what is wanted, and can still do it. */
function isRight(
  { account, last }: LiveState,
  s: number,
  working: readonly LiveOrder[],
  wanted: readonly Wanted[],
): boolean {
  const close = account.portfolio.columns.mark[s];
  // An order that was sent after the last close has seen more than it.
  const isPassed = (order: LiveOrder): boolean =>
    order.intent.barMs !== last?.timeMs &&
    (isLeftBehind(order, close) || (isAlone && isAtTarget(wanted, close)));
  const isAlone = working.length < wanted.length;
  if (!working.every((order) => wanted.some((one) => isSame(order, one)) && !isPassed(order))) return false;
  // A stop that has woken, or that the exchange took without its target, stays until a bar closes at that.
  return working.length === wanted.length || (working.length === 1 && working[0].intent.leg === 'stop');
}

const isAtTarget = (wanted: readonly Wanted[], close: number): boolean =>
  wanted.some(({ leg, price }) => leg === 'take' && close >= price);

function isSame({ intent, filledKnown, state }: LiveOrder, wanted: Wanted): boolean {
  const left = intent.baseAmount - filledKnown;
  return (
    state !== 'cancelling' &&
    intent.leg === wanted.leg &&
    intent.price === wanted.price &&
    intent.stopPrice === wanted.stopPrice &&
    Math.abs(left - wanted.baseAmount) <= 1e-9 * left
  );
}

/** The last bar closed below the limit of a stop: it was triggered, and the market has left it behind. */
const isLeftBehind = ({ intent }: LiveOrder, close: number): boolean =>
  intent.stopPrice !== undefined && close < intent.price;
