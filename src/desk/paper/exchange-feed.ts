import type { CandleSource } from '../../data/source.ts';
import type { Store } from '../../data/store/store.ts';
import { inputsOf } from '../../core/features/catalogue.ts';
import { inputPlace } from '../../core/features/inputs.ts';
import type { Log } from '../../core/foundation/log.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { barAt } from './bar.ts';
import { createBarWatch } from './bar-watch.ts';
import type { BarFeed } from './feed.ts';
import { createOutlooks, type SessionTerms } from './outlook.ts';

interface ExchangeFeedOptions {
  readonly store: Store;
  readonly trained: TrainedSet;
  /** Symbols of the run; default: all. */
  readonly traded?: readonly PairSymbol[];
  readonly terms: SessionTerms;
  readonly source: CandleSource;
  readonly log: Log;
  /** This machine's clock. */
  readonly now: () => number;
}

/**
 * Bars as they close on an exchange: every look brings the store up to date and hands out what is new. The
 * decision at a bar's close is placed only while the next bar is open; for bars that were missed it is not.
 */
export function createExchangeFeed(options: ExchangeFeedOptions): BarFeed {
  const { store, trained, terms } = options;
  const outlooks = createOutlooks(store, trained, terms, options.traded);
  const { exchange, timeframe, symbols } = trained;
  const step = TIMEFRAME_MS[timeframe];
  // A pair that others are compared with is kept up to date, and waited for, like those that are traded.
  const watched = [...new Set([...symbols, ...comparedWith(trained)])];

  const watch = createBarWatch({
    ...options,
    exchange,
    timeframe,
    symbols: watched,
    beside: trained,
    sinceMs: trained.sinceMs,
  });

  return {
    look: async (last, signal) => {
      const afterMs = last?.timeMs;
      const ready = await watch.ready(afterMs, signal);
      if (ready === undefined) return { bars: [], ended: false };
      const { nowMs, readyMs } = ready;
      // A new session begins with the newest bar.
      const sinceMs = afterMs === undefined ? readyMs - step : afterMs + 1;
      const outlook = await outlooks.look({
        untilMs: readyMs,
        sinceMs,
        wanted: last?.wanted,
        state: last?.ensemble?.state,
        signal,
      });
      const { time } = outlook.market;
      const from = afterMs === undefined ? time.length - 1 : lowerBound(time, afterMs + 1);
      const rows = Array.from({ length: time.length - from }, (_, i) => from + i);
      const bars = rows.map((row) => {
        const nextOpenMs = time[row] + step;
        const decision = nowMs - nextOpenMs < step ? 'placed' : 'missed';
        return {
          bar: barAt(outlook.market, row),
          decision: outlook.decide(row, decision),
          // What is only thought of afterwards was no prediction.
          said: decision === 'placed' ? outlook.said(row) : undefined,
        };
      });
      return { bars, ended: false };
    },
  };
}

/** Pairs of the same exchange whose bars the features of the traded ones read. */
function comparedWith({
  exchange,
  symbols,
  sources,
  featureNames,
  catalogue,
}: TrainedSet): readonly PairSymbol[] {
  return inputsOf(featureNames, catalogue).flatMap((input) =>
    symbols.flatMap((symbol) => {
      const place = inputPlace(input, { exchange, symbol, sources });
      return place?.kind === 'candles' && place.exchange === exchange ? [place.symbol] : [];
    }),
  );
}
