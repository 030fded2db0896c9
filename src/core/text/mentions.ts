import { type Asset, ASSETS } from './assets.ts';

/** An asset that a text is about. */
export interface Mention {
  readonly asset: string;
  /** 0 to 1: how much of the text is about it; a name in the headline counts twice one in the body. */
  readonly relevance: number;
}

/** Words that only the trade uses: beside one of them an ambiguous name is a coin. */
const TRADE =
  /\b(crypto\w*|tokens?|altcoins?|coins?|blockchains?|defi|nfts?|staking|stakers?|mainnet|testnet|on-?chain|layer[- ]?[12]|l2s?|airdrops?|stablecoins?|dapps?|web3|wallets?|hodl\w*|memecoins?|validators?|smart contracts?|bridge exploit|rug[- ]?pull|binance|coinbase|kraken|okx|bybit|whales?)\b/i;

/**
 * The assets that a text names, most relevant first. A `$TICKER`, a pair (`LINK/USDT`) and a name that means nothing
 * else always count; tickers in capitals and names that are words too ("link", "near", "dot", "op", "avalanche") only
 * beside words of the trade or an asset that is certain, and not where everything is in capitals.
 */
export function mentions(title: string, body = ''): readonly Mention[] {
  const context = `${title}\n${body}`;
  const inTitle = certain(title);
  const inBody = certain(body);
  if (inTitle.size + inBody.size > 0 || TRADE.test(context)) {
    for (const ticker of doubtful(title)) inTitle.add(ticker);
    for (const ticker of doubtful(body)) inBody.add(ticker);
  }
  const all = [...new Set([...inTitle, ...inBody])];
  const weightOf = (ticker: string): number => (inTitle.has(ticker) ? 1 : 0.5);
  return all
    .map((ticker) => ({ asset: ticker, relevance: weightOf(ticker) / all.length }))
    .toSorted((a, b) => b.relevance - a.relevance || (a.asset < b.asset ? -1 : 1));
}

const escaped = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const entries = ASSETS.flatMap((one) => one.names.map((name): [string, Asset] => [name, one]));
const byName = new Map(entries);
const NAMES = new RegExp(
  `(?<![\\p{L}\\p{N}])(${[...byName.keys()]
    .toSorted((a, b) => b.length - a.length)
    .map(escaped)
    .join('|')})(?![\\p{L}\\p{N}])`,
  'giu',
);
const byTicker = new Map(ASSETS.map((one) => [one.ticker, one]));
const TICKERS = [...byTicker.keys()].toSorted((a, b) => b.length - a.length).join('|');
const CASHTAG = new RegExp(`\\$(${TICKERS})(?![\\p{L}\\p{N}])`, 'giu');
const PAIR = new RegExp(
  `(?<![\\p{L}\\p{N}])(${TICKERS})[/-]?(?:USDT?|USDC|EUR|BTC|PERP)(?![\\p{L}\\p{N}])`,
  'gu',
);
const TICKER = new RegExp(`(?<![\\p{L}\\p{N}$])(${TICKERS})(?![\\p{L}\\p{N}])`, 'gu');
const byWord = new Map(
  ASSETS.flatMap((one) => one.ambiguousNames.map((name): [string, Asset] => [name, one])),
);
/** A capital first: "an avalanche of selling" is none. */
const capitalised = (name: string): string =>
  `${name[0].toUpperCase()}${name.slice(1).replaceAll(/ (.)/g, (_, letter: string) => ` [${letter}${letter.toUpperCase()}]`)}`;
const WORDS = new RegExp(
  `(?<![\\p{L}\\p{N}])(${[...byWord.keys()].map(capitalised).join('|')})(?![\\p{L}\\p{N}])`,
  'gu',
);

function certain(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, name] of text.matchAll(NAMES)) add(found, byName.get(name.toLowerCase())?.ticker);
  for (const [, ticker] of text.matchAll(CASHTAG)) found.add(ticker.toUpperCase());
  for (const [, ticker] of text.matchAll(PAIR)) found.add(ticker);
  for (const ticker of tickersOf(text))
    if (byTicker.get(ticker)?.ambiguousTicker === false) found.add(ticker);
  return found;
}

function doubtful(text: string): Set<string> {
  const found = new Set<string>();
  if (!isShouted(text)) for (const ticker of tickersOf(text)) found.add(ticker);
  for (const [, name] of text.matchAll(WORDS)) add(found, byWord.get(name.toLowerCase())?.ticker);
  return found;
}

/** What a pair is priced in is not what it is about. */
const tickersOf = (text: string): readonly string[] =>
  [...text.replaceAll(PAIR, ' ').matchAll(TICKER)].map(([, ticker]) => ticker);

const add = (found: Set<string>, ticker: string | undefined): void => {
  if (ticker !== undefined) found.add(ticker);
};

/** More capitals than small letters, over more than one word. */
function isShouted(text: string): boolean {
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  const small = text.match(/\p{Ll}/gu)?.length ?? 0;
  return capitals > small && text.includes(' ');
}
