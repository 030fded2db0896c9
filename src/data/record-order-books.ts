import { setTimeout as sleep } from 'node:timers/promises';
import type { PairSymbol } from '../core/market/symbol.ts';
import type { ExchangeClient } from './exchange/client.ts';
import { SourceUnavailable } from './source.ts';
import type { SeriesKey, SeriesManifest, SeriesStore } from './store/series-store.ts';

interface RecordedBook {
  readonly key: SeriesKey;
  readonly client: ExchangeClient;
  readonly symbol: PairSymbol;
}

/**
 * Takes a snapshot of every order book, `everyMs` apart, each on disk before the next is taken. An exchange that
 * cannot be reached is a snapshot that is missing, never one that is made up. Returns the manifests after `count`
 * rounds; throws `signal.reason` when aborted, and what is recorded stays.
 */
export async function recordOrderBooks(
  store: SeriesStore,
  books: readonly RecordedBook[],
  options: {
    readonly everyMs: number;
    readonly count: number;
    readonly signal: AbortSignal;
    /** This machine's clock: rows are stamped with it. */
    readonly now: () => number;
    readonly onSnapshot: (manifest: SeriesManifest) => void;
    readonly onMissed: (key: SeriesKey, reason: string) => void;
  },
): Promise<readonly SeriesManifest[]> {
  const { everyMs, count, signal, now } = options;
  const manifests = new Map<RecordedBook, SeriesManifest>();
  for (let round = 0; round < count; round++) {
    const startedMs = now();
    for (const book of books) {
      signal.throwIfAborted();
      const nowMs = now();
      // Trades since the row before; after a pause those of one interval only, since no row covers the pause.
      const lastMs = (await store.manifest(book.key))?.lastTimeMs ?? -Infinity;
      const sinceMs = lastMs >= nowMs - 2 * everyMs ? lastMs : nowMs - everyMs;
      try {
        const row = await book.client.orderBook(book.symbol, { sinceMs, nowMs, signal });
        const { manifest } = await store.merge(book.key, row, { source: book.client.id });
        manifests.set(book, manifest);
        options.onSnapshot(manifest);
      } catch (error) {
        if (!(error instanceof SourceUnavailable)) throw error;
        options.onMissed(book.key, error.message);
      }
    }
    if (round + 1 < count) await sleep(Math.max(0, startedMs + everyMs - now()), undefined, { signal });
  }
  return [...manifests.values()];
}
