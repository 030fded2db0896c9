import type { Candles } from '../market/candles.ts';
import { type LiquiditySeries, participationLimit, settledRate } from './liquidity.ts';
import type { Portfolio } from './portfolio.ts';
import { clipped } from './step.ts';

export interface Curves {
  readonly equity: Float64Array;
  readonly exposure: Float64Array;
}

/**
 * The first bar from `from` on on which a portfolio of one symbol that holds nothing may trade, and its curves up to there:
 * nothing is wanted before, or only the side that an exit closed.
 */
export function flatUntil(
  { rules, columns, cash, ruinedAt }: Portfolio,
  { close }: Candles,
  target: Float64Array,
  { equity }: Curves,
  from: number,
): number {
  const { allowShort } = rules;
  const keepsOut = rules.reentry === 'new-signal';
  const ruined = ruinedAt === ruinedAt;
  const blocked = columns.blocked[0];
  let pending = columns.target[0];
  let row = from;
  if (blocked === 0 && !ruined)
    // Only the sign of what is wanted counts here: nothing to clip.
    for (; row < close.length; row++) {
      if (close[row] !== close[row] || pending > 0 || (allowShort && pending < 0)) break;
      pending = target[row];
    }
  else
    for (; row < close.length; row++) {
      if (close[row] !== close[row]) break;
      if (pending === pending) {
        const goal = pending < 0 && !allowShort ? 0 : pending;
        if (blocked === 0 ? goal !== 0 : !keepsOut || goal * blocked <= 0) break;
      }
      pending = ruined ? NaN : clipped(target[row]);
    }
  equity.fill(cash, from, row);
  return row;
}

/**
 * The same for one that holds a position: no level is reached, no best price moves a stop, and what is wanted (the
 * arithmetic of `planPositions` in `open.ts`) stays within the band.
 */
export function heldUntil(
  { rules, columns, cash }: Portfolio,
  { open, high, low, close, volume }: Candles,
  target: Float64Array,
  liquidity: LiquiditySeries | undefined,
  { equity, exposure }: Curves,
  from: number,
): number {
  const { impact, trailingStop, allowShort, maxPositionPct, maxExposurePct, rebalanceBandPct } = rules;
  const { maxVolumeSharePct } = rules;
  const amount = columns.amount[0];
  const side = amount > 0 ? 1 : -1;
  const size = side * amount;
  const best = side > 0 ? high : low;
  const worst = side > 0 ? low : high;
  const leads = trailingStop?.from === 'close' ? close : best;
  const follows = trailingStop !== undefined;
  const touch = rules.takeProfitFill === 'touch';
  const stop = columns.stopPrice[0];
  const take = columns.takePrice[0];
  const lead = columns.bestPrice[0];
  const owes = side < 0 || cash < 0;
  const free = columns.blocked[0] === 0;
  const fee = 1 + rules.feeBps / 10_000;
  let costs = fee * (1 + rules.slippageBps / 10_000);
  let pending = columns.target[0];
  // The exact arithmetic below has five divisions; products alone tell the bars that lie well within the band.
  const perGoal = maxPositionPct / 100 / costs;
  const most = maxExposurePct / 100 / costs;
  const band = rebalanceBandPct / 100 / costs;
  let [known, goal, share] = [NaN, 0, NaN];
  let row = from;
  for (; row < close.length; row++) {
    const last = close[row];
    if (last !== last || side * (worst[row] - stop) <= 0) break;
    const gain = side * (best[row] - take);
    if (gain > 0 || (touch && gain === 0)) break;
    if (follows && side * (leads[row] - lead) > 0) break;
    if (owes && !(cash + amount * worst[row] > 0)) break;
    if (pending === pending) {
      if (pending !== known) {
        goal = pending < 0 && !allowShort ? 0 : pending;
        if (goal * amount <= 0 || !free) break;
        if (impact === undefined) share = Math.min(side * goal * perGoal, most);
        known = pending;
      }
      const price = open[row];
      const value = amount * price;
      const wish = share * (cash + value);
      const off = Math.abs(wish - side * value);
      if (!(off + SAFE * (wish + off) <= band * (cash + value))) {
        const funds = Math.max(0, cash + value);
        if (impact !== undefined && liquidity !== undefined) {
          if (row <= liquidity.settledAt) break;
          const limit = Math.min(
            maxVolumeSharePct === undefined ? Infinity : (volume[row] * maxVolumeSharePct) / 100,
            participationLimit(liquidity, impact, row - 1),
          );
          const base = Math.min((funds * maxPositionPct) / 100 / price + size, limit);
          costs = fee * (1 + Math.max(0, settledRate(liquidity, impact, row - 1, base)));
        }
        const capital = funds / costs;
        const room = (capital * maxExposurePct) / 100;
        let wanted = goal * ((capital * maxPositionPct) / 100);
        const asked = Math.abs(wanted);
        if (asked > room) wanted *= Math.max(0, room) / asked;
        if (!(wanted * amount > 0 && Math.abs(wanted - value) <= (capital * rebalanceBandPct) / 100)) break;
      }
    }
    pending = clipped(target[row]);
    const value = amount * last;
    const worth = cash + value;
    equity[row] = worth;
    exposure[row] = worth > 0 ? (side * value) / worth : 0;
  }
  return row;
}

/** Of what is wanted, so much is left to the exact arithmetic: far more than a few products lose by rounding. */
const SAFE = 1e-9;
