import { invariant } from '../foundation/errors.ts';
import type { Market } from './market.ts';
import type { BacktestRun } from './run.ts';

/** A strategy that shares a wallet with others. */
export interface Sleeve {
  readonly name: string;
  /** Of the wallet's capital, in (0, 1]. */
  readonly share: number;
  /** What it wants of its share, one column a symbol beside the market's time; NaN: no opinion, what it wanted before stays. */
  readonly targets: readonly Float64Array[];
}

/**
 * What a wallet of several sleeves wants of one symbol: the sum of their wants by share, so that opposite ones cancel instead of
 * paying twice. NaN on bars on which none has an opinion.
 */
export function walletTarget(columns: readonly Float64Array[], shares: readonly number[]): Float64Array {
  invariant(shares.reduce((sum, share) => sum + share, 0) <= 1 + 1e-9, 'sleeves share one capital');
  const wants = new Float64Array(columns.length);
  return Float64Array.from(columns[0], (_, row) => {
    let known = false;
    columns.forEach((column, k) => {
      if (Number.isNaN(column[row])) return;
      known = true;
      wants[k] = column[row] * shares[k];
    });
    return known ? wants.reduce((sum, want) => sum + want, 0) : NaN;
  });
}

/** What one sleeve brought to the wallet, quote currency. */
export interface SleeveShare {
  readonly name: string;
  readonly share: number;
  /** Its wants times what prices did: before costs. */
  readonly grossQuote: number;
  /** Fees, slippage, funding and interest of the wallet, by what the sleeve's wants turned over. */
  readonly costQuote: number;
}

export interface Attribution {
  readonly sleeves: readonly SleeveShare[];
  /** What the wallet did that no sleeve wanted: stops, the band, rounding, limits, orders that waited. */
  readonly otherQuote: number;
}

/**
 * Splits the profit of a wallet among its sleeves; with `otherQuote` the parts add up to it. A want decided at a close counts
 * from the next open on, in the size that the wallet's equity gives it.
 */
export function attribute(
  { equity, portfolio }: Pick<BacktestRun, 'equity' | 'portfolio'>,
  { candles }: Pick<Market, 'candles'>,
  sleeves: readonly Sleeve[],
): Attribution {
  const { rules } = portfolio;
  const least = rules.allowShort ? -1 : 0;
  const gross = new Float64Array(sleeves.length);
  const turned = new Float64Array(sleeves.length);
  sleeves.forEach(({ share, targets }, k) => {
    targets.forEach((target, s) => {
      const { open, close } = candles[s];
      // Held before this bar's open, and decided at the close before it.
      let held = 0;
      let wanted = 0;
      let last = NaN;
      for (let row = 0; row < target.length; row++) {
        if (close[row] === close[row]) {
          if (last === last) {
            const capital = (equity[row - 1] * share * rules.maxPositionPct) / 100;
            gross[k] += (capital * (held * (open[row] - last) + wanted * (close[row] - open[row]))) / last;
            turned[k] += capital * Math.abs(wanted - held);
            held = wanted;
          }
          last = close[row];
        }
        const want = target[row];
        if (want === want) wanted = Math.max(least, Math.min(1, want));
      }
    });
  });
  const { feesQuote, slippageQuote, fundingQuote, interestQuote } = portfolio;
  const costs = feesQuote + slippageQuote + interestQuote - fundingQuote;
  const all = turned.reduce((sum, one) => sum + one, 0);
  const profit = equity.length === 0 ? 0 : equity[equity.length - 1] - rules.initialBalance;
  const shares = sleeves.map(({ name, share }, k) => ({
    name,
    share,
    grossQuote: gross[k],
    costQuote: all === 0 ? 0 : (costs * turned[k]) / all,
  }));
  return {
    sleeves: shares,
    otherQuote: shares.reduce((left, one) => left - one.grossQuote + one.costQuote, profit),
  };
}
