/** An asset as texts call it. */
export interface Asset {
  readonly ticker: string;
  /** Names that mean nothing else, lower case. */
  readonly names: readonly string[];
  /** Names that are words or names of other things as well: they count with a capital beside words of the trade. */
  readonly ambiguousNames: readonly string[];
  /** The ticker in capitals means other things too: a department, a law, a word of a headline in capitals. */
  readonly ambiguousTicker: boolean;
}

const asset = (
  ticker: string,
  names: string,
  { ambiguous = '', word = false }: { ambiguous?: string; word?: boolean } = {},
): Asset => ({
  ticker,
  names: names === '' ? [] : names.split('|'),
  ambiguousNames: ambiguous === '' ? [] : ambiguous.split('|'),
  ambiguousTicker: word,
});

/** The coins that a text is looked through for. Longer names win: "bitcoin cash" is not Bitcoin. */
export const ASSETS: readonly Asset[] = [
  asset('BTC', 'bitcoin|bitcoins|xbt'),
  asset('ETH', 'ethereum|ether'),
  asset('SOL', 'solana'),
  asset('BNB', 'binance coin|bnb chain'),
  asset('XRP', 'xrp ledger', { ambiguous: 'ripple' }),
  asset('ADA', 'cardano', { word: true }),
  asset('DOGE', 'dogecoin', { word: true }),
  asset('AVAX', '', { ambiguous: 'avalanche' }),
  asset('DOT', 'polkadot', { word: true }),
  asset('POL', 'matic', { ambiguous: 'polygon', word: true }),
  asset('LINK', 'chainlink', { word: true }),
  asset('UNI', 'uniswap', { word: true }),
  asset('ATOM', 'cosmos hub|cosmoshub', { ambiguous: 'cosmos', word: true }),
  asset('LTC', 'litecoin'),
  asset('FIL', 'filecoin', { word: true }),
  asset('APT', '', { ambiguous: 'aptos', word: true }),
  asset('ARB', 'arbitrum', { word: true }),
  asset('OP', 'op mainnet|op stack', { ambiguous: 'optimism', word: true }),
  asset('INJ', '', { ambiguous: 'injective' }),
  asset('NEAR', 'near protocol', { word: true }),
  asset('TRX', '', { ambiguous: 'tron' }),
  asset('SHIB', 'shiba inu coin|shiba inu token', { ambiguous: 'shiba inu' }),
  asset('TON', 'toncoin', { word: true }),
  asset('BCH', 'bitcoin cash'),
  asset('ETC', 'ethereum classic', { word: true }),
  asset('XLM', '', { ambiguous: 'stellar' }),
  asset('XMR', 'monero'),
  asset('HBAR', '', { ambiguous: 'hedera' }),
  asset('SUI', '', { ambiguous: 'sui', word: true }),
  asset('AAVE', '', { ambiguous: 'aave' }),
  asset('PEPE', 'pepecoin', { word: true }),
  asset('USDT', '', { ambiguous: 'tether' }),
  asset('USDC', 'usd coin'),
];
