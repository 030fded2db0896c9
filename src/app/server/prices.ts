import type { Log } from '../../core/foundation/log.ts';
import { formatTime } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Config } from '../config/schema.ts';

/** Last prices of an exchange. */
export interface Prices {
  readonly exchange: string;
  readonly time: string;
  readonly bySymbol: Readonly<Record<string, number>>;
}

type Ask = (symbols: readonly PairSymbol[], signal: AbortSignal) => Promise<readonly (number | undefined)[]>;

const EVERY_MS = 5000;

/**
 * Last prices of what a session trades at the exchange. `newest` asks for them in the background, at most every five seconds, and
 * returns what came last: nothing that waits for an exchange keeps anybody else waiting. `symbols`: empty: nobody trades now, and the
 * exchange is not asked.
 */
export function createPrices(
  ask: Ask,
  { changed, now = Date.now }: { readonly changed: () => void; readonly now?: () => number },
): { newest(exchange: string, symbols: readonly PairSymbol[]): Prices | undefined; close(): void } {
  const stopping = new AbortController();
  let last: Prices | undefined;
  let askedAtMs = -Infinity;
  let asking = false;
  const refresh = async (exchange: string, symbols: readonly PairSymbol[]): Promise<void> => {
    try {
      const found = await ask(symbols, stopping.signal);
      const known = symbols.flatMap((symbol, i): [string, number][] => {
        const price = found[i];
        return price === undefined ? [] : [[symbol, price]];
      });
      last = { exchange, time: formatTime(now()), bySymbol: Object.fromEntries(known) };
    } catch {
      // An old price that looks like a new one is worse than none.
      last = undefined;
    } finally {
      asking = false;
      if (!stopping.signal.aborted) changed();
    }
  };
  return {
    newest: (exchange, symbols) => {
      if (symbols.length === 0) return (last = undefined);
      if (!asking && now() - askedAtMs >= EVERY_MS) {
        asking = true;
        askedAtMs = now();
        void refresh(exchange, symbols);
      }
      return last;
    },
    close: () => stopping.abort(),
  };
}

/** Asks the exchange of the settings; it is opened when it is asked first. */
export function exchangePrices(config: () => Config, log: Log): Ask {
  let opened: ReturnType<typeof open> | undefined;
  const open = async () => {
    const { openExchange } = await import('../../data/exchange/client.ts');
    const { exchange, fetch } = config();
    const { id, baseUrl } = exchange;
    return openExchange({ id, baseUrl, timeoutMs: fetch.timeoutMs, retries: 0, log });
  };
  return async (symbols, signal) => {
    opened ??= open();
    try {
      return await (await opened).lastPrices(symbols, signal);
    } catch (error) {
      opened = undefined;
      throw error;
    }
  };
}
