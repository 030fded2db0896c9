import type { Series } from '../../../core/dataset/panel.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { signRuleModel } from '../../learners/rules/sign-rule.ts';

/** Goes on in the direction of the last bar. */
export const persistence = signRuleModel(
  {
    id: 'persistence',
    summary: 'the next bar goes the way of the last one',
    source: 'the no-change-of-direction forecast; every other model has to beat it',
  },
  lastDirection,
);

/** Sign of the last close-to-close change; `NaN` on the first bar and after a gap. */
export function lastDirection({ candles }: Series, timeframe: Timeframe): Float64Array {
  const { time, close } = candles;
  return close.map((price, row) =>
    row > 0 && time[row] - time[row - 1] === TIMEFRAME_MS[timeframe]
      ? Math.sign(price - close[row - 1])
      : NaN,
  );
}
