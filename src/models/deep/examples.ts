import { labelEndMs, labelledRows } from '../../dataset/labels.ts';
import type { Panel } from '../../dataset/panel.ts';
import { UserError } from '../../foundation/errors.ts';
import type { Random } from '../../foundation/random.ts';
import { scaledReturns, type SeriesInputs } from './inputs.ts';

/** Windows with known returns: where each one ends, and its scaled returns. */
export interface Examples {
  readonly count: number;
  /** Index of the series. */
  readonly series: Int32Array;
  readonly row: Int32Array;
  /** [count, horizons] */
  readonly targets: Float32Array;
}

/**
 * Windows that end in rows from `fromMs` on and whose returns at all horizons are known at or before `untilMs`.
 * Throws `UserError` when they are fewer than `least`.
 */
export function findExamples(
  panel: Panel,
  inputs: readonly SeriesInputs[],
  options: {
    readonly horizons: readonly number[];
    readonly fromMs: number;
    readonly untilMs: number;
    readonly least: number;
  },
): Examples {
  const { horizons, least, ...span } = options;
  const { timeframe } = panel;
  const horizonBars = Math.max(...horizons);
  const series: number[] = [];
  const row: number[] = [];
  const targets: number[] = [];
  panel.series.forEach((one, s) => {
    const returns = horizons.map((bars) => scaledReturns(one, timeframe, bars));
    const furthest = returns[horizons.indexOf(horizonBars)];
    const labelled = new Set(labelledRows(one.candles, furthest, { timeframe, horizonBars, ...span }));
    for (const end of inputs[s].ends) {
      if (!labelled.has(end)) continue;
      series.push(s);
      row.push(end);
      for (const column of returns) targets.push(column[end]);
    }
  });
  if (row.length < least) {
    throw new UserError(`Only ${row.length} complete input windows were found, ${least} are needed.`, {
      hint: 'Fetch more history, or lower lookBack or batchSize of the model.',
    });
  }
  return {
    count: row.length,
    series: Int32Array.from(series),
    row: Int32Array.from(row),
    targets: Float32Array.from(targets),
  };
}

/**
 * Where training ends: where the task says when there are bars after it to validate on, else after 85 % of the
 * time, so that early stopping and calibration always have windows that training has not seen.
 */
export function trainingEndMs(panel: Panel, horizonBars: number, trainUntilMs: number): number {
  const firstMs = Math.min(...panel.series.map(({ candles }) => candles.time[0]));
  const lastMs = Math.max(...panel.series.map(({ candles }) => candles.time[candles.time.length - 1]));
  if (labelEndMs(trainUntilMs, panel.timeframe, horizonBars) < lastMs) return trainUntilMs;
  return firstMs + 0.85 * (Math.min(lastMs, trainUntilMs) - firstMs);
}

/** At most `count` of the examples, evenly spread. */
export function thinned(examples: Examples, count: number): Examples {
  if (examples.count <= count) return examples;
  const kept = Int32Array.from({ length: count }, (_, i) => Math.floor((i * examples.count) / count));
  const width = examples.targets.length / examples.count;
  const targets = new Float32Array(count * width);
  kept.forEach((from, to) =>
    targets.set(examples.targets.subarray(from * width, (from + 1) * width), to * width),
  );
  return {
    count,
    series: kept.map((from) => examples.series[from]),
    row: kept.map((from) => examples.row[from]),
    targets,
  };
}

/** The numbers below `count` in random order (Fisher-Yates). */
export function shuffled(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
