import { expect, it } from 'vitest';
import { computeFeatures } from '../../../src/core/features/catalogue.ts';
import type { FeatureInputs } from '../../../src/core/features/inputs.ts';
import { inputPlace, DEFAULT_SOURCES } from '../../../src/core/features/inputs.ts';
import { type Candles, emptyCandles } from '../../../src/core/market/candles.ts';
import { closedBars, type TimedSeries } from '../../../src/core/market/timed-series.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Hourly bars from the epoch on that close at these prices. */
function bars(closes: readonly number[], volumes: readonly number[] = closes.map(() => 1)): Candles {
  const candles = emptyCandles(closes.length);
  for (const column of ['open', 'high', 'low', 'close'] as const) candles[column].set(closes);
  candles.time.set(closes.map((_, i) => i * HOUR));
  candles.volume.set(volumes);
  return candles;
}
const market = (closes: readonly number[], volumes?: readonly number[]): TimedSeries =>
  closedBars(bars(closes, volumes), '1h');
const rows = (
  entries: readonly (readonly [timeMs: number, knownMs: number, values: Record<string, number>])[],
): TimedSeries => ({
  time: Float64Array.from(entries, ([time]) => time),
  known: Float64Array.from(entries, ([, known]) => known),
  columns: Object.fromEntries(
    Object.keys(entries[0][2]).map((name) => [
      name,
      Float64Array.from(entries, ([, , values]) => values[name]),
    ]),
  ),
});
const values = (names: readonly string[], candles: Candles, inputs: FeatureInputs): number[][] =>
  computeFeatures(names, candles, '1h', inputs).columns.map((column) => [...column]);

it('gives a daily close to the first bar that closes an hour after its day, and not to one before', () => {
  const vix = rows([
    [-DAY, HOUR, { close: 20 }],
    [0, DAY + HOUR, { close: 30 }],
  ]);
  const [level] = values(['vix'], bars(Array.from({ length: 26 }, () => 1)), { vix });
  // The bar of 00:00 closes at 01:00, when yesterday's close is known; that of today is known at 01:00 tomorrow.
  expect(level.slice(0, 24)).toEqual(Array.from({ length: 24 }, () => 20));
  expect(level.slice(24)).toEqual([30, 30]);
});

it('computes funding features from settlements, by hand', () => {
  const funding = rows([
    [0, 60_000, { rate: 1e-4 }],
    [HOUR, HOUR + 60_000, { rate: 4e-4 }],
    [2 * HOUR, 2 * HOUR + 60_000, { rate: -2e-4 }],
  ]);
  const [rate, change, mean] = values(['funding_rate', 'funding_change', 'funding_mean_3'], bars([1, 1, 1]), {
    funding,
  });
  expect(rate).toEqual([1e-4, 4e-4, -2e-4]);
  expect(change[0]).toBeNaN();
  expect(change[2]).toBeCloseTo(-6e-4, 15);
  expect(mean[2]).toBeCloseTo(1e-4, 15);
});

it('compares prices of two exchanges and a perpetual at the same close, by hand', () => {
  const own = bars([100, 110], [3, 0]);
  const [gap, lead, share, basis] = values(
    ['exchange_gap', 'exchange_lead_1', 'exchange_volume_share', 'basis'],
    own,
    { 'other-exchange': market([101, 112], [1, 0]), perpetual: market([99, 110]) },
  );
  expect(gap[0]).toBeCloseTo(0.01, 12);
  expect(lead[1]).toBeCloseTo(112 / 101 - 1.1, 12);
  expect(share).toEqual([0.75, 0.5]);
  expect(basis[0]).toBeCloseTo(-0.01, 12);
  expect(basis[1]).toBe(0);
});

it('knows the triangle of three prices: ETH at 0.05 BTC, BTC at 20 000, ETH at 1 010', () => {
  const [gap] = values(['triangular_gap'], bars([1010]), {
    'cross-pair': market([0.05]),
    benchmark: market([20_000]),
  });
  expect(gap[0]).toBeCloseTo(1000 / 1010 - 1, 12);
});

it('has beta 2 and correlation 1 to a benchmark whose log returns it doubles, and none left over', () => {
  const prices = Array.from({ length: 60 }, (_, i) => 100 * Math.exp(0.01 * Math.sin(i * i)));
  const [beta, correlation, ratio] = values(
    ['benchmark_beta_50', 'benchmark_correlation_50', 'benchmark_volatility_ratio_50'],
    bars(prices.map((price) => price ** 2)),
    { benchmark: market(prices) },
  );
  for (const column of [beta, correlation, ratio]) expect(column.slice(0, 50).every(Number.isNaN)).toBe(true);
  expect(beta[59]).toBeCloseTo(2, 9);
  expect(correlation[59]).toBeCloseTo(1, 9);
  expect(ratio[59]).toBeCloseTo(2, 9);
});

