import type { PairSymbol } from '../market/symbol.ts';
import type { Instrument } from './instrument.ts';

/** What a pair is paid in: `USDT` of `BTC/USDT` and of `BTC/USDT:USDT`. */
export const quoteOf = (symbol: PairSymbol): string => symbol.replace(/^[^/]*\//, '').replace(/:.*$/, '');

/** Says which symbols' smallest orders cost more than the account holds; `undefined` when it can pay for each. */
export function balanceWarning(
  instruments: readonly Instrument[],
  initialBalance: number,
): string | undefined {
  const dear = instruments.filter(({ minNotional }) => minNotional > initialBalance);
  if (dear.length === 0) return undefined;
  const [{ symbol, minNotional }] = dear;
  const quote = quoteOf(symbol);
  return `${dear.map((one) => one.symbol).join(', ')} cannot trade: trading.initialBalance is ${initialBalance} ${quote}, and an order is worth at least ${minNotional} ${quote} (trading.minNotional).`;
}
