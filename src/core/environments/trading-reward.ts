/** How much each part of the trading reward counts. A part with weight 0 is not there. */
export interface RewardWeights {
  /** Change of log equity over the bar, net of fees and slippage. */
  readonly returnWeight: number;
  /** What the bar adds to the exponentially weighted Sharpe ratio of the last bars, not annualised. */
  readonly sharpeWeight: number;
  /** Deepening of the drawdown from the highest equity of the episode, as a share. */
  readonly drawdownWeight: number;
}

/** Bars over which the Sharpe part remembers. */
const SHARPE_BARS = 240;
/** Smallest variance of a bar's return, so that the first trade after a flat spell is no fortune: (0.1 %)². */
const VARIANCE_FLOOR = 1e-6;

/** What the reward remembers of an episode. */
export interface RewardState {
  equity: number;
  peak: number;
  drawdown: number;
  /** Exponential means of the return and of its square. */
  mean: number;
  square: number;
}

export const startReward = (equity: number): RewardState => ({
  equity,
  peak: equity,
  drawdown: 0,
  mean: 0,
  square: 0,
});

/**
 * The reward of a bar that ended at `equity` (quote currency, above 0). The Sharpe part is the differential
 * Sharpe ratio of Moody & Saffell 2001 (eq. 8) times its rate 1/240: the ratio's change to first order.
 */
export function rewardOf(state: RewardState, equity: number, weights: RewardWeights): number {
  const change = Math.log(equity / state.equity);
  const { mean, square } = state;
  const meanChange = change - mean;
  const squareChange = change * change - square;
  const variance = Math.max(square - mean * mean, VARIANCE_FLOOR);
  const sharpe =
    (square * meanChange - (mean * squareChange) / 2) / (variance * Math.sqrt(variance) * SHARPE_BARS);

  if (equity > state.peak) state.peak = equity;
  const drawdown = 1 - equity / state.peak;
  const deeper = Math.max(0, drawdown - state.drawdown);
  state.equity = equity;
  state.drawdown = drawdown;
  state.mean = mean + meanChange / SHARPE_BARS;
  state.square = square + squareChange / SHARPE_BARS;
  return weights.returnWeight * change + weights.sharpeWeight * sharpe - weights.drawdownWeight * deeper;
}
