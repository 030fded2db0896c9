import type { TradingEvent } from './events.ts';
import { seeLiquidity } from './liquidity.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import { stepBar } from './step.ts';

interface Curves {
  readonly equity: Float64Array;
  readonly exposure: Float64Array;
}

/** Whether a run needs nothing that only the general loop knows. */
export const canRunQuietly = ({ rules }: Portfolio, { detail }: Market): boolean =>
  rules.account === undefined && rules.exits === undefined && detail === undefined;

/**
 * A run under the common rules, specialised: bars on which nothing trades are told from the others by a few comparisons,
 * and everything else goes through `stepBar` as ever. Quiet bars leave the same bits, since they change nothing but what
 * is computed here in the same way. `onEvents` is given what happened on the others.
 */
export function runQuietly(
  portfolio: Portfolio,
  market: Market,
  targets: readonly Float64Array[],
  curves: Curves,
  onEvents: (events: readonly TradingEvent[]) => void,
): void {
  if (market.candles.length === 1) runOne(portfolio, market, targets, curves, onEvents);
  else runMany(portfolio, market, targets, curves, onEvents);
}

/** One symbol, its state in local variables between the bars that trade. */
function runOne(
  portfolio: Portfolio,
  market: Market,
  targets: readonly Float64Array[],
  { equity, exposure }: Curves,
  onEvents: (events: readonly TradingEvent[]) => void,
): void {
  const { rules, columns } = portfolio;
  const { time } = market;
  const { open, high, low, close } = market.candles[0];
  const target = targets[0];
  const bars = time.length;
  const costs = (1 + rules.feeBps / 10_000) * (1 + rules.slippageBps / 10_000);
  const { impact, trailingStop, allowShort, maxPositionPct, maxExposurePct, rebalanceBandPct } = rules;
  const touch = rules.takeProfitFill === 'touch';
  const keepsOut = rules.reentry === 'new-signal';
  const follows = trailingStop === undefined ? 0 : trailingStop.from === 'close' ? 2 : 1;
  let seen = 0;
  /** Brings the portfolio to where it stands after the quiet bars before `row`. */
  const catchUp = (row: number, pending: number): void => {
    if (impact !== undefined)
      for (; seen < row; seen++)
        if (close[seen] === close[seen]) seeLiquidity(columns, impact, market.candles[0], seen, 0);
    if (row === 0) return;
    portfolio.time = time[row - 1];
    portfolio.bars = row;
    columns.target[0] = pending;
    const last = close[row - 1];
    if (last === last) {
      columns.mark[0] = last;
      columns.barTime[0] = time[row - 1];
    }
  };

  let cash = portfolio.cash;
  let amount = 0;
  let stop = NaN;
  let take = NaN;
  let blocked = 0;
  let best = NaN;
  let pending = NaN;
  let ruined = false;
  let quiet = false;
  for (let row = 0; row < bars; row++) {
    const last = close[row];
    quiet = last === last;
    if (quiet && pending === pending) {
      const goal = pending < 0 && !allowShort ? 0 : pending;
      if (amount === 0) {
        // Out of the market and staying there: nothing wanted, or a side that an exit closed.
        quiet = blocked === 0 ? goal === 0 : keepsOut && goal * blocked > 0;
      } else if (goal * amount <= 0 || blocked !== 0 || impact !== undefined) {
        quiet = false;
      } else {
        const price = open[row];
        const value = amount * price;
        const capital = Math.max(0, cash + value) / costs;
        const room = (capital * maxExposurePct) / 100;
        let wanted = goal * ((capital * maxPositionPct) / 100);
        const asked = wanted < 0 ? -wanted : wanted;
        if (asked > room) wanted *= Math.max(0, room) / asked;
        const change = wanted - value;
        quiet = wanted * amount > 0 && (change < 0 ? -change : change) <= (capital * rebalanceBandPct) / 100;
      }
    }
    if (quiet && amount !== 0) {
      if (amount > 0) {
        const gain = high[row] - take;
        if (low[row] <= stop || gain > 0 || (touch && gain === 0)) quiet = false;
        else if (follows !== 0 && (follows === 1 ? high[row] : last) > best) quiet = false;
        else if (cash < 0 && !(cash + amount * low[row] > 0)) quiet = false;
      } else {
        const gain = take - low[row];
        if (high[row] >= stop || gain > 0 || (touch && gain === 0)) quiet = false;
        else if (follows !== 0 && (follows === 1 ? low[row] : last) < best) quiet = false;
        else if (!(cash + amount * high[row] > 0)) quiet = false;
      }
    }
    if (quiet) {
      pending = ruined ? NaN : clipped(target[row]);
      if (amount === 0) {
        equity[row] = cash;
        exposure[row] = 0;
      } else {
        const value = amount * last;
        const worth = cash + value;
        equity[row] = worth;
        exposure[row] = worth > 0 ? (value < 0 ? -value : value) / worth : 0;
      }
      continue;
    }
    catchUp(row, pending);
    const events = stepBar(portfolio, market, row, targets);
    seen = row + 1;
    if (events.length > 0) onEvents(events);
    cash = portfolio.cash;
    amount = columns.amount[0];
    stop = columns.stopPrice[0];
    take = columns.takePrice[0];
    blocked = columns.blocked[0];
    best = columns.bestPrice[0];
    pending = columns.target[0];
    ruined = !Number.isNaN(portfolio.ruinedAt);
    const mark = columns.mark[0];
    const worth = amount === 0 ? cash : cash + amount * mark;
    equity[row] = worth;
    exposure[row] = worth > 0 && amount !== 0 ? Math.abs(amount * mark) / worth : 0;
  }
  catchUp(bars, pending);
  if (quiet && portfolio.events !== undefined) portfolio.events = [];
}

