import type { DriftDetector } from './detector.ts';

export interface AdwinOptions {
  /** Chance of an alarm on a stable stream, per check of the window; in (0, 1). Default .002. */
  readonly delta?: number;
  /** Values between two checks. Default 32. */
  readonly clock?: number;
  /** Buckets of one size before two of them are joined. Default 5. */
  readonly maxBuckets?: number;
  /** Values that either side of a cut needs. Default 5. */
  readonly minWindowLength?: number;
  /** Values before the first check. Default 10. */
  readonly gracePeriod?: number;
}

/** Sums and sums of squared deviations of 2^level values each, oldest first. */
interface Level {
  readonly sums: number[];
  readonly deviations: number[];
}

/**
 * Adaptive windowing (Bifet & Gavalda 2007, "Learning from time-changing data with adaptive windowing", ADWIN2): keeps
 * the longest window whose halves have no different means, in exponential buckets, so that memory and time grow with
 * the logarithm of the window. The bound is the paper's for any bounded stream with its variance; values of any scale
 * work. Defaults and order of checks as in river 0.26.
 */
export function createAdwin({
  delta = 0.002,
  clock = 32,
  maxBuckets = 5,
  minWindowLength = 5,
  gracePeriod = 10,
}: AdwinOptions = {}): DriftDetector & { readonly width: number; readonly mean: number } {
  let levels: Level[] = [];
  let ticks = 0;
  let width = 0;
  let sum = 0;
  let deviation = 0;

  function insert(value: number): void {
    if (levels.length === 0) levels.push({ sums: [], deviations: [] });
    levels[0].sums.push(value);
    levels[0].deviations.push(0);
    if (width > 0) deviation += (width * (value - sum / width) ** 2) / (width + 1);
    width++;
    sum += value;
    for (let l = 0; l < levels.length && levels[l].sums.length > maxBuckets; l++) {
      if (l + 1 === levels.length) levels.push({ sums: [], deviations: [] });
      const size = 2 ** l;
      const [first, second] = levels[l].sums.splice(0, 2);
      const [firstDeviation, secondDeviation] = levels[l].deviations.splice(0, 2);
      levels[l + 1].sums.push(first + second);
      levels[l + 1].deviations.push(
        firstDeviation + secondDeviation + (size / 2) * (first / size - second / size) ** 2,
      );
    }
  }

  function dropOldest(): void {
    const oldest = levels[levels.length - 1];
    const size = 2 ** (levels.length - 1);
    const [bucket] = oldest.sums.splice(0, 1);
    const [bucketDeviation] = oldest.deviations.splice(0, 1);
    width -= size;
    sum -= bucket;
    deviation -= bucketDeviation + (size * width * (bucket / size - sum / width) ** 2) / (size + width);
    while (levels.length > 0 && levels[levels.length - 1].sums.length === 0) levels.pop();
  }

  /** Whether some cut of the window, oldest bucket first, has sides whose means differ beyond chance. */
  function hasCut(): boolean {
    let before = 0;
    let sumBefore = 0;
    const confidence = Math.log((2 * Math.log(width)) / delta);
    const variance = deviation / width;
    for (let l = levels.length - 1; l >= 0; l--) {
      for (const bucket of levels[l].sums) {
        before += 2 ** l;
        sumBefore += bucket;
        const after = width - before;
        if (after < minWindowLength) return false;
        if (before < minWindowLength) continue;
        const spread = 1 / (before - minWindowLength + 1) + 1 / (after - minWindowLength + 1);
        const bound = Math.sqrt(2 * spread * variance * confidence) + (2 / 3) * confidence * spread;
        if (Math.abs(sumBefore / before - (sum - sumBefore) / after) > bound) return true;
      }
    }
    return false;
  }

  let drifted = false;
  return {
    get width() {
      return width;
    },
    get mean() {
      return width === 0 ? NaN : sum / width;
    },
    update(value) {
      if (drifted) {
        levels = [];
        ticks = width = sum = deviation = 0;
      }
      insert(value);
      ticks++;
      drifted = false;
      if (ticks % clock !== 0 || width <= gracePeriod) return 'stable';
      while (hasCut()) {
        dropOldest();
        drifted = true;
      }
      return drifted ? 'drift' : 'stable';
    },
  };
}
