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
  /** `auto`: the exchange, else Yahoo. Candles are made up only when asked for by name. */
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
  /** Called when a symbol is up to date, and awaited while others are still being fetched. */
  readonly onUpdated?: (result: UpdateResult) => Promise<void>;
}

export interface FetchResult {
  readonly source: SourceKind;
  /** Sources that `auto` tried before, and why they would not do. */
  readonly passedOver: readonly { readonly source: SourceKind; readonly reason: string }[];
  /** Of the symbols that could be had, in the order of `symbols`. */
  readonly datasets: readonly UpdateResult[];
  /** The other symbols: one that fails does not take the rest with it. Some symbol is always in `datasets`. */
  readonly failed: readonly FailedSymbol[];
}

export interface FailedSymbol {
  readonly symbol: PairSymbol;
  readonly error: UserError;
}

/** How the error begins when every source that `auto` tries is out of reach. */
export const NO_SOURCE = 'No source of candles is available';

/**
 * Brings the datasets of several symbols up to date, side by side, all from one source. Under `auto` Yahoo is tried
 * only when the exchange is unavailable as such. Throws when no symbol could be had: what went wrong with each.
 */
export async function fetchDatasets(request: FetchRequest): Promise<FetchResult> {
  if (request.source !== 'auto') {
    const { datasets, failed } = await fetchAll(request, request.source);
    if (datasets.length === 0) throw allFailed(failed);
    return { source: request.source, passedOver: [], datasets, failed };
  }
  const passedOver: { source: SourceKind; reason: string }[] = [];
  for (const source of ['exchange', 'yahoo'] as const) {
    const { datasets, failed } = await fetchAll(request, source);
    if (datasets.length > 0) return { source, passedOver, datasets, failed };
    const error = allFailed(failed);
    // A wrong symbol is the user's to correct; but what Yahoo lacks says nothing about the exchange's.
    if (passedOver.length === 0 && !(error instanceof SourceUnavailable)) throw error;
    request.log.warn({ source }, error.message);
    passedOver.push({ source, reason: error.message });
  }
  const reasons = passedOver.map(({ source, reason }) => `\n  ${source}: ${reason}`);
  throw new SourceUnavailable(`${NO_SOURCE}.${reasons.join('')}`, {
    hint: 'Check the network and run the command again; what is stored stays. Without a network: --csv <path>, or --source synthetic for made-up candles.',
  });
}

/** One error for all: `SourceUnavailable` when each of them is. */
function allFailed(failed: readonly FailedSymbol[]): UserError {
  const messages = [...new Set(failed.map(({ error }) => error.message))];
  const [{ error }] = failed;
  if (messages.length === 1) return error;
  const lines = failed.map((one) => `\n  ${one.symbol}: ${one.error.message}`);
  const Kind = failed.every((one) => one.error instanceof SourceUnavailable) ? SourceUnavailable : UserError;
  return new Kind(`No symbol could be fetched.${lines.join('')}`, { hint: error.hint });
}

async function fetchAll(
  request: FetchRequest,
  kind: SourceKind,
): Promise<Pick<FetchResult, 'datasets' | 'failed'>> {
  const { symbols, timeframe, onProgress } = request;
  const openSource = sourceOpener(request, kind);
  const limit = pLimit(request.concurrency);
  const datasets: UpdateResult[] = [];
  const failed: FailedSymbol[] = [];
  const settled = await Promise.allSettled(
    symbols.map((symbol) =>
      limit(async () => {
        const exchange = kind === 'exchange' ? request.exchange.id : kind;
        const key = { exchange, symbol, timeframe };
        const source = (): Promise<CandleSource> => openSource(symbol);
        if (kind === 'synthetic') await assertSameSeed(request, key, await source());
        const result = await updateDataset({
          ...request,
          key,
          openSource: source,
          onProgress: (done, total) => onProgress?.(symbol, done, total),
        });
        await request.onUpdated?.(result);
        return result;
      }),
    ),
  );
  request.signal.throwIfAborted();
  for (const [i, result] of settled.entries()) {
    if (result.status === 'fulfilled') datasets.push(result.value);
    else if (result.reason instanceof UserError) failed.push({ symbol: symbols[i], error: result.reason });
    else throw result.reason;
  }
  return { datasets, failed };
}

/** Clients are loaded when first needed, and one serves all symbols, so that they share its rate limit. */
function sourceOpener(
  request: FetchRequest,
  kind: SourceKind,
): (symbol: PairSymbol) => Promise<CandleSource> {
  const { exchange, timeoutMs, retries, log, seed, signal } = request;
  switch (kind) {
    case 'exchange': {
      const open = async (): Promise<CandleSource> => {
        const { openExchange } = await import('./exchange/client.ts');
        const options = { ...exchange, timeoutMs, log };
        // With another source to fall back to, an exchange out of reach is not waited for.
        if (request.source === 'auto')
          await (await openExchange({ ...options, retries: Math.min(1, retries) })).clockMs(signal);
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
