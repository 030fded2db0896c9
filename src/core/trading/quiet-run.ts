import type { TradingEvent } from './events.ts';
import { liquiditySeries, skipLiquidity } from './liquidity.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import { type Curves, flatUntil, heldUntil } from './quiet-one.ts';
import { barsOf, lookAhead, quietUntil } from './quiet-many.ts';
import { clipped, stepBar } from './step.ts';

/** Whether a run needs nothing that only the general loop knows. */
export const canRunQuietly = ({ rules }: Portfolio, { detail }: Market): boolean =>
  rules.account === undefined &&
  rules.exits === undefined &&
  rules.entry === undefined &&
  rules.priority === undefined &&
  detail === undefined;

/**
 * A run under the common rules, specialised: bars on which nothing trades are told from the others by a few comparisons
 * (`quiet-one.ts`, `quiet-many.ts`), and every other bar goes through `stepBar` as ever. Quiet bars leave the same bits,
 * since they change nothing but what is computed there in the same way. `onEvents` is given what happened on the others.
 */
export function runQuietly(
  portfolio: Portfolio,
  market: Market,
  targets: readonly Float64Array[],
  curves: Curves,
  onEvents: (events: readonly TradingEvent[]) => void,
): void {
  const { columns, rules } = portfolio;
  const { time, candles } = market;
  const bars = time.length;
  const { impact } = rules;
  const liquidity =
    impact === undefined
      ? undefined
      : candles.map((one, s) => market.liquidity?.[s] ?? liquiditySeries(one, impact));
  const single = candles.length === 1;
  const all = barsOf(candles);
  const ahead = single ? undefined : lookAhead(all, targets);
  for (let from = 0; from < bars;) {
    const loud = ahead
      ? quietUntil(portfolio, all, targets, liquidity, ahead, curves, from)
      : columns.amount[0] === 0
        ? flatUntil(portfolio, candles[0], targets[0], curves, from)
        : heldUntil(portfolio, candles[0], targets[0], liquidity?.[0], curves, from);
    if (loud > from) catchUp(from, loud - 1);
    if (loud === bars) break;
    const events = stepBar(portfolio, market, loud, targets);
    if (events.length > 0) onEvents(events);
    valueAt(portfolio, curves, loud);
    from = loud + 1;
  }

  /** Brings the portfolio to where it stands after the quiet bars `from` to `row`. */
  function catchUp(from: number, row: number): void {
    if (portfolio.events !== undefined && portfolio.events.length > 0) portfolio.events = [];
    portfolio.time = time[row];
    portfolio.bars = row + 1;
    const ruined = portfolio.ruinedAt === portfolio.ruinedAt;
    for (let s = 0; s < candles.length; s++) {
      columns.target[s] = ruined ? NaN : clipped(targets[s][row]);
      columns.mark[s] = candles[s].close[row];
      columns.barTime[s] = time[row];
      if (liquidity !== undefined) skipLiquidity(columns, liquidity[s], candles[s], { from, row, s });
    }
  }
}

function valueAt({ columns: { amount, mark }, cash }: Portfolio, curves: Curves, row: number): void {
  let worth = cash;
  let gross = 0;
  for (let s = 0; s < amount.length; s++) {
    if (amount[s] === 0) continue;
    const value = amount[s] * mark[s];
    worth += value;
    gross += value < 0 ? -value : value;
  }
  curves.equity[row] = worth;
  curves.exposure[row] = worth > 0 ? gross / worth : 0;
}
