import { invariant } from '../../foundation/errors.ts';
import { isInverse, quotePer, unitValue, worthAt } from '../accounts/worth.ts';
import type { RejectionReason } from '../events.ts';
import { reject, settle } from '../fill.ts';
import { roundDown, roundUp } from '../instrument.ts';
import type { Market } from '../market.ts';
import { openPrice, type Portfolio } from '../portfolio.ts';
import { slippageRate } from '../trade-cost.ts';
import { atrOf } from '../true-range.ts';
import { volumeLimit } from '../volume-limit.ts';
import type { OpenOrder, OrderKind, OrderRequest } from './order.ts';

/** Places orders at the close of the last bar. Prices are put on the grid on the side that costs. */
export function placeOrders(portfolio: Portfolio, requests: readonly OrderRequest[]): void {
  if (portfolio.ruinedAt === portfolio.ruinedAt) return;
  for (const asked of requests) {
    invariant(asked.baseAmount > 0, 'an order has an amount');
    const { amountStep, priceTick } = portfolio.instruments[asked.s];
    const request = { ...asked, kind: onGrid(asked, priceTick) };
    const left = roundDown(request.baseAmount, amountStep);
    const id = portfolio.ordersPlaced++;
    const order = { id, request, left, filled: 0, rests: false, triggered: false, best: undefined };
    if (left === 0) refuse(portfolio, order, 'below-amount-step', portfolio.time);
    else portfolio.orders = [...portfolio.orders, order];
  }
}

function onGrid({ side, kind }: OrderRequest, tick: number): OrderKind {
  const cheap = (price: number): number => (side === 'buy' ? roundDown : roundUp)(price, tick);
  const dear = (price: number): number => (side === 'buy' ? roundUp : roundDown)(price, tick);
  switch (kind.kind) {
    case 'market':
    case 'trailing':
      return kind;
    case 'limit':
    case 'take-profit':
      return { ...kind, price: cheap(kind.price) };
    case 'stop':
      return { ...kind, price: dear(kind.price) };
    case 'stop-limit':
      return { ...kind, price: dear(kind.price), limitPrice: cheap(kind.limitPrice) };
  }
}

/** Takes back every order that works or sleeps in symbol `s`, or in all. */
export function cancelOrders(portfolio: Portfolio, s?: number): void {
  portfolio.orders = portfolio.orders.filter(({ request }) => s !== undefined && request.s !== s);
}

/**
 * Lets the orders in each symbol meet the prices of bar `row`, along a path: its open, the extreme that the rules say comes
 * first, the other, its close. `stop-first` goes against what is held; flat, the extreme nearer to the open comes first.
 * Returns the symbols whose position began inside the bar: their rules of stop and target work from the next bar on.
 */
export function workOrders(portfolio: Portfolio, market: Market, row: number): ReadonlySet<number> {
  const begun = new Set<number>();
  const time = market.time[row];
  for (let s = 0; s < portfolio.instruments.length; s++) {
    if (!portfolio.orders.some(({ request }) => request.s === s)) continue;
    const candles = market.candles[s];
    if (Number.isNaN(candles.open[row])) continue;
    const limit = volumeLimit(portfolio, market, row, s);
    const desk: Desk = { portfolio, market, row, s, time, limit, isInside: false, begun: false };
    expire(desk);
    const path = pathOf(portfolio, s, candles.open[row], candles.high[row], candles.low[row]);
    atPrice(desk, path[0], true);
    endAtOnce(desk);
    desk.isInside = true;
    for (let i = 1; i < path.length; i++) travel(desk, path[i - 1], path[i]);
    travel(desk, path[2], candles.close[row]);
    if (desk.begun && portfolio.columns.amount[s] !== 0) begun.add(s);
  }
  return begun;
}

interface Desk {
  readonly portfolio: Portfolio;
  readonly market: Market;
  readonly row: number;
  readonly s: number;
  readonly time: number;
  /** Base amount that the bar still gives. */
  limit: number;
  /** The open is over. */
  isInside: boolean;
  /** Whether what is held now was opened after the open. */
  begun: boolean;
}

function pathOf(
  { columns, rules }: Portfolio,
  s: number,
  open: number,
  high: number,
  low: number,
): readonly [number, number, number] {
  const held = columns.amount[s];
  const lowFirst =
    rules.intrabarOrder === 'nearest-first' || held === 0
      ? open - low <= high - open
      : held > 0 === (rules.intrabarOrder !== 'target-first');
  return lowFirst ? [open, low, high] : [open, high, low];
}

const works = ({ portfolio, s, time }: Desk, { request }: OpenOrder): boolean =>
  request.s === s &&
  (request.notBeforeMs ?? -Infinity) <= time &&
  (request.after === undefined || !portfolio.orders.some((other) => other.request.name === request.after));

function expire(desk: Desk): void {
  const { portfolio, s, time } = desk;
  for (const order of [...portfolio.orders]) {
    const { timeInForce } = order.request;
    if (order.request.s !== s || typeof timeInForce !== 'number' || timeInForce > time) continue;
    drop(desk, order, 'expired');
  }
}

