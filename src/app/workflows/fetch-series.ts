import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { seriesKind } from '../../core/market/series-kinds.ts';
import { type PairSymbol, parseSymbol } from '../../core/market/symbol.ts';
import type { SeriesImport } from '../../data/csv/series.ts';
import type { ExchangeClient } from '../../data/exchange/client.ts';
import type { SeriesChange, SeriesKey, SeriesManifest, SeriesStore } from '../../data/store/series-store.ts';

/** Exchanges, as far as series come from them. */
export interface SeriesExchanges {
  /** Another host of an exchange's API. */
  readonly baseUrl: (exchange: string) => string | undefined;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Series from a CSV file, or from a folder with one for each. Throws `UserError` for one file and several series. */
export async function importSeriesFiles(
  store: SeriesStore,
  keys: readonly SeriesKey[],
  { csv, signal }: { readonly csv: string; readonly signal: AbortSignal },
): Promise<readonly SeriesImport[]> {
  const { importSeries, seriesPathFor } = await import('../../data/csv/series.ts');
  const paths = await Promise.all(keys.map((key) => seriesPathFor(csv, key)));
  if (new Set(paths).size < keys.length) {
    throw new UserError(`"${csv}" is one file, but ${keys.length} series are asked for.`, {
      hint: 'Ask for one series of one symbol (--symbols), or give a folder with a file for each.',
    });
  }
  const changes: SeriesImport[] = [];
  for (const [i, key] of keys.entries()) {
    signal.throwIfAborted();
    changes.push(await importSeries(store, key, { path: paths[i], nowMs: Date.now() }));
  }
  return changes;
}

/**
 * Histories that exchanges keep: from where the stored rows end, or from `sinceMs` on where they begin later. Throws
 * `UserError` for a series that no exchange has.
 */
export async function updateSeriesFromExchanges(
  store: SeriesStore,
  keys: readonly SeriesKey[],
  {
    sinceMs,
    untilMs,
    onSeries,
    ...exchanges
  }: SeriesExchanges & {
    readonly sinceMs: number;
    readonly untilMs: number;
    /** A series is on disk; so many are by now. */
    readonly onSeries: (done: number, key: SeriesKey) => void;
  },
): Promise<readonly SeriesChange[]> {
  const { updateSeries } = await import('../../data/update-series.ts');
  const clients = clientsOf(exchanges);
  const { signal } = exchanges;
  const changes: SeriesChange[] = [];
  for (const key of keys) {
    if (key.name !== 'funding' && key.name !== 'open-interest') throw onlyFromFile(key);
    const { client, symbol } = await clients(key);
    changes.push(
      await updateSeries(store, { ...key, name: key.name }, { client, symbol, sinceMs, untilMs, signal }),
    );
    onSeries(changes.length, key);
  }
  return changes;
}

const onlyFromFile = ({ name }: SeriesKey): UserError =>
  new UserError(`"${name}" cannot be downloaded; import it from a CSV file.`, {
    hint: `${seriesKind(name).fetch}`,
  });

/** Order books as time passes: no exchange keeps a history. Each snapshot is on disk before the next. */
export async function recordBooks(
  store: SeriesStore,
  keys: readonly SeriesKey[],
  {
    everyMs,
    count,
    onSnapshot,
    onMissed,
    ...exchanges
  }: SeriesExchanges & {
    readonly everyMs: number;
    /** Snapshots of each; `Infinity`: until `signal` aborts. */
    readonly count: number;
    readonly onSnapshot: (manifest: SeriesManifest) => void;
    readonly onMissed: (key: SeriesKey, reason: string) => void;
  },
): Promise<readonly SeriesManifest[]> {
  const { recordOrderBooks } = await import('../../data/record-order-books.ts');
  const clients = clientsOf(exchanges);
  const books = await Promise.all(keys.map(async (key) => ({ key, ...(await clients(key)) })));
  const { signal } = exchanges;
  return recordOrderBooks(store, books, {
    everyMs,
    count,
    signal,
    now: Date.now,
    onSnapshot,
    onMissed: (key, reason) => onMissed(key, reason),
  });
}

/** The exchange and the pair of a series; one client an exchange, so that its symbols share the rate limit. */
function clientsOf({
  baseUrl,
  timeoutMs,
  retries,
  log,
}: SeriesExchanges): (
  key: SeriesKey,
) => Promise<{ readonly client: ExchangeClient; readonly symbol: PairSymbol }> {
  const clients = new Map<string, Promise<ExchangeClient>>();
  return async ({ name, subject }) => {
    const [id, pair] = subject.split('/');
    const { openExchange } = await import('../../data/exchange/client.ts');
    const perpetuals = name !== 'order-book';
    const client =
      clients.get(id) ?? openExchange({ id, baseUrl: baseUrl(id), timeoutMs, retries, log, perpetuals });
    clients.set(id, client);
    return { client: await client, symbol: parseSymbol(pair) };
  };
}
