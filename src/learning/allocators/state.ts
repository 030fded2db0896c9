import type { TrainState } from '../engine/weights.ts';
import type { AllocatorData } from './data.ts';
import type { LearnerParams } from './params.ts';

/** All that a resumed training needs. */
export interface LearnerState {
  readonly train: TrainState;
  /** Portfolio vector memory, [rows, 1 + assets], cash first; empty for `deep`. */
  readonly memory: Float32Array;
}

export interface LearnTask {
  readonly data: AllocatorData;
  /** Nothing after this row is looked at. */
  readonly lastRow: number;
  readonly params: LearnerParams;
  readonly seed: number;
  /** A state that training goes on from; its step counts. */
  readonly from?: LearnerState | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After every step; what it returns is waited for. */
  readonly onStep?: (done: number, loss: number, state: () => LearnerState) => Promise<void> | void;
}
