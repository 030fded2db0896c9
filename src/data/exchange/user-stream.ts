import { setTimeout as sleep } from 'node:timers/promises';
import { plainLine } from '../../core/foundation/plain-text.ts';
import type { Ccxt, CcxtExchange, CcxtSocket } from './ccxt.ts';

/** Who wants to know that something happened to an account. */
export interface AccountListener {
  /** An order, an execution or a balance changed, or may have while nobody listened: time to ask what. */
  readonly onEvent: () => void;
  /** Nothing is heard, and why; `undefined`: it is heard again. */
  readonly onFault: (fault: string | undefined) => void;
}

const CALLS = ['watchOrders', 'watchMyTrades', 'watchBalance'] as const;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Messages about one account are small; a larger one ends the connection. */
const LARGEST_MESSAGE_BYTES = 1 << 20;

/**
 * Listens to an account until `signal` aborts, through every drop and every message that cannot be read. What the messages say is
 * not looked at: they are a hint to ask the exchange now, and its answers are the truth. Never throws.
 */
export async function listenToAccount(
  ccxt: Ccxt,
  { onEvent, onFault }: AccountListener,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = ccxt;
  let said: string | undefined;
  const say = (fault: string | undefined): void => {
    if (fault !== said) onFault(fault);
    said = fault;
  };
  const unreadable = `${exchange.name} sent a message that cannot be read`;
  // ccxt prints what it cannot parse, whole, and goes on.
  const log = (): void => say(unreadable);
  exchange.options['ws'] = { log, options: { maxPayload: LARGEST_MESSAGE_BYTES } };
  await exchange.loadHttpProxyAgent();
  expectRejections(exchange);
  const aborted = new Promise<void>((resolve) => {
    const end = (): void => {
      for (const { connection } of Object.values(exchange.clients ?? {})) connection?.terminate();
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  const follow = async (call: (typeof CALLS)[number]): Promise<void> => {
    for (let failures = 0; !signal.aborted;) {
      try {
        await ccxt.during(signal, () => exchange[call]());
        failures = 0;
        say(undefined);
      } catch (error) {
        if (signal.aborted) return;
        say(isReadable(error) ? plainLine(error.message, 200) : unreadable);
        const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++);
        await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      }
      if (!signal.aborted) onEvent();
    }
  };
  const calls = CALLS.filter((call) => exchange.has[call] === true);
  await Promise.race([aborted, Promise.all(calls.map(follow))]);
}

/** What ccxt trips over is the message's fault. */
const isReadable = (error: unknown): error is Error =>
  error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);

/** ccxt rejects promises of its own that nobody awaits when a connection ends: to Node a reason to end the program. */
function expectRejections(exchange: CcxtExchange): void {
  const open = exchange.client.bind(exchange);
  const known = new WeakSet<CcxtSocket>();
  exchange.client = (url) => {
    const socket = open(url);
    if (known.has(socket)) return socket;
    known.add(socket);
    const future = socket.future.bind(socket);
    socket.future = (name) => {
      const promise = future(name);
      promise.catch(() => undefined);
      return promise;
    };
    return socket;
  };
}
