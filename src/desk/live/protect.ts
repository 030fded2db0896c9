import { normaliseOrder } from '../../core/trading/orders/normalise.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { LiveLedger } from './ledger.ts';
import { isProtective, isSettled, type LiveOrder, MOST_ATTEMPTS } from './orders.ts';
import type { Surroundings } from './reconcile.ts';
import type { Intent } from './record.ts';
import { cancelOrder, type Prices, sendOrder } from './send.ts';
import type { LiveState } from './state.ts';

/** What protects a position now: an order as it should rest, or one that sells at once because the stop has been passed. */
type Wanted = Pick<Intent, 'leg' | 'baseAmount' | 'price' | 'stopPrice' | 'timeInForce'>;

/**
 * Makes what rests at the exchange equal to what protects each position: places what is missing, cancels what is of another size or
 * level or of a position that is gone, one step a call. The next one is sent only once the last is known to be over, so two never work at
 * once. Call it only while all that is held is known and nothing of a decision is under way; returns how many requests it took.
 */
export async function protectDue(ledger: LiveLedger, around: Surroundings, prices: Prices): Promise<number> {
  const { state } = ledger;
  const { instruments } = state.session;
  let acted = 0;
  if (state.halt !== undefined || state.last === undefined) return acted;
  for (const [s, { symbol }] of instruments.entries()) {
    const working = unsettledOf(state, symbol);
    if (working.some((order) => !isProtective(order))) continue;
    const wanted = wantedOf(state, s);
    if (working.length > 0) {
      for (const order of working) {
        if (wanted !== undefined && isSame(order, wanted) && !isLeftBehind(state, s, order)) continue;
        await cancelOrder(ledger, order, around);
        acted++;
      }
      continue;
    }
    if (wanted === undefined) continue;
    const tried = triedOf(state, symbol, wanted.leg);
    const last = isGivenUp(tried) ? undefined : await prices(symbol);
    if (last === undefined) continue;
    const { timeMs: barMs } = state.last;
    const attempt = tried.length;
    const order = reachable(state, s, wanted, last);
    if (order === undefined) continue;
    await sendOrder(
      ledger,
      { barMs, attempt, symbol, side: 'sell', ...order, restUntilMs: undefined },
      around,
    );
    acted++;
  }
  return acted;
}

/** Positions that a rule protects and no order does, after as many attempts as are made on one bar. */
export const unprotected = (state: LiveState): readonly PairSymbol[] =>
  state.session.instruments.flatMap(({ symbol }, s) => {
    const wanted = wantedOf(state, s);
    const isLost =
      wanted !== undefined &&
      unsettledOf(state, symbol).length === 0 &&
      isGivenUp(triedOf(state, symbol, wanted.leg));
    return isLost ? [symbol] : [];
  });

const unsettledOf = (state: LiveState, symbol: PairSymbol): readonly LiveOrder[] =>
  [...state.orders.values()].filter((order) => order.intent.symbol === symbol && !isSettled(order));

/** What was sent since the last bar. */
const triedOf = (state: LiveState, symbol: PairSymbol, leg: Wanted['leg']): readonly LiveOrder[] =>
  [...state.orders.values()].filter(
    ({ intent }) => intent.symbol === symbol && intent.leg === leg && intent.barMs === state.last?.timeMs,
  );

/** An exchange that refuses is not asked without end: the next bar tries again. */
const isGivenUp = (tried: readonly LiveOrder[]): boolean =>
  tried.filter(({ state }) => state === 'refused' || state === 'never-arrived').length >= MOST_ATTEMPTS ||
  tried.length >= MOST_ON_A_BAR;

/** Of one kind and pair: sizes and levels that change, and sales at once that find no buyer. */
const MOST_ON_A_BAR = 30;

function wantedOf({ account, session }: LiveState, s: number): Wanted | undefined {
  const found = account.protection(s);
  if (found === undefined) return undefined;
  const { baseAmount, stopPrice, takePrice } = found;
  const leg = stopPrice === undefined ? 'take' : 'stop';
  const price = stopPrice === undefined ? takePrice : stopPrice * (1 - session.execution.collarPct / 100);
  if (price === undefined) return undefined;
  const order = normaliseOrder(session.instruments[s], { side: 'sell', baseAmount, price });
  if (order.kind === 'rejected') return undefined;
  return { leg, baseAmount: order.baseAmount, price: order.price, stopPrice, timeInForce: 'GTC' };
}

/** A stop that the price has passed already is no stop: what is held is sold now. */
function reachable({ session }: LiveState, s: number, wanted: Wanted, last: number): Wanted | undefined {
  if (wanted.stopPrice === undefined || last > wanted.stopPrice) return wanted;
  const order = normaliseOrder(session.instruments[s], {
    side: 'sell',
    baseAmount: wanted.baseAmount,
    price: last * (1 - session.execution.collarPct / 100),
  });
  if (order.kind === 'rejected') return undefined;
  return {
    leg: 'stop',
    baseAmount: order.baseAmount,
    price: order.price,
    stopPrice: undefined,
    timeInForce: 'IOC',
  };
}

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
const isLeftBehind = ({ account }: LiveState, s: number, { intent }: LiveOrder): boolean =>
  intent.stopPrice !== undefined && account.portfolio.columns.mark[s] < intent.price;
