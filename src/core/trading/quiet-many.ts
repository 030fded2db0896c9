import type { Candles } from '../market/candles.ts';
import { type LiquiditySeries, participationLimit, settledRate } from './liquidity.ts';
import type { Portfolio } from './portfolio.ts';
import type { Curves } from './quiet-one.ts';
import { clipped } from './step.ts';

/** The columns of all symbols, each kind together. */
export interface Bars {
  readonly open: readonly Float64Array[];
  readonly high: readonly Float64Array[];
  readonly low: readonly Float64Array[];
  readonly close: readonly Float64Array[];
  readonly volume: readonly Float64Array[];
}

export const barsOf = (candles: readonly Candles[]): Bars => ({
  open: candles.map(({ open }) => open),
  high: candles.map(({ high }) => high),
  low: candles.map(({ low }) => low),
  close: candles.map(({ close }) => close),
  volume: candles.map(({ volume }) => volume),
});

/**
 * The first bar from `from` on on which a portfolio of several symbols may trade, and its curves up to there: no level of
 * any is reached, no best price moves a stop, and every decision that waits leaves things as they are.
 */
export function quietUntil(
  portfolio: Portfolio,
  bars: Bars,
  targets: readonly Float64Array[],
  liquidity: readonly LiquiditySeries[] | undefined,
  { equity, exposure }: Curves,
  from: number,
): number {
  const { columns, cash } = portfolio;
  const { amount, target } = columns;
  const ruined = portfolio.ruinedAt === portfolio.ruinedAt;
  const { close } = bars;
  let row = from;
  for (; row < equity.length; row++) {
    if (isReached(portfolio, bars, row)) break;
    if (row > from)
      for (let s = 0; s < target.length; s++) target[s] = ruined ? NaN : clipped(targets[s][row - 1]);
    if (!wantsNothing(portfolio, bars, liquidity, row)) break;
    let worth = cash;
    let gross = 0;
    for (let s = 0; s < amount.length; s++) {
      if (amount[s] === 0) continue;
      const value = amount[s] * close[s][row];
      worth += value;
      gross += value < 0 ? -value : value;
    }
    equity[row] = worth;
    exposure[row] = worth > 0 ? gross / worth : 0;
  }
  return row;
}

/** Whether bar `row` reaches a level, moves a stop or could ruin the account, or some symbol lacks it. */
function isReached({ columns, rules, cash }: Portfolio, { high, low, close }: Bars, row: number): boolean {
  const { amount, stopPrice, takePrice, bestPrice } = columns;
  const { trailingStop } = rules;
  const touch = rules.takeProfitFill === 'touch';
  const byClose = trailingStop?.from === 'close';
  let owes = cash < 0;
  let least = cash;
  for (let s = 0; s < amount.length; s++) {
    const last = close[s][row];
    if (last !== last) return true;
    const held = amount[s];
    if (held === 0) continue;
    const side = held > 0 ? 1 : -1;
    const best = side > 0 ? high[s][row] : low[s][row];
    const worst = side > 0 ? low[s][row] : high[s][row];
    if (side * (worst - stopPrice[s]) <= 0) return true;
    const gain = side * (best - takePrice[s]);
    if (gain > 0 || (touch && gain === 0)) return true;
    if (trailingStop !== undefined && side * ((byClose ? last : best) - bestPrice[s]) > 0) return true;
    if (side < 0) owes = true;
    least += held * worst;
  }
  return owes && !(least > 0);
}

/** The arithmetic of `planPositions` (`open.ts`) where every decision that waits leaves things as they are. */
function wantsNothing(
  portfolio: Portfolio,
  bars: Bars,
  liquidity: readonly LiquiditySeries[] | undefined,
  row: number,
): boolean {
  const { columns, rules, cash, wanted } = portfolio;
  const { amount, target, blocked } = columns;
  const { open } = bars;
  const symbols = amount.length;
  let equity = cash;
  let held = 0;
  let asks = false;
  for (let s = 0; s < symbols; s++) {
    const value = amount[s] === 0 ? 0 : amount[s] * open[s][row];
    equity += value;
    if (target[s] !== target[s]) {
      held += value < 0 ? -value : value;
      continue;
    }
    const goal = target[s] < 0 && !rules.allowShort ? 0 : target[s];
    wanted[s] = goal;
    if (amount[s] !== 0) {
      if (goal * amount[s] <= 0 || blocked[s] !== 0) return false;
      asks = true;
    } else if (blocked[s] === 0) {
      if (goal !== 0) asks = true;
    } else {
      // A side that an exit closed, and that stays closed.
      if (rules.reentry !== 'new-signal' || goal * blocked[s] <= 0) return false;
      wanted[s] = 0;
    }
  }
  if (!asks) return true;
  const costs = costsAt(portfolio, bars, liquidity, row, equity);
  if (costs === undefined) return false;
  const capital = Math.max(0, equity) / costs;
  const share = (capital * rules.maxPositionPct) / 100;
  const room = (capital * rules.maxExposurePct) / 100 - held;
  let asked = 0;
  for (let s = 0; s < symbols; s++) {
    if (target[s] !== target[s]) continue;
    wanted[s] *= share;
    asked += Math.abs(wanted[s]);
  }
  const scale = asked > room ? Math.max(0, room) / asked : 1;
  const band = (capital * rules.rebalanceBandPct) / 100;
  for (let s = 0; s < symbols; s++) {
    if (target[s] !== target[s]) continue;
    const goal = asked > room ? wanted[s] * scale : wanted[s];
    if (amount[s] !== 0 && goal * amount[s] <= 0) return false;
    if (Math.abs(goal - (amount[s] === 0 ? 0 : amount[s] * open[s][row])) > band) return false;
  }
  return true;
}

/** What `open.ts` calls the dearest order; `undefined` while too few bars are known. */
function costsAt(
  { columns, rules }: Portfolio,
  { open, volume }: Bars,
  liquidity: readonly LiquiditySeries[] | undefined,
  row: number,
  equity: number,
): number | undefined {
  const { impact, maxVolumeSharePct } = rules;
  const { amount, target } = columns;
  const fee = 1 + rules.feeBps / 10_000;
  if (impact === undefined || liquidity === undefined) return fee * (1 + rules.slippageBps / 10_000);
  let most = 0;
  for (let s = 0; s < amount.length; s++) {
    if (target[s] !== target[s]) continue;
    if (row <= liquidity[s].settledAt) return undefined;
    const share = maxVolumeSharePct === undefined ? Infinity : (volume[s][row] * maxVolumeSharePct) / 100;
    const goal = (Math.max(0, equity) * rules.maxPositionPct) / 100 / open[s][row];
    const limit = Math.min(share, participationLimit(liquidity[s], impact, row - 1));
    const rate = settledRate(liquidity[s], impact, row - 1, Math.min(goal + Math.abs(amount[s]), limit));
    if (rate > most) most = rate;
  }
  return fee * (1 + most);
}
