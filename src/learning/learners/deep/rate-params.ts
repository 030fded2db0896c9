import { z } from 'zod';
import { searchRanges } from '../../../core/forecast/search-range.ts';
import {
  constantRate,
  cosineWithWarmUp,
  oneCycle,
  reduceOnPlateau,
  type Schedule,
} from '../../engine/schedules.ts';

/** How the learning rate runs through a training. */
export const rateParams = {
  schedule: z
    .enum(['cosine', 'one-cycle', 'plateau', 'constant'])
    .default('cosine')
    .describe(
      'Learning rate: warm-up and cosine decay; one cycle; lower after epochs without gain; the same throughout',
    )
    .register(searchRanges, { choices: ['cosine', 'one-cycle', 'plateau', 'constant'] }),
  plateauFactor: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe('Schedule plateau: the learning rate is multiplied by this after epochs without gain'),
  plateauPatience: z
    .int()
    .min(0)
    .default(1)
    .describe('Schedule plateau: epochs without gain that are waited for'),
};

interface RatePlan extends z.output<z.ZodObject<typeof rateParams>> {
  readonly learningRate: number;
}

/** The learning rate at a step, counted from 0, when the epochs before it ended with these validation losses. */
export type RateOf = (step: number, validationLosses: readonly number[]) => number;

export function rateOf(plan: RatePlan, steps: number): RateOf {
  const { learningRate, schedule } = plan;
  if (schedule === 'plateau') return (_, losses) => afterPlateaus(plan, losses);
  const rate = ((): Schedule => {
    if (schedule === 'constant') return constantRate(learningRate);
    if (schedule === 'one-cycle') return oneCycle(learningRate, { steps });
    return cosineWithWarmUp(learningRate, {
      steps,
      warmUpSteps: Math.max(1, Math.round(0.05 * steps)),
      finalRate: learningRate / 100,
    });
  })();
  return (step) => rate(step);
}

/** From all losses so far: a training that goes on needs no state but them. */
function afterPlateaus(
  { learningRate, plateauFactor, plateauPatience }: RatePlan,
  losses: readonly number[],
): number {
  let state = { rate: learningRate, best: Infinity, badEpochs: 0 };
  for (const loss of losses)
    state = reduceOnPlateau(state, loss, {
      factor: plateauFactor,
      patience: plateauPatience,
      minRate: learningRate / 1000,
    });
  return state.rate;
}
