import type { Trial } from './trial.ts';

/** Whether `a` is nowhere worse than `b` and somewhere better; lower is better. */
const dominates = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((value, i) => value <= b[i]) && a.some((value, i) => value < b[i]);

/** Trials in fronts: the first are dominated by none, the second by those of the first only, and so on (Deb et al. 2002). */
export function fronts(trials: readonly Trial[]): readonly (readonly Trial[])[] {
  let left = [...trials];
  const all: Trial[][] = [];
  while (left.length > 0) {
    const front = left.filter((trial) => !left.some((other) => dominates(other.values, trial.values)));
    all.push(front);
    const taken = new Set(front);
    left = left.filter((trial) => !taken.has(trial));
  }
  return all;
}

/** The `count` best: by value for one objective; else front by front, of the last one those that keep most volume. */
export function bestByFronts(trials: readonly Trial[], count: number): readonly Trial[] {
  if (trials.every(({ values }) => values.length === 1)) return lowest(trials, count);
  const best: Trial[] = [];
  for (const front of fronts(trials)) {
    if (best.length + front.length <= count) {
      best.push(...front);
      continue;
    }
    // Greedy: the trial that adds most hypervolume comes next (Guerreiro, Fonseca & Paquete 2016).
    const reference = front[0].values.map((_, i) => {
      const worst = Math.max(...front.map(({ values }) => values[i]));
      return Math.max(1.1 * worst, 0.9 * worst) || 1e-12;
    });
    const left = [...front];
    const taken: Trial[] = [];
    while (best.length + taken.length < count) {
      const volumes = left.map((trial) =>
        hypervolume(
          [...taken, trial].map(({ values }) => values),
          reference,
        ),
      );
      taken.push(...left.splice(volumes.indexOf(Math.max(...volumes)), 1));
    }
    return [...best, ...taken];
  }
  return best;
}

function lowest(trials: readonly Trial[], count: number): readonly Trial[] {
  const sorted = new Float64Array(trials.length);
  for (let i = 0; i < sorted.length; i++) sorted[i] = trials[i].values[0];
  const bound = sorted.sort()[Math.min(count, sorted.length) - 1];
  return trials
    .filter(({ values }) => values[0] <= bound)
    .sort((a, b) => a.values[0] - b.values[0])
    .slice(0, count);
}

/** Volume that the points dominate below the reference point; lower is better, any number of objectives. */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const inside = points.filter((point) => point.every((value, i) => value < reference[i]));
  if (inside.length === 0) return 0;
  if (reference.length === 1) return reference[0] - Math.min(...inside.map(([value]) => value));
  // Slices along the last objective, each of the volume that the points below it dominate in the others.
  const last = reference.length - 1;
  const sorted = [...inside].sort((a, b) => a[last] - b[last]);
  let volume = 0;
  for (let i = 0; i < sorted.length; i++) {
    const height = (sorted[i + 1]?.[last] ?? reference[last]) - sorted[i][last];
    if (height <= 0) continue;
    const below = sorted.slice(0, i + 1).map((point) => point.slice(0, last));
    volume += height * hypervolume(below, reference.slice(0, last));
  }
  return volume;
}

/** The trials that no other dominates. */
export const paretoFront = (trials: readonly Trial[]): readonly Trial[] =>
  fronts(trials.filter(({ state, violation }) => state === 'complete' && violation === 0))[0] ?? [];
