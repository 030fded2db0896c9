import { settle } from '../fill.ts';
import type { Market } from '../market.ts';
import type { Portfolio } from '../portfolio.ts';
import { slippageRate } from '../trade-cost.ts';
import { type AccountRules, maintenanceOf, type PerpetualAccount } from './account-rules.ts';
import { isInverse, unitValue, worthAt } from './worth.ts';

/**
 * Closes what the exchange would on bar `row`, after the stops and targets inside it. Prices go from their opens to their worst,
 * all symbols at once: where equity falls to the maintenance margin everything is closed (cross), or one position where
 * its own margin does (isolated). What the price of the liquidation and its fees leave stays; of an isolated position no
 * more than its margin is lost. Judged by the mark price where the market has one, filled at the last price.
 */
export function liquidate(portfolio: Portfolio, account: AccountRules, market: Market, row: number): void {
  if (account.kind !== 'margin' && account.marginMode === 'isolated') {
    for (let s = 0; s < portfolio.columns.amount.length; s++)
      if (portfolio.columns.amount[s] !== 0) liquidateIsolated(portfolio, account, market, row, s);
    return;
  }
  const cushion = (way: number): number => {
    let left = portfolio.cash;
    for (let s = 0; s < portfolio.columns.amount.length; s++)
      if (portfolio.columns.amount[s] !== 0) left += standing(portfolio, account, market, row, s, way);
    return left;
  };
  const way = wayDown(cushion);
  if (way === undefined) return;
  for (let s = 0; s < portfolio.columns.amount.length; s++)
    if (portfolio.columns.amount[s] !== 0) close(portfolio, account, market, row, s, way);
}

function liquidateIsolated(
  portfolio: Portfolio,
  account: PerpetualAccount,
  market: Market,
  row: number,
  s: number,
): void {
  const { columns } = portfolio;
  const inverse = isInverse(portfolio.rules);
  // Its margin, and what the position has gained since its entry.
  const ground = columns.margin[s] - columns.amount[s] * worthAt(inverse, columns.entryPrice[s]);
  const way = wayDown((at) => ground + standing(portfolio, account, market, row, s, at));
  if (way === undefined) return;
  const margin = columns.margin[s];
  const before = portfolio.cash + columns.amount[s] * worthAt(inverse, columns.entryPrice[s]);
  close(portfolio, account, market, row, s, way);
  const lost = before - portfolio.cash;
  if (lost <= margin) return;
  const quote = lost - margin;
  portfolio.cash += quote;
  portfolio.events?.push({
    kind: 'payment',
    reason: 'insurance',
    time: market.time[row],
    symbol: portfolio.instruments[s].symbol,
    quote,
  });
}

/** What position `s` adds to cash, less the margin it needs, `way` down from its open to its worst price. */
function standing(
  portfolio: Portfolio,
  account: AccountRules,
  market: Market,
  row: number,
  s: number,
  way: number,
): number {
  const amount = portfolio.columns.amount[s];
  const inverse = isInverse(portfolio.rules);
  const price = priceOn(portfolio, market.mark?.[s] ?? market.candles[s], row, s, way);
  return (
    amount * worthAt(inverse, price) - maintenanceOf(account, Math.abs(amount) * unitValue(inverse, price))
  );
}

function priceOn(
  { columns }: Portfolio,
  { open, high, low }: Market['candles'][number],
  row: number,
  s: number,
  way: number,
): number {
  const worst = columns.amount[s] > 0 ? low[row] : high[row];
  const from = open[row];
  return worst === worst ? from + way * (worst - from) : columns.mark[s];
}

/** Where on the way from 0 to 1 nothing is left, to the last bits; `undefined`: something is left at the worst. */
function wayDown(cushion: (way: number) => number): number | undefined {
  if (cushion(1) > 0) return undefined;
  if (cushion(0) <= 0) return 0;
  let [safe, gone] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (safe + gone) / 2;
    if (cushion(middle) > 0) safe = middle;
    else gone = middle;
  }
  return gone;
}

function close(
  portfolio: Portfolio,
  account: AccountRules,
  market: Market,
  row: number,
  s: number,
  way: number,
): void {
  const { columns, rules } = portfolio;
  const price = priceOn(portfolio, market.candles[s], row, s, way);
  const amount = columns.amount[s];
  const rate = slippageRate(rules, columns, s, Math.abs(amount));
  const time = market.time[row];
  settle(portfolio, s, {
    signedAmount: -amount,
    referencePrice: price,
    rate,
    cause: 'liquidation',
    time,
    addedFeeBps: account.liquidationFeeBps,
  });
}

/**
 * The price at which one position in a cross or isolated account is liquidated, by the formula that Binance publishes for
 * USD-M (FAQ b3c689c1f50a44cabb3a84e663b81d93) and COIN-M contracts (FAQ ceccfcfb4e3a45e3b48b0b1bb1a8ae46). `wallet`: the
 * balance it stands on, less the maintenance margins and plus the profits of all other positions.
 */
export function liquidationPrice(
  { kind, tiers }: Pick<PerpetualAccount, 'kind' | 'tiers'>,
  {
    wallet,
    amount,
    entryPrice,
  }: { readonly wallet: number; readonly amount: number; readonly entryPrice: number },
): number {
  const size = Math.abs(amount);
  const side = Math.sign(amount);
  const at = (ratePct: number, cum: number): number =>
    kind === 'linear'
      ? (wallet + cum - side * size * entryPrice) / (size * (ratePct / 100 - side))
      : (size * (ratePct / 100 + side)) / (wallet + cum + (side * size) / entryPrice);
  // The tier is that of the position's value at the price itself.
  const price = tiers
    .map(({ ratePct, amount: cum }) => at(ratePct, cum))
    .find((one, i) => {
      const value = size * (kind === 'linear' ? one : 1 / one);
      return value >= tiers[i].fromNotional && (i + 1 === tiers.length || value < tiers[i + 1].fromNotional);
    });
  return price ?? at(tiers[tiers.length - 1].ratePct, tiers[tiers.length - 1].amount);
}
