import type { Candles } from '../market/candles.ts';

/** Weight of the past in the running variance: J.P. Morgan, RiskMetrics Technical Document, 1996. */
const DECAY = 0.94;
/** Returns before which the running variance says nothing. */
const WARM_UP = 20;

/**
 * Deviation of one bar's simple return as of each close, as a fraction: exponentially weighted squares of close-to-close
 * returns. `NaN` during the first 20 returns. Row t uses bars up to t only.
 */
export function runningVolatility({ close }: Pick<Candles, 'close'>): Float64Array {
  const volatility = new Float64Array(close.length).fill(NaN);
  let variance = 0;
  let weight = 0;
  let count = 0;
  for (let row = 1; row < close.length; row++) {
    const change = close[row] / close[row - 1] - 1;
    if (Number.isFinite(change)) {
      variance = DECAY * variance + (1 - DECAY) * change * change;
      weight = DECAY * weight + 1 - DECAY;
      count++;
    }
    // Early on the weights do not add up to 1 yet.
    if (count >= WARM_UP) volatility[row] = Math.sqrt(variance / weight);
  }
  return volatility;
}