/** Several symbols on shared cash. */
function runMany(
  portfolio: Portfolio,
  market: Market,
  targets: readonly Float64Array[],
  { equity, exposure }: Curves,
  onEvents: (events: readonly TradingEvent[]) => void,
): void {
  const { columns, rules } = portfolio;
  const { time, candles } = market;
  const { amount, target, mark, barTime } = columns;
  const symbols = candles.length;
  const close = candles.map((one) => one.close);
  const { impact } = rules;
  let seen = 0;
  let quiet = false;
  for (let row = 0; row < time.length; row++) {
    quiet = isQuiet(portfolio, market, row);
    if (quiet) {
      let worth = portfolio.cash;
      let gross = 0;
      for (let s = 0; s < symbols; s++) {
        target[s] = clipped(targets[s][row]);
        if (amount[s] === 0) continue;
        const value = amount[s] * close[s][row];
        worth += value;
        gross += value < 0 ? -value : value;
      }
      if (!Number.isNaN(portfolio.ruinedAt)) target.fill(NaN);
      equity[row] = worth;
      exposure[row] = worth > 0 ? gross / worth : 0;
      continue;
    }
    catchUp(row);
    const events = stepBar(portfolio, market, row, targets);
    seen = row + 1;
    if (events.length > 0) onEvents(events);
    let worth = portfolio.cash;
    let gross = 0;
    for (let s = 0; s < symbols; s++) {
      if (amount[s] === 0) continue;
      const value = amount[s] * mark[s];
      worth += value;
      gross += Math.abs(value);
    }
    equity[row] = worth;
    exposure[row] = worth > 0 ? gross / worth : 0;
  }
  catchUp(time.length);
  if (quiet && portfolio.events !== undefined) portfolio.events = [];

  /** Quiet bars have a close of every symbol. */
  function catchUp(row: number): void {
    if (row === seen) return;
    if (impact !== undefined)
      for (; seen < row; seen++)
        for (let s = 0; s < symbols; s++) seeLiquidity(columns, impact, candles[s], seen, s);
    portfolio.time = time[row - 1];
    portfolio.bars = row;
    for (let s = 0; s < symbols; s++) {
      mark[s] = close[s][row - 1];
      barTime[s] = time[row - 1];
    }
  }
}

