import { z } from 'zod';
import { searchRanges } from '../forecast/search-range.ts';
import { normalCdf } from '../foundation/special-functions.ts';
import { shrinkage } from './edge.ts';
import { believedRight, labelInputs } from './labels.ts';
import { actionOf } from './reason.ts';
import { allowed, type Decision, ifKnown, type Strategy } from './strategy.ts';

const Params = z.strictObject({
  costMultiple: z
    .number()
    .min(0)
    .default(2)
    .describe('Costs one way that a position has to earn before it is opened: 2 is there and back')
    .register(searchRanges, { low: 0, high: 4 }),
});
type Params = z.output<typeof Params>;

/**
 * The forecaster names the side, a second model says how likely that side is right, and that makes the size: none where what
 * it expects does not pay for the trade. Out where the side turns, or is no longer likelier than not.
 */
export const metaLabel: Strategy<Params> = {
  id: 'meta-label',
  summary: 'the side by the forecast, the size by a second model of when that side is right',
  source: 'Lopez de Prado 2018, Advances in Financial Machine Learning, 3.6 and 10.3; labels.ts',
  params: Params,
  restsOnSkill: true,
  restsOnLabels: true,
  prepare: ({ costMultiple }, setting) => {
    const labels = setting.edge?.labels;
    if (labels === undefined) return () => ({ target: 0, reason: { kind: 'unmeasured' } });
    if (shrinkage(labels.edge) === 0) {
      const { slope, low, high } = labels.edge;
      return () => ({ target: 0, reason: { kind: 'no-skill', slope, low, high } });
    }
    const level = 0.5 + (costMultiple * setting.cost) / labels.meanMove / 2;
    return (seen): Decision => {
      const p = believedRight(labels, labelInputs(seen));
      if (!Number.isFinite(p)) return { target: NaN, reason: { kind: 'no-opinion' } };
      const side = Math.sign(seen.expectedReturn);
      const size = Math.max(0, 2 * normalCdf((p - 0.5) / Math.sqrt(p * (1 - p))) - 1);
      const stays = Math.sign(seen.held) === side && p > 0.5;
      const target = allowed(p >= level ? side * size : stays ? seen.held : 0, setting);
      const action = actionOf(seen.held, target);
      const confidence = ifKnown(seen.confidence);
      return {
        target,
        reason: { kind: 'level', action, stated: 'probability', value: p, level, confidence },
      };
    };
  },
};
