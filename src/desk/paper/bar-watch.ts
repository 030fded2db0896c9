import { trustedClock } from '../../data/clock.ts';
import { type CandleSource, SymbolUnknown } from '../../data/source.ts';
import type { DatasetManifest, Store } from '../../data/store/store.ts';
import { lengthsBeside } from '../../data/panel/load-views.ts';
import { updateDataset } from '../../data/update.ts';
import type { Log } from '../../core/foundation/log.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { BarLength } from '../../core/market/bar-length.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';

interface Watched {
  readonly store: Store;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  /** Those whose bars are kept up to date, and waited for. */
  readonly symbols: readonly PairSymbol[];
  /** Bars of other lengths beside these: those that are stored are kept up to date too. */
  readonly beside?: { readonly symbols: readonly PairSymbol[]; readonly lengths: readonly BarLength[] };
  /** A dataset that is not there yet begins here. */
  readonly sinceMs: number;
  readonly source: CandleSource;
  readonly log: Log;
  /** This machine's clock. */
  readonly now: () => number;
}

/** The exchange's time, and until when its bars are closed and stored. */
interface Ready {
  readonly nowMs: number;
  readonly readyMs: number;
}

/** Bars as they close on an exchange, in the store. */
export interface BarWatch {
  /** Brings the store up to date; `undefined` when nothing has closed after the bar of `afterMs` yet. */
  ready(afterMs: number | undefined, signal: AbortSignal): Promise<Ready | undefined>;
}

export function createBarWatch(watched: Watched): BarWatch {
  const { store, exchange, timeframe, symbols, sinceMs, source, log, now } = watched;
  const { beside = { symbols, lengths: [] } } = watched;
  const step = TIMEFRAME_MS[timeframe];
  const gone = new Set<PairSymbol>();
  const told = new Set<string>();
  const tellOnce = (fault: string): void => {
    if (!told.has(fault)) log.warn({ exchange }, `${source.name} ${fault}. Left out, and asked for again.`);
    told.add(fault);
  };

  const update = async (untilMs: number, signal: AbortSignal): Promise<readonly DatasetManifest[]> => {
    const results = await Promise.all(
      symbols.map(async (symbol) => {
        const key = { exchange, symbol, timeframe };
        try {
          const updated = await updateDataset({
            store,
            key,
            sinceMs,
            untilMs,
            openSource: async () => source,
            signal,
            log,
            now,
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

  /** `-Infinity`: a bar beside that has closed is not there yet. */
  const updateBeside = async (closedMs: number, signal: AbortSignal): Promise<number> => {
    const { parts } = await lengthsBeside(store, { exchange, timeframe, ...beside });
    const known = await Promise.all(
      parts.map(async ({ symbol, timeframe: part, lastTimeMs }) => {
        const key = { exchange, symbol, timeframe: part };
        const range = { sinceMs: lastTimeMs, untilMs: closedMs };
        try {
          const updated = await updateDataset({
            ...{ store, key, ...range, openSource: async () => source, signal, log, now },
          });
          const closed = barOpen(closedMs, part);
          return knownUntilMs(updated.manifest, TIMEFRAME_MS[part]) < closed ? -Infinity : Infinity;
        } catch (error) {
          // An imported length that the exchange does not offer must not end the session of the other models.
          if (!(error instanceof UserError) || signal.aborted) throw error;
          tellOnce(`gives no ${part} bars of ${symbol}: ${error.message} Models that read them say nothing`);
          return Infinity;
        }
      }),
    );
    return Math.min(Infinity, ...known);
  };

  return {
    async ready(afterMs, signal) {
      const nowMs = await trustedClock(source, { signal, log, now });
      const closedMs = barOpen(nowMs, timeframe);
      if (afterMs !== undefined && afterMs + step >= closedMs) return undefined;
      const manifests = await update(closedMs, signal);
      const besideMs = await updateBeside(closedMs, signal);
      // A bar that is not there yet is waited for, until the one after it has closed.
      const readyMs = Math.max(
        Math.min(closedMs, besideMs, ...manifests.map((one) => knownUntilMs(one, step))),
        closedMs - step,
      );
      return afterMs !== undefined && afterMs + step >= readyMs ? undefined : { nowMs, readyMs };
    },
  };
}

/** Until when it is known which bars there are: the last one's close, or what the source has answered for. */
function knownUntilMs({ lastTimeMs, covered }: DatasetManifest, step: number): number {
  const answeredMs = Math.max(...covered.map(({ untilMs }) => untilMs));
  return Math.max(lastTimeMs + step, Math.floor(answeredMs / step) * step);
}
