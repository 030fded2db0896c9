import { isInverse, unitValue } from '../accounts/worth.ts';
import type { TradingEvent } from '../events.ts';
import type { Market } from '../market.ts';
import { isWorthAnOrder, keptOf } from '../open.ts';
import { equity, type Portfolio } from '../portfolio.ts';
import { slippageRate } from '../trade-cost.ts';
import { type ClosedTrade, lockedBy, memoryBars } from './protections.ts';
import type { RiskRules, Verdict } from './rules.ts';

const DAY_MS = 86_400_000;

/** What the rules remember from bar to bar. Plain values: it is stored and restored as it stands. */
export interface RiskState {
  peakEquity: number;
  /** UTC day of the last bar, in days since the epoch, and the equity at the end of the day before it. */
  day: number | undefined;
  dayEquity: number;
  lastEquity: number;
  /** The bar at whose close the drawdown limit was passed. */
  killedAt: number | undefined;
  /** Trades that a protection may still look at, in the order of their closing. */
  trades: readonly ClosedTrade[];
}

export const createRiskState = (initialBalance: number): RiskState => ({
  peakEquity: initialBalance,
  day: undefined,
  dayEquity: initialBalance,
  lastEquity: initialBalance,
  killedAt: undefined,
  trades: [],
});

/**
 * Before bar `row`: takes back what waits for an open that lies too far from the last close. Call it just before
 * `advance`.
 */
export function collar(
  rules: RiskRules,
  portfolio: Portfolio,
  market: Market,
  row: number,
): readonly Verdict[] {
  const { priceCollarPct } = rules;
  if (priceCollarPct === undefined) return [];
  const { target, mark } = portfolio.columns;
  return portfolio.instruments.flatMap(({ symbol }, s): Verdict[] => {
    const wanted = target[s];
    const gapPct = 100 * Math.abs(market.candles[s].open[row] / mark[s] - 1);
    if (!(gapPct > priceCollarPct) || !increases(portfolio, s, wanted)) return [];
    target[s] = NaN;
    return [{ symbol, rule: 'price-collar', wanted, allowed: undefined }];
  });
}

/** After `advance`: remembers what happened on the bar. */
export function observe(
  state: RiskState,
  rules: RiskRules,
  portfolio: Portfolio,
  events: readonly TradingEvent[],
  barMs: number,
): void {
  const worth = equity(portfolio);
  const day = Math.floor(portfolio.time / DAY_MS);
  if (day !== state.day) [state.day, state.dayEquity] = [day, state.lastEquity];
  state.lastEquity = worth;
  state.peakEquity = Math.max(state.peakEquity, worth);
  if (hasLost(worth, state.peakEquity, rules.maxDrawdownPct)) state.killedAt ??= portfolio.time;
  const since = portfolio.time - memoryBars(rules.protections) * barMs;
  const closed = events.flatMap((event) => {
    if (event.kind !== 'trade') return [];
    const { symbol, side, exit, exitTime, profitPct } = event;
    return [{ symbol, side, exit, exitTime, profitPct }];
  });
  state.trades = [...state.trades, ...closed].filter(({ exitTime }) => exitTime > since);
}

/**
 * What may be placed of `targets`, in the order of the instruments (null: no opinion), at the close of the bar that was
 * observed last. `fresh[s]`: the symbol has a bar at that time, so that its forecast is not an old one.
 */
export function allow(
  state: RiskState,
  rules: RiskRules,
  portfolio: Portfolio,
  targets: readonly (number | null)[],
  { fresh, barMs }: { readonly fresh: readonly boolean[]; readonly barMs: number },
): { readonly targets: readonly (number | null)[]; readonly verdicts: readonly Verdict[] } {
  const { instruments, columns } = portfolio;
  const verdicts: Verdict[] = [];
  if (state.killedAt !== undefined) {
    instruments.forEach(({ symbol }, s) => {
      const wanted = targets[s];
      if (wanted !== null && wanted !== 0)
        verdicts.push({ symbol, rule: 'drawdown-kill-switch', wanted, allowed: 0 });
    });
    return { targets: targets.map(() => 0), verdicts };
  }
  const budget = {
    cash: portfolio.cash - (rules.minBalance ?? -Infinity),
    orders: rules.maxOrdersPerMinute ?? Infinity,
  };
  const allowed = targets.map((wanted, s) => {
    if (wanted === null || !increases(portfolio, s, wanted)) return wanted;
    const { symbol } = instruments[s];
    const place = (rule: Verdict['rule'], instead: number | undefined): number | null => {
      // Turning round is leaving first: what is held on the other side may always go.
      const leaves = columns.amount[s] * wanted < 0 ? 0 : undefined;
      const placed = instead ?? leaves;
      verdicts.push({ symbol, rule, wanted, allowed: placed });
      return placed ?? null;
    };
    const refusal = refused(state, rules, portfolio, s, wanted, fresh[s], barMs);
    if (refusal !== undefined) return place(refusal, undefined);
    const sized = withinTradeSize(rules, portfolio, s, wanted);
    const funded = withinCash(portfolio, s, sized, budget);
    if (budget.orders < 1) return place('orders-per-minute', undefined);
    budget.orders--;
    if (funded === undefined) return place('minimum-balance', undefined);
    if (funded !== sized) return place('minimum-balance', funded);
    return sized === wanted ? wanted : place('trade-size', sized);
  });
  return { targets: allowed, verdicts };
}

