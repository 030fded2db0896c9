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

/**
 * A spot account: market orders fill at the touch, limit orders when the price is there, with a fee of 0.1 % of what is
 * received, as on Binance. Told so by a fault, it loses, doubles or delays an order, fills it in part, or refuses it.
 */
export interface Account {
  describe(query: Query): unknown;
  permissions(query: Query): unknown;
  place(pair: Pair, query: Query): unknown;
  find(query: Query): unknown;
  cancel(query: Query): unknown;
  open(query: Query): unknown;
  trades(pair: Pair, query: Query): unknown;
}

/** What a test compares a ledger with. */
export interface Books {
  balances(): ReadonlyMap<string, number>;
  orders(): readonly {
    readonly clientOrderId: string;
    readonly symbol: string;
    readonly status: string;
    readonly quantity: number;
    readonly filled: number;
    readonly stopPrice: number | undefined;
    readonly price: number;
  }[];
  fills(): readonly { readonly tradeId: number; readonly clientOrderId: string; readonly quantity: number }[];
  /** The price comes to an order that sleeps, falls through its limit and comes back: it fills there, but for `left`, which sleeps again. */
  readonly trigger: (clientOrderId: string, left?: number) => void;
  /** Money that moves without an order. */
  move(asset: string, amount: number): void;
}

