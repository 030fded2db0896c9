import { isInverse, quotePer } from './accounts/worth.ts';
import type { ExitRules } from './exit-rules.ts';
import { closePosition, reject, settle } from './fill.ts';
import { roundDown } from './instrument.ts';
import type { Market } from './market.ts';
import type { Portfolio } from './portfolio.ts';
import { volumeLimit } from './volume-limit.ts';

/** Closes at this bar's open, before anything else trades there, whatever has been held for its full time. */
export function leaveOnTime(portfolio: Portfolio, exits: ExitRules, market: Market, row: number): void {
  if (exits.maxBars === undefined && exits.maxHeldMs === undefined) return;
  const { amount } = portfolio.columns;
  for (let s = 0; s < amount.length; s++) if (amount[s] !== 0) leaveIfDue(portfolio, exits, market, row, s);
}

/** The same for one position, at the open of a bar or of a finer one inside it. */
export function leaveIfDue(
  portfolio: Portfolio,
  { maxBars = Infinity, maxHeldMs = Infinity }: ExitRules,
  market: Market,
  row: number,
  s: number,
): void {
  const { entryBar, entryTime } = portfolio.columns;
  const due = portfolio.bars - entryBar[s] >= maxBars || market.time[row] - entryTime[s] >= maxHeldMs;
  const open = market.candles[s].open[row];
  if (due && open === open) leave(portfolio, s, open, true, 'time-exit', market, row);
}

/** The last step of the table that the position is old enough for. */
export function timedTarget(
  { timedTargets }: ExitRules,
  heldMs: number,
): ExitRules['timedTargets'][number] | undefined {
  let last: ExitRules['timedTargets'][number] | undefined;
  for (const step of timedTargets) if (step.afterMs <= heldMs) last = step;
  return last;
}

/** Sells the share of the next partial target at `price`, and remembers that it is not to be bought back. */
export function takePartial(
  portfolio: Portfolio,
  exits: ExitRules,
  s: number,
  price: number,
  market: Market,
  row: number,
): void {
  const { columns, instruments } = portfolio;
  const { amountStep, minNotional } = instruments[s];
  const held = Math.abs(columns.amount[s]);
  const side = columns.amount[s] > 0 ? 1 : -1;
  const { sharePct } = exits.partialTargets[columns.partials[s]];
  columns.partials[s]++;
  const time = market.time[row];
  const wanted = Math.min(held, roundDown((columns.openedBase[s] * sharePct) / 100, amountStep));
  if (wanted < held && (wanted === 0 || wanted * quotePer(isInverse(portfolio.rules), price) < minNotional)) {
    reject(portfolio, s, -side * wanted, wanted === 0 ? 'below-amount-step' : 'below-min-notional', time);
    return;
  }
  const sold = Math.min(wanted, roundDown(volumeLimit(portfolio, market, row, s), amountStep));
  if (sold > 0)
    settle(portfolio, s, {
      signedAmount: -side * sold,
      referencePrice: price,
      rate: 0,
      cause: 'take-profit',
      time,
      maker: true,
    });
  if (sold < wanted) reject(portfolio, s, -side * (wanted - sold), 'volume-share', time);
  if (columns.amount[s] === 0) columns.blocked[s] = side;
  else columns.kept[s] *= 1 - sold / held;
}

/** Leaves a whole position at `price`; its side stays closed afterwards as the rules want it. */
export function leave(
  portfolio: Portfolio,
  s: number,
  price: number,
  slips: boolean,
  cause: Parameters<typeof closePosition>[5],
  market: Market,
  row: number,
): void {
  const { columns } = portfolio;
  const side = columns.amount[s] > 0 ? 1 : -1;
  const limit = volumeLimit(portfolio, market, row, s);
  closePosition(portfolio, s, price, slips, limit, cause, market.time[row]);
  columns.blocked[s] = side;
  // What the volume limit left over is closed from the next open on: a blocked side's target means flat.
  if (columns.amount[s] !== 0) columns.target[s] = side;
}
