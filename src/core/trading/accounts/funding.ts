import { invariant, UserError } from '../../foundation/errors.ts';
import type { Market } from '../market.ts';
import type { Portfolio } from '../portfolio.ts';
import { unitValue } from './worth.ts';

/** Funding rates of one symbol beside a market's time, fractions of the position's value; 0 where none is due. */
export interface FundingColumns {
  /** Due at the open of the bar: on what is held before anything trades there. */
  readonly atOpen: Float64Array;
  /** Due inside the bar, added up: on what is held at its close. */
  readonly inside: Float64Array;
}

/** Lay a stored series of rates beside the bars. Throws `UserError` with the first time at which a rate is missing. */
export function fundingColumns(
  { time, barMs }: Pick<Market, 'time' | 'barMs'>,
  series: { readonly symbol: string; readonly time: Float64Array; readonly rate: Float64Array },
): FundingColumns {
  const atOpen = new Float64Array(time.length);
  const inside = new Float64Array(time.length);
  const every = usualGap(series.time);
  const missing = (at: number): never => {
    throw new UserError(`Funding rates of ${series.symbol} are missing at ${new Date(at).toISOString()}.`, {
      hint: 'Fetch the series with `fetch --series funding`, or waive funding by name: trading.account.funding: waived.',
    });
  };
  if (time.length === 0) return { atOpen, inside };
  if (series.time.length < 2) missing(time[0]);
  const end = time[time.length - 1] + barMs;
  let i = series.time.findIndex((at) => at >= time[0]);
  const first = i < 0 ? Infinity : series.time[i];
  if (first - time[0] >= every) missing(i <= 0 ? time[0] : series.time[i - 1] + every);
  for (let row = 0; row < time.length; row++) {
    while (i < series.time.length && series.time[i] < time[row]) i++;
    for (; i < series.time.length && series.time[i] < time[row] + barMs; i++) {
      if (i > 0 && series.time[i] - series.time[i - 1] > 1.5 * every && series.time[i - 1] >= time[0])
        missing(series.time[i - 1] + every);
      if (Number.isNaN(series.rate[i])) missing(series.time[i]);
      (series.time[i] === time[row] ? atOpen : inside)[row] += series.rate[i];
    }
  }
  const last = series.time[Math.min(i, series.time.length) - 1];
  if (end - last > every + LATE_MS) missing(last + every);
  return { atOpen, inside };
}

/** Exchanges stamp a rate up to some milliseconds late. */
const LATE_MS = 60_000;

function usualGap(time: Float64Array): number {
  const gaps = Float64Array.from(
    { length: Math.max(0, time.length - 1) },
    (_, i) => time[i + 1] - time[i],
  ).sort();
  return gaps.length === 0 ? NaN : gaps[(gaps.length - 1) >> 1];
}

/** Charges (longs, at a positive rate) or pays the funding that is due on bar `row`. */
export function settleFunding(
  portfolio: Portfolio,
  market: Market,
  row: number,
  when: 'atOpen' | 'inside',
): void {
  const { columns, instruments } = portfolio;
  const { account } = portfolio.rules;
  if (account === undefined || account.kind === 'margin' || account.funding === 'waived') return;
  const inverse = account.kind === 'inverse';
  for (let s = 0; s < columns.amount.length; s++) {
    if (columns.amount[s] === 0) continue;
    const rate = market.funding?.[s]?.[when][row];
    invariant(rate !== undefined, 'funding that is not known is never zero');
    if (rate === 0) continue;
    const candles = market.mark?.[s] ?? market.candles[s];
    const known = when === 'atOpen' ? candles.open[row] : candles.close[row];
    const price = known === known ? known : columns.mark[s];
    const quote = -columns.amount[s] * unitValue(inverse, price) * rate;
    portfolio.cash += quote;
    portfolio.fundingQuote += quote;
    columns.openedFunding[s] += quote;
    portfolio.events?.push({
      kind: 'payment',
      reason: 'funding',
      time: market.time[row],
      symbol: instruments[s].symbol,
      quote,
    });
  }
}
