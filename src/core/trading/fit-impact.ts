import { UserError } from '../foundation/errors.ts';
import type { TimedSeries } from '../market/timed-series.ts';

/** What recorded order books and trades say of the constants of modelled slippage. */
export interface FittedImpact {
  /** Median of half the spread. */
  readonly halfSpreadBps: number;
  /** Half the spread in nine snapshots of ten is no more. */
  readonly halfSpread90Bps: number;
  /** Of the square-root law, and its standard error (White's). */
  readonly factor: number;
  readonly factorError: number;
  readonly snapshots: number;
  /** Between two snapshots, where all trades are known. */
  readonly intervals: number;
}

const LEAST_INTERVALS = 100;

/**
 * Fits the law that `liquidity.ts` charges to rows of the series `order-book`: over an interval between two snapshots the middle of the
 * book moves by factor x its usual deviation x sign(Q) sqrt(|Q| / V), where Q is what takers bought less what they sold and V what is usually
 * traded in an interval (Toth et al. 2011; of aggregated flow, Bouchaud et al. 2018, Trades, Quotes and Prices, chapter 12). Least squares through the origin. The
 * length of the intervals cancels: deviation and root of the volume grow alike. Throws `UserError` for fewer than 100 intervals.
 */
export function fitImpact({ time, columns }: TimedSeries): FittedImpact {
  const { bid, ask, bought, sold } = columns;
  const middle = bid.map((price, i) => (price + ask[i]) / 2);
  const halves = bid.map((price, i) => (5000 * (ask[i] - price)) / middle[i]).sort();
  const gaps = time.slice(1).map((at, i) => at - time[i]);
  const usual = gaps.toSorted()[gaps.length >> 1];
  const moves: number[] = [];
  const flows: number[] = [];
  let volume = 0;
  for (let i = 1; i < time.length; i++) {
    const traded = bought[i] + sold[i];
    // After a pause the row covers its last part only; the move is of all of it.
    if (Number.isNaN(traded) || time[i] - time[i - 1] > 2 * usual) continue;
    moves.push(Math.log(middle[i] / middle[i - 1]));
    flows.push(bought[i] - sold[i]);
    volume += traded;
  }
  if (moves.length < LEAST_INTERVALS || volume === 0)
    throw new UserError(
      `The recorded order books have ${moves.length} intervals with known trades: expected ${LEAST_INTERVALS} or more.`,
      { hint: 'Record more: crypto-trader fetch --series order-book --every 60' },
    );
  const mean = moves.reduce((sum, move) => sum + move, 0) / moves.length;
  const deviation = Math.sqrt(moves.reduce((sum, move) => sum + (move - mean) ** 2, 0) / (moves.length - 1));
  const x = flows.map(
    (flow) => deviation * Math.sign(flow) * Math.sqrt(Math.abs(flow) / (volume / moves.length)),
  );
  const squares = x.reduce((sum, value) => sum + value ** 2, 0);
  const factor = x.reduce((sum, value, i) => sum + value * moves[i], 0) / squares;
  const scatter = x.reduce((sum, value, i) => sum + (value * (moves[i] - factor * value)) ** 2, 0);
  return {
    halfSpreadBps: halves[halves.length >> 1],
    halfSpread90Bps: halves[Math.floor(0.9 * halves.length)],
    factor,
    factorError: Math.sqrt(scatter) / squares,
    snapshots: time.length,
    intervals: moves.length,
  };
}
