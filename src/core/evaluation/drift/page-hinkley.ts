import type { DriftDetector } from './detector.ts';

export interface PageHinkleyOptions {
  /** Values before the first test. Default 30. */
  readonly minInstances?: number;
  /** Change of the mean that is no change, in units of the stream. Default .005. */
  readonly delta?: number;
  /** Cumulated deviation that is an alarm, in units of the stream. Default 50. */
  readonly threshold?: number;
  /** Forgetting of the cumulated deviation; in (0, 1]. Default .9999. */
  readonly alpha?: number;
  /** Which change of the mean is looked for. Default both. */
  readonly mode?: 'up' | 'down' | 'both';
}

/** Page-Hinkley test (Page 1954, "Continuous inspection schemes"): cumulated deviations from the mean so far. Defaults as in river 0.26. */
export function createPageHinkley({
  minInstances = 30,
  delta = 0.005,
  threshold = 50,
  alpha = 0.9999,
  mode = 'both',
}: PageHinkleyOptions = {}): DriftDetector {
  const fresh = () => ({ n: 0, mean: 0, up: 0, down: 0, leastUp: Infinity, mostDown: -1 });
  let state = fresh();
  let drifted = false;
  return {
    update(value) {
      if (drifted) state = fresh();
      state.n++;
      state.mean += (value - state.mean) / state.n;
      const deviation = value - state.mean;
      state.up = alpha * state.up + deviation - delta;
      state.down = alpha * state.down + deviation + delta;
      state.leastUp = Math.min(state.leastUp, state.up);
      state.mostDown = Math.max(state.mostDown, state.down);
      drifted =
        state.n >= minInstances &&
        ((mode !== 'down' && state.up - state.leastUp > threshold) ||
          (mode !== 'up' && state.mostDown - state.down > threshold));
      return drifted ? 'drift' : 'stable';
    },
  };
}
