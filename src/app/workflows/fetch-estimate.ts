import type { PairSymbol } from '../../core/market/symbol.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { exchangePace, type ExchangePace } from '../../data/exchange/pace.ts';
import { missingRanges } from '../../data/store/dataset.ts';
import { type CandlesWanted, requireSpan } from './fetch.ts';

export interface SymbolEstimate {
  readonly symbol: PairSymbol;
  readonly bars: number;
  /** Opens of the first missing bar and of the one after the last, epoch ms UTC; `undefined`: nothing is missing. */
  readonly range: { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** `undefined`: how much this source gives at once is not known. */
  readonly requests: number | undefined;
}

export interface FetchEstimate {
  readonly symbols: readonly SymbolEstimate[];
  readonly pace: ExchangePace | undefined;
  /** What the exchange's own rate limit makes of the requests, without the time each takes; `undefined`: not known. */
  readonly leastSeconds: number | undefined;
  /** On disk. */
  readonly bytes: number;
}

/** A stored bar: 24 to 29 bytes on two years of hourly candles of BTC, ETH and SOL. */
const BYTES_PER_BAR = 28;

/** What `fetchCandles` would ask for, without asking anybody. Throws `UserError` for an empty range and an unknown exchange. */
export async function estimateFetch(wanted: CandlesWanted): Promise<FetchEstimate> {
  const { store, exchange, timeframe, sinceMs, untilMs, from } = wanted;
  requireSpan(sinceMs, untilMs);
  const asks = from.kind === 'known' && (from.source === 'auto' || from.source === 'exchange');
  const pace = asks ? await exchangePace(exchange, timeframe) : undefined;
  const step = TIMEFRAME_MS[timeframe];
  const whole = {
    fromMs: Math.ceil(sinceMs / step) * step,
    untilMs: Math.min(Math.ceil(untilMs / step) * step, barOpen(Date.now(), timeframe)),
  };
  const symbols = await Promise.all(
    wanted.symbols.map(async (symbol): Promise<SymbolEstimate> => {
      const manifest = await store.manifest({ exchange, symbol, timeframe });
      const missing =
        whole.fromMs < whole.untilMs
          ? missingRanges(manifest, whole, { askGapsAgain: wanted.askGapsAgain })
          : [];
      const barsOf = missing.map((range) => (range.untilMs - range.fromMs) / step);
      return {
        symbol,
        bars: barsOf.reduce((sum, bars) => sum + bars, 0),
        range:
          missing.length === 0
            ? undefined
            : { fromMs: missing[0].fromMs, untilMs: missing[missing.length - 1].untilMs },
        requests: pace && barsOf.reduce((sum, bars) => sum + Math.ceil(bars / pace.barsPerRequest), 0),
      };
    }),
  );
  const bars = symbols.reduce((sum, one) => sum + one.bars, 0);
  const requests = symbols.reduce((sum, one) => sum + (one.requests ?? 0), 0);
  return {
    symbols,
    pace,
    leastSeconds: pace && (requests * pace.msPerRequest) / 1000,
    bytes: bars * BYTES_PER_BAR,
  };
}
