import { barView, type BarView, type SymbolViews, viewAt } from '../../core/dataset/bar-views.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { type BarLength, isMadeOf } from '../../core/market/bar-length.ts';
import { resampleCandles } from '../../core/market/resample.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { isTimeframe, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Store } from '../store/store.ts';

interface ViewRequest {
  readonly exchange: string;
  readonly symbols: readonly PairSymbol[];
  readonly lengths: readonly BarLength[];
  /** Bars that opened earlier are not read. */
  readonly sinceMs?: number;
  /** What was known then: bars that had closed. Default: all stored bars. */
  readonly nowMs?: number;
}

/**
 * Several bar lengths of each symbol beside each other, each bar known at its own close. A length that is stored is read
 * as it is; another is made of the longest stored bars that make it up, closed bars only. Throws `UserError` where
 * none does.
 */
export async function loadViews(store: Store, request: ViewRequest): Promise<readonly SymbolViews[]> {
  const stored = await store.list();
  return Promise.all(
    request.symbols.map(async (symbol) => {
      const timeframes = stored
        .filter((one) => one.exchange === request.exchange && one.symbol === symbol)
        .map(({ timeframe }) => timeframe);
      const views = request.lengths.map((length) => loadView(store, symbol, length, timeframes, request));
      return { symbol, views: await Promise.all(views) };
    }),
  );
}

async function loadView(
  store: Store,
  symbol: PairSymbol,
  length: BarLength,
  timeframes: readonly Timeframe[],
  { exchange, sinceMs = -Infinity, nowMs = Infinity }: ViewRequest,
): Promise<BarView> {
  const source = longestPart(length, timeframes);
  if (source === undefined) {
    const wanted = isTimeframe(length) ? length : '1d';
    throw new UserError(`There are no candles of ${exchange} ${symbol} that ${length} bars can be made of.`, {
      hint: `Fetch them: crypto-trader fetch --exchange ${exchange} --symbols ${symbol} --timeframe ${wanted}`,
    });
  }
  const key = { exchange, symbol, timeframe: source };
  const candles = await store.read(key, { sinceMs, untilMs: nowMs });
  // Parts that had not closed make no bar that had.
  return viewAt(barView(length, resampleCandles(candles, source, length)), nowMs);
}

/** The longest of `timeframes` that bars of `length` are made of: itself where it is there. */
export const longestPart = (length: BarLength, timeframes: readonly Timeframe[]): Timeframe | undefined =>
  timeframes
    .filter((timeframe) => isMadeOf(length, timeframe))
    .toSorted((a, b) => TIMEFRAME_MS[b] - TIMEFRAME_MS[a])[0];
