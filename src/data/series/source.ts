import type { SeriesName } from '../../core/market/series-kinds.ts';

/** Rows of a series as a source gives them: what they describe began at `timeMs`; `NaN` where a value lacks. */
export interface SourceRow {
  readonly timeMs: number;
  /** In the order of the kind's columns. */
  readonly values: readonly number[];
}

/** What is asked of a source: rows from `sinceMs` on, as JSON that `ask` has read. */
interface Request {
  /** What the series belongs to: `BTC`, or nothing for the world. */
  readonly subject: string;
  readonly sinceMs: number;
  readonly nowMs: number;
  /** The parsed body of an answer with status 200; all else is asked for again, or ends the call. */
  readonly ask: (path: string) => Promise<unknown>;
}

/** Somewhere a series comes from: one small file each in `sources/`. */
export interface SeriesSource {
  /** As manifests keep it, such as `alternative.me`. */
  readonly id: string;
  readonly series: SeriesName;
  readonly baseUrl: string;
  /** Such as a key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How much later than by its kind's rule a row of this source counts as known. */
  readonly laterMs?: number;
  /** Rows in any order; the same time twice is a fault of the source. Throws `Unanswered` for what is no such answer. */
  rows(request: Request): AsyncIterable<readonly SourceRow[]>;
}
