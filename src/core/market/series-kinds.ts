import { FIRST_COIN_MS } from './plausible.ts';

/** A kind of timed series that the program can store, and when its rows count as known. */
export interface SeriesKind {
  readonly about: string;
  /** What a series of this kind belongs to: one market of one exchange, one asset, an asset as a scorer of texts sees it, or the world. */
  readonly subject: 'market' | 'asset' | 'scored' | 'world';
  readonly columns: readonly SeriesColumn[];
  /** A row describes this long a time from its own time on; before its end it cannot be known. */
  readonly periodMs: number;
  /** Whether each day has a row: one that lacks is a hole. */
  readonly everyDay?: true;
  /** How long after that a row counts as known. */
  readonly delayMs: number;
  /** A row older than this, counted from when it became known, says nothing about now. */
  readonly staleMs: number;
  /** What one file of the store holds. */
  readonly part: 'day' | 'month' | 'year';
  /** How the names of its files begin inside a folder, lower case, letters and digits only. */
  readonly files: readonly string[];
  /** How to get it, as a command. */
  readonly fetch: string;
}

interface SeriesColumn {
  readonly name: string;
  /** Names of the column in CSV files, lower case without spaces and underscores; the first match is taken. */
  readonly headers: readonly string[];
  /** What a value can be at all: outside of it the unit, the column or the source is another one. */
  readonly range: ValueRange;
}

export interface ValueRange {
  readonly least: number;
  readonly most: number;
}

const NOT_NEGATIVE: ValueRange = { least: 0, most: Infinity };
/** Prices and levels: no number is small enough to be one and not positive. */
const POSITIVE: ValueRange = { least: Number.MIN_VALUE, most: Infinity };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A close of a market that is shut at weekends and on holidays; the name of the file that holds it decides. */
const index = (about: string, name: string, ticker = name, range = POSITIVE): SeriesKind => ({
  about,
  subject: 'world',
  columns: [{ name: 'close', headers: ['close', 'adjclose', 'value', name], range }],
  periodMs: DAY_MS,
  delayMs: HOUR_MS,
  staleMs: 7 * DAY_MS,
  part: 'year',
  files: [name, ticker],
  fetch: `crypto-trader fetch --series ${name}`,
});