/** What the price `now` fills at once: everything at the open of a bar, later what has just begun to work. */
function atPrice(desk: Desk, now: number, atOpen: boolean): void {
  for (const order of [...desk.portfolio.orders]) {
    if (!desk.portfolio.orders.includes(order) || !works(desk, order)) continue;
    if (!atOpen && order.rests) continue;
    follow(order, now);
    const buys = order.request.side === 'buy' ? 1 : -1;
    const { kind } = order.request;
    const limit = limitOf(order);
    if (limit !== undefined) {
      if (buys * (now - limit) > 0) order.rests = true;
      else if (order.rests) fill(desk, order, now, { slips: false, maker: true });
      else if (kind.kind === 'limit' && kind.postOnly === true) drop(desk, order, 'post-only');
      else fill(desk, order, now, { slips: true, maker: false, limit });
    } else if (kind.kind === 'market' || order.triggered) {
      fill(desk, order, now, { slips: true, maker: false });
    } else if (isReached(desk, order, now)) {
      trigger(desk, order, now);
    } else {
      order.rests = true;
    }
  }
}

/** The price a working limit rests at; `undefined` for other kinds and for a stop-limit before its stop. */
function limitOf({ request: { kind }, triggered }: OpenOrder): number | undefined {
  if (kind.kind === 'limit') return kind.price;
  return kind.kind === 'stop-limit' && triggered ? kind.limitPrice : undefined;
}

/** Where a stop, a take-profit or a trailing stop is reached. */
function triggerOf({ portfolio, s }: Desk, order: OpenOrder): number {
  const { kind, side } = order.request;
  if (kind.kind === 'trailing') {
    const buys = side === 'buy' ? 1 : -1;
    const { best = NaN } = order;
    if (kind.by === 'percent') return best * (1 + (buys * kind.distance) / 100);
    if (kind.by === 'price') return best + buys * kind.distance;
    invariant(portfolio.rules.exits !== undefined, 'a trailing order by ATR needs the rules to keep it');
    return best + buys * kind.distance * atrOf(portfolio, portfolio.rules.exits, s);
  }
  return kind.kind === 'market' || kind.kind === 'limit' ? NaN : kind.price;
}

/** 1: the order waits for a rise, -1: for a fall. */
const direction = ({ request: { kind, side } }: OpenOrder): number =>
  (side === 'buy' ? 1 : -1) * (kind.kind === 'take-profit' ? -1 : 1);

const isReached = (desk: Desk, order: OpenOrder, now: number): boolean =>
  direction(order) * (now - triggerOf(desk, order)) >= 0;

/** A stop or take-profit becomes a market order at `now`, a stop-limit a limit order. */
function trigger(desk: Desk, order: OpenOrder, now: number): void {
  order.triggered = true;
  order.rests = false;
  atPrice(desk, now, false);
}

/** Goes from one price to another and lets each order on the way have its turn, in the order in which they are met. */
function travel(desk: Desk, from: number, to: number): void {
  const way = Math.sign(to - from);
  let now = from;
  // A bar that has no volume left fills nothing more.
  while (way !== 0 && desk.limit > 0) {
    let next: { readonly order: OpenOrder; readonly price: number } | undefined;
    for (const order of desk.portfolio.orders) {
      if (!works(desk, order) || !order.rests) continue;
      const price = metOn(desk, order, way, now, to);
      if (price !== undefined && (next === undefined || way * (price - next.price) < 0))
        next = { order, price };
    }
    if (next === undefined) break;
    now = next.price;
    const { order } = next;
    if (limitOf(order) !== undefined) fill(desk, order, now, { slips: false, maker: true });
    else trigger(desk, order, now);
    atPrice(desk, now, false);
  }
  for (const order of desk.portfolio.orders) if (works(desk, order)) follow(order, to);
}

/** Moves the best price that a trailing stop has seen. */
function follow(order: OpenOrder, price: number): void {
  const { kind, side } = order.request;
  if (kind.kind !== 'trailing') return;
  const buys = side === 'buy' ? 1 : -1;
  if (order.best === undefined || buys * (price - order.best) < 0) order.best = price;
}

/** The price at which the order fills or triggers between `now` and `to`; `undefined`: it does not. */
function metOn(desk: Desk, order: OpenOrder, way: number, now: number, to: number): number | undefined {
  const limit = limitOf(order);
  const price = limit ?? triggerOf(desk, order);
  const waits = limit === undefined ? direction(order) : order.request.side === 'buy' ? -1 : 1;
  if (waits !== way || way * (price - now) < 0) return undefined;
  const past = way * (to - price);
  const needsMore = limit !== undefined && desk.portfolio.rules.takeProfitFill === 'beyond';
  return past > 0 || (past === 0 && !needsMore) ? price : undefined;
}

interface Terms {
  readonly slips: boolean;
  readonly maker: boolean;
  /** The worst price it may fill at. */
  readonly limit?: number;
}

