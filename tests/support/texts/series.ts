import type { SeriesKey } from '../../../src/data/store/series-store.ts';
import type { SeriesSource } from '../../../src/data/series/source.ts';
import { alphaVantageGoldSource } from '../../../src/data/series/sources/alpha-vantage.ts';
import { bitcoinFeesSource } from '../../../src/data/series/sources/blockchain.ts';
import { coinMetricsSource } from '../../../src/data/series/sources/coin-metrics.ts';
import { customSource } from '../../../src/data/series/sources/custom.ts';
import { fearGreedSource } from '../../../src/data/series/sources/fear-greed.ts';
import { feeRatesSource } from '../../../src/data/series/sources/mempool.ts';
import { fredSource } from '../../../src/data/series/sources/fred.ts';
import { glassnodeSource } from '../../../src/data/series/sources/glassnode.ts';
import { stablecoinsSource } from '../../../src/data/series/sources/defi-llama.ts';
import { yahooIndexSource } from '../../../src/data/series/sources/yahoo.ts';

const DAY = 86_400_000;

/** A source's double in its own wire format: what it answers for these days and values. */
export interface Wire {
  readonly name: string;
  readonly key: SeriesKey;
  readonly open: (url: string) => SeriesSource;
  readonly body: (days: readonly (readonly [timeMs: number, value: number])[]) => unknown;
  /** The first column's value of a day. */
  readonly value: (day: number) => number;
  /** Days are keys of an object: none is there twice. */
  readonly keyed?: true;
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();
export const SERIES_WIRES: readonly Wire[] = [
  {
    name: 'alternative.me',
    key: { name: 'fear-greed', subject: '' },
    open: fearGreedSource,
    value: (day) => 40 + day,
    body: (days) => ({
      name: 'Fear and Greed Index',
      data: days.toReversed().map(([timeMs, value], i) => ({
        value: String(value),
        value_classification: 'Fear',
        timestamp: String(timeMs / 1000),
        ...(i === 0 ? { time_until_update: '68499' } : {}),
      })),
      metadata: { error: null },
    }),
  },
  {
    name: 'Coin Metrics',
    key: { name: 'on-chain', subject: 'BTC' },
    open: coinMetricsSource,
    value: (day) => 900_000 + day,
    body: (days) => ({
      data: days.map(([timeMs, value]) => ({
        asset: 'btc',
        time: iso(timeMs).replace('.000Z', '.000000000Z'),
        AdrActCnt: String(value),
        TxCnt: '300000',
        HashRate: '800000000.5',
        SplyCur: '19800000.1',
        CapMVRVCur: '2.1',
        FlowInExNtv: null,
      })),
    }),
  },
  {
    name: 'DefiLlama',
    key: { name: 'stablecoins', subject: '' },
    open: stablecoinsSource,
    value: (day) => 2e11 + day,
    body: (days) =>
      days.map(([timeMs, value]) => ({
        date: String(timeMs / 1000),
        totalCirculating: { peggedUSD: value, peggedEUR: 5 },
        totalCirculatingUSD: { peggedUSD: value, peggedEUR: 6 },
      })),
  },
  {
    name: 'blockchain.com',
    key: { name: 'bitcoin-fees', subject: '' },
    open: bitcoinFeesSource,
    value: (day) => 1e6 + day,
    body: (days) => ({
      status: 'ok',
      unit: 'USD',
      values: days.map(([timeMs, y]) => ({ x: timeMs / 1000, y })),
    }),
  },
  {
    name: 'Yahoo',
    key: { name: 'spx', subject: '' },
    open: (url) => yahooIndexSource('spx', url),
    value: (day) => 5900 + day,
    body: (days) => ({
      chart: {
        result: [
          {
            meta: { symbol: '^GSPC' },
            // New York opens at half past two in the afternoon.
            timestamp: days.map(([timeMs]) => (timeMs + 14.5 * 3_600_000) / 1000),
            indicators: { quote: [{ close: days.map(([, value]) => value), open: [] }] },
          },
        ],
        error: null,
      },
    }),
  },
  {
    name: 'mempool.space',
    key: { name: 'fee-rates', subject: '' },
    open: feeRatesSource,
    value: (day) => 20 + day,
    // Two groups a day; the oldest day, here the one before the first, may be half a day.
    body: (days) =>
      [[days[0][0] - DAY, 1] as const, ...days].flatMap(([timeMs, value]) =>
        [0.3, 0.8].map((part) => ({
          avgHeight: 800_000,
          timestamp: Math.round((timeMs + part * DAY) / 1000),
          avgFee_0: 1,
          avgFee_50: value,
          avgFee_90: 100,
        })),
      ),
  },
  {
    name: 'Glassnode',
    key: { name: 'long-term-holders', subject: 'BTC' },
    open: (url) => glassnodeSource('long-term-holders', url, 'a-secret-key'),
    value: (day) => 14_000_000 + day,
    body: (days) => days.map(([timeMs, v]) => ({ t: timeMs / 1000, v })),
  },
  {
    name: 'FRED',
    key: { name: 'spx', subject: '' },
    open: (url) => fredSource('spx', url, 'a-secret-key'),
    value: (day) => 5900 + day,
    body: (days) => ({
      realtime_start: '2025-01-10',
      count: days.length,
      observations: [
        { realtime_start: '2025-01-10', date: '2024-12-25', value: '.' },
        ...days.map(([timeMs, value]) => ({
          realtime_start: '2025-01-10',
          date: iso(timeMs).slice(0, 10),
          value: String(value),
        })),
      ],
    }),
  },
  {
    name: 'Alpha Vantage',
    key: { name: 'gold', subject: '' },
    open: (url) => alphaVantageGoldSource(url, 'a-secret-key'),
    value: (day) => 240 + day,
    keyed: true,
    body: (days) => ({
      'Meta Data': { '2. Symbol': 'GLD' },
      'Time Series (Daily)': Object.fromEntries(
        days.map(([timeMs, value]) => [
          iso(timeMs).slice(0, 10),
          { '1. open': '1', '4. close': String(value), '5. volume': '7' },
        ]),
      ),
    }),
  },
  {
    name: 'an API of the user',
    key: { name: 'whales', subject: 'BTC' },
    open: (url) =>
      customSource(
        'my-whales',
        {
          series: 'whales',
          url: `${url}/v2/{asset}?from={since}`,
          headers: {},
          rows: '/result/0/a~1b',
          time: '/at',
          timeUnit: 'iso',
          columns: { transactions: '/n', deposits: '/flow/in' },
          factors: { deposits: 0.001 },
          laterMinutes: 30,
        },
        { 'X-Key': 'a-secret-key' },
      ),
    value: (day) => 700 + day,
    body: (days) => ({
      result: [
        { 'a/b': days.map(([timeMs, n]) => ({ at: iso(timeMs + DAY / 3), n, flow: { in: '5000' } })) },
      ],
    }),
  },
];
