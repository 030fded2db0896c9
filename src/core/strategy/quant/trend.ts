import { z } from 'zod';
import { defineSingleRule } from './rule.ts';
import { highestBefore, lowestBefore, trailingMean, walk } from './trailing.ts';
import { aimAtVolatility, VOLATILITY_TARGET } from './volatility-target.ts';

const bars = (count: number, meaning: string) => z.int().min(1).default(count).describe(meaning);

/** Long while the close stands above its mean: the plainest trend rule, and on days a hard one to beat. */
export const trend = defineSingleRule(
  {
    id: 'trend',
    summary: 'long while the close is above its own mean, sized to a volatility target',
    source: 'Faber 2007, A Quantitative Approach to Tactical Asset Allocation',
    params: z.strictObject({
      bars: bars(50, 'Bars of the mean'),
      ...VOLATILITY_TARGET,
    }),
  },
  ({ candles: { close } }, params, barMs) => {
    const means = trailingMean(close, params.bars);
    const positions = close.map((price, row) =>
      Number.isNaN(means[row]) ? NaN : price > means[row] ? 1 : 0,
    );
    return aimAtVolatility(positions, close, barMs, params);
  },
);

/** The sign of the return over a look-back, long and short. */
export const timeSeriesMomentum = defineSingleRule(
  {
    id: 'time-series-momentum',
    summary: 'the side of the return over the last bars, sized to a volatility target',
    source: 'Moskowitz, Ooi & Pedersen 2012, Time Series Momentum',
    params: z.strictObject({
      bars: bars(90, 'Bars of the past return'),
      ...VOLATILITY_TARGET,
    }),
  },
  ({ candles: { close } }, params, barMs) => {
    const positions = close.map((price, row) =>
      row < params.bars ? NaN : Math.sign(price / close[row - params.bars] - 1),
    );
    return aimAtVolatility(positions, close, barMs, params);
  },
);

/** In on a close above the highest of the entry bars, out on one below the lowest of the exit bars. */
export const donchian = defineSingleRule(
  {
    id: 'donchian',
    summary: 'long from a new high until a new low',
    source: "Donchian's channel; the entries and exits of the Turtle traders (Faith 2007), closes only",
    params: z.strictObject({
      entryBars: bars(50, 'Bars whose highest close must be passed'),
      exitBars: bars(25, 'Bars whose lowest close ends the position'),
    }),
  },
  ({ candles: { close } }, { entryBars, exitBars }) => {
    const highest = highestBefore(close, entryBars);
    const lowest = lowestBefore(close, exitBars);
    return walk(close.length, entryBars, (row, held) =>
      close[row] > highest[row] ? 1 : close[row] < lowest[row] ? 0 : held,
    );
  },
);

export const movingAverageCross = defineSingleRule(
  {
    id: 'ma-cross',
    summary: 'long while the fast mean is above the slow one',
    source: 'Brock, Lakonishok & LeBaron 1992, Simple Technical Trading Rules',
    params: z.strictObject({
      fastBars: bars(20, 'Bars of the fast mean'),
      slowBars: bars(100, 'Bars of the slow mean'),
      bandPct: z.number().min(0).default(0).describe('Distance of the means that a change of side needs'),
    }),
  },
  ({ candles: { close } }, { fastBars, slowBars, bandPct }) => {
    const fast = trailingMean(close, fastBars);
    const slow = trailingMean(close, slowBars);
    return walk(close.length, Math.max(fastBars, slowBars) - 1, (row, held) => {
      const distance = 100 * (fast[row] / slow[row] - 1);
      return distance > bandPct ? 1 : distance < -bandPct ? 0 : held;
    });
  },
);

/** In when the price moves far beyond the last bar's close, out after a number of bars. */
export const volatilityBreakout = defineSingleRule(
  {
    id: 'volatility-breakout',
    summary: 'long after a close above the last close plus a multiple of the mean range, for some bars',
    source: 'Williams 1999, Long-Term Secrets to Short-Term Trading, decided at closes',
    params: z.strictObject({
      rangeBars: bars(20, 'Bars of the mean true range'),
      multiple: z.number().positive().default(1).describe('Mean ranges that a close must rise by'),
      holdBars: bars(10, 'Bars that a position is held after the last breakout'),
    }),
  },
  ({ candles: { high, low, close } }, { rangeBars, multiple, holdBars }) => {
    const ranges = close.map((_, row) =>
      row === 0 ? high[0] - low[0] : Math.max(high[row], close[row - 1]) - Math.min(low[row], close[row - 1]),
    );
    const means = trailingMean(ranges, rangeBars);
    let since = Infinity;
    return walk(close.length, rangeBars, (row) => {
      // The range of the bars before: a wide bar must not raise its own hurdle.
      since = close[row] > close[row - 1] + multiple * means[row - 1] ? 0 : since + 1;
      return since < holdBars ? 1 : 0;
    });
  },
);
