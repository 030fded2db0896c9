import { mean } from '../foundation/moments.ts';

/** How learning one task after the other has changed the scores: rows are moments, columns tasks. Higher is better. */
export interface Transfer {
  /** Mean of the last row: all tasks after the last one was learned. */
  readonly average: number;
  /** Mean over the earlier tasks of the score at the end less the one right after the task: below 0, forgetting. */
  readonly backward: number | undefined;
  /** Mean over the later tasks of the score right before the task less that of a network that has learned nothing. */
  readonly forward: number | undefined;
}

/**
 * From the matrix of Lopez-Paz & Ranzato 2017, section 3.1: `scores[i][j]` is that of task j after task i was learned,
 * `untrained[j]` that of task j before anything was.
 */
export function transferOf(scores: readonly (readonly number[])[], untrained: readonly number[]): Transfer {
  const tasks = scores.length;
  const end = scores[tasks - 1];
  return {
    average: mean(end) ?? NaN,
    backward: mean(end.slice(0, -1).map((score, j) => score - scores[j][j])),
    forward: mean(end.slice(1).map((_, j) => scores[j][j + 1] - untrained[j + 1])),
  };
}
