import type { Random } from '../foundation/random.ts';
import { bootstrapRatio } from './bootstrap.ts';

/** Hits and samples of one time, all symbols together: they move together, so a time is one observation. */
export type DirectionTally = ReadonlyMap<number, { readonly hits: number; readonly samples: number }>;

/**
 * 95 % interval of the hit rate, in percent, by a block bootstrap over time with all symbols of a time together. Blocks
 * are at least `horizonBars` long, since returns over several bars overlap. Below 20 times, or where every sample
 * is a hit or a miss, Wilson's interval on the number of times that do not overlap.
 */
export function directionInterval(
  tally: DirectionTally,
  horizonBars: number,
  random: Random,
): [number, number] | undefined {
  const times = [...tally.keys()].sort((a, b) => a - b);
  const rows = times.flatMap((time) => tally.get(time) ?? []);
  const hits = Float64Array.from(rows, (row) => row.hits);
  const samples = Float64Array.from(rows, (row) => row.samples);
  const total = samples.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const share = hits.reduce((sum, count) => sum + count, 0) / total;
  const certain = share === 0 || share === 1;
  const interval = certain ? undefined : bootstrapRatio(hits, samples, random, { blockBars: horizonBars });
  // Hits that never vary within a block leave the bootstrap without a spread.
  if (interval === undefined || !Number.isFinite(interval.low + interval.high))
    return wilson(share, Math.max(1, times.length / horizonBars));
  return [100 * Math.max(0, interval.low), 100 * Math.min(1, interval.high)];
}

/** Wilson's score interval of a share at 95 %, in percent (Wilson 1927). */
export function wilson(share: number, samples: number): [number, number] {
  const z = 1.959963984540054;
  const centre = share + (z * z) / (2 * samples);
  const half = z * Math.sqrt((share * (1 - share)) / samples + (z * z) / (4 * samples * samples));
  const scale = 100 / (1 + (z * z) / samples);
  return [(centre - half) * scale, (centre + half) * scale];
}
