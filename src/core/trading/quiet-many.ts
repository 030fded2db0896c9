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

/** What one run over several symbols finds out before and writes into on the way. */
export interface Ahead {
  /** 1 on bars that are looked at one by one: a symbol lacks them, or the close before decided otherwise than the one before it. */
  readonly busy: Uint8Array;
  /** Of bars that are looked at together: equity at their opens. */
  readonly opens: Float64Array;
}

export function lookAhead({ close }: Bars, targets: readonly Float64Array[]): Ahead {
  const busy = new Uint8Array(close[0].length);
  for (let s = 0; s < close.length; s++) {
    const price = close[s];
    const target = targets[s];
    let before = NaN;
    for (let row = 0; row < busy.length; row++) {
      const now = row === 0 ? NaN : target[row - 1];
      if (price[row] !== price[row] || (now !== before && (now === now || before === before))) busy[row] = 1;
      before = now;
    }
  }
  return { busy, opens: new Float64Array(TOGETHER) };
}

/**
 * The first bar from `from` on on which a portfolio of several symbols may trade, and its curves up to there: no level of
 * any is reached, no best price moves a stop, and every decision that waits leaves things as they are.
 */
export function quietUntil(
  portfolio: Portfolio,
  bars: Bars,
  targets: readonly Float64Array[],
  liquidity: readonly LiquiditySeries[] | undefined,
  ahead: Ahead,
  curves: Curves,
  from: number,
): number {
  const { columns, cash } = portfolio;
  const { amount, target } = columns;
  const { equity, exposure } = curves;
  const ruined = portfolio.ruinedAt === portfolio.ruinedAt;
  const { close } = bars;
  let row = from;
  while (row < equity.length) {
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
    row = quietTogether(portfolio, bars, ahead, curves, row + 1);
  }
  return row;
}

/** How many bars are looked at together: symbol by symbol, so that each column is read in one go. */
const TOGETHER = 64;

/**
 * After a quiet bar: the first from `from` on that is to be looked at by itself, and the curves up to there. Only for an account
 * without debt whose symbols were all decided on, or none, in the same way as for the bar before; the arithmetic is that of `wantsNothing`.
 */
function quietTogether(
  { columns, rules, cash }: Portfolio,
  { open, high, low, close }: Bars,
  { busy, opens }: Ahead,
  { equity, exposure }: Curves,
  from: number,
): number {
  const { amount, target, blocked, stopPrice, takePrice, bestPrice } = columns;
  let end = Math.min(from + TOGETHER, busy.length);
  for (let row = from; row < end; row++) if (busy[row] === 1) end = row;
  if (cash < 0 || rules.impact !== undefined || end === from) return from;
  const decided = target[0] === target[0];
  let goals = 0;
  for (let s = 0; s < amount.length; s++) {
    const goal = target[s] < 0 && !rules.allowShort ? 0 : target[s];
    if (amount[s] < 0 || decided !== (goal === goal)) return from;
    if (amount[s] > 0) goals += goal;
    else if (decided && goal !== 0 && blocked[s] === 0) return from;
  }

  const follows = rules.trailingStop !== undefined;
  const byClose = rules.trailingStop?.from === 'close';
  const touch = rules.takeProfitFill === 'touch';
  opens.fill(cash);
  for (let s = 0; s < amount.length; s++) {
    const held = amount[s];
    if (held === 0) continue;
    const first = open[s];
    const best = high[s];
    const worst = low[s];
    const leads = byClose ? close[s] : best;
    const stop = stopPrice[s];
    const take = takePrice[s];
    const lead = bestPrice[s];
    for (let row = from; row < end; row++) {
      const gain = best[row] - take;
      if (worst[row] - stop <= 0 || gain > 0 || (touch && gain === 0) || (follows && leads[row] - lead > 0))
        end = row;
      opens[row - from] += held * first[row];
    }
  }
  if (decided && goals !== 0) {
    const costs = (1 + rules.feeBps / 10_000) * (1 + rules.slippageBps / 10_000);
    for (let row = from; row < end; row++) {
      const capital = Math.max(0, opens[row - from]) / costs;
      opens[row - from] = capital;
      // So near to the limit the order of the sum decides.
      const asked = goals * ((capital * rules.maxPositionPct) / 100);
      if (asked > ((capital * rules.maxExposurePct) / 100) * (1 - 1e-9)) end = row;
    }
    for (let s = 0; s < amount.length; s++) {
      const held = amount[s];
      if (held === 0) continue;
      const goal = target[s];
      const first = open[s];
      for (let row = from; row < end; row++) {
        const capital = opens[row - from];
        const wanted = goal * ((capital * rules.maxPositionPct) / 100);
        if (!(Math.abs(wanted - held * first[row]) <= (capital * rules.rebalanceBandPct) / 100)) end = row;
      }
    }
  }
  equity.fill(cash, from, end);
  exposure.fill(0, from, end);
  for (let s = 0; s < amount.length; s++) {
    const held = amount[s];
    if (held === 0) continue;
    const last = close[s];
    for (let row = from; row < end; row++) {
      const value = held * last[row];
      equity[row] += value;
      exposure[row] += value;
    }
  }
  for (let row = from; row < end; row++) exposure[row] = equity[row] > 0 ? exposure[row] / equity[row] : 0;
  return end;
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
