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
  placePair(pair: Pair, query: Query): unknown;
  cancelList(query: Query): unknown;
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
  /** The price comes to an order that rests or sleeps, passes its limit and comes back: it fills there, but for `left`, which waits again. */
  readonly trigger: (clientOrderId: string, left?: number) => void;
  /** Money that moves without an order. */
  move(asset: string, amount: number): void;
}

type OrderType = (typeof ORDER_TYPES)[number];
export const ORDER_TYPES = [
  'LIMIT',
  'MARKET',
  'STOP_LOSS_LIMIT',
  'TAKE_PROFIT_LIMIT',
  'LIMIT_MAKER',
] as const;

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
  list: List | undefined;
}

/** Of an OCO: two orders to sell the same coins, of which the first execution or trigger of one ends the other. */
interface List {
  readonly orderListId: number;
  readonly listClientOrderId: string;
  readonly orders: readonly Order[];
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

const works = ({ status }: Order): boolean => status === 'NEW' || status === 'PARTIALLY_FILLED';

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
  const lists: List[] = [];
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
    endOther(order, timeMs);
  };
  const endOther = ({ list, orderId }: Order, timeMs: number): void => {
    for (const other of list?.orders ?? [])
      if (other.orderId !== orderId && works(other)) end(other, 'EXPIRED', timeMs);
    if (list !== undefined) onEvent(listStatus(list, timeMs));
  };
  const end = (order: Order, status: 'EXPIRED' | 'CANCELED', timeMs: number): void => {
    order.status = status;
    onEvent(executionReport(order, timeMs));
  };
  const accountPosition = (): object => ({
    e: 'outboundAccountPosition',
    B: [...balances.keys()].map((asset) => ({ a: asset, f: String(free(asset)), l: String(locked(asset)) })),
  });
  const rest = (order: Order): number => round8(order.quantity - filledOf(order));
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
        endOther(order, nowMs);
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
        // Both orders of a list sell the same coins.
        if (order.list !== undefined && order.list.orders.find(works) !== order) return sum;
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

  /** Takes an order onto the books, if the rules allow it. */
  const accept = (
    pair: Pair,
    asked: Pick<Order, 'side' | 'type' | 'stopPrice' | 'timeInForce' | 'price' | 'quantity'>,
    name: string | null,
    { nowMs }: Query,
  ): Order => {
    const orderId = orders.length + 1;
    const clientOrderId = name ?? `loopback-${orderId}`;
    if (orders.some((known) => known.clientOrderId === clientOrderId)) {
      throw new ExchangeRefusal(-2010, 'Duplicate order sent.');
    }
    const isAwake = asked.stopPrice === undefined;
    const order: Order = {
      ...asked,
      ...{ pair, orderId, clientOrderId, isAwake, timeMs: nowMs },
      ...{ status: 'NEW', fills: [], list: undefined },
    };
    orders.push(order);
    onEvent(executionReport(order, nowMs));
    return order;
  };
  const marketOf = (pair: Pair, nowMs: number): number => {
    const market = lastPrice(pair, nowMs);
    if (market === undefined) throw new ExchangeRefusal(-1013, 'Market is closed.');
    return market;
  };
  const assertFunds = (isEnough: boolean): void => {
    if (!isEnough) throw new ExchangeRefusal(-2010, 'Account has insufficient balance for requested action.');
  };
  const halfOf = ({ quantity, pair: { amountStep } }: Order): number =>
    round8(Math.floor(quantity / 2 / amountStep) * amountStep);

  const take = (pair: Pair, query: Query): Order => {
    const { params, nowMs } = query;
    const market = marketOf(pair, nowMs);
    const side = params.get('side') === 'BUY' ? 'BUY' : 'SELL';
    const type = ORDER_TYPES.find((one) => one === params.get('type'));
    if (type === undefined) throw new ExchangeRefusal(-1116, 'Invalid orderType.');
    const stopPrice = params.has('stopPrice') ? Number(params.get('stopPrice')) : undefined;
    if (type.endsWith('_LIMIT') !== (stopPrice !== undefined)) throw malformed('stopPrice');
    const touch = side === 'BUY' ? market + pair.priceTick : market - pair.priceTick;
    const price = type === 'MARKET' ? touch : Number(params.get('price'));
    const quantity = Number(params.get('quantity'));
    assertFilters(pair, quantity, price);
    assertFunds(side === 'BUY' ? free(pair.quote) >= quantity * price : free(pair.base) >= quantity);
    if (stopPrice !== undefined && isReached({ side, type, stopPrice }, market))
      throw new ExchangeRefusal(-2010, 'Stop price would trigger immediately.');
    const timeInForce = params.get('timeInForce') ?? 'GTC';
    const asked = { side, type, stopPrice, timeInForce, price, quantity } as const;
    const order = accept(pair, asked, params.get('newClientOrderId'), query);
    const marketable =
      order.isAwake && (type === 'MARKET' || (side === 'BUY' ? price >= touch : price <= touch));
    if (marketable) fill(order, touch, has(query, 'partial-fill') ? halfOf(order) : quantity, nowMs);
    if (timeInForce === 'IOC' && order.status !== 'FILLED') order.status = 'EXPIRED';
    return order;
  };

  /**
   * developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints, "New Order list - OCO", as far as it goes here: a sale,
   * a LIMIT_MAKER above the price and a STOP_LOSS_LIMIT below it.
   */
  const takePair = (pair: Pair, query: Query): List => {
    const { params, nowMs } = query;
    const market = marketOf(pair, nowMs);
    const text = (name: string): string => {
      const value = params.get(name);
      if (value === null || value === '') throw malformed(name);
      return value;
    };
    if (text('aboveType') !== 'LIMIT_MAKER' || text('belowType') !== 'STOP_LOSS_LIMIT')
      throw new ExchangeRefusal(-1158, 'Order type not supported in OCO.');
    if (params.has('aboveTimeInForce'))
      throw new ExchangeRefusal(-1106, "Parameter 'aboveTimeInForce' sent when not required.");
    if (text('side') !== 'SELL') throw new ExchangeRefusal(-1117, 'Invalid side.');
    if (has(query, 'no-more-lists')) throw new ExchangeRefusal(-1013, 'Filter failure: MAX_NUM_ORDER_LISTS');
    const quantity = Number(text('quantity'));
    const [price, stopPrice] = [Number(text('abovePrice')), Number(text('belowStopPrice'))];
    const names = ['listClientOrderId', 'belowClientOrderId', 'aboveClientOrderId'].map(text);
    const known = [
      ...orders.map((order) => order.clientOrderId),
      ...lists.map((list) => list.listClientOrderId),
    ];
    if (new Set([...known, ...names]).size < known.length + names.length)
      throw new ExchangeRefusal(-2010, 'Duplicate order sent.');
    assertFunds(free(pair.base) >= quantity);
    for (const each of [price, stopPrice, Number(text('belowPrice'))]) assertFilters(pair, quantity, each);
    if (!(price > market && market > stopPrice))
      throw new ExchangeRefusal(-2010, 'The relationship of the prices for the orders is not correct.');
    const below = accept(
      pair,
      {
        ...{ side: 'SELL', type: 'STOP_LOSS_LIMIT', stopPrice, quantity },
        ...{ price: Number(text('belowPrice')), timeInForce: text('belowTimeInForce') },
      },
      names[1],
      query,
    );
    const maker = { side: 'SELL', type: 'LIMIT_MAKER', stopPrice: undefined, timeInForce: 'GTC' } as const;
    const above = accept(pair, { ...maker, price, quantity }, names[2], query);
    const list: List = {
      orderListId: lists.length,
      listClientOrderId: names[0],
      orders: [below, above],
    };
    lists.push(list);
    below.list = list;
    above.list = list;
    onEvent(listStatus(list, nowMs));
    // The price comes to the target, and goes back before all of it has filled.
    if (has(query, 'partial-fill')) fill(above, price, halfOf(above), nowMs);
    return list;
  };
  const cancelAll = (all: readonly Order[], query: Query): void => {
    // One of them fills while the request is on its way.
    const raced = has(query, 'cancel-race') ? all.findLast(works) : undefined;
    if (raced !== undefined) fill(raced, raced.price, rest(raced), query.nowMs);
    if (!all.some(works)) throw new ExchangeRefusal(-2011, 'Unknown order sent.');
    for (const order of all.filter(works)) end(order, 'CANCELED', query.nowMs);
  };
  /** What nothing is known of, or waits, of a request that places something. */
  const placing = <T>(query: Query, work: () => T, describe: (taken: T) => unknown): unknown => {
    if (has(query, 'rate-limit') || has(query, 'request-lost')) return {}; // nothing gets through
    if (has(query, 'reject'))
      throw new ExchangeRefusal(-2010, 'Account has insufficient balance for requested action.');
    const lateBy = query.faults.find(({ kind }) => kind === 'arrives-late');
    if (lateBy !== undefined) {
      late.push({ atMs: query.nowMs + lateBy.offsetMs, take: () => void work() });
      return {};
    }
    const taken = work();
    // A proxy that sends the request again: the answer that comes through is the second one.
    if (has(query, 'resent')) work();
    return describe(taken);
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
        if (order === undefined || !works(order)) throw new Error(`${clientOrderId} does not work`);
        order.isAwake ||= left === 0;
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
    place: (pair, query) => signed(() => placing(query, () => take(pair, query), describeOrder))(query),
    placePair: (pair, query) =>
      signed(() => placing(query, () => takePair(pair, query), describeList))(query),
    find: signed((query) => describeOrder(lookUp(query))),
    cancel: signed((query) => {
      if (has(query, 'rate-limit') || has(query, 'request-lost')) return {};
      const order = lookUp(query);
      cancelAll(order.list?.orders ?? [order], query);
      return describeOrder(order);
    }),
    cancelList: signed((query) => {
      if (has(query, 'rate-limit') || has(query, 'request-lost')) return {};
      const name = query.params.get('listClientOrderId');
      const list = lists.find(({ listClientOrderId }) => listClientOrderId === name);
      cancelAll(list?.orders ?? [], query);
      return list && describeList(list);
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
const isReached = (
  { side, type, stopPrice }: Pick<Order, 'side' | 'type' | 'stopPrice'>,
  price: number,
): boolean =>
  stopPrice === undefined ||
  ((side === 'SELL') === (type === 'STOP_LOSS_LIMIT') ? price <= stopPrice : price >= stopPrice);

const malformed = (name: string): ExchangeRefusal =>
  new ExchangeRefusal(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);

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
    orderListId: order.list?.orderListId ?? -1,
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

const describeList = (list: List) => ({
  orderListId: list.orderListId,
  contingencyType: 'OCO',
  listStatusType: list.orders.some(works) ? 'EXEC_STARTED' : 'ALL_DONE',
  listOrderStatus: list.orders.some(works) ? 'EXECUTING' : 'ALL_DONE',
  listClientOrderId: list.listClientOrderId,
  transactionTime: list.orders[0].timeMs,
  symbol: `${list.orders[0].pair.base}${list.orders[0].pair.quote}`,
  orders: list.orders.map(({ pair, orderId, clientOrderId }) => ({
    symbol: `${pair.base}${pair.quote}`,
    orderId,
    clientOrderId,
  })),
  orderReports: list.orders.map(describeOrder),
});

function listStatus(list: List, timeMs: number): object {
  return {
    e: 'listStatus',
    E: timeMs,
    s: `${list.orders[0].pair.base}${list.orders[0].pair.quote}`,
    g: list.orderListId,
    c: 'OCO',
    l: list.orders.some(works) ? 'EXEC_STARTED' : 'ALL_DONE',
    L: list.orders.some(works) ? 'EXECUTING' : 'ALL_DONE',
    r: 'NONE',
    C: list.listClientOrderId,
    T: timeMs,
    O: list.orders.map(({ pair, orderId, clientOrderId }) => ({
      s: `${pair.base}${pair.quote}`,
      i: orderId,
      c: clientOrderId,
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
    g: order.list?.orderListId ?? -1,
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