it('reads an order book: imbalance, spread and flow of the snapshots since the bar before, by hand', () => {
  const depth = { bid_5: 3, ask_5: 1, bid_10: 6, ask_10: 6, bid_20: 8, ask_20: 8 };
  const book = rows([
    [1, 1, { bid: 99, ask: 101, ...depth, bought: 5, sold: 5 }],
    [HOUR, HOUR, { bid: 99.5, ask: 100.5, ...depth, bid_5: 1, bought: 10, sold: 0 }],
  ]);
  const [last, mean, spread, flow, share] = values(
    [
      'book_imbalance_5',
      'book_imbalance_mean_5',
      'book_spread',
      'trade_flow_imbalance',
      'book_concentration',
    ],
    bars([100, 100]),
    { 'order-book': book },
  );
  expect([last[0], mean[0], spread[0], flow[0], share[0]]).toEqual([0, 0.25, 0.01, 0.5, 0.125]);
  expect([last[1], mean[1]]).toEqual([NaN, NaN]); // no snapshot since: nothing is known of that hour
});

it('nets exchange flows against what exchanges hold, by hand', () => {
  const day = { active_addresses: 1, transactions: 1, hash_rate: 1, mvrv: 1.2 };
  const flows = { exchange_inflow: 30, exchange_outflow: 10, exchange_supply: 200, supply: 1000 };
  const names = ['exchange_netflow', 'exchange_flow_imbalance', 'exchange_supply_share', 'mvrv'];
  const [net, imbalance, share, mvrv] = values(names, bars([1]), {
    'on-chain': rows([[-2 * DAY, 0, { ...day, ...flows }]]),
  });
  expect([net[0], imbalance[0], share[0], mvrv[0]]).toEqual([0.1, 0.5, 0.2, 1.2]);
});

it('counts a text in the bar during which it was first seen, each source with one voice, by hand', () => {
  const text = (timeMs: number, polarity: number, relevance: number, source: number) =>
    [timeMs, timeMs, { polarity, subjectivity: 0.5, relevance, source }] as const;
  const news = rows([
    text(-HOUR, -1, 1, 1), // before the first bar
    text(HOUR, 1, 1, 1), // as the first bar closes
    text(HOUR + 1, 0.5, 1, 1),
    text(HOUR + 2, 0.1, 0.25, 1),
    text(2 * HOUR, -0.5, 1, 2),
  ]);
  const names = ['news_count', 'news_polarity', 'news_disagreement', 'news_by_source', 'news_decayed'];
  const [count, polarity, disagreement, bySource, decayed] = values(names, bars([1, 1, 1]), { news });
  expect([count[0], polarity[0], disagreement[0], bySource[0]]).toEqual([Math.LN2, 1, 0, 1]);
  expect(count[1]).toBe(Math.log(4));
  expect(polarity[1]).toBeCloseTo(0.025 / 2.25, 12);
  expect(bySource[1]).toBeCloseTo((0.3 - 0.5) / 2, 12);
  // Nothing was seen during the last bar: it has no value, but what was seen fades on.
  expect([count[2], polarity[2], bySource[2]]).toEqual([NaN, NaN, NaN]);
  expect(decayed[2]).toBe(decayed[1]);
});

it('says nothing once the newest row is too old', () => {
  const [fear] = values(['fear_greed'], bars(Array.from({ length: 100 }, () => 1)), {
    'fear-greed': rows([[-DAY, 0, { value: 9 }]]),
  });
  // Four days after it became known.
  expect(fear.slice(0, 96)).toEqual(Array.from({ length: 96 }, () => 9));
  expect(fear.slice(96).every(Number.isNaN)).toBe(true);
});

it('knows where each input lies', () => {
  const of = { exchange: 'binance', symbol: 'ETH/USDT', sources: DEFAULT_SOURCES } as const;
  expect(inputPlace('cross-pair', of)).toEqual({ kind: 'candles', exchange: 'binance', symbol: 'ETH/BTC' });
  expect(inputPlace('cross-pair', { ...of, symbol: 'BTC/USDT' })).toBeUndefined();
  expect(inputPlace('other-funding', of)).toEqual({
    kind: 'series',
    name: 'funding',
    subject: 'bybit/ETH-USDT',
  });
  expect(inputPlace('on-chain', of)).toEqual({ kind: 'series', name: 'on-chain', subject: 'BTC' });
  expect(inputPlace('order-book', of)).toEqual({
    kind: 'series',
    name: 'order-book',
    subject: 'binance/ETH-USDT',
  });
  expect(inputPlace('vix', of)).toEqual({ kind: 'series', name: 'vix', subject: '' });
});
