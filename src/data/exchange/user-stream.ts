import type { Ccxt } from './ccxt.ts';
import { listen } from './listen.ts';

/** Who wants to know that something happened to an account. */
export interface AccountListener {
  /** An order, an execution or a balance changed, or may have while nobody listened: time to ask what. */
  readonly onEvent: () => void;
  /** Nothing is heard, and why; `undefined`: it is heard again. */
  readonly onFault: (fault: string | undefined) => void;
}

const CALLS = ['watchOrders', 'watchMyTrades', 'watchBalance'] as const;

/**
 * Listens to an account until `signal` aborts. What the messages say is not looked at: they are a hint to ask the exchange now, and its
 * answers are the truth. Never throws.
 */
export async function listenToAccount(
  ccxt: Ccxt,
  { onEvent, onFault }: AccountListener,
  signal: AbortSignal,
): Promise<void> {
  const { exchange } = ccxt;
  const calls = CALLS.filter((call) => exchange.has[call] === true);
  const subjects = calls.map((call) => ({ watch: () => exchange[call](), heard: onEvent, missed: onEvent }));
  await listen(ccxt, subjects, onFault, signal);
}
