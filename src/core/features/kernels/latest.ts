import type { Observe } from '../observing.ts';

/**
 * The newest row of an input: its `observe` goes to the kernel, whose step reads it. A row of another market's
 * bars belongs to the bar with the same time only.
 */
export class Latest {
  /** The row's own time; `NaN` before the first. */
  timeMs = NaN;
  values: Float64Array = new Float64Array(0);

  readonly observe: Observe = (values, timeMs) => {
    if (this.values.length !== values.length) this.values = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) this.values[i] = values[i];
    this.timeMs = timeMs;
  };
}
