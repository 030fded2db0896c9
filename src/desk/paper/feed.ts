import type { Bar } from './bar.ts';
import type { Decision } from './step.ts';

/** Where closed bars come from, with what the models decided at their close. */
export interface BarFeed {
  /**
   * The closed bars after `afterMs` (the open of the last processed one; `undefined` in a new session), oldest
   * first. Throws `SourceUnavailable` when the source does not answer now.
   */
  look(afterMs: number | undefined, signal: AbortSignal): Promise<Look>;
}

interface Look {
  readonly bars: readonly { readonly bar: Bar; readonly decision: Decision }[];
  /** No bar will ever follow these. */
  readonly ended: boolean;
}
