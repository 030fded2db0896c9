import { createHmac } from 'node:crypto';
import { lastPrice, type Pair } from './market.ts';
import type { Query } from './server.ts';

/** Binance's error codes, https://developers.binance.com/docs/binance-spot-api-docs/errors. */
export class ExchangeRefusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The key pair of the one account there is. */
export const LOOPBACK_KEYS = { apiKey: 'loopback-key', secret: 'loopback-secret' };

/** A spot account: market orders fill at the touch with 0.1 % fee, limit orders fill when the price is there. */
export interface Account {
  describe(query: Query): unknown;
  place(pair: Pair, query: Query): unknown;
  find(query: Query): unknown;
  cancel(query: Query): unknown;
  open(query: Query): unknown;
}

interface Order {
  readonly pair: Pair;
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly side: 'BUY' | 'SELL';
  readonly type: 'MARKET' | 'LIMIT';
  readonly price: number;
  readonly quantity: number;
  readonly timeMs: number;
  status: 'NEW' | 'FILLED' | 'CANCELED';
  fillPrice: number;
}

const FEE_RATE = 0.001;

export function createAccount(pairs: readonly Pair[], startQuote = 10_000): Account {
  const balances = new Map<string, number>(
    pairs.flatMap(({ base, quote }) => [
      [base, 0],
      [quote, startQuote],
    ]),
  );
  const orders: Order[] = [];
  const balance = (asset: string): number => balances.get(asset) ?? 0;
  const move = (asset: string, amount: number): unknown => balances.set(asset, balance(asset) + amount);

  const fill = (order: Order, price: number): void => {
    const { base, quote } = order.pair;
    const sign = order.side === 'BUY' ? 1 : -1;
    move(base, sign * order.quantity - (sign > 0 ? order.quantity * FEE_RATE : 0));
    move(quote, -sign * order.quantity * price - (sign < 0 ? order.quantity * price * FEE_RATE : 0));
    order.status = 'FILLED';
    order.fillPrice = price;
  };
  /** Resting limit orders fill as soon as somebody looks and the price has come to them. */
  const settle = (nowMs: number): void => {
    for (const order of orders) {
      const price = lastPrice(order.pair, nowMs);
      if (order.status !== 'NEW' || price === undefined) continue;
      if (order.side === 'BUY' ? price <= order.price : price >= order.price) fill(order, order.price);
    }
  };
  const lookUp = (query: Query): Order => {
    const { params } = query;
    const found = orders.find(
      (order) =>
        order.orderId === Number(params.get('orderId')) ||
        order.clientOrderId === params.get('origClientOrderId'),
    );
    if (found === undefined) throw new ExchangeRefusal(-2013, 'Order does not exist.');
    return found;
  };
  const signed =
    (work: (query: Query) => unknown) =>
    (query: Query): unknown => {
      assertSigned(query);
      settle(query.nowMs);
      return work(query);
    };

  return {
    describe: signed(({ nowMs }) => ({
      makerCommission: 10,
      takerCommission: 10,
      canTrade: true,
      canWithdraw: false,
      canDeposit: false,
      accountType: 'SPOT',
      updateTime: nowMs,
      balances: [...balances].map(([asset, free]) => ({ asset, free: String(free), locked: '0' })),
      permissions: ['SPOT'],
    })),
    place: (pair, query) =>
      signed(({ params, nowMs }) => {
        const market = lastPrice(pair, nowMs);
        if (market === undefined) throw new ExchangeRefusal(-1013, 'Market is closed.');
        const side = params.get('side') === 'BUY' ? 'BUY' : 'SELL';
        const type = params.get('type') === 'LIMIT' ? 'LIMIT' : 'MARKET';
        const touch = side === 'BUY' ? market + pair.priceTick : market - pair.priceTick;
        const price = type === 'LIMIT' ? Number(params.get('price')) : touch;
        const quantity = Number(params.get('quantity'));
        assertFilters(pair, quantity, price);
        const short = side === 'BUY' ? balance(pair.quote) < quantity * price : balance(pair.base) < quantity;
        if (short) throw new ExchangeRefusal(-2010, 'Account has insufficient balance for requested action.');
        const orderId = orders.length + 1;
        const clientOrderId = params.get('newClientOrderId') ?? `loopback-${orderId}`;
        if (orders.some((known) => known.clientOrderId === clientOrderId)) {
          throw new ExchangeRefusal(-2010, 'Duplicate order sent.');
        }
        const order: Order = {
          pair,
          orderId,
          clientOrderId,
          side,
          type,
          price,
          quantity,
          timeMs: nowMs,
          status: 'NEW',
          fillPrice: 0,
        };
        orders.push(order);
        const marketable = type === 'MARKET' || (side === 'BUY' ? price >= touch : price <= touch);
        if (marketable) fill(order, touch);
        return describeOrder(order);
      })(query),
    find: signed((query) => describeOrder(lookUp(query))),
    cancel: signed((query) => {
      const order = lookUp(query);
      if (order.status !== 'NEW') throw new ExchangeRefusal(-2011, 'Unknown order sent.');
      order.status = 'CANCELED';
      return describeOrder(order);
    }),
    open: signed(() => orders.filter((order) => order.status === 'NEW').map(describeOrder)),
  };
}

/** Binance signs the whole query string with HMAC-SHA256; `signature` is its last parameter. */
function assertSigned({ params, headers }: Query): void {
  if (headers['x-mbx-apikey'] !== LOOPBACK_KEYS.apiKey) {
    throw new ExchangeRefusal(-2015, 'Invalid API-key, IP, or permissions for action.');
  }
  const unsigned = new URLSearchParams(params);
  unsigned.delete('signature');
  const expected = createHmac('sha256', LOOPBACK_KEYS.secret).update(unsigned.toString()).digest('hex');
  if (params.get('signature') !== expected) {
    throw new ExchangeRefusal(-1022, 'Signature for this request is not valid.');
  }
}

function assertFilters({ amountStep, priceTick, minNotional }: Pair, quantity: number, price: number): void {
  const isMultiple = (value: number, step: number): boolean =>
    Math.abs(value / step - Math.round(value / step)) < 1e-6;
  if (!(quantity > 0) || !isMultiple(quantity, amountStep))
    throw new ExchangeRefusal(-1013, 'Filter failure: LOT_SIZE');
  if (!(price > 0) || !isMultiple(price, priceTick))
    throw new ExchangeRefusal(-1013, 'Filter failure: PRICE_FILTER');
  if (quantity * price < minNotional) throw new ExchangeRefusal(-1013, 'Filter failure: NOTIONAL');
}

function describeOrder(order: Order): unknown {
  const filled = order.status === 'FILLED' ? order.quantity : 0;
  return {
    symbol: `${order.pair.base}${order.pair.quote}`,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: order.clientOrderId,
    price: order.type === 'LIMIT' ? String(order.price) : '0',
    origQty: String(order.quantity),
    executedQty: String(filled),
    cummulativeQuoteQty: String(filled * order.fillPrice),
    status: order.status,
    timeInForce: 'GTC',
    type: order.type,
    side: order.side,
    time: order.timeMs,
    transactTime: order.timeMs,
    updateTime: order.timeMs,
    isWorking: order.status === 'NEW',
    fills:
      filled > 0
        ? [
            {
              price: String(order.fillPrice),
              qty: String(filled),
              commission: '0',
              commissionAsset: 'BNB',
              tradeId: order.orderId,
            },
          ]
        : [],
  };
}