/** Fills what position, cash, exposure and volume allow; an order that could fill no more ends. */
function fill(desk: Desk, order: OpenOrder, price: number, { slips, maker, limit }: Terms): void {
  const { portfolio, s, time } = desk;
  const { columns, rules, instruments } = portfolio;
  const { amountStep, minNotional } = instruments[s];
  const { side, reduceOnly = false, timeInForce } = order.request;
  const sign = side === 'buy' ? 1 : -1;
  const held = columns.amount[s];
  const closes = sign * held < 0 ? Math.abs(held) : 0;
  const opens =
    reduceOnly || (sign < 0 && !rules.allowShort) ? 0 : room(desk, sign, price, closes, order.left);
  const able = roundDown(Math.min(order.left, closes + opens), amountStep);
  const short = reduceOnly || sign < 0 ? 'reduce-only' : 'insufficient-quote';
  if (able === 0) return drop(desk, order, short);
  if (able * quotePer(isInverse(rules), price) < minNotional && able !== closes)
    return drop(desk, order, 'below-min-notional');
  const filled = Math.min(able, roundDown(Math.max(0, desk.limit), amountStep));
  if (timeInForce === 'FOK' && filled < order.left) return drop(desk, order, 'fill-or-kill');
  const closing = Math.min(filled, closes);
  for (const part of [closing, filled - closing]) {
    if (part <= 0) continue;
    const rate = slips ? slippageRate(rules, columns, s, part) : 0;
    const worst = limit === undefined ? rate : Math.min(rate, Math.max(0, sign * (limit / price - 1)));
    settle(portfolio, s, {
      signedAmount: sign * part,
      referencePrice: price,
      rate: worst,
      cause: 'order',
      time,
      maker,
    });
  }
  if (Math.sign(columns.amount[s]) !== Math.sign(held)) desk.begun = desk.isInside;
  order.left = filled === order.left ? 0 : roundDown(order.left - filled, amountStep);
  order.filled += filled;
  const { group } = order.request;
  if (group !== undefined && filled > 0)
    for (const other of [...portfolio.orders])
      if (other !== order && other.request.group === group) end(portfolio, other);
  if (filled < able) {
    // The bar has no more volume: the rest works on in the next.
    desk.limit = 0;
    order.rests = true;
    refuse(portfolio, order, 'volume-share', time);
    return;
  }
  desk.limit -= filled;
  if (order.left > 0 && !reduceOnly) refuse(portfolio, order, short, time);
  end(portfolio, order);
}

/**
 * Base amount that may be opened beyond closing: what cash and the exposure limit leave, with all that is held at its price now: `price` in
 * this symbol, the bar's open in others.
 */
function room(
  { portfolio, market, row, s }: Desk,
  sign: number,
  price: number,
  closes: number,
  wanted: number,
): number {
  const { rules, columns, cash } = portfolio;
  const { amount } = columns;
  const inverse = isInverse(rules);
  const rate = slippageRate(rules, columns, s, wanted);
  const unit = unitValue(inverse, price);
  const unitCost = unit * (1 + rate) * (1 + rules.feeBps / 10_000);
  let [worth, held] = [cash, -closes * unit];
  for (let i = 0; i < amount.length; i++) {
    if (amount[i] === 0) continue;
    const now = i === s ? price : openPrice(portfolio, market, row, i);
    worth += amount[i] * worthAt(inverse, now);
    held += Math.abs(amount[i]) * unitValue(inverse, now);
  }
  const exposure = Math.max(0, (worth * rules.maxExposurePct) / 100 - held) / unitCost;
  return sign < 0 || rules.account !== undefined
    ? exposure
    : Math.max(0, Math.min(exposure, cash / unitCost - closes));
}

/** What an order that is good for its first moment only has left then ends. */
function endAtOnce(desk: Desk): void {
  for (const order of [...desk.portfolio.orders]) {
    const { timeInForce } = order.request;
    if (!works(desk, order) || (timeInForce !== 'IOC' && timeInForce !== 'FOK')) continue;
    drop(desk, order, timeInForce === 'FOK' ? 'fill-or-kill' : 'expired');
  }
}

function drop({ portfolio, time }: Desk, order: OpenOrder, reason: RejectionReason): void {
  refuse(portfolio, order, reason, time);
  end(portfolio, order);
}

function refuse(
  portfolio: Portfolio,
  { request, left }: OpenOrder,
  reason: RejectionReason,
  time: number,
): void {
  reject(portfolio, request.s, request.side === 'buy' ? left : -left, reason, time);
}

/** Ends an order, and wakes those that slept for it for as much as it filled; for nothing they end too. */
function end(portfolio: Portfolio, order: OpenOrder): void {
  portfolio.orders = portfolio.orders.filter((other) => other !== order);
  const { name } = order.request;
  if (name === undefined) return;
  for (const other of portfolio.orders)
    if (other.request.after === name) other.left = Math.min(other.left, order.filled);
  portfolio.orders = portfolio.orders.filter(({ left, request }) => left > 0 || request.after !== name);
}
