import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Ccxt, type Credentials, loadCcxt } from './ccxt.ts';
import { DEAD_MAN } from './dead-man.ts';
import { ORDER_LISTS } from './order-lists.ts';
import { PERMISSIONS } from './permissions.ts';
import { listenToAccount } from './user-stream.ts';
import type { FillReport, OrderReport, Reply, Venue } from './venue.ts';

export interface VenueOptions {
  readonly id: string;
  readonly baseUrl?: string | undefined;
  /** The exchange's own playground: demo trading of Binance and Bybit, the demo accounts of OKX. */
  readonly sandbox: boolean;
  readonly timeoutMs: number;
  readonly credentials: Credentials;
  /** Whether requests are spaced as the exchange asks for; default: yes. */
  readonly paced?: boolean;
}

/** How each exchange is asked for an order by the id that its sender gave it. */
const LOOK_UP: Readonly<Record<string, (clientId: string) => object>> = {
  binance: (clientId) => ({ clientOrderId: clientId }),
  bybit: (clientId) => ({ acknowledged: true, orderLinkId: clientId }),
  okx: (clientId) => ({ clientOrderId: clientId }),
};

/** Exchanges whose orders can be looked up by the sender's id, and whose keys say what they may do. */
export const TRADED_EXCHANGES: readonly string[] = Object.keys(LOOK_UP);

/**
 * Exchanges on whose spot market a stop is an order like any other: looked up by the sender's id before and after it is triggered, its
 * executions its own. Elsewhere a triggered stop becomes another order, with another id.
 */
export const RESTING_STOPS: readonly string[] = ['binance'];

/**
 * A spot account that can trade. Throws `UserError` for an exchange that is not in `TRADED_EXCHANGES`. Nothing is sent
 * before the first call. ccxt's instance lives as long as the venue.
 */
export async function openVenue(options: VenueOptions): Promise<Venue> {
  const { id } = options;
  if (!TRADED_EXCHANGES.includes(id))
    throw new UserError(`Live trading on "${id}" is not supported.`, {
      hint: suggest(id, TRADED_EXCHANGES),
    });
  const ccxt = await loadCcxt(id, { ...options, streams: true });
  const { exchange } = ccxt;

  let clockKnown = false;
  const ask = async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<Reply<T>> => {
    try {
      const value = await ccxt.during(signal, async () => {
        // Signed requests carry a time, and are refused when it is not the exchange's.
        if (!clockKnown) await exchange.loadTimeDifference();
        clockKnown = true;
        return work();
      });
      return { kind: 'answered', value };
    } catch (error) {
      if (error instanceof ccxt.errors.InvalidNonce) clockKnown = false;
      return unanswered(error, ccxt);
    }
  };
  const theirs = async (symbol: PairSymbol): Promise<string> => {
    const known = Object.keys(await exchange.loadMarkets());
    if (known.includes(symbol)) return symbol;
    throw new ccxt.errors.BadSymbol(`${exchange.name} does not trade ${symbol}`);
  };

  /** A request by ccxt's name of it. */
  const byName = (method: string, params: object): Promise<unknown> => {
    const request: unknown = Reflect.get(exchange, method);
    if (typeof request !== 'function') throw new TypeError(`ccxt's ${id} has no ${method}`);
    return Promise.resolve(Reflect.apply(request, exchange, [params]));
  };

  return {
    submit: ({ clientId, symbol, side, baseAmount, price, timeInForce, stopPrice }, signal) =>
      ask(async () => {
        const params = {
          clientOrderId: clientId,
          timeInForce,
          ...(stopPrice !== undefined && { stopLossPrice: stopPrice }),
        };
        const market = await theirs(symbol);
        const said = await exchange.createOrder(market, 'limit', side, baseAmount, price, params);
        // Some exchanges answer with an id alone: what came of it is looked up.
        const { id: orderId } = z.object({ id: z.string().min(1) }).parse(said);
        const whole = Order.safeParse(said);
        const known = whole.success && whole.data.status !== undefined;
        return known
          ? reportOf(whole.data, { clientId, symbol })
          : { clientId, symbol, orderId, filled: 0, state: 'open' };
      }, signal),
    ...(id in ORDER_LISTS && {
      submitPair: (pair, signal) =>
        ask(async () => {
          const { symbol, stop, take } = pair;
          await theirs(symbol);
          const taken = await ORDER_LISTS[id].submit(byName, exchange, pair);
          const reportOn = ({ clientId }: { readonly clientId: string }): OrderReport => {
            const orderId = taken.get(clientId);
            if (orderId !== undefined) return { clientId, symbol, orderId, filled: 0, state: 'open' };
            throw new ccxt.errors.BadResponse(`${exchange.name} names other orders than were sent`);
          };
          return { stop: reportOn(stop), take: reportOn(take) };
        }, signal),
    }),
    cancel: ({ clientId, symbol, listId }, signal) =>
      ask(async () => {
        const market = await theirs(symbol);
        if (listId !== undefined)
          return void (await ORDER_LISTS[id].cancel(byName, exchange, { listId, symbol }));
        await exchange.cancelOrder(undefined, market, cancelParams(id, clientId));
      }, signal),
    lookUp: ({ clientId, symbol }, signal) =>
      ask(async () => {
        const market = await theirs(symbol);
        try {
          const said = await exchange.fetchOrder(undefined, market, LOOK_UP[id](clientId));
          return reportOf(Order.parse(said), { clientId, symbol });
        } catch (error) {
          if (error instanceof ccxt.errors.OrderNotFound) return undefined;
          throw error;
        }
      }, signal),
    openOrders: (symbols, signal) =>
      ask(async () => {
        const found: OrderReport[] = [];
        for (const symbol of symbols) {
          const said = Order.array().parse(await exchange.fetchOpenOrders(await theirs(symbol)));
          for (const order of said)
            found.push(reportOf(order, { clientId: order.clientOrderId ?? '', symbol }));
        }
        return found;
      }, signal),
    fills: (symbol, sinceMs, signal) =>
      ask(async () => {
        const market = await theirs(symbol);
        const found = new Map<string, FillReport>();
        for (let fromMs = sinceMs; ;) {
          const said = Trade.array().parse(await exchange.fetchMyTrades(market, fromMs, PAGE));
          const before = found.size;
          for (const trade of said) found.set(trade.id, fillOf(trade, symbol));
          // A page that adds nothing is the last: one millisecond may hold more than a page only on no exchange we know.
          if (said.length < PAGE || found.size === before) break;
          fromMs = Math.max(...said.map(({ timestamp }) => timestamp));
        }
        return [...found.values()].toSorted((a, b) => a.timeMs - b.timeMs);
      }, signal),
    balances: (signal) =>
      ask(async () => {
        const { total } = Balance.parse(await exchange.fetchBalance());
        const held = Object.entries(total).map(([asset, value]): [string, number] => [asset, value ?? 0]);
        return new Map(held);
      }, signal),
    listen: (listener, signal) => listenToAccount(ccxt, listener, signal),
    permissions: (signal) => ask(() => PERMISSIONS[id](byName), signal),
    ...(id in DEAD_MAN && {
      deadMan: (afterMs, signal) => ask(async () => void (await DEAD_MAN[id](byName, afterMs)), signal),
    }),
  };
}

