import { z } from 'zod';
import { defineSingleRule } from './rule.ts';
import { trailingDeviation, trailingMean, walk } from './trailing.ts';

/** Buys what fell too fast and sells it back in the middle. */
export const rsiReversion = defineSingleRule(
  {
    id: 'rsi-reversion',
    summary: 'long from an oversold relative strength index until it is back above the middle',
    source: 'Wilder 1978, New Concepts in Technical Trading Systems; Connors & Alvarez 2009',
    params: z.strictObject({
      bars: z.int().min(2).default(14).describe("Bars of Wilder's smoothing"),
      entry: z.number().min(0).max(100).default(30).describe('Index below which a position is opened'),
      exit: z.number().min(0).max(100).default(55).describe('Index above which it is closed'),
    }),
  },
  ({ candles: { close } }, { bars, entry, exit }) => {
    const index = relativeStrength(close, bars);
    return walk(close.length, bars, (row, held) => (index[row] < entry ? 1 : index[row] > exit ? 0 : held));
  },
);

export const bollingerReversion = defineSingleRule(
  {
    id: 'bollinger-reversion',
    summary: 'long from a close below the lower band until the mean is reached',
    source: 'Bollinger 2001, Bollinger on Bollinger Bands',
    params: z.strictObject({
      bars: z.int().min(2).default(20).describe('Bars of mean and deviation'),
      deviations: z.number().positive().default(2).describe('Deviations below the mean that open a position'),
    }),
  },
  ({ candles: { close } }, { bars, deviations }) => {
    const mean = trailingMean(close, bars);
    const deviation = trailingDeviation(close, bars);
    return walk(close.length, bars - 1, (row, held) =>
      close[row] < mean[row] - deviations * deviation[row] ? 1 : close[row] >= mean[row] ? 0 : held,
    );
  },
);

/** Wilder's relative strength index, seeded with the plain means of the first `bars` changes. */
function relativeStrength(close: Float64Array, bars: number): Float64Array {
  let [up, down] = [0, 0];
  return close.map((price, row) => {
    if (row === 0) return NaN;
    const change = price - close[row - 1];
    const keep = row <= bars ? 1 : 1 - 1 / bars;
    up = keep * up + Math.max(0, change) / bars;
    down = keep * down + Math.max(0, -change) / bars;
    if (row < bars) return NaN;
    return up + down === 0 ? 50 : (100 * up) / (up + down);
  });
}
