import { drawn, fill } from '../space.ts';
import type { Sampler } from '../trial.ts';

/** Every parameter by itself, uniform on its scale. */
export const createRandomSampler = (): Sampler => ({
  suggest: (space, _trials, { random }) => fill(space, (_name, dimension) => drawn(dimension, random)),
});
