import { labelEndMs, labelledRows } from '../../../core/dataset/labels.ts';
import type { Panel } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { type Random, shuffle } from '../../../core/foundation/random.ts';
import type { HeadSample } from './architecture.ts';
import type { SeriesInputs } from './inputs.ts';
import type { LabelledPanel } from './targets.ts';

/** Windows with known targets: where each one ends, and what followed. */
export interface Examples {
  readonly count: number;
  /** Index of the series. */
  readonly series: Int32Array;
  /** -1: no window. */
  readonly row: Int32Array;
  /** [count, width] */
  readonly targets: Float32Array;
  /** So many examples that follow each other stay together: the symbols of one bar, or 1. */
  readonly group: number;
  /** 0 for an example without a window or without targets: it fills the place of its symbol. Absent: all 1. */
  readonly weights?: Float32Array;
  /** Examples from place `real` on are synthetic: the share `share` of the way from their window to that of `mate`. */
  readonly synthetic?: { readonly real: number; readonly mate: Int32Array; readonly share: Float32Array };
}

/** Those that are windows of the data and have targets. */
export const windowCount = ({ count, weights, synthetic }: Examples): number =>
  weights === undefined ? (synthetic?.real ?? count) : weights.reduce((sum, weight) => sum + weight, 0);

/**
 * Windows that end in rows from `fromMs` on and whose targets are all known at or before `untilMs`.
 * Throws `UserError` when they are fewer than `least`.
 */
export function findExamples(
  panel: Panel,
  inputs: readonly SeriesInputs[],
  labels: LabelledPanel['columns'],
  options: {
    readonly horizonBars: number;
    readonly fromMs: number;
    readonly untilMs: number;
    readonly least: number;
    readonly together: boolean;
  },
): Examples {
  const { least, together, ...span } = options;
  const { timeframe } = panel;
  const series: number[] = [];
  const row: number[] = [];
  const targets: number[] = [];
  panel.series.forEach(({ candles }, s) => {
    const columns = labels[s];
    const complete = columns[0].map((_, at) => columns.reduce((sum, column) => sum + column[at], 0));
    const labelled = new Set(labelledRows(candles, complete, { timeframe, ...span }));
    for (const end of inputs[s].ends) {
      if (!labelled.has(end)) continue;
      series.push(s);
      row.push(end);
      for (const column of columns) targets.push(column[end]);
    }
  });
  if (row.length < least) {
    throw new UserError(`Only ${row.length} complete input windows were found, ${least} are needed.`, {
      hint: 'Fetch more history, or lower lookBack or batchSize of the model.',
    });
  }
  const found = {
    count: row.length,
    series: Int32Array.from(series),
    row: Int32Array.from(row),
    targets: Float32Array.from(targets),
    group: 1,
  };
  return together ? barByBar(found, inputs) : found;
}

/** The examples in order of time, those of one bar side by side, a place for every symbol. */
function barByBar(examples: Examples, inputs: readonly SeriesInputs[]): Examples {
  const group = inputs.length;
  const timeOf = (example: number): number => inputs[examples.series[example]].time[examples.row[example]];
  const times = Float64Array.from(
    new Set(Array.from({ length: examples.count }, (_, i) => timeOf(i))),
  ).sort();
  const places = new Map(Array.from(times, (time, bar) => [time, bar * group]));
  const count = times.length * group;
  const width = examples.targets.length / examples.count;
  const row = new Int32Array(count).fill(-1);
  const targets = new Float32Array(count * width);
  const weights = new Float32Array(count);
  // A symbol whose own targets are not known is still seen by the others.
  inputs.forEach(({ time, ends }, s) => {
    for (const end of ends) {
      const place = places.get(time[end]);
      if (place !== undefined) row[place + s] = end;
    }
  });
  for (let i = 0; i < examples.count; i++) {
    const place = (places.get(timeOf(i)) ?? 0) + examples.series[i];
    weights[place] = 1;
    targets.set(examples.targets.subarray(i * width, (i + 1) * width), place * width);
  }
  return { count, series: Int32Array.from(row, (_, place) => place % group), row, targets, group, weights };
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

/** At most `count` of the examples, evenly spread, groups as a whole. */
export function thinned(examples: Examples, count: number): Examples {
  const { group } = examples;
  if (examples.count <= count) return examples;
  const groups = Math.max(1, Math.floor(count / group));
  const all = examples.count / group;
  const kept = Int32Array.from(
    { length: groups * group },
    (_, i) => Math.floor((Math.floor(i / group) * all) / groups) * group + (i % group),
  );
  return rowsOf(examples, kept);
}

/** These groups of the examples. */
export const chosen = (examples: Examples, groups: readonly number[]): Examples =>
  rowsOf(
    examples,
    Int32Array.from(
      groups.flatMap((one) => Array.from({ length: examples.group }, (_, i) => one * examples.group + i)),
    ),
  );

function rowsOf(examples: Examples, kept: Int32Array): Examples {
  const { weights, group } = examples;
  const width = examples.targets.length / examples.count;
  return {
    count: kept.length,
    series: kept.map((from) => examples.series[from]),
    row: kept.map((from) => examples.row[from]),
    targets: rowsOfColumn(examples.targets, width, kept),
    group,
    ...(weights && { weights: rowsOfColumn(weights, 1, kept) }),
  };
}

/** The outputs [count, outputs] and targets of those examples that have both a window and targets. */
export function sampleOf({ count, targets, weights }: Examples, outputs: Float32Array): HeadSample {
  if (weights === undefined) return { count, outputs, targets };
  const real = Int32Array.from(weights.keys()).filter((i) => weights[i] > 0);
  return {
    count: real.length,
    outputs: rowsOfColumn(outputs, outputs.length / count, real),
    targets: rowsOfColumn(targets, targets.length / count, real),
  };
}

function rowsOfColumn(values: Float32Array, width: number, rows: Int32Array): Float32Array {
  const taken = new Float32Array(rows.length * width);
  rows.forEach((from, to) => taken.set(values.subarray(from * width, (from + 1) * width), to * width));
  return taken;
}

/** The numbers below `count` in random order. */
export const shuffled = (count: number, random: Random): Int32Array =>
  shuffle(
    Int32Array.from({ length: count }, (_, i) => i),
    random,
  );
