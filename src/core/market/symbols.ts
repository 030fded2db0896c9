import { UserError } from '../foundation/errors.ts';
import { type PairSymbol, parseSymbol, quoteOf } from './symbol.ts';

/** A list of pairs as a user writes it, each pair once. Throws `UserError` for one that comes twice. */
export function parseSymbols(texts: readonly string[]): readonly PairSymbol[] {
  const symbols = texts.map(parseSymbol);
  const [again] = repeatedSymbols(symbols);
  if (again === undefined) return symbols;
  const [first, second] = [symbols.indexOf(symbols[again]), again].map((at) => `"${texts[at].trim()}"`);
  const spelled = first === second ? '' : `, as ${first} and as ${second}`;
  throw new UserError(`${symbols[again]} comes twice in the list of symbols${spelled}.`, {
    hint: 'Name each pair once: twice it would be counted, sized and traded as two.',
  });
}

/** Positions of symbols that stand in the list before. */
export const repeatedSymbols = (symbols: readonly PairSymbol[]): readonly number[] =>
  symbols.flatMap((symbol, at) => (symbols.indexOf(symbol) < at ? [at] : []));

/**
 * The currency in which an account of these symbols is kept. Throws `UserError` where they have several: a sum of BTC and
 * USDT is no amount of anything, and no pair is converted.
 */
export function requireOneQuote(symbols: readonly PairSymbol[]): string {
  const quotes = [...new Set(symbols.map(quoteOf))];
  if (quotes.length === 1) return quotes[0];
  const groups = quotes.map(
    (quote) => `${quote}: ${symbols.filter((symbol) => quoteOf(symbol) === quote).join(', ')}`,
  );
  throw new UserError(
    `The symbols are quoted in ${quotes.length} currencies (${groups.join('; ')}). One account is kept in one of them.`,
    { hint: 'Keep the pairs of one quote currency, and run the others with a config.yaml of their own.' },
  );
}
