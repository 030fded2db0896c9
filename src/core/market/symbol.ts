import { UserError } from '../foundation/errors.ts';

/** A spot pair in the form the program prints and ccxt uses, `BASE/QUOTE`: `BTC/USDT`. */
export type PairSymbol = `${string}/${string}`;

/** Accepts `BTC/USDT`, `btc-usdt` or `BTC_USDT`. */
export function parseSymbol(text: string): PairSymbol {
  const match = /^([a-z0-9]+)[/_-]([a-z0-9]+)$/i.exec(text.trim());
  if (!match) {
    throw new UserError(`Cannot read symbol "${text}".`, {
      hint: 'Write base and quote with a slash or a dash, for example BTC/USDT.',
    });
  }
  return `${match[1].toUpperCase()}/${match[2].toUpperCase()}`;
}

/** The symbol as a folder name: `BTC-USDT`. */
export const symbolFolder = (symbol: PairSymbol): string => symbol.replace('/', '-');
