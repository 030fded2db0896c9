import { UserError } from '../../core/foundation/errors.ts';
import type { Log } from '../../core/foundation/log.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Credentials } from '../../data/exchange/ccxt.ts';
import { openExchange } from '../../data/exchange/client.ts';
import type { InstrumentFacts } from '../../data/exchange/instruments.ts';
import { openVenue, TRADED_EXCHANGES } from '../../data/exchange/open-venue.ts';

/** What an exchange says to whoever wants to fetch or trade there. */
export interface ExchangeReport {
  readonly exchange: string;
  /** Of its clock against ours; positive: it is ahead. */
  readonly aheadMs: number;
  /** By pair; a text: why there is none. */
  readonly pairs: readonly { readonly symbol: PairSymbol; readonly rules: InstrumentFacts | string }[];
  readonly key:
    | { readonly kind: 'none' }
    /** Live trading is not supported there, so nothing is asked with the key. */
    | { readonly kind: 'not-asked' }
    | { readonly kind: 'works'; readonly trade: boolean | undefined; readonly withdraw: boolean | undefined }
    | { readonly kind: 'refused'; readonly reason: string };
}

/** Asks the exchange for its time, the rules of the pairs, and what the key may do. Throws `UserError` when it does not answer. */
export async function testExchange(of: {
  readonly id: string;
  readonly baseUrl: string | undefined;
  readonly sandbox: boolean;
  readonly symbols: readonly PairSymbol[];
  readonly credentials: Credentials | undefined;
  readonly timeoutMs: number;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<ExchangeReport> {
  const { id, baseUrl, symbols, timeoutMs, log, signal } = of;
  const client = await openExchange({ id, baseUrl, timeoutMs, retries: 0, log });
  const aheadMs = (await client.clockMs(signal)) - Date.now();
  const pairs: ExchangeReport['pairs'][number][] = [];
  for (const symbol of symbols) {
    try {
      const [rules] = await client.instruments([symbol], signal);
      pairs.push({ symbol, rules });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      pairs.push({ symbol, rules: `${error.message} ${error.hint}` });
    }
  }
  return { exchange: id, aheadMs, pairs, key: await testKey(of) };
}

async function testKey({
  id,
  baseUrl,
  sandbox,
  credentials,
  timeoutMs,
  signal,
}: Parameters<typeof testExchange>[0]): Promise<ExchangeReport['key']> {
  if (credentials === undefined) return { kind: 'none' };
  if (!TRADED_EXCHANGES.includes(id)) return { kind: 'not-asked' };
  const venue = await openVenue({ id, baseUrl, sandbox, timeoutMs, credentials });
  const held = await venue.balances(signal);
  signal.throwIfAborted();
  if (held.kind !== 'answered') return { kind: 'refused', reason: held.reason };
  const reply = sandbox ? undefined : await venue.permissions(signal);
  signal.throwIfAborted();
  const said = reply?.kind === 'answered' ? reply.value : { trade: undefined, withdraw: undefined };
  return { kind: 'works', ...said };
}
