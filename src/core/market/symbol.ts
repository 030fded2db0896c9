import { UserError } from '../foundation/errors.ts';

/** A spot pair in the form the program prints and ccxt uses, `BASE/QUOTE`: `BTC/USDT`. */
export type PairSymbol = `${string}/${string}`;

/**
 * Accepts `BTC/USDT`, `btc-usdt`, `BTC_USDT` and letters of any script (`币安人生/USDT`). The answer is one spelling
 * per pair: capitals, and compatibility forms of Unicode (full-width letters) as the plain ones. Exchanges that list
 * small letters (`kPEPE`) are matched without regard to case where they are asked.
 */
export function parseSymbol(text: string): PairSymbol {
  const [, base, quote] = PAIR.exec(normal(text)) ?? [];
  if (base !== undefined && quote !== undefined && base !== quote) return `${base}/${quote}`;
  throw new UserError(`Cannot read symbol "${shortened(text)}".`, { hint: hintFor(text) });
}

/** The symbol as a folder name: `BTC-USDT`. Letters, digits and one dash: nothing that any file system minds. */
export const symbolFolder = (symbol: PairSymbol): string => symbol.replace('/', '-');

/** The symbol of a folder that `symbolFolder` named; `undefined` of any other. */
export function symbolOfFolder(name: string): PairSymbol | undefined {
  const plain = name.normalize('NFKC'); // some file systems hand out letters and accents apart
  const [, base, quote] = PAIR.exec(plain) ?? [];
  return plain === normal(plain) && plain === `${base}-${quote}` ? `${base}/${quote}` : undefined;
}

export const quoteOf = (symbol: PairSymbol): string => symbol.slice(symbol.indexOf('/') + 1);

/** Whether an exchange's own spelling names the same pair, whatever its case. */
export const isSpellingOf = (listed: string, symbol: string): boolean => normal(listed) === normal(symbol);

/** 30 letters of 4 bytes each, twice, stay below the 255 bytes that file systems allow a name. */
const PAIR = /^([\p{L}\p{N}]{1,30})[/_-]([\p{L}\p{N}]{1,30})$/u;

/** `toUpperCase` takes some letters apart, so composition comes last. */
const normal = (text: string): string => text.trim().normalize('NFKC').toUpperCase().normalize('NFKC');

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** What pairs are quoted in, the longer names first: USDT before USD. */
const QUOTES = [
  'FDUSD',
  'USDT',
  'USDC',
  'TUSD',
  'BUSD',
  'USD1',
  'DAI',
  'USD',
  'EUR',
  'GBP',
  'TRY',
  'BRL',
].concat(['JPY', 'KRW', 'AUD', 'CHF', 'CAD', 'BTC', 'ETH', 'BNB', 'SOL']);

function hintFor(text: string): string {
  const name = normal(text);
  const [pair, contract = ''] = name.split(':');
  const [, base, quote] = PAIR.exec(pair) ?? [];
  if (name.includes(':') && base !== undefined) {
    if (contract === quote)
      return `That is a perpetual. Name it without what follows the colon, on an exchange of perpetuals: --exchange binanceusdm --symbols ${base}/${quote}`;
    return 'Dated futures, options and contracts that settle in another currency than their quote are not supported. Spot pairs and perpetuals are: BTC/USDT.';
  }
  const suffix = QUOTES.find((one) => name.length > one.length && name.endsWith(one));
  if (suffix !== undefined && /^[\p{L}\p{N}]+$/u.test(name))
    return `Did you mean ${name.slice(0, -suffix.length)}/${suffix}?`;
  return 'Write base and quote with a slash or a dash, for example BTC/USDT.';
}
