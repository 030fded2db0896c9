import { barView, type BarView, type SymbolViews, viewAt } from '../../core/dataset/bar-views.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { type BarLength, isMadeOf, shortestMs } from '../../core/market/bar-length.ts';
import { resampleCandles } from '../../core/market/resample.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { isTimeframe, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { DatasetManifest, Store } from '../store/store.ts';

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

/** The bars of `timeframe` that others are to stand beside. */
interface Beside {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly lengths: readonly BarLength[];
}

/**
 * Those of `lengths` that bars are stored for beside those of `timeframe`, for every symbol, and the datasets that they are made of.
 * What is best made of the bars of `timeframe` themselves is left to whoever has these.
 */
export async function lengthsBeside(
  store: Store,
  { exchange, timeframe, lengths, symbols }: Beside & { readonly symbols: readonly PairSymbol[] },
): Promise<{ readonly lengths: readonly BarLength[]; readonly parts: readonly DatasetManifest[] }> {
  if (lengths.length === 0) return { lengths, parts: [] };
  const stored = (await store.list()).filter((one) => one.exchange === exchange);
  const found = lengths.flatMap((length) => {
    const parts = symbols.map((symbol) => {
      const own = stored.filter((one) => one.symbol === symbol);
      const part = longestPart(
        length,
        own.map((one) => one.timeframe),
      );
      return part === timeframe ? undefined : own.find((one) => one.timeframe === part);
    });
    return parts.every((part) => part !== undefined) ? [{ length, parts }] : [];
  });
  return {
    lengths: found.map(({ length }) => length),
    parts: [...new Set(found.flatMap(({ parts }) => parts))],
  };
}

/**
 * Bars of other lengths of one symbol as they were known at `closedMs`: finer ones from `fromMs` on, where its own bars begin,
 * and longer ones from the first stored one, for a window of days reaches further back.
 */
export async function viewsBeside(
  store: Store,
  {
    lengths,
    symbol,
    timeframe,
    fromMs,
    closedMs,
    exchange,
  }: Beside & { readonly symbol: PairSymbol; readonly fromMs: number; readonly closedMs: number },
): Promise<readonly BarView[]> {
  const isFiner = (length: BarLength): boolean => shortestMs(length) < TIMEFRAME_MS[timeframe];
  const views = await Promise.all(
    [true, false].map(async (finer) => {
      const wanted = lengths.filter((length) => isFiner(length) === finer);
      if (wanted.length === 0) return [];
      const range = { nowMs: closedMs, ...(finer && { sinceMs: fromMs }) };
      const [loaded] = await loadViews(store, { exchange, symbols: [symbol], lengths: wanted, ...range });
      return loaded.views;
    }),
  );
  return views.flat();
}