const SERIES = {
  funding: {
    about: 'funding rate of a perpetual, a fraction paid per interval',
    subject: 'market',
    columns: [
      { name: 'rate', headers: ['fundingrate', 'rate', 'lastfundingrate'], range: { least: -1, most: 1 } },
    ],
    periodMs: 0,
    delayMs: MINUTE_MS,
    staleMs: DAY_MS,
    part: 'year',
    files: [],
    fetch: 'crypto-trader fetch --series funding',
  },
  'open-interest': {
    about: 'open contracts of a perpetual, in base currency',
    subject: 'market',
    columns: [
      {
        name: 'amount',
        headers: ['openinterestamount', 'openinterest', 'sumopeninterest', 'amount'],
        range: NOT_NEGATIVE,
      },
    ],
    periodMs: 0,
    delayMs: 5 * MINUTE_MS,
    staleMs: 6 * HOUR_MS,
    part: 'month',
    files: [],
    fetch: 'crypto-trader fetch --series open-interest',
  },
  'order-book': {
    about:
      'best prices, depth of the best 5, 10 and 20 levels in base currency, and what was traded since the row before',
    subject: 'market',
    columns: ['bid', 'ask', 'bid_5', 'ask_5', 'bid_10', 'ask_10', 'bid_20', 'ask_20', 'bought', 'sold'].map(
      (name) => ({
        name,
        headers: [name.replaceAll('_', '')],
        range: name === 'bid' || name === 'ask' ? POSITIVE : NOT_NEGATIVE,
      }),
    ),
    periodMs: 0,
    delayMs: 0,
    staleMs: HOUR_MS,
    part: 'day',
    files: [],
    fetch: 'crypto-trader fetch --series order-book --every 60',
  },
  'on-chain': {
    about: "a day of an asset's own network, as Coin Metrics counts it",
    subject: 'asset',
    columns: [
      { name: 'active_addresses', headers: ['activeaddresses', 'adractcnt'], range: NOT_NEGATIVE },
      { name: 'transactions', headers: ['transactions', 'txcnt'], range: NOT_NEGATIVE },
      { name: 'exchange_inflow', headers: ['exchangeinflow', 'flowinexntv'], range: NOT_NEGATIVE },
      { name: 'exchange_outflow', headers: ['exchangeoutflow', 'flowoutexntv'], range: NOT_NEGATIVE },
      { name: 'exchange_supply', headers: ['exchangesupply', 'splyexntv'], range: NOT_NEGATIVE },
      { name: 'hash_rate', headers: ['hashrate'], range: NOT_NEGATIVE },
      { name: 'supply', headers: ['supply', 'splycur'], range: NOT_NEGATIVE },
      { name: 'mvrv', headers: ['mvrv', 'capmvrvcur'], range: NOT_NEGATIVE },
    ],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: [],
    fetch: 'crypto-trader fetch --series on-chain',
  },
  'fear-greed': {
    about: 'Fear & Greed index of alternative.me, 0 (fear) to 100 (greed)',
    subject: 'world',
    columns: [{ name: 'value', headers: ['value', 'feargreed', 'index'], range: { least: 0, most: 100 } }],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['feargreed', 'fng'],
    fetch: 'crypto-trader fetch --series fear-greed',
  },
  stablecoins: {
    about: 'what all stablecoins together are worth, in dollars, as DefiLlama counts it',
    subject: 'world',
    columns: [
      {
        name: 'supply',
        headers: ['supply', 'totalcirculatingusd', 'peggedusd', 'value'],
        range: NOT_NEGATIVE,
      },
    ],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 6 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['stablecoins'],
    fetch: 'crypto-trader fetch --series stablecoins',
  },
  'bitcoin-fees': {
    about: 'fees that all transactions of Bitcoin paid in a day, in dollars, as blockchain.com counts them',
    subject: 'world',
    columns: [{ name: 'fees', headers: ['fees', 'transactionfeesusd', 'value', 'y'], range: NOT_NEGATIVE }],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['bitcoinfees', 'transactionfeesusd'],
    fetch: 'crypto-trader fetch --series bitcoin-fees',
  },
  'fee-rates': {
    about: 'what transactions in the blocks of a day paid to be in them, in satoshi per virtual byte',
    subject: 'world',
    columns: [
      { name: 'median', headers: ['median', 'avgfee50', 'value'], range: NOT_NEGATIVE },
      { name: 'high', headers: ['high', 'avgfee90'], range: NOT_NEGATIVE },
    ],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['feerates'],
    fetch: 'crypto-trader fetch --series fee-rates',
  },
  gas: {
    about: 'mean price of gas on Ethereum over a day, in gwei',
    subject: 'world',
    columns: [{ name: 'gwei', headers: ['gwei', 'gasprice', 'value', 'v'], range: NOT_NEGATIVE }],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['gas'],
    fetch: 'crypto-trader fetch --series gas',
  },
  whales: {
    about: 'what holders of more than 1 000 coins did in a day, in coins; the counts, transfers',
    subject: 'asset',
    columns: ['transactions', 'bought', 'sold', 'deposits', 'withdrawals'].map((name) => ({
      name,
      headers: [name],
      range: NOT_NEGATIVE,
    })),
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['whales'],
    fetch: 'crypto-trader fetch --series whales',
  },
  'long-term-holders': {
    about: 'coins that have not moved for about five months (155 days), at the end of a day',
    subject: 'asset',
    columns: [{ name: 'supply', headers: ['supply', 'lthsum', 'value', 'v'], range: NOT_NEGATIVE }],
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['longtermholders'],
    fetch: 'crypto-trader fetch --series long-term-holders',
  },
  liquidations: {
    about: 'long and short futures positions that exchanges closed by force in a day, in dollars',
    subject: 'asset',
    columns: ['long', 'short'].map((name) => ({ name, headers: [name], range: NOT_NEGATIVE })),
    periodMs: DAY_MS,
    everyDay: true,
    delayMs: 12 * HOUR_MS,
    staleMs: 4 * DAY_MS,
    part: 'year',
    files: ['liquidations'],
    fetch: 'crypto-trader fetch --series liquidations',
  },
  news: {
    about: 'texts that name an asset, a row each: what a scorer makes of it, at the moment it was first seen',
    subject: 'scored',
    columns: [
      { name: 'polarity', headers: ['polarity'], range: { least: -1, most: 1 } },
      { name: 'subjectivity', headers: ['subjectivity'], range: { least: 0, most: 1 } },
      { name: 'relevance', headers: ['relevance'], range: { least: Number.MIN_VALUE, most: 1 } },
      { name: 'source', headers: ['source'], range: NOT_NEGATIVE },
    ],
    periodMs: 0,
    delayMs: 0,
    staleMs: DAY_MS,
    part: 'month',
    files: [],
    fetch: 'crypto-trader text score --stored',
  },
  spx: index('S&P 500, daily close', 'spx'),
  dxy: index('US dollar index, daily close', 'dxy'),
  gold: index('gold (the GLD fund), daily close', 'gold', 'gld'),
  // Its record is a close of 82.69, on 16 March 2020.
  vix: index('VIX, expected volatility of the S&P 500 in percent a year, daily close', 'vix', 'vix', {
    least: 1,
    most: 1000,
  }),
} as const satisfies Record<string, SeriesKind>;

export type SeriesName = keyof typeof SERIES;

export const isSeriesName = (text: string): text is SeriesName => Object.hasOwn(SERIES, text);

export const SERIES_NAMES: readonly SeriesName[] = Object.keys(SERIES).filter(isSeriesName);

export const seriesKind = (name: SeriesName): SeriesKind => SERIES[name];

/** What no row of `kind` can say, or `undefined`: a value out of its range, or a time before there were coins. */
export function seriesFault(kind: SeriesKind, timeMs: number, values: readonly number[]): string | undefined {
  if (kind.subject !== 'world' && timeMs < FIRST_COIN_MS)
    return `it lies before 2009-01-03, when there was no coin`;
  const at = values.findIndex((value, i) => {
    const { least, most } = kind.columns[i].range;
    return value < least || value > most;
  });
  if (at < 0) return undefined;
  const { name, range } = kind.columns[at];
  return `${name} is ${values[at]}, expected ${rangeText(range)}`;
}

function rangeText({ least, most }: ValueRange): string {
  if (least === Number.MIN_VALUE) return 'a positive number';
  return most === Infinity ? `${least} or more` : `${least} to ${most}`;
}

/** When a row of `kind` that begins at `timeMs` counts as known. */
export const knownMsOf = (kind: SeriesKind, timeMs: number): number => timeMs + kind.periodMs + kind.delayMs;
