import type { AllocationTask, Allocator } from '../../core/portfolio/allocator.ts';
import { createRandom } from '../../core/foundation/random.ts';
import type { Steps } from '../../core/foundation/steps.ts';

/**
 * How much an allocator's weights owe to the very days they were chosen on: mean share of the capital that moves when the days are
 * drawn again, in blocks of ten and with replacement. 0: none, 1: all of it. One step a drawing.
 */
export function* weightInstability(
  allocator: Allocator,
  task: AllocationTask,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): Steps<number> {
  const random = createRandom(seed);
  const base = allocator.allocate(task).weights;
  const rows = task.returns[0].length;
  let moved = 0;
  for (let draw = 0; draw < draws; draw++) {
    yield;
    const picked = new Int32Array(rows);
    for (let t = 0, from = 0; t < rows; t++) {
      if (t % 10 === 0) from = Math.floor(random() * rows);
      picked[t] = (from + (t % 10)) % rows;
    }
    const returns = task.returns.map((column) => Float64Array.from(picked, (t) => column[t]));
    const { weights } = allocator.allocate({ ...task, returns });
    moved += weights.reduce((sum, weight, i) => sum + Math.abs(weight - base[i]), 0) / 2;
  }
  return moved / draws;
}