/** Why nothing may be opened there at all. */
function refused(
  state: RiskState,
  rules: RiskRules,
  portfolio: Portfolio,
  s: number,
  wanted: number,
  fresh: boolean,
  barMs: number,
): Verdict['rule'] | undefined {
  if (!fresh) return 'stale-forecast';
  if (hasLost(state.lastEquity, state.dayEquity, rules.maxDailyLossPct)) return 'daily-loss';
  const side = wanted > 0 ? 'long' : 'short';
  const { symbol } = portfolio.instruments[s];
  return lockedBy(rules.protections, state.trades, { symbol, side, entryTime: portfolio.time + barMs, barMs })
    ?.kind;
}

/** Value of what is held of symbol `s` at its last close, quote currency, negative when short. */
const heldValue = ({ columns, rules }: Portfolio, s: number): number =>
  columns.amount[s] === 0 ? 0 : columns.amount[s] * unitValue(isInverse(rules), columns.mark[s]);

/** Value that a target of 1 on the side of `wanted` means, quote currency. */
const unit = (portfolio: Portfolio, s: number, wanted: number): number =>
  ((equity(portfolio) * portfolio.rules.maxPositionPct) / 100) * keptOf(portfolio.columns, s, wanted);

/** Whether `wanted` is an order that makes the position larger, or one on the other side. */
function increases(portfolio: Portfolio, s: number, wanted: number): boolean {
  const goal = portfolio.rules.allowShort ? wanted : Math.max(0, wanted);
  if (Number.isNaN(goal) || goal === 0) return false;
  const value = goal * unit(portfolio, s, wanted);
  const held = heldValue(portfolio, s);
  const band = (equity(portfolio) * portfolio.rules.rebalanceBandPct) / 100;
  const grows = value * held <= 0 || Math.abs(value) > Math.abs(held);
  return grows && isWorthAnOrder(portfolio.columns.amount[s], value, value - held, band);
}

function withinTradeSize(
  { maxTradePct }: RiskRules,
  portfolio: Portfolio,
  s: number,
  wanted: number,
): number {
  if (maxTradePct === undefined) return wanted;
  const most = (equity(portfolio) * maxTradePct) / 100;
  const held = heldValue(portfolio, s);
  const from = held * wanted < 0 ? 0 : held;
  const one = unit(portfolio, s, wanted);
  const change = wanted * one - from;
  return Math.abs(change) <= most ? wanted : (from + Math.sign(change) * most) / one;
}

/** A purchase that the cash above the minimum can pay, counting down; `undefined` when it can pay nothing. */
function withinCash(
  portfolio: Portfolio,
  s: number,
  wanted: number,
  budget: { cash: number },
): number | undefined {
  const held = heldValue(portfolio, s);
  const one = unit(portfolio, s, wanted);
  const bought = wanted * one - held;
  if (bought <= 0 || budget.cash === Infinity || portfolio.rules.account !== undefined) return wanted;
  const { rules, columns } = portfolio;
  const rate = slippageRate(rules, columns, s, bought / columns.mark[s]);
  const costs = (1 + rules.feeBps / 10_000) * (1 + rate);
  const payable = Math.min(bought, Math.max(0, budget.cash) / costs);
  if (payable <= 0) return undefined;
  budget.cash -= payable * costs;
  return payable === bought ? wanted : (held + payable) / one;
}

/** Whether `limitPct` or more of `before` is gone. Multiplied out, so that a loss of exactly the limit counts. */
const hasLost = (now: number, before: number, limitPct: number | undefined): boolean =>
  limitPct !== undefined && 100 * now <= before * (100 - limitPct);
