import { expect, it } from 'vitest';
import {
  constantRate,
  cosineWithWarmUp,
  linearDecay,
  oneCycle,
  type PlateauState,
  reduceOnPlateau,
} from '../../../src/learning/engine/schedules.ts';

it('the constant and the linear schedule', () => {
  expect(constantRate(0.1)(99)).toBe(0.1);
  const decay = linearDecay(1, { steps: 4, finalRate: 0.2 });
  expect([0, 2, 4, 9].map(decay)).toEqual([1, 0.6, 0.19999999999999996, 0.19999999999999996]);
});

it('cosine with warm-up rises in equal steps, is half way down in the middle, and ends at the final rate', () => {
  const rate = cosineWithWarmUp(1, { steps: 14, warmUpSteps: 4, finalRate: 0.1 });
  expect([0, 1, 2, 3, 4].map(rate)).toEqual([0.25, 0.5, 0.75, 1, 1]);
  expect(rate(9)).toBeCloseTo(0.55, 12);
  expect(rate(14)).toBeCloseTo(0.1, 12);
  expect(rate(50)).toBeCloseTo(0.1, 12);
});

// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10): starts at 1/25, peaks at step 0.3 x 10 - 1,
// ends at 1/25/1e4; half a cosine between.
it('one cycle has the corners and middles of OneCycleLR', () => {
  const rate = oneCycle(1, { steps: 10 });
  expect(rate(0)).toBeCloseTo(0.04, 12);
  expect(rate(1)).toBeCloseTo(0.52, 12);
  expect(rate(2)).toBeCloseTo(1, 12);
  expect(rate(9)).toBeCloseTo(4e-6, 12);
});

it('the rate falls after more than `patience` epochs without improvement, and not below the least', () => {
  let state: PlateauState = { rate: 1, best: Infinity, badEpochs: 0 };
  const rates = [5, 4, 4, 4, 4, 4, 4, 3].map((loss) => {
    state = reduceOnPlateau(state, loss, { factor: 0.1, patience: 1, minRate: 0.05 });
    return state.rate;
  });
  expect(rates).toEqual([1, 1, 1, 0.1, 0.1, 0.05, 0.05, 0.05]);
  expect(state).toEqual({ rate: 0.05, best: 3, badEpochs: 0 });
});
