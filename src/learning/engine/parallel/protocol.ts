import type { RandomInput } from '../random-inputs.ts';

/** What one worker thread is given when it starts. Everything shared lives in SharedArrayBuffers. */
export interface WorkerTask {
  readonly index: number;
  readonly workers: number;
  readonly seed: number;
  /** ONNX bytes of the gradient over this worker's rows. */
  readonly gradientModel: Uint8Array;
  readonly randomInputs: readonly RandomInput[];
  /** ONNX bytes of the optimiser step: worker 0 only. */
  readonly updateModel?: Uint8Array;
  /** This worker's share of the rows: its weight in the mean. */
  readonly weights: readonly number[];
  /** Names and element ranges of this worker's rows in the shared batch. */
  readonly batch: readonly BatchSlice[];
  readonly slots: readonly string[];
  readonly shared: Shared;
}

export interface BatchSlice {
  readonly name: string;
  readonly type: 'float32' | 'int32';
  readonly start: number;
  readonly end: number;
  readonly values: SharedArrayBuffer;
}

export interface Shared {
  /** Int32: see `SIGNAL`. */
  readonly signals: SharedArrayBuffer;
  /** Int32: workers that have ended. */
  readonly left: SharedArrayBuffer;
  /** Two sets, read one, write the other: parameters, then each slot. */
  readonly state: readonly [readonly SharedArrayBuffer[], readonly SharedArrayBuffer[]];
  /** One gradient and one list of figures (loss, metrics) a worker. */
  readonly gradients: readonly SharedArrayBuffer[];
  readonly figures: readonly SharedArrayBuffer[];
  readonly controls: SharedArrayBuffer;
  /** The mean figures, then the gradient norm. */
  readonly results: SharedArrayBuffer;
}

/** Places in the array of signals. */
export const SIGNAL = {
  /** Counts up to start a step; -1 ends the workers. */
  start: 0,
  /** Workers whose gradient of this step is ready. */
  ready: 1,
  /** Which state set to read. */
  set: 2,
  /** Optimiser steps taken before this one. */
  step: 3,
} as const;
