import { z } from 'zod';

const YEAR_MS = 365 * 86_400_000;

/** Parameters of rules that scale with volatility. */
export const VOLATILITY_TARGET = {
  volatilityTargetPct: z
    .number()
    .min(0)
    .default(40)
    .describe('Yearly volatility of the position to aim at; 0: always the full position'),
  volatilityHalfLife: z
    .number()
    .positive()
    .default(30)
    .describe('Half-life in bars of the weights of past returns'),
  step: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('Positions are multiples of this, against trading for nothing'),
};

interface Target {
  readonly volatilityTargetPct: number;
  readonly volatilityHalfLife: number;
  readonly step: number;
}

/** Scales positions so that volatility comes near the target, never above the full position. */
export function aimAtVolatility(
  positions: Float64Array,
  close: Float64Array,
  barMs: number,
  { volatilityTargetPct, volatilityHalfLife, step }: Target,
): Float64Array {
  if (volatilityTargetPct === 0) return positions;
  const yearly = weightedDeviation(close, volatilityHalfLife).map(
    (deviation) => deviation * Math.sqrt(YEAR_MS / barMs),
  );
  return positions.map((position, row) => {
    const scaled = position * Math.min(1, volatilityTargetPct / 100 / yearly[row]);
    // Adding 0 turns -0 into 0.
    return (step === 0 ? scaled : Math.round(scaled / step) * step) + 0;
  });
}

/**
 * Exponentially weighted sample deviation of close-to-close returns as of each bar, weights normalised over the history
 * and bias corrected (pandas `ewm(halflife).std()`); `NaN` on the first two bars.
 */
function weightedDeviation(close: Float64Array, halfLife: number): Float64Array {
  const decay = 0.5 ** (1 / halfLife);
  let [weights, squaredWeights, mean, squares] = [0, 0, 0, 0];
  return close.map((price, row) => {
    if (row === 0) return NaN;
    const value = price / close[row - 1] - 1;
    // Welford's update with weights that fade by `decay`.
    weights = decay * weights + 1;
    squaredWeights = decay * decay * squaredWeights + 1;
    const before = value - mean;
    mean += before / weights;
    squares = decay * squares + before * (value - mean);
    const freedom = weights - squaredWeights / weights;
    return row < 2 ? NaN : Math.sqrt(squares / freedom);
  });
}
