import pLimit from 'p-limit';
import { UserError } from '../core/foundation/errors.ts';
import type { Log } from '../core/foundation/log.ts';
import type { PairSymbol } from '../core/market/symbol.ts';
import type { Timeframe } from '../core/market/timeframe.ts';
import { type CandleSource, SourceUnavailable } from './source.ts';
import type { Store } from './store/store.ts';
import { updateDataset, type UpdateResult } from './update.ts';

export type SourceKind = 'exchange' | 'yahoo' | 'synthetic';

export interface FetchRequest {
  readonly store: Store;
  /** `auto`: the exchange, else Yahoo, else synthetic. */
  readonly source: 'auto' | SourceKind;
  readonly exchange: { readonly id: string; readonly baseUrl?: string | undefined };
  /** Another host for Yahoo's chart endpoint. */
  readonly yahooUrl?: string | undefined;
  readonly symbols: readonly PairSymbol[];
  readonly timeframe: Timeframe;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly seed: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly askGapsAgain?: boolean;
  readonly skipBadBars?: boolean;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onProgress?: (symbol: PairSymbol, doneBars: number, totalBars: number) => void;
}

export interface FetchResult {
  readonly source: SourceKind;
  /** Sources that `auto` tried before, and why they would not do. */
  readonly passedOver: readonly { readonly source: SourceKind; readonly reason: string }[];
  /** In the order of `symbols`. */
  readonly datasets: readonly UpdateResult[];
}

/**
 * Brings the datasets of several symbols up to date, side by side, all from one source. Under `auto` the next
 * source is tried only when one is unavailable as such; a wrong symbol or a bad bar is an error, and never
 * an excuse to make candles up.
 */
export async function fetchDatasets(request: FetchRequest): Promise<FetchResult> {
  const kinds = request.source === 'auto' ? (['exchange', 'yahoo', 'synthetic'] as const) : [request.source];
  const passedOver: { source: SourceKind; reason: string }[] = [];
  for (const source of kinds) {
    try {
      return { source, passedOver, datasets: await fetchAll(request, source) };
    } catch (error) {
      if (request.source !== 'auto' || !(error instanceof SourceUnavailable)) throw error;
      request.log.warn({ source }, error.message);
      passedOver.push({ source, reason: error.message });
    }
  }
  throw new UserError('No source of candles is available.', {
    hint: 'Check the network, or use --source csv.',
  });
}

async function fetchAll(request: FetchRequest, kind: SourceKind): Promise<readonly UpdateResult[]> {
  const { symbols, timeframe, onProgress } = request;
  const openSource = sourceOpener(request, kind);
  const limit = pLimit(request.concurrency);
  const settled = await Promise.allSettled(
    symbols.map((symbol) =>
      limit(async () => {
        const exchange = kind === 'exchange' ? request.exchange.id : kind;
        const key = { exchange, symbol, timeframe };
        const source = (): Promise<CandleSource> => openSource(symbol);
        if (kind === 'synthetic') await assertSameSeed(request, key, await source());
        return updateDataset({
          ...request,
          key,
          openSource: source,
          onProgress: (done, total) => onProgress?.(symbol, done, total),
        });
      }),
    ),
  );
  request.signal.throwIfAborted();
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** Clients are loaded when first needed, and one serves all symbols, so that they share its rate limit. */
function sourceOpener(
  request: FetchRequest,
  kind: SourceKind,
): (symbol: PairSymbol) => Promise<CandleSource> {
  const { exchange, timeoutMs, retries, log, seed } = request;
  switch (kind) {
    case 'exchange': {
      const open = async (): Promise<CandleSource> => {
        const { openExchange } = await import('./exchange/client.ts');
        const options = { ...exchange, timeoutMs, log };
        // With another source to fall back to, an exchange out of reach is not waited for.
        if (request.source === 'auto') await (await openExchange({ ...options, retries: 1 })).clockMs();
        return openExchange({ ...options, retries });
      };
      let client: Promise<CandleSource> | undefined;
      return () => (client ??= open());
    }
    case 'yahoo':
      return async (symbol) =>
        (await import('./yahoo.ts')).openYahoo(symbol, {
          baseUrl: request.yahooUrl,
          timeoutMs,
          retries: request.source === 'auto' ? Math.min(1, retries) : retries,
          log,
        });
    case 'synthetic':
      return async () => (await import('./synthetic/source.ts')).openSynthetic({ seed });
  }
}

async function assertSameSeed(
  { store }: FetchRequest,
  key: Parameters<Store['manifest']>[0],
  source: CandleSource,
): Promise<void> {
  const stored = await store.manifest(key);
  if (stored === undefined || stored.source === source.name) return;
  throw new UserError(
    `The stored synthetic candles of ${key.symbol} are "${stored.source}", not "${source.name}".`,
    {
      hint: `Use the same --seed, or move "${store.folder(key)}" away.`,
    },
  );
}
