import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../core/foundation/random.ts';
import { plainLine } from '../../core/foundation/plain-text.ts';
import type { Ccxt, CcxtExchange, CcxtSocket } from './ccxt.ts';

/** Something that an exchange tells unasked, by a call of ccxt pro. */
export interface Subject {
  /** Resolves with the next message. */
  readonly watch: () => Promise<unknown>;
  readonly heard: (message: unknown) => void;
  /** Nothing was heard for a while: it may have been missed. */
  readonly missed?: () => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Messages about one account or candle are small; a larger one ends the connection. */
const LARGEST_MESSAGE_BYTES = 1 << 20;

/**
 * Listens until `signal` aborts, through every drop and every message that cannot be read: what fails is tried again after pauses that
 * double, each of another length. `onFault`: nothing is heard, and why; `undefined`: it is heard again. Never throws.
 */
export async function listen(
  ccxt: Ccxt,
  subjects: readonly Subject[],
  onFault: (fault: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = ccxt;
  const random = createRandom(process.pid);
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
  const follow = async ({ watch, heard, missed }: Subject): Promise<void> => {
    for (let failures = 0; !signal.aborted;) {
      try {
        heard(await ccxt.during(signal, watch));
        failures = 0;
        say(undefined);
      } catch (error) {
        if (signal.aborted) return;
        say(isReadable(error) ? plainLine(error.message, 200) : unreadable);
        const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++);
        await sleep(waitMs * (0.5 + random() / 2), undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) missed?.();
      }
    }
  };
  await Promise.race([aborted, Promise.all(subjects.map(follow))]);
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
