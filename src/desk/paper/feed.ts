import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Bar } from './bar.ts';
import type { BarRecord } from './record.ts';
import type { Decision } from './step.ts';

/** Where closed bars come from, with what the models decided at their close. */
export interface BarFeed {
  /**
   * The closed bars after `last` (the last processed one; `undefined` in a new session), oldest first, decided on from
   * what was wanted then. Throws `SourceUnavailable` when the source does not answer now.
   */
  look(last: Last | undefined, signal: AbortSignal): Promise<Look>;
}

/** What a feed needs to know of the last processed bar. */
export type Last = Pick<BarRecord, 'timeMs' | 'wanted' | 'ensemble'>;

/** What a model, or the ensemble of all, said of a symbol at a bar's close, before anybody decided on it. */
export interface Said {
  readonly symbol: PairSymbol;
  readonly model: string;
  readonly horizonBars: number;
  readonly position: number | null;
  readonly confidence: number | null;
  /** Above 0: up. */
  readonly lean: number | null;
}

interface Look {
  readonly bars: readonly {
    readonly bar: Bar;
    readonly decision: Decision;
    /** Predictions made at this close; absent where the bars are of the past. */
    readonly said?: readonly Said[] | undefined;
  }[];
  /** No bar will ever follow these. */
  readonly ended: boolean;
}
