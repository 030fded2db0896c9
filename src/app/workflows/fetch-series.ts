import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import { SERIES_NAMES, seriesKind, type SeriesName } from '../../core/market/series-kinds.ts';
import { type PairSymbol, parseSymbol } from '../../core/market/symbol.ts';
import type { SeriesImport } from '../../data/csv/series.ts';
import type { SeriesSource } from '../../data/series/source.ts';
import { bitcoinFeesSource } from '../../data/series/sources/blockchain.ts';
import { alphaVantageGoldSource } from '../../data/series/sources/alpha-vantage.ts';
import { coinMetricsSource } from '../../data/series/sources/coin-metrics.ts';
import { customSource, type CustomSeries } from '../../data/series/sources/custom.ts';
import { stablecoinsSource } from '../../data/series/sources/defi-llama.ts';
import { fearGreedSource } from '../../data/series/sources/fear-greed.ts';
import { fredSource } from '../../data/series/sources/fred.ts';
import { glassnodeSource } from '../../data/series/sources/glassnode.ts';
import { feeRatesSource } from '../../data/series/sources/mempool.ts';
import { yahooIndexSource } from '../../data/series/sources/yahoo.ts';
import { updateFromSource } from '../../data/series/update.ts';
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
async function updateSeriesFromExchanges(
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
    if (key.name !== 'funding' && key.name !== 'open-interest') throw notFromExchanges(key);
    const { client, symbol } = await clients(key);
    changes.push(
      await updateSeries(store, { ...key, name: key.name }, { client, symbol, sinceMs, untilMs, signal }),
    );
    onSeries(changes.length, key);
  }
  return changes;
}

const notFromExchanges = ({ name }: SeriesKey): UserError =>
  new UserError(`No exchange has "${name}".`, { hint: `Get it: ${seriesKind(name).fetch}` });

/** Hosts that series come from, as settings name them. */
export interface SeriesHosts {
  readonly fearGreedUrl: string;
  readonly coinMetricsUrl: string;
  readonly defiLlamaUrl: string;
  readonly blockchainUrl: string;
  readonly mempoolUrl: string;
  readonly glassnodeUrl: string;
  readonly fredUrl: string;
  readonly alphaVantageUrl: string;
  readonly yahooUrl: string;
  /** Where closes come from that more than one host has. */
  readonly spx: 'yahoo' | 'fred';
  readonly vix: 'yahoo' | 'fred';
  readonly gold: 'yahoo' | 'alpha-vantage';
  /** JSON APIs of the user's own, by a name of theirs: the first of a series takes the place of the host that is named above. */
  readonly custom: Readonly<Record<string, CustomSeries>>;
}

type HostedSource =
  | { readonly kind: 'ready'; readonly source: SeriesSource }
  /** It lacks what `why` says. */
  | { readonly kind: 'absent'; readonly why: string };

/** The source of a series that is downloaded from a host of its own; `undefined` for one that is not. */
function hostedSource(
  name: SeriesName,
  hosts: SeriesHosts,
  environment: Readonly<Record<string, string | undefined>>,
): HostedSource | undefined {
  const ready = (source: SeriesSource): HostedSource => ({ kind: 'ready', source });
  const withKey = (variable: string, open: (key: string) => SeriesSource): HostedSource => {
    const key = environment[variable];
    return key === undefined || key === ''
      ? { kind: 'absent', why: `${variable} is not set` }
      : ready(open(key));
  };
  const custom = Object.entries(hosts.custom).find(([, { series }]) => series === name);
  if (custom !== undefined) {
    const [id, described] = custom;
    const headers: Record<string, string> = {};
    for (const [header, variable] of Object.entries(described.headers)) {
      const value = environment[variable];
      if (value === undefined || value === '') return { kind: 'absent', why: `${variable} is not set` };
      headers[header] = value;
    }
    return ready(customSource(id, described, headers));
  }
  switch (name) {
    case 'fear-greed':
      return ready(fearGreedSource(hosts.fearGreedUrl));
    case 'on-chain':
      return ready(coinMetricsSource(hosts.coinMetricsUrl));
    case 'stablecoins':
      return ready(stablecoinsSource(hosts.defiLlamaUrl));
    case 'bitcoin-fees':
      return ready(bitcoinFeesSource(hosts.blockchainUrl));
    case 'fee-rates':
      return ready(feeRatesSource(hosts.mempoolUrl));
    case 'gas':
    case 'whales':
    case 'long-term-holders':
    case 'liquidations':
      return withKey('GLASSNODE_API_KEY', (key) => glassnodeSource(name, hosts.glassnodeUrl, key));
    case 'spx':
    case 'vix':
      return hosts[name] === 'fred'
        ? withKey('FRED_API_KEY', (key) => fredSource(name, hosts.fredUrl, key))
        : ready(yahooIndexSource(name, hosts.yahooUrl));
    case 'gold':
      return hosts.gold === 'alpha-vantage'
        ? withKey('ALPHA_VANTAGE_API_KEY', (key) => alphaVantageGoldSource(hosts.alphaVantageUrl, key))
        : ready(yahooIndexSource(name, hosts.yahooUrl));
    case 'dxy':
      return ready(yahooIndexSource(name, hosts.yahooUrl));
    default:
      return undefined;
  }
}

/** What `fetch --series all` gets: everything that keeps a history, and whose key is there; the others by name. */
export function downloadedSeries(
  hosts: SeriesHosts,
  environment: Readonly<Record<string, string | undefined>>,
): {
  readonly names: readonly SeriesName[];
  readonly absent: readonly { readonly series: SeriesName; readonly why: string }[];
} {
  const all = SERIES_NAMES.filter((name) => name !== 'order-book' && name !== 'news');
  const absent = all.flatMap((series) => {
    const found = hostedSource(series, hosts, environment);
    return found?.kind === 'absent' ? [{ series, why: found.why }] : [];
  });
  return { names: all.filter((name) => !absent.some(({ series }) => series === name)), absent };
}

export interface SeriesFailure {
  readonly key: SeriesKey;
  readonly error: UserError;
}

/**
 * Every series from where its stored rows end, from its exchange or its host. Where several are asked for, the failure of
 * one is its own.
 */
export async function updateAllSeries(
  store: SeriesStore,
  keys: readonly SeriesKey[],
  options: Parameters<typeof updateSeriesFromExchanges>[2] & {
    readonly hosts: SeriesHosts;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): Promise<{ readonly changes: readonly SeriesChange[]; readonly failures: readonly SeriesFailure[] }> {
  const { hosts, environment, onSeries, ...asked } = options;
  const changes: SeriesChange[] = [];
  const failures: SeriesFailure[] = [];
  for (const [done, key] of keys.entries()) {
    asked.signal.throwIfAborted();
    const hosted = hostedSource(key.name, hosts, environment);
    try {
      if (hosted?.kind === 'absent')
        throw new UserError(`The source of "${key.name}" is not ready: ${hosted.why}.`, {
          hint: 'Set it in the environment or in .env, describe a source of your own (series.custom), or import a file (--csv).',
        });
      if (hosted === undefined)
        changes.push(
          ...(await updateSeriesFromExchanges(store, [key], { ...asked, onSeries: () => undefined })),
        );
      else changes.push(await updateFromSource(store, key, hosted.source, { ...asked, nowMs: Date.now() }));
    } catch (error) {
      if (asked.signal.aborted || !(error instanceof UserError) || keys.length === 1) throw error;
      failures.push({ key, error });
    }
    onSeries(done + 1, key);
  }
  return { changes, failures };
}

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
