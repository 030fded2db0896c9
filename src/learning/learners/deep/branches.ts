import { z } from 'zod';
import { UserError } from '../../../core/foundation/errors.ts';
import type { BarLength } from '../../../core/market/bar-length.ts';
import { type Timeframe, TIMEFRAME_MS, TIMEFRAMES, isTimeframe } from '../../../core/market/timeframe.ts';
import type { Branch, PanelShape } from './inputs.ts';

/** Of bars that the model makes from the panel's: features with a short warm-up, for a day has few bars. */
const LONGER_FEATURES = [
  'bar_return',
  'high_low_range',
  'close_location',
  'momentum_score_10',
  'rsi_14',
  'volatility_ratio_5_20',
];

export const longerFeatures = z
  .array(z.string())
  .min(1)
  .default(LONGER_FEATURES)
  .describe('Inputs of the bars that are made from the closed bars of the data, from the feature catalogue');

/** The branch of one timeframe: the panel's own columns, or features of the longer bars made from its bars. */
export const branchOf = (
  timeframe: BarLength,
  panel: PanelShape,
  of: {
    readonly lookBack: number;
    readonly longerFeatures: readonly string[];
    readonly own: readonly string[];
  },
): Branch => ({
  name: timeframe,
  timeframe,
  lookBack: of.lookBack,
  features: timeframe === panel.timeframe ? of.own : of.longerFeatures,
});

/** The timeframe of bars made of `multiple` bars. Throws `UserError` where that length has no name. */
export function multipleOf(timeframe: Timeframe, multiple: number): Timeframe {
  const found = TIMEFRAMES.filter(isTimeframe).find(
    (name) => TIMEFRAME_MS[name] === multiple * TIMEFRAME_MS[timeframe],
  );
  if (found !== undefined) return found;
  throw new UserError(`${multiple} bars of ${timeframe} are not the length of a known timeframe.`, {
    hint: `Choose multiples that give one of: ${TIMEFRAMES.join(', ')}.`,
  });
}
