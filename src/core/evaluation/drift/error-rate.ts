import type { DriftDetector } from './detector.ts';

/**
 * Drift detection method (Gama, Medas, Castillo & Rodrigues 2004, "Learning with drift detection"): the rate of errors
 * against its lowest so far, warning at two of its deviations above and drift at three. Values are 0 (right) and 1 (wrong).
 */
export function createDdm({ warmStart = 30, warning = 2, drift = 3 } = {}): DriftDetector {
  const fresh = () => ({ n: 0, rate: 0, least: Infinity, leastRate: 0, leastDeviation: 0 });
  let state = fresh();
  let drifted = false;
  return {
    update(error) {
      if (drifted) state = fresh();
      drifted = false;
      state.n++;
      state.rate += (error - state.rate) / state.n;
      const deviation = Math.sqrt((state.rate * (1 - state.rate)) / state.n);
      if (state.n <= warmStart) return 'stable';
      const level = state.rate + deviation;
      if (level <= state.least) {
        state.least = level;
        state.leastRate = state.rate;
        state.leastDeviation = deviation;
      }
      drifted = level > state.leastRate + drift * state.leastDeviation;
      if (drifted) return 'drift';
      return level > state.leastRate + warning * state.leastDeviation ? 'warning' : 'stable';
    },
  };
}

/**
 * Early drift detection method (Baena-Garcia et al. 2006): the distance between errors against its longest so far, for
 * changes too slow for the rate. Values are 0 (right) and 1 (wrong).
 */
export function createEddm({ warmStart = 30, warning = 0.95, drift = 0.9 } = {}): DriftDetector {
  const fresh = () => ({ n: 0, errors: 0, last: 0, mean: 0, deviation: 0, longest: -1 });
  let state = fresh();
  let said: 'stable' | 'warning' | 'drift' = 'stable';
  return {
    update(error) {
      if (said === 'drift') {
        state = fresh();
        said = 'stable';
      }
      state.n++;
      if (error !== 1) return said;
      const distance = state.n - state.last;
      state.last = state.n;
      state.errors++;
      const gap = distance - state.mean;
      state.mean += gap / state.errors;
      state.deviation += gap * (distance - state.mean);
      if (state.n <= warmStart) return said;
      const variance = state.errors > 1 ? state.deviation / (state.errors - 1) : 0;
      const level = state.mean + 2 * Math.sqrt(variance);
      if (level > state.longest) state.longest = level;
      else if (state.errors > warmStart) {
        const ratio = level / state.longest;
        if (ratio < drift) said = 'drift';
        else said = ratio < warning ? 'warning' : 'stable';
      }
      return said;
    },
  };
}