type OrderType = (typeof ORDER_TYPES)[number];
export const ORDER_TYPES = ['LIMIT', 'MARKET', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT'] as const;

interface Order {
  readonly pair: Pair;
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly side: 'BUY' | 'SELL';
  readonly type: OrderType;
  /** Of an order that sleeps: it wakes when the price has come there. */
  readonly stopPrice: number | undefined;
  readonly timeInForce: string;
  readonly price: number;
  readonly quantity: number;
  readonly timeMs: number;
  isAwake: boolean;
  status: 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'EXPIRED';
  readonly fills: Execution[];
}

interface Execution {
  readonly tradeId: number;
  readonly price: number;
  readonly quantity: number;
  readonly fee: number;
  readonly feeAsset: string;
  readonly timeMs: number;
}

const FEE_RATE = 0.001;
/** As balances are kept: in whole units of 1e-8. */
const round8 = (value: number): number => Math.round(value * 1e8) / 1e8;

const filledOf = (order: Order): number =>
  round8(order.fills.reduce((sum, { quantity }) => sum + quantity, 0));

export function createAccount(
  pairs: readonly Pair[],
  {
    startQuote = 10_000,
    onEvent = () => undefined,
  }: { readonly startQuote?: number; readonly onEvent?: (event: object) => void } = {},
): Account & { readonly books: Books } {
  const balances = new Map<string, number>(
    pairs.flatMap(({ base, quote }) => [
      [base, 0],
      [quote, startQuote],
    ]),
  );
  const orders: Order[] = [];
  /** Orders on their way: the exchange takes them once its clock has come there. */
  let late: { readonly atMs: number; readonly take: () => void }[] = [];
  let trades = 0;
  const balance = (asset: string): number => balances.get(asset) ?? 0;
  const move = (asset: string, amount: number): unknown =>
    balances.set(asset, round8(balance(asset) + amount));

  const fill = (order: Order, price: number, quantity: number, timeMs: number): void => {
    const { base, quote } = order.pair;
    const buys = order.side === 'BUY';
    const feeAsset = buys ? base : quote;
    const fee = round8((buys ? quantity : quantity * price) * FEE_RATE);
    move(base, buys ? quantity : -quantity);
    move(quote, (buys ? -1 : 1) * quantity * price);
    move(feeAsset, -fee);
    order.fills.push({ tradeId: ++trades, price, quantity, fee, feeAsset, timeMs });
    order.status = filledOf(order) >= order.quantity ? 'FILLED' : 'PARTIALLY_FILLED';
    onEvent(executionReport(order, timeMs));
    onEvent(accountPosition());
  };
  const accountPosition = (): object => ({
    e: 'outboundAccountPosition',
    B: [...balances.keys()].map((asset) => ({ a: asset, f: String(free(asset)), l: String(locked(asset)) })),
  });
  const rest = (order: Order): number => round8(order.quantity - filledOf(order));
  const works = (order: Order): boolean => order.status === 'NEW' || order.status === 'PARTIALLY_FILLED';
  /** Resting limit orders fill as soon as somebody looks and the price has come to them. */
  const settle = (nowMs: number): void => {
    const due = late.filter(({ atMs }) => atMs <= nowMs);
    late = late.filter(({ atMs }) => atMs > nowMs);
    for (const { take } of due) take();
    for (const order of orders) {
      const price = lastPrice(order.pair, nowMs);
      if (!works(order) || price === undefined) continue;
      if (!order.isAwake) {
        if (!isReached(order, price)) continue;
        order.isAwake = true;
        // It takes what the book offers, no worse than its limit.
        const touch = order.side === 'BUY' ? price + order.pair.priceTick : price - order.pair.priceTick;
        if (order.side === 'BUY' ? touch <= order.price : touch >= order.price)
          fill(order, touch, rest(order), nowMs);
        continue;
      }
      if (order.side === 'BUY' ? price <= order.price : price >= order.price)
        fill(order, order.price, rest(order), nowMs);
    }
  };
  /** What working orders will need, which no other order may use. */
  const locked = (asset: string): number =>
    round8(
      orders.filter(works).reduce((sum, order) => {
        const { base, quote } = order.pair;
        if (order.side === 'SELL') return asset === base ? sum + rest(order) : sum;
        return asset === quote ? sum + rest(order) * order.price : sum;
      }, 0),
    );
  const free = (asset: string): number => round8(balance(asset) - locked(asset));
  const lookUp = ({ params }: Query): Order => {
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
      if (has(query, 'clock-skew'))
        throw new ExchangeRefusal(-1021, 'Timestamp for this request is outside of the recvWindow.');
      settle(query.nowMs);
      return work(query);
    };

  const take = (pair: Pair, query: Query): Order => {
    const { params, nowMs } = query;
    const market = lastPrice(pair, nowMs);
    if (market === undefined) throw new ExchangeRefusal(-1013, 'Market is closed.');
    const side = params.get('side') === 'BUY' ? 'BUY' : 'SELL';
    const type = ORDER_TYPES.find((one) => one === params.get('type'));
    if (type === undefined) throw new ExchangeRefusal(-1116, 'Invalid orderType.');
    const stopPrice = params.has('stopPrice') ? Number(params.get('stopPrice')) : undefined;
    if (type.endsWith('_LIMIT') !== (stopPrice !== undefined))
      throw new ExchangeRefusal(
        -1102,
        "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed.",
      );
    const touch = side === 'BUY' ? market + pair.priceTick : market - pair.priceTick;
    const price = type === 'MARKET' ? touch : Number(params.get('price'));
    const quantity = Number(params.get('quantity'));
    assertFilters(pair, quantity, price);
    const short = side === 'BUY' ? free(pair.quote) < quantity * price : free(pair.base) < quantity;
    if (short) throw new ExchangeRefusal(-2010, 'Account has insufficient balance for requested action.');
    const orderId = orders.length + 1;
    const clientOrderId = params.get('newClientOrderId') ?? `loopback-${orderId}`;
    if (orders.some((known) => known.clientOrderId === clientOrderId)) {
      throw new ExchangeRefusal(-2010, 'Duplicate order sent.');
    }
    const timeInForce = params.get('timeInForce') ?? 'GTC';
    const order: Order = {
      pair,
      orderId,
      clientOrderId,
      side,
      type,
      stopPrice,
      isAwake: stopPrice === undefined,
      timeInForce,
      price,
      quantity,
      timeMs: nowMs,
      status: 'NEW',
      fills: [],
    };
    if (!order.isAwake && isReached(order, market))
      throw new ExchangeRefusal(-2010, 'Stop price would trigger immediately.');
    orders.push(order);
    onEvent(executionReport(order, nowMs));
    const marketable = !order.isAwake
      ? false
      : type === 'MARKET' || (side === 'BUY' ? price >= touch : price <= touch);
    const half = Math.floor(quantity / 2 / pair.amountStep) * pair.amountStep;
    if (marketable) fill(order, touch, has(query, 'partial-fill') ? round8(half) : quantity, nowMs);
    if (timeInForce === 'IOC' && order.status !== 'FILLED') order.status = 'EXPIRED';
    return order;
  };

  return {
    books: {
      balances: () => balances,
      orders: () =>
        orders.map((order) => ({
          clientOrderId: order.clientOrderId,
          symbol: `${order.pair.base}/${order.pair.quote}`,
          status: order.status,
          quantity: order.quantity,
          stopPrice: order.stopPrice,
          price: order.price,
          filled: filledOf(order),
        })),
      fills: () =>
        orders.flatMap(({ clientOrderId, fills }) =>
          fills.map(({ tradeId, quantity }) => ({ tradeId, clientOrderId, quantity })),
        ),
      trigger: (clientOrderId, left = 0) => {
        const order = orders.find((one) => one.clientOrderId === clientOrderId);
        if (order === undefined || order.isAwake) throw new Error(`${clientOrderId} does not sleep`);
        order.isAwake = left === 0;
        fill(order, order.price, round8(rest(order) - left), order.timeMs + 1_000);
      },
      move: (asset, amount) => void move(asset, amount),
    },
    describe: signed((query) => ({
      makerCommission: 10,
      takerCommission: 10,
      canTrade: true,
      canWithdraw: false,
      canDeposit: false,
      accountType: 'SPOT',
      updateTime: query.nowMs,
      balances: [...balances.keys()].map((asset, i) => ({
        asset,
        free: i === 0 && has(query, 'negative-balance') ? '-5' : String(free(asset)),
        locked: String(locked(asset)),
      })),
      permissions: ['SPOT'],
    })),
    permissions: signed((query) => ({
      ipRestrict: false,
      enableReading: true,
      enableWithdrawals: has(query, 'may-withdraw'),
      enableSpotAndMarginTrading: !has(query, 'may-not-trade'),
    })),
    place: (pair, query) =>
      signed(() => {
        if (has(query, 'rate-limit') || has(query, 'request-lost')) return {}; // nothing gets through
        const refused = has(query, 'reject');
        if (refused)
          throw new ExchangeRefusal(-2010, 'Account has insufficient balance for requested action.');
        const lateBy = query.faults.find(({ kind }) => kind === 'arrives-late');
        if (lateBy !== undefined) {
          late.push({ atMs: query.nowMs + lateBy.offsetMs, take: () => void take(pair, query) });
          return {};
        }
        const order = take(pair, query);
        // A proxy that sends the request again: the answer that comes through is the second one.
        if (has(query, 'resent')) take(pair, query);
        return describeOrder(order);
      })(query),
    find: signed((query) => describeOrder(lookUp(query))),
    cancel: signed((query) => {
      if (has(query, 'rate-limit') || has(query, 'request-lost')) return {};
      const order = lookUp(query);
      // It fills while the request is on its way.
      if (has(query, 'cancel-race') && works(order)) fill(order, order.price, rest(order), query.nowMs);
      if (!works(order)) throw new ExchangeRefusal(-2011, 'Unknown order sent.');
      order.status = 'CANCELED';
      onEvent(executionReport(order, query.nowMs));
      return describeOrder(order);
    }),
    open: signed(() => orders.filter(works).map(describeOrder)),
    trades: (pair, query) =>
      signed(({ params }) =>
        orders
          .filter((order) => order.pair === pair)
          .flatMap((order) => order.fills.map((execution) => describeTrade(order, execution)))
          .filter(({ time }) => time >= Number(params.get('startTime') ?? 0))
          .slice(0, Number(params.get('limit') ?? 500)),
      )(query),
  };
}

/** A stop of a sale waits below the price, its target above it; of a purchase the other way round. */
const isReached = ({ side, type, stopPrice }: Order, price: number): boolean =>
  stopPrice === undefined ||
  ((side === 'SELL') === (type === 'STOP_LOSS_LIMIT') ? price <= stopPrice : price >= stopPrice);

const has = ({ faults }: Query, kind: Query['faults'][number]['kind']): boolean =>
  faults.some((fault) => fault.kind === kind);

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
  const filled = filledOf(order);
  const spent = order.fills.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  return {
    symbol: `${order.pair.base}${order.pair.quote}`,
    orderId: order.orderId,
    orderListId: -1,
    clientOrderId: order.clientOrderId,
    price: order.type === 'MARKET' ? '0' : String(order.price),
    stopPrice: String(order.stopPrice ?? 0),
    origQty: String(order.quantity),
    executedQty: String(filled),
    cummulativeQuoteQty: String(spent),
    status: order.status,
    timeInForce: order.timeInForce,
    type: order.type,
    side: order.side,
    time: order.timeMs,
    transactTime: order.timeMs,
    updateTime: order.timeMs,
    isWorking: order.isAwake && order.status === 'NEW',
    fills: order.fills.map(({ tradeId, price, quantity, fee, feeAsset }) => ({
      price: String(price),
      qty: String(quantity),
      commission: String(fee),
      commissionAsset: feeAsset,
      tradeId,
    })),
  };
}