const PAGE = 500;

const cancelParams = (id: string, clientId: string): object =>
  id === 'bybit' ? { orderLinkId: clientId } : { clientOrderId: clientId };

const amount = z.number().nonnegative();
const Order = z.object({
  id: z.string().min(1),
  clientOrderId: z.string().nullish(),
  status: z.enum(['open', 'closed', 'canceled', 'expired', 'rejected', 'canceling']).optional(),
  filled: amount.nullish(),
});
const Trade = z.object({
  id: z.string().min(1),
  order: z.string().min(1),
  side: z.enum(['buy', 'sell']),
  amount: z.number().positive(),
  price: z.number().positive(),
  timestamp: z.number().positive(),
  fee: z.object({ cost: z.number().nullish(), currency: z.string().nullish() }).partial().nullish(),
});
const Balance = z.object({ total: z.record(z.string(), z.number().nonnegative().nullish()) });

const reportOf = (
  { id, status, filled }: z.output<typeof Order>,
  name: { readonly clientId: string; readonly symbol: PairSymbol },
): OrderReport => ({
  ...name,
  orderId: id,
  filled: filled ?? 0,
  state: status === undefined || status === 'open' || status === 'canceling' ? 'open' : 'ended',
});

const fillOf = (
  { id, order, side, amount: baseAmount, price, timestamp, fee }: z.output<typeof Trade>,
  symbol: PairSymbol,
): FillReport => ({
  tradeId: id,
  orderId: order,
  side,
  baseAmount,
  price,
  feeAmount: fee?.cost ?? 0,
  feeAsset: fee?.currency ?? symbol.split('/')[1],
  timeMs: timestamp,
});

/**
 * What is no answer to trust. Only errors that an exchange gives before it takes an order are a refusal; everything else,
 * errors of no known kind included, leaves open whether it was taken.
 */
function unanswered(
  error: unknown,
  { errors }: Ccxt,
): { readonly kind: 'refused' | 'unknown'; readonly reason: string } {
  if (error instanceof z.ZodError) {
    const faults = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    const reason = `an answer that cannot be true or read (${plainLine(faults, 160)})`;
    return { kind: 'unknown', reason };
  }
  const reason = plainLine(error instanceof Error ? error.message : String(error));
  if (error instanceof errors.DuplicateOrderId || error instanceof errors.OrderNotFound)
    return { kind: 'unknown', reason };
  if (/duplicate/i.test(reason)) return { kind: 'unknown', reason };
  const refused = [
    errors.InsufficientFunds,
    errors.InvalidOrder,
    errors.BadRequest,
    errors.AuthenticationError,
    errors.OperationRejected,
    errors.NotSupported,
    errors.ArgumentsRequired,
  ].some((kind) => error instanceof kind);
  return { kind: refused ? 'refused' : 'unknown', reason };
}
