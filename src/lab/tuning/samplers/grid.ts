import { UserError } from '../../../core/foundation/errors.ts';
import {
  atUnit,
  type Dimension,
  fill,
  isSingle,
  type Params,
  type Space,
  stepOf,
  type Value,
} from '../space.ts';
import type { Sampler } from '../trial.ts';

/** Points of the grid of a parameter that has no steps of its own. */
const POINTS = 5;

/** Every combination, in order: `POINTS` values of a parameter without steps, all values of the others. Starts again after the last. */
export const createGridSampler = (): Sampler => ({
  suggest: (space, _trials, { number }) => {
    const grid = gridOf(space);
    return grid[number % grid.length];
  },
});

/** All combinations. Throws `UserError` when there are more than anybody will try. */
function gridOf(space: Space): readonly Params[] {
  let grid: Params[] = [{}];
  for (const [name, dimension] of Object.entries(space)) {
    const values = valuesOf(dimension);
    grid = grid.flatMap((params) =>
      name in fill({ ...pickNames(space, params), [name]: dimension }, (n, d) => params[n] ?? valuesOf(d)[0])
        ? values.map((value) => ({ ...params, [name]: value }))
        : [params],
    );
    if (grid.length > 100_000)
      throw new UserError('The grid has more than 100 000 points.', {
        hint: 'Name fewer parameters or values in the space, or use another sampler.',
      });
  }
  return grid;
}

const pickNames = (space: Space, params: Params): Space =>
  Object.fromEntries(Object.entries(space).filter(([name]) => name in params));

function valuesOf(dimension: Dimension): readonly Value[] {
  if (dimension.kind === 'categorical') return dimension.choices;
  if (isSingle(dimension)) return [dimension.low];
  const step = dimension.log ? undefined : stepOf(dimension);
  const count = step === undefined ? POINTS : Math.floor((dimension.high - dimension.low) / step + 1e-9) + 1;
  const at = (k: number): Value =>
    step === undefined ? atUnit({ ...dimension, kind: 'float' }, k / (count - 1)) : dimension.low + k * step;
  return [
    ...new Set(
      Array.from({ length: count }, (_, k) => (dimension.kind === 'int' ? Math.round(Number(at(k))) : at(k))),
    ),
  ];
}
