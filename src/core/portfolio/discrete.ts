import { type Instrument, roundDown } from '../trading/instrument.ts';

export interface DiscreteAllocation {
  /** Base amounts, multiples of each instrument's step. */
  readonly amounts: Float64Array;
  /** Quote currency that is left. */
  readonly left: number;
}

/**
 * Weights as amounts that an exchange accepts, for `capital` in quote currency: each rounded down to its step, then one step
 * at a time of whichever asset lies furthest below its weight and can be paid, while any lies below (PyPortfolioOpt's greedy rule). An
 * amount below the exchange's least order is not bought, and what it would have cost is left. Long only.
 */
export function discreteAllocation(
  weights: Float64Array,
  prices: Float64Array,
  capital: number,
  instruments: readonly Instrument[],
): DiscreteAllocation {
  const n = weights.length;
  const amounts = new Float64Array(n);
  let left = capital;
  for (let i = 0; i < n; i++) {
    const amount = roundDown((weights[i] * capital) / prices[i], instruments[i].amountStep);
    if (amount * prices[i] < instruments[i].minNotional) continue;
    amounts[i] = amount;
    left -= amount * prices[i];
  }
  const closed = new Set<number>();
  // A step of zero means that any amount is allowed: nothing was rounded away.
  for (let i = 0; i < n; i++) if (instruments[i].amountStep === 0 || weights[i] <= 0) closed.add(i);
  while (closed.size < n) {
    const spent = capital - left;
    let [furthest, deficit] = [-1, 0];
    for (let i = 0; i < n; i++) {
      if (closed.has(i)) continue;
      const gap = weights[i] - (spent > 0 ? (amounts[i] * prices[i]) / spent : 0);
      if (gap > deficit) [furthest, deficit] = [i, gap];
    }
    if (furthest < 0) break;
    const { amountStep, minNotional } = instruments[furthest];
    const price = amountStep * prices[furthest];
    const next = (amounts[furthest] + amountStep) * prices[furthest];
    if (price > left || next < minNotional) {
      closed.add(furthest);
      continue;
    }
    amounts[furthest] = roundDown(amounts[furthest] + amountStep, amountStep);
    left -= price;
  }
  return { amounts, left: Math.max(0, left) };
}
