/** What kind of account trades; without one it is spot, whose shorts borrow for free. */
export type AccountRules = MarginAccount | PerpetualAccount;

interface Leveraged {
  /** Exposure that equity may carry at most, and what a position's initial margin is a share of. */
  readonly leverage: number;
  /** What equity must stay above, by the value of a position, rising from 0 on. */
  readonly tiers: readonly MaintenanceTier[];
  /** Of what is closed by a liquidation, beside the fee of a taker. */
  readonly liquidationFeeBps: number;
}

/** Spot on borrowed money: purchases beyond the cash borrow quote currency, short sales borrow the coin. */
export interface MarginAccount extends Leveraged {
  readonly kind: 'margin';
  /** Interest a year, percent, charged by the time it is borrowed for. */
  readonly quoteInterestPct: number;
  readonly baseInterestPct: number;
}

/**
 * Perpetual futures. `linear`: amounts in the coin, money in the quote currency (`BTC/USDT:USDT`). `inverse`: amounts in
 * the quote currency, money in the coin (`BTC/USD:BTC`), so that a position is worth its amount divided by the price.
 */
export interface PerpetualAccount extends Leveraged {
  readonly kind: 'linear' | 'inverse';
  /** `cross`: all positions stand on all of the equity. `isolated`: each on its own margin, and loses no more than that. */
  readonly marginMode: 'cross' | 'isolated';
  /** `waived`: the run says by name that it charges none; else the market must bring its funding rates. */
  readonly funding: 'series' | 'waived';
}

/** From a position value of `fromNotional` on, `ratePct` of it less `amount` must be covered, as exchanges tabulate it. */
export interface MaintenanceTier {
  readonly fromNotional: number;
  readonly ratePct: number;
  readonly amount: number;
}

/** Margin that a position worth `notional` needs to stay open. */
export function maintenanceOf({ tiers }: Leveraged, notional: number): number {
  const tier = tiers.findLast(({ fromNotional }) => notional >= fromNotional);
  return tier === undefined ? 0 : Math.max(0, (notional * tier.ratePct) / 100 - tier.amount);
}

/** Tiers by their rates alone: the amounts that make the margin continuous (each exchange's table states the same). */
export function tiersOf(
  rates: readonly { readonly fromNotional: number; readonly ratePct: number }[],
): readonly MaintenanceTier[] {
  let amount = 0;
  return rates.map(({ fromNotional, ratePct }, i) => {
    if (i > 0) amount += (fromNotional * (ratePct - rates[i - 1].ratePct)) / 100;
    return { fromNotional, ratePct, amount };
  });
}
