import { z } from 'zod';
import { searchRanges } from '../forecast/search-range.ts';
import { actionOf } from './reason.ts';
import { allowed, barred, ifKnown, type Strategy } from './strategy.ts';

const Params = z.strictObject({
  costMultiple: z
    .number()
    .min(0)
    .default(2)
    .describe('Costs one way that the quantile must clear: 2 is there and back')
    .register(searchRanges, { low: 0, high: 4 }),
});
type Params = z.output<typeof Params>;

/**
 * Opens a position only when nearly all of the forecast distribution pays for the way there and back: long when the
 * lower quantile lies above the costs, short when the upper lies below minus the costs. Leaves when the median turns.
 */
export const quantile: Strategy<Params> = {
  id: 'quantile',
  summary: 'acts when the 10 % or 90 % quantile of the forecast return clears the costs',
  source: 'one-sided prediction interval against proportional costs',
  params: Params,
  prepare: ({ costMultiple }, setting) => {
    const level = setting.cost * costMultiple;
    return (seen) => {
      const { held, lowQuantile, medianQuantile, highQuantile, confidence } = seen;
      if (Number.isNaN(lowQuantile) || Number.isNaN(highQuantile))
        return { target: NaN, reason: { kind: 'no-opinion' } };
      const turned = held * medianQuantile <= 0;
      const wanted = lowQuantile > level ? 1 : highQuantile < -level ? -1 : turned ? 0 : held;
      const target = allowed(wanted, setting);
      const down = medianQuantile < 0;
      return {
        target,
        reason: {
          kind: 'level',
          action: actionOf(held, target),
          stated: 'quantile',
          value: down ? highQuantile : lowQuantile,
          level: down ? -level : level,
          confidence: ifKnown(confidence),
          ...barred(wanted, setting),
        },
      };
    };
  },
};