/** https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream, of the newest change. */
function executionReport(order: Order, timeMs: number): object {
  const last = order.fills.at(-1);
  return {
    e: 'executionReport',
    E: timeMs,
    s: `${order.pair.base}${order.pair.quote}`,
    c: order.clientOrderId,
    S: order.side,
    o: order.type,
    f: order.timeInForce,
    q: String(order.quantity),
    p: String(order.price),
    P: String(order.stopPrice ?? 0),
    g: -1,
    x: last === undefined ? order.status : 'TRADE',
    X: order.status,
    r: 'NONE',
    i: order.orderId,
    l: String(last?.quantity ?? 0),
    z: String(filledOf(order)),
    L: String(last?.price ?? 0),
    n: String(last?.fee ?? 0),
    N: last?.feeAsset ?? null,
    T: timeMs,
    t: last?.tradeId ?? -1,
    O: order.timeMs,
  };
}

const describeTrade = (order: Order, { tradeId, price, quantity, fee, feeAsset, timeMs }: Execution) => ({
  symbol: `${order.pair.base}${order.pair.quote}`,
  id: tradeId,
  orderId: order.orderId,
  orderListId: -1,
  price: String(price),
  qty: String(quantity),
  quoteQty: String(price * quantity),
  commission: String(fee),
  commissionAsset: feeAsset,
  time: timeMs,
  isBuyer: order.side === 'BUY',
  isMaker: false,
  isBestMatch: true,
});
