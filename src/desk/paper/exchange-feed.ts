import { trustedClock } from '../../data/clock.ts';
import { type CandleSource, SymbolUnknown } from '../../data/source.ts';
import type { DatasetManifest, Store } from '../../data/store/store.ts';
import { updateDataset } from '../../data/update.ts';
import { inputsOf } from '../../core/features/catalogue.ts';
import { inputPlace } from '../../core/features/inputs.ts';
import type { Log } from '../../core/foundation/log.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { barAt } from './bar.ts';
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
  const { store, trained, terms, source, log } = options;
  const outlooks = createOutlooks(store, trained, terms, options.traded);
  const { exchange, timeframe, symbols } = trained;
  const step = TIMEFRAME_MS[timeframe];
  // A pair that others are compared with is kept up to date, and waited for, like those that are traded.
  const watched = [...new Set([...symbols, ...comparedWith(trained)])];

  const gone = new Set<PairSymbol>();
  const told = new Set<string>();
  const tellOnce = (fault: string): void => {
    if (!told.has(fault)) log.warn({ exchange }, `${source.name} ${fault}. Left out, and asked for again.`);
    told.add(fault);
  };

  const update = async (untilMs: number, signal: AbortSignal): Promise<readonly DatasetManifest[]> => {
    const results = await Promise.all(
      watched.map(async (symbol) => {
        const key = { exchange, symbol, timeframe };
        try {
          const updated = await updateDataset({
            store,
            key,
            sinceMs: trained.sinceMs,
            untilMs,
            openSource: async () => source,
            signal,
            log,
            now: options.now,
          });
          gone.delete(symbol);
          for (const { reason } of updated.quarantined) tellOnce(`${symbol} ${reason}`);
          return updated.manifest;
        } catch (error) {
          // A pair that the exchange lists no more must not end the session of the others.
          if (!(error instanceof SymbolUnknown)) throw error;
          const stored = await store.manifest(key);
          if (stored === undefined) throw error;
          if (!gone.has(symbol)) log.warn({ key }, `${error.message} The others continue without it.`);
          gone.add(symbol);
          return { ...stored, covered: [...stored.covered, { fromMs: untilMs, untilMs }] };
        }
      }),
    );
    return results;
  };

  return {
    look: async (last, signal) => {
      const afterMs = last?.timeMs;
      const nowMs = await trustedClock(source, { signal, log, now: options.now });
      const closedMs = barOpen(nowMs, timeframe);
      if (afterMs !== undefined && afterMs + step >= closedMs) return { bars: [], ended: false };
      const manifests = await update(closedMs, signal);
      // A bar that is not there yet is waited for, until the one after it has closed.
      const readyMs = Math.max(
        Math.min(closedMs, ...manifests.map((one) => knownUntilMs(one, step))),
        closedMs - step,
      );
      if (afterMs !== undefined && afterMs + step >= readyMs) return { bars: [], ended: false };
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
        return { bar: barAt(outlook.market, row), decision: outlook.decide(row, decision) };
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

/** Until when it is known which bars there are: the last one's close, or what the source has answered for. */
function knownUntilMs({ lastTimeMs, covered }: DatasetManifest, step: number): number {
  const answeredMs = Math.max(...covered.map(({ untilMs }) => untilMs));
  return Math.max(lastTimeMs + step, Math.floor(answeredMs / step) * step);
}
