import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { DatasetKey } from '../../data/store/manifest.ts';
import type { LedgerState } from './follow-ledger.ts';
import type { CandleView, FillView, ForecastView, MarketView } from './view.ts';

/** What is traded where no session says it. */
export interface ConfiguredMarket {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly symbols: readonly PairSymbol[];
}

const NEWEST_BARS = 1500;

/**
 * The newest candles of every symbol: those of the store up to the last bar of the session (a session over stored bars has not
 * seen the rest), those that the session saw where nothing is stored.
 */
export function watchMarkets(
  dataDir: string,
  configured: ConfiguredMarket,
): { look(state: LedgerState | undefined): Promise<readonly MarketView[]> } {
  const known = new Map<string, { readonly version: string; readonly candles: readonly CandleView[] }>();
  const stored = async (key: DatasetKey, untilMs: number | undefined): Promise<readonly CandleView[]> => {
    const { openStore } = await import('../../data/store/store.ts');
    const store = openStore(dataDir);
    const manifest = await store.manifest(key).catch(() => undefined);
    if (manifest === undefined) return [];
    const endMs = untilMs ?? manifest.lastTimeMs;
    const version = `${manifest.sha256} ${endMs}`;
    const before = known.get(key.symbol);
    if (before?.version === version) return before.candles;
    const barMs = TIMEFRAME_MS[key.timeframe];
    const columns = await store
      .read(key, { sinceMs: endMs - (NEWEST_BARS - 1) * barMs, untilMs: endMs + barMs })
      .catch(() => undefined);
    if (columns === undefined) return [];
    const candles = Array.from(columns.time, (timeMs, row) => ({
      timeMs,
      open: columns.open[row],
      high: columns.high[row],
      low: columns.low[row],
      close: columns.close[row],
    }));
    known.set(key.symbol, { version, candles });
    return candles;
  };
  return {
    look: async (state) => {
      const { exchange, timeframe } = state?.session ?? configured;
      const symbols = state?.session.instruments.map(({ symbol }) => symbol) ?? configured.symbols;
      const forecasts = await newestForecasts(dataDir);
      return Promise.all(
        symbols.map(async (symbol, s) => {
          const candles = await stored({ exchange, symbol, timeframe }, state?.last?.timeMs);
          const newest = candles.at(-1)?.timeMs ?? -Infinity;
          const isStored = candles.length > 0 && newest >= (state?.last?.timeMs ?? -Infinity);
          return {
            symbol,
            timeframe,
            source: isStored ? ('stored' as const) : ('session' as const),
            candles: isStored ? candles : seen(state, s),
            fills: fillsOf(state, symbol),
            forecast: forecasts.get(`${exchange} ${symbol} ${timeframe}`),
          };
        }),
      );
    },
  };
}

const seen = (state: LedgerState | undefined, s: number): readonly CandleView[] =>
  (state?.recent ?? []).flatMap(({ timeMs, candles }) => {
    const bar = candles[s];
    if (bar === null || bar === undefined) return [];
    const [open, high, low, close] = bar;
    return [{ timeMs, open, high, low, close }];
  });

const fillsOf = (state: LedgerState | undefined, symbol: PairSymbol): readonly FillView[] =>
  (state?.events ?? []).flatMap((event) =>
    event.kind === 'fill' && event.symbol === symbol
      ? [{ timeMs: event.barMs, side: event.side, price: event.price }]
      : [],
  );

/** By exchange, symbol and timeframe. A log that is damaged is named by `signals history`. */
async function newestForecasts(dataDir: string): Promise<ReadonlyMap<string, ForecastView>> {
  const { newestQuantiles } = await import('../workflows/prediction-log.ts');
  const given = await newestQuantiles(dataDir).catch(() => []);
  return new Map(
    given.map(({ exchange, symbol, timeframe, barTimeMs, ...forecast }) => [
      `${exchange} ${symbol} ${timeframe}`,
      { timeMs: barTimeMs, ...forecast },
    ]),
  );
}
