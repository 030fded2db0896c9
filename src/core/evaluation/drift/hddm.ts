import type { DriftDetector } from './detector.ts';

/** Detectors with bounds that hold for any bounded stream (Frias-Blanco et al. 2015, "Online and non-parametric drift detection methods based on Hoeffding's bounds"). */
export interface HddmOptions {
  /** Chance of a false alarm, and of a false warning. Defaults .001 and .005. */
  readonly driftConfidence?: number;
  readonly warningConfidence?: number;
}

/** The test of means (HDDM-A), for sudden changes: values in [0, 1]; alarm when their mean rises. */
export function createHddmA({
  driftConfidence = 0.001,
  warningConfidence = 0.005,
}: HddmOptions = {}): DriftDetector {
  let n = 0;
  let mean = 0;
  let least = { n: 0, mean: 0 };
  let drifted = false;
  const bound = (size: number): number => Math.sqrt(Math.log(1 / driftConfidence) / (2 * size));
  const rises = (confidence: number): boolean => {
    if (least.n === n) return false;
    const spread = (n - least.n) / least.n / n;
    return mean - least.mean >= Math.sqrt((spread / 2) * Math.log(2 / confidence));
  };
  return {
    update(value) {
      if (drifted) {
        n = mean = 0;
        least = { n: 0, mean: 0 };
      }
      n++;
      mean += (value - mean) / n;
      if (least.n === 0 || least.mean + bound(least.n) >= mean + bound(n)) least = { n, mean };
      drifted = rises(driftConfidence);
      if (drifted) return 'drift';
      return rises(warningConfidence) ? 'warning' : 'stable';
    },
  };
}

/** The test of exponentially weighted means (HDDM-W), for gradual changes: values in [0, 1]; alarm when their mean rises. */
export function createHddmW({
  driftConfidence = 0.001,
  warningConfidence = 0.005,
  lambda = 0.05,
}: HddmOptions & {
  /** Weight of the newest value; in (0, 1). Default .05. */
  readonly lambda?: number;
} = {}): DriftDetector {
  /** `spread`: sum of squared weights, which McDiarmid's bound takes. */
  const empty = () => ({ seen: false, mean: 0, spread: 1 });
  let all = empty();
  let before = empty();
  let after = empty();
  let cut = Infinity;
  let drifted = false;
  const add = (sample: ReturnType<typeof empty>, value: number): void => {
    sample.mean = sample.seen ? sample.mean + lambda * (value - sample.mean) : value;
    sample.seen = true;
    sample.spread = lambda ** 2 + (1 - lambda) ** 2 * sample.spread;
  };
  const bound = (spread: number, confidence: number): number =>
    Math.sqrt((spread * Math.log(1 / confidence)) / 2);
  const rises = (confidence: number): boolean =>
    before.seen && after.seen && after.mean - before.mean > bound(before.spread + after.spread, confidence);
  return {
    update(value) {
      if (drifted) {
        [all, before, after] = [empty(), empty(), empty()];
        cut = Infinity;
      }
      add(all, value);
      const level = all.mean + bound(all.spread, driftConfidence);
      if (level < cut) {
        cut = level;
        before = { ...all };
        after = empty();
      } else add(after, value);
      drifted = rises(driftConfidence);
      if (drifted) return 'drift';
      return rises(warningConfidence) ? 'warning' : 'stable';
    },
  };
}
