import type { Bar } from './bar.ts';
import type { Decision } from './session.ts';

/** Where closed bars come from, with what the models decided at their close. */
export interface BarFeed {
  /**
   * The closed bars after `afterMs` (the open of the last processed one; `undefined` in a new session), oldest
   * first. Throws `FeedUnavailable` when the source cannot be reached now.
   */
  look(afterMs: number | undefined, signal: AbortSignal): Promise<Look>;
}

export interface Look {
  readonly bars: readonly { readonly bar: Bar; readonly decision: Decision }[];
  /** No bar will ever follow these. */
  readonly ended: boolean;
}

/** The source of bars does not answer; the session waits for it. */
export class FeedUnavailable extends Error {
  override readonly name = 'FeedUnavailable';
}