/** Whether nothing trades on bar `row`: what waits wants no order, no level is reached, no best price moves a stop. */
function isQuiet(portfolio: Portfolio, { candles }: Market, row: number): boolean {
  const { columns, rules, cash } = portfolio;
  const { amount, target, stopPrice, takePrice, bestPrice } = columns;
  const touch = rules.takeProfitFill === 'touch';
  const follows = rules.trailingStop === undefined ? 0 : rules.trailingStop.from === 'close' ? 2 : 1;
  let waits = false;
  let owes = cash < 0;
  let worst = cash;
  for (let s = 0; s < amount.length; s++) {
    const { close, high, low } = candles[s];
    const last = close[row];
    if (last !== last) return false;
    if (target[s] === target[s]) waits = true;
    if (amount[s] === 0) continue;
    if (amount[s] > 0) {
      const gain = high[row] - takePrice[s];
      if (low[row] <= stopPrice[s] || gain > 0 || (touch && gain === 0)) return false;
      if (follows !== 0 && (follows === 1 ? high[row] : last) > bestPrice[s]) return false;
      worst += amount[s] * low[row];
    } else {
      const gain = takePrice[s] - low[row];
      if (high[row] >= stopPrice[s] || gain > 0 || (touch && gain === 0)) return false;
      if (follows !== 0 && (follows === 1 ? low[row] : last) < bestPrice[s]) return false;
      worst += amount[s] * high[row];
      owes = true;
    }
  }
  if (owes && !(worst > 0)) return false;
  return !waits || wantsNothing(portfolio, candles, row);
}

/** The arithmetic of `planPositions` (`open.ts`) where every decision that waits leaves things as they are. */
function wantsNothing(
  { columns, rules, cash, wanted }: Portfolio,
  candles: Market['candles'],
  row: number,
): boolean {
  const { amount, target, blocked } = columns;
  const symbols = amount.length;
  let equity = cash;
  let held = 0;
  let positions = false;
  for (let s = 0; s < symbols; s++) {
    const value = amount[s] === 0 ? 0 : amount[s] * candles[s].open[row];
    equity += value;
    if (target[s] !== target[s]) {
      held += value < 0 ? -value : value;
      continue;
    }
    const goal = target[s] < 0 && !rules.allowShort ? 0 : target[s];
    wanted[s] = goal;
    if (amount[s] === 0) {
      // Out of the market and staying there: nothing wanted, or a side that an exit closed.
      if (blocked[s] === 0 ? goal !== 0 : rules.reentry !== 'new-signal' || goal * blocked[s] <= 0)
        return false;
      wanted[s] = 0;
    } else {
      if (goal * amount[s] <= 0 || blocked[s] !== 0) return false;
      positions = true;
    }
  }
  if (!positions) return true;
  if (rules.impact !== undefined) return false;
  const costs = (1 + rules.feeBps / 10_000) * (1 + rules.slippageBps / 10_000);
  const capital = Math.max(0, equity) / costs;
  const room = (capital * rules.maxExposurePct) / 100 - held;
  let asked = 0;
  for (let s = 0; s < symbols; s++) {
    if (target[s] !== target[s]) continue;
    wanted[s] *= (capital * rules.maxPositionPct) / 100;
    asked += wanted[s] < 0 ? -wanted[s] : wanted[s];
  }
  const scale = asked > room ? Math.max(0, room) / asked : 1;
  const band = (capital * rules.rebalanceBandPct) / 100;
  for (let s = 0; s < symbols; s++) {
    if (target[s] !== target[s] || amount[s] === 0) continue;
    const goal = asked > room ? wanted[s] * scale : wanted[s];
    const change = goal - amount[s] * candles[s].open[row];
    if (!(goal * amount[s] > 0 && (change < 0 ? -change : change) <= band)) return false;
  }
  return true;
}

/** As `setTarget` keeps it: within [-1, 1], and without a negative zero. */
const clipped = (target: number): number => (target > 1 ? 1 : target < -1 ? -1 : target) + 0;
