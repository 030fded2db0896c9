import { type Random, shuffle } from '../../foundation/random.ts';
import type { DriftDetector } from './detector.ts';

export interface KswinOptions {
  /** Chance of an alarm on a stable stream, per value; in (0, 1). Default .005. */
  readonly alpha?: number;
  /** Values looked at. Default 100. */
  readonly windowSize?: number;
  /** The newest of them, compared with as many drawn from the rest. Default 30. */
  readonly statSize?: number;
  readonly random: Random;
}

/**
 * Kolmogorov-Smirnov windowing (Raab, Heusinger & Schleif 2020, "Reactive soft prototype computing for concept drift
 * streams"): are the newest values drawn from the distribution of the older ones? Sees a change of shape that leaves the
 * mean alone.
 */
export function createKswin({
  alpha = 0.005,
  windowSize = 100,
  statSize = 30,
  random,
}: KswinOptions): DriftDetector {
  let window: number[] = [];
  return {
    update(value) {
      window.push(value);
      if (window.length > windowSize) window.shift();
      if (window.length < windowSize) return 'stable';
      const older = shuffle(Float64Array.from(window.slice(0, -statSize)), random).slice(0, statSize);
      const newest = Float64Array.from(window.slice(-statSize));
      const distance = kolmogorovSmirnov(older, newest);
      if (distance <= 0.1 || kolmogorovSmirnovP(distance, statSize) > alpha) return 'stable';
      window = [...newest];
      return 'drift';
    },
  };
}

/** Largest difference of the two samples' distribution functions; samples of equal size, which are sorted in place. */
function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  a.sort();
  b.sort();
  let largest = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const value = Math.min(a[i], b[j]);
    while (a[i] <= value) i++;
    while (b[j] <= value) j++;
    largest = Math.max(largest, Math.abs(i - j));
  }
  return largest / a.length;
}

/** Exact p-value of that distance for two samples of n (Gnedenko & Korolyuk 1951). */
function kolmogorovSmirnovP(distance: number, n: number): number {
  const steps = Math.round(distance * n);
  let p = 0;
  for (let k = 1; k * steps <= n; k++) {
    let ratio = 1;
    // C(2n, n - k steps) / C(2n, n)
    for (let i = 0; i < k * steps; i++) ratio *= (n - i) / (n + k * steps - i);
    p += (k % 2 === 1 ? 2 : -2) * ratio;
  }
  return Math.min(1, p);
}
