import type { Timeframe } from '../../../core/market/timeframe.ts';
import { createRandom, deriveSeed } from '../../../core/foundation/random.ts';
import type { BatchSpec } from '../../engine/program.ts';
import { type AugmentParams, mixPairs, varyWindow } from './augment.ts';
import type { Examples } from './examples.ts';
import { type InputLayout, type SeriesInputs, windowBatch } from './inputs.ts';

/** What batches are filled from. */
export interface BatchSource {
  readonly task: {
    readonly panel: { readonly timeframe: Timeframe };
    readonly params: AugmentParams;
    readonly seed: number;
  };
  readonly layout: InputLayout;
  /** Rows of a batch. */
  readonly batchSize: number;
  readonly inputs: readonly SeriesInputs[];
}

type Batch = Readonly<Record<string, Float32Array | Int32Array>>;

/**
 * Fills the feeds of a batch with the examples from place `from` on, of the groups in this order, from the start
 * again at the end.
 */
export function batchFiller({ task, layout, batchSize, inputs }: BatchSource, examples: Examples) {
  const { count, group, series, row, synthetic } = examples;
  const batch = windowBatch(batchSize, layout, task.panel.timeframe);
  const width = examples.targets.length / count;
  const targets = new Float32Array(batchSize * width);
  const weights = new Float32Array(batchSize);
  const feeds: Batch = { ...batch.feeds, targets, ...(examples.weights && { weights }) };
  return (order: Int32Array | undefined, from: number): Batch => {
    for (let slot = 0; slot < batchSize; slot++) {
      const place = (from + slot) % count;
      const example = order ? order[Math.floor(place / group)] * group + (place % group) : place;
      if (row[example] < 0) batch.clear(slot);
      else batch.fill(slot, inputs[series[example]], row[example]);
      const mate = synthetic?.mate[example] ?? -1;
      if (synthetic && mate >= 0)
        batch.approach(slot, inputs[series[mate]], row[mate], synthetic.share[example]);
      targets.set(examples.targets.subarray(example * width, (example + 1) * width), slot * width);
      if (examples.weights) weights[slot] = examples.weights[example];
    }
    return feeds;
  };
}

/** The inputs of a training step: those of any batch, and what mixed windows are judged by beside their own targets. */
export function trainingBatch(spec: BatchSpec, { mixup }: Pick<AugmentParams, 'mixup'>): BatchSpec {
  if (mixup === 0) return spec;
  const { targets } = spec;
  return { ...spec, mixTargets: targets, mixShares: { shape: [targets.shape[0]], type: 'float32' } };
}

/** `batchFiller` for the training windows, which vary from step to step as the parameters say: the same at the same step. */
export function trainingFiller(source: BatchSource, examples: Examples) {
  const { task, layout, batchSize } = source;
  const { jitter, scaling, timeWarp, mixup } = task.params;
  const fill = batchFiller(source, examples);
  if (jitter + scaling + timeWarp + mixup === 0) return fill;
  const names = layout.branches.map(({ name, features }) => [name, features.length] as const);
  return (order: Int32Array | undefined, from: number, step: number): Batch => {
    const feeds = fill(order, from);
    const random = createRandom(deriveSeed(task.seed, `augment ${step}`));
    for (const [name, features] of names) {
      const values = feeds[name] as Float32Array;
      const size = values.length / batchSize;
      for (let slot = 0; slot < batchSize; slot++) {
        if (layout.together && feeds['present'][slot] === 0) continue;
        varyWindow(values.subarray(slot * size, (slot + 1) * size), features, task.params, random);
      }
    }
    if (mixup === 0) return feeds;
    const mixed = names.map(([name]) => feeds[name] as Float32Array);
    const mixShares = mixPairs(mixed, batchSize, mixup, random);
    return { ...feeds, mixTargets: reversedRows(feeds['targets'], batchSize), mixShares };
  };
}

function reversedRows(values: Float32Array | Int32Array, rows: number): Float32Array {
  const width = values.length / rows;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    turned.set(values.subarray(row * width, (row + 1) * width), (rows - 1 - row) * width);
  return turned;
}
