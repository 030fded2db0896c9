/** How often the best of several strategies on one half of the bars is not even average on the other half. */
export interface Overfitting {
  /** Probability of backtest overfitting: share of the splits in which the best falls to the lower half. */
  readonly probability: number;
  /** Mean logit of the relative rank that the best of one half has in the other; below 0 it is worse than average. */
  readonly meanLogit: number;
  readonly splits: number;
  readonly strategies: number;
}

/**
 * Combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado and Zhu 2017): the bars are cut into
 * `blocks` (even) runs of equal length, the oldest left-over bars dropped; every choice of half of the runs elects the
 * strategy with the highest Sharpe ratio, which is then ranked on the other half. A strategy that did nothing has a ratio
 * of 0. `undefined` with fewer than two strategies or ten bars a run.
 */
export function backtestOverfitting(returns: readonly Float64Array[], blocks = 16): Overfitting | undefined {
  const strategies = returns.length;
  const bars = Math.floor((returns[0]?.length ?? 0) / blocks);
  if (strategies < 2 || bars < 10) return undefined;
  const moments = returns.map((column) => blockMoments(column, blocks, bars));
  const half = (bars * blocks) / 2;
  const [inside, outside] = [new Float64Array(strategies), new Float64Array(strategies)];
  let [splits, losing, logits] = [0, 0, 0];
  for (let chosen = 0; chosen < 2 ** blocks; chosen++) {
    if (bitsOf(chosen) !== blocks / 2) continue;
    for (const [s, { sums, squares }] of moments.entries()) {
      let [sumIn, sumOut, squareIn, squareOut] = [0, 0, 0, 0];
      for (let block = 0; block < blocks; block++) {
        if ((chosen >> block) & 1) {
          sumIn += sums[block];
          squareIn += squares[block];
        } else {
          sumOut += sums[block];
          squareOut += squares[block];
        }
      }
      inside[s] = ratio(sumIn, squareIn, half);
      outside[s] = ratio(sumOut, squareOut, half);
    }
    const own = outside[inside.indexOf(Math.max(...inside))];
    const below = outside.filter((value) => value < own).length;
    const equal = outside.filter((value) => value === own).length;
    const rank = (below + (equal + 1) / 2) / (strategies + 1);
    const logit = Math.log(rank / (1 - rank));
    logits += logit;
    if (logit <= 0) losing++;
    splits++;
  }
  return { probability: losing / splits, meanLogit: logits / splits, splits, strategies };
}

function blockMoments(column: Float64Array, blocks: number, bars: number) {
  const sums = new Float64Array(blocks);
  const squares = new Float64Array(blocks);
  const first = column.length - blocks * bars;
  for (let i = first; i < column.length; i++) {
    const block = Math.floor((i - first) / bars);
    sums[block] += column[i];
    squares[block] += column[i] * column[i];
  }
  return { sums, squares };
}

function ratio(sum: number, squares: number, count: number): number {
  const mean = sum / count;
  const variance = (squares - sum * mean) / (count - 1);
  return variance > 1e-12 * squares ? mean / Math.sqrt(variance) : 0;
}

function bitsOf(value: number): number {
  let count = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) count++;
  return count;
}
