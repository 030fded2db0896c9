/** What a detector says of the newest value: the stream is as it was, it may be changing, or it has changed. */
export type DriftState = 'stable' | 'warning' | 'drift';

/**
 * Watches a stream of numbers for a change of its distribution. It sees each value once, in order, and nothing ahead;
 * after `drift` it starts afresh with the next value. Detectors of errors want 0 (right) and 1 (wrong).
 */
export interface DriftDetector {
  update(value: number): DriftState;
}
