import { UserError } from '../core/foundation/errors.ts';
import type { Candles } from '../core/market/candles.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import type { Timeframe } from '../core/market/timeframe.ts';
import type { TimeRange } from './time-range.ts';

/** Somewhere candles come from: an exchange, Yahoo, a file, a generator. */
export interface CandleSource {
  /** As the manifest keeps it, such as `binance` or `csv`. */
  readonly name: string;
  readonly synthetic: boolean;
  /** The source's own clock, epoch milliseconds: it decides which bars are closed. */
  clockMs(signal: AbortSignal): Promise<number>;
  /** Bars with `sinceMs <= time < untilMs`, page after page, in order of time and without duplicates. */
  pages(request: CandleRequest): AsyncIterable<CandlePage>;
}

/** Bars that are wanted: they open at `sinceMs` or later and before `untilMs`, epoch milliseconds. */
export interface CandleRequest {
  readonly symbol: PairSymbol;
  readonly timeframe: Timeframe;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

/** Bars in the order of time, and the range that the source has answered for. */
export interface CandlePage {
  readonly candles: Candles;
  /** Times for which the source has answered with this page: a bar missing inside does not exist there. */
  readonly covered: TimeRange;
}

/** The source has never heard of the pair, or lists it no more. */
export class SymbolUnknown extends UserError {}

/** The source cannot be used now, whatever is asked of it: another source may be tried in its place. */
export class SourceUnavailable extends UserError {}
