import type { Portfolio } from './portfolio.ts';

const DAY_MS = 86_400_000;

/**
 * The fee of a fill, in basis points: of its tier, which the turnover of the 30 days before decides, for orders that rested
 * (makers) or took what rested. Takes the fill into the turnover of its day.
 */
export function feeBpsOf(portfolio: Portfolio, maker: boolean, time: number, notional: number): number {
  const { feeTiers, feeBps } = portfolio.rules;
  if (feeTiers === undefined) return feeBps;
  const { turnoverDays } = portfolio;
  const day = Math.floor(time / DAY_MS);
  const { length } = turnoverDays;
  const passed = Math.min(length, day - portfolio.turnoverDay);
  if (!(passed <= 0)) {
    for (let i = 0; i < (passed > 0 ? passed : length); i++) turnoverDays[(day - i) % length] = 0;
    portfolio.turnoverDay = day;
  }
  let before = 0;
  for (let i = 1; i < length; i++) before += turnoverDays[(day - i + length) % length];
  turnoverDays[day % length] += notional;
  const tier = feeTiers.findLast(({ fromQuote }) => before >= fromQuote) ?? feeTiers[0];
  return maker ? tier.makerBps : tier.takerBps;
}
