import { describe, expect, it } from 'vitest';
import { catalogue, computeFeatures } from '../../../src/core/features/catalogue.ts';
import type { InputName } from '../../../src/core/features/inputs.ts';
import { randomInputs } from './random-inputs.ts';
import {
  type At,
  candles,
  close,
  closes,
  correlation,
  DAY,
  deviation,
  last,
  log,
  mean,
  named,
  or,
  range,
  rows,
  score,
  series,
  sum,
  volume,
} from './written-out.ts';

/*
 * Every feature that needs more than the symbol's own candles, from its definition over the whole window at one bar. What the kernels keep between bars has to come to
 * the same number.
 */

const inputs = randomInputs(candles, '4h', 21, { historyDays: 400 });
/** What was known of a column when bar t closed, oldest first. */
const seen = (input: InputName, column: string, t: number): number[] => [
  ...inputs[input].columns[column].subarray(0, knownRows(input, t)),
];
const knownRows = (input: InputName, t: number): number =>
  inputs[input].known.filter((knownMs) => knownMs <= closes(t).getTime()).length;
const newest = (input: InputName, column: string, t: number, before = 0): number =>
  seen(input, column, t).at(-1 - before) ?? NaN;
/** The same of the newest `n` rows. */
const newestOf = (input: InputName, column: string, n: number, t: number): number[] =>
  seen(input, column, t).slice(-n);
const growth = (input: InputName, column: string, n: number, t: number): number =>
  newest(input, column, t) / newest(input, column, t, n) - 1;
const unusual = (input: InputName, column: string, t: number): number =>
  score(newestOf(input, column, 30, t).map((level) => Math.log(1 + level)));
const leaning = (input: InputName, first: string, second: string, t: number): number =>
  imbalance(newest(input, first, t), newest(input, second, t));

const interest = series((t) => newest('open-interest', 'amount', t));
const perpetual = inputs.perpetual.columns['close'];
const basis = series((t) => perpetual[t] / close[t] - 1);
const book =
  (column: string): At =>
  (t) =>
    newest('order-book', column, t);
const imbalance = (bid: number, ask: number): number => (bid - ask) / (bid + ask);
const ofBar = (column: string, t: number): number[] =>
  seen('order-book', column, t).slice(seen('order-book', column, t - 1).length);

const derivatives: Record<string, At> = {
  funding_rate: (t) => newest('funding', 'rate', t),
  funding_change: (t) => newest('funding', 'rate', t) - newest('funding', 'rate', t, 1),
  funding_mean_3: (t) => mean(newestOf('funding', 'rate', 3, t)),
  funding_mean_21: (t) => mean(newestOf('funding', 'rate', 21, t)),
  funding_score_90: (t) => score(newestOf('funding', 'rate', 90, t)),
  open_interest_change_1: (t) => interest[t] / interest[t - 1] - 1,
  open_interest_change_1d: (t) => interest[t] / interest[t - DAY] - 1,
  open_interest_change_7d: (t) => interest[t] / interest[t - 7 * DAY] - 1,
  open_interest_score_7d: (t) => score(last(interest, 7 * DAY, t)),
  open_interest_divergence_1d: (t) => interest[t] / interest[t - DAY] - close[t] / close[t - DAY],
  open_interest_turnover_1d: (t) => sum(last(volume, DAY, t)) / interest[t],
  basis: (t) => basis[t],
  basis_change_1d: (t) => basis[t] - basis[t - DAY],
  basis_mean_1d: (t) => mean(last(basis, DAY, t)),
  basis_score_7d: (t) => score(last(basis, 7 * DAY, t)),
  perpetual_volume_ratio: (t) => Math.log((1 + inputs.perpetual.columns['volume'][t]) / (1 + volume[t])),
  ...named([5, 10, 20], (n) => ({
    [`book_imbalance_${n}`]: (t) => imbalance(book(`bid_${n}`)(t), book(`ask_${n}`)(t)),
    [`book_imbalance_mean_${n}`]: (t) => {
      const asks = ofBar(`ask_${n}`, t);
      return mean(ofBar(`bid_${n}`, t).map((bid, i) => imbalance(bid, asks[i])));
    },
  })),
  book_spread: (t) => (2 * (book('ask')(t) - book('bid')(t))) / (book('ask')(t) + book('bid')(t)),
  book_spread_mean: (t) => {
    const asks = ofBar('ask', t);
    return mean(ofBar('bid', t).map((bid, i) => (2 * (asks[i] - bid)) / (asks[i] + bid)));
  },
  book_depth_ratio: (t) => Math.log((1 + book('bid_20')(t)) / (1 + book('ask_20')(t))),
  book_concentration: (t) => (book('bid_5')(t) + book('ask_5')(t)) / (book('bid_20')(t) + book('ask_20')(t)),
  trade_flow_imbalance: (t) => imbalance(sum(ofBar('bought', t)), sum(ofBar('sold', t))),
};

const benchmark = inputs.benchmark.columns['close'];
const benchmarkLog = series((t) => Math.log(benchmark[t] / benchmark[t - 1]));
/** Slope of y on x. */
const beta = (x: readonly number[], y: readonly number[]): number =>
  (correlation(x, y) * deviation(y)) / deviation(x);
const elsewhere = inputs['other-exchange'].columns['close'];
const exchangeGap = series((t) => elsewhere[t] / close[t] - 1);
const parity = series((t) => (inputs['cross-pair'].columns['close'][t] * benchmark[t]) / close[t] - 1);
const spread: At = (t) => newest('funding', 'rate', t) - newest('other-funding', 'rate', t);

const markets: Record<string, At> = {
  benchmark_return_1: (t) => benchmarkLog[t],
  ...named([50, 200], (n) => ({
    [`benchmark_beta_${n}`]: (t) => beta(last(benchmarkLog, n, t), last(log, n, t)),
    [`benchmark_correlation_${n}`]: (t) => correlation(last(benchmarkLog, n, t), last(log, n, t)),
  })),
  benchmark_residual_1: (t) => log[t] - beta(last(benchmarkLog, 200, t), last(log, 200, t)) * benchmarkLog[t],
  benchmark_volatility_ratio_50: (t) => deviation(last(log, 50, t)) / deviation(last(benchmarkLog, 50, t)),
  ...named([1, 7, 30], (days) => ({
    [`relative_strength_${days}d`]: (t) =>
      close[t] / close[t - days * DAY] - benchmark[t] / benchmark[t - days * DAY],
  })),
  exchange_gap: (t) => exchangeGap[t],
  exchange_gap_mean_1d: (t) => mean(last(exchangeGap, DAY, t)),
  exchange_gap_score_7d: (t) => score(last(exchangeGap, 7 * DAY, t)),
  exchange_lead_1: (t) => elsewhere[t] / elsewhere[t - 1] - close[t] / close[t - 1],
  exchange_volume_share: (t) =>
    or(volume[t] / (volume[t] + inputs['other-exchange'].columns['volume'][t]), 0.5),
  triangular_gap: (t) => parity[t],
  triangular_gap_score_7d: (t) => score(last(parity, 7 * DAY, t)),
  funding_spread: spread,
  funding_spread_change: (t) => spread(t) - spread(t - 1),
};

const chain =
  (column: string): At =>
  (t) =>
    newest('on-chain', column, t);
const netflow = (t: number): number[] => {
  const [inflow, outflow, held] = ['exchange_inflow', 'exchange_outflow', 'exchange_supply'].map((column) =>
    newestOf('on-chain', column, 7, t),
  );
  return inflow.map((value, i) => (value - outflow[i]) / held[i]);
};

const world: Record<string, At> = {
  ...named(['active_addresses', 'transactions'], (column) => ({
    [`${column}_change_7`]: (t) => growth('on-chain', column, 7, t),
    [`${column}_score_30`]: (t) => score(newestOf('on-chain', column, 30, t)),
  })),
  exchange_netflow: (t) => netflow(t).at(-1) ?? NaN,
  exchange_netflow_mean_7: (t) => mean(netflow(t)),
  exchange_flow_imbalance: (t) => imbalance(chain('exchange_inflow')(t), chain('exchange_outflow')(t)),
  exchange_supply_share: (t) => chain('exchange_supply')(t) / chain('supply')(t),
  exchange_supply_change_30: (t) => growth('on-chain', 'exchange_supply', 30, t),
  supply_growth_30: (t) => growth('on-chain', 'supply', 30, t),
  mvrv: chain('mvrv'),
  mvrv_change_30: (t) => newest('on-chain', 'mvrv', t) - newest('on-chain', 'mvrv', t, 30),
  mvrv_score_365: (t) => score(newestOf('on-chain', 'mvrv', 365, t)),
  hash_rate_change_30: (t) => growth('on-chain', 'hash_rate', 30, t),
  hash_ribbon: (t) =>
    mean(newestOf('on-chain', 'hash_rate', 30, t)) / mean(newestOf('on-chain', 'hash_rate', 60, t)) - 1,
  ...named(['spx', 'dxy', 'gold', 'vix'] as const, (index) => ({
    ...named([1, 5, 20], (n) => ({ [`${index}_return_${n}`]: (t) => growth(index, 'close', n, t) })),
    [`${index}_score_60`]: (t) => score(newestOf(index, 'close', 60, t)),
    [`${index}_correlation_60`]: (t) => correlation(...moves(index, 60, t)),
    [`${index}_beta_60`]: (t) => beta(...moves(index, 60, t)),
    [`${index}_relative_strength_20`]: (t) => {
      const bars = arrivals(index, t);
      return close[bars.at(-1) ?? NaN] / close[bars.at(-21) ?? NaN] - 1 - growth(index, 'close', 20, t);
    },
  })),
  vix: (t) => newest('vix', 'close', t),
  fear_greed: (t) => newest('fear-greed', 'value', t),
  ...named([1, 7], (n) => ({
    [`fear_greed_change_${n}`]: (t) => newest('fear-greed', 'value', t) - newest('fear-greed', 'value', t, n),
  })),
  fear_greed_mean_30: (t) => mean(newestOf('fear-greed', 'value', 30, t)),
  fear_greed_score_90: (t) => score(newestOf('fear-greed', 'value', 90, t)),
  extreme_fear: (t) => Number(newest('fear-greed', 'value', t) <= 25),
  extreme_greed: (t) => Number(newest('fear-greed', 'value', t) >= 75),
};

/** Bars at whose close a new row of the index was known, up to t. */
function arrivals(index: InputName, t: number): number[] {
  return range(t - 450, t + 1).filter((bar) => knownRows(index, bar) > knownRows(index, bar - 1));
}

/** The last `n` log returns of the index and of the pair between such bars. */
function moves(index: InputName, n: number, t: number): [number[], number[]] {
  const bars = arrivals(index, t).slice(-n - 1);
  const between = (values: readonly number[]): number[] =>
    values.slice(1).map((value, i) => Math.log(value / values[i]));
  return [between(newestOf(index, 'close', n + 1, t)), between(bars.map((bar) => close[bar]))];
}

/** What texts of a bar say: [polarity, relevance] each. */
const told = (t: number): readonly (readonly [number, number])[] => {
  const relevances = fresh('relevance', t);
  return fresh('polarity', t).map((polarity, i) => [polarity, relevances[i]]);
};
const fresh = (column: string, t: number): number[] =>
  seen('news', column, t).slice(seen('news', column, t - 1).length);
const weightedMean = (pairs: readonly (readonly [number, number])[]): number =>
  sum(pairs.map(([value, weight]) => value * weight)) / sum(pairs.map(([, weight]) => weight));
const fading = (t: number): readonly number[] =>
  [...inputs.news.time.subarray(0, knownRows('news', t))].map(
    (timeMs) => 2 ** (-(closes(t).getTime() - timeMs) / (12 * 3_600_000)),
  );

const news: Record<string, At> = {
  news_count: (t) => Math.log(1 + told(t).length),
  news_polarity: (t) => weightedMean(told(t)),
  news_disagreement: (t) => {
    const own = fresh('polarity', t);
    return Math.sqrt(mean(own.map((value) => (value - mean(own)) ** 2)));
  },
  news_subjectivity: (t) => mean(fresh('subjectivity', t)),
  // Every text has a source of its own here; several of one source: inputs.test.ts.
  news_by_source: (t) => mean(fresh('polarity', t)),
  news_decayed: (t) => {
    const [faded, relevance] = [fading(t), seen('news', 'relevance', t)];
    return weightedMean(seen('news', 'polarity', t).map((value, i) => [value, faded[i] * relevance[i]]));
  },
  news_intensity: (t) => Math.log(1 + sum(fading(t))),
  stablecoin_growth_7: (t) => growth('stablecoins', 'supply', 7, t),
  stablecoin_growth_30: (t) => growth('stablecoins', 'supply', 30, t),
  bitcoin_fees_score_30: (t) => unusual('bitcoin-fees', 'fees', t),
  fee_rate_score_30: (t) => unusual('fee-rates', 'median', t),
  gas_score_30: (t) => unusual('gas', 'gwei', t),
  whale_transactions_score_30: (t) => unusual('whales', 'transactions', t),
  whale_exchange_flow: (t) => leaning('whales', 'deposits', 'withdrawals', t),
  whale_buying: (t) => leaning('whales', 'bought', 'sold', t),
  long_term_supply_change_30: (t) => growth('long-term-holders', 'supply', 30, t),
  liquidation_imbalance: (t) => leaning('liquidations', 'long', 'short', t),
  liquidations_long_score_30: (t) => unusual('liquidations', 'long', t),
  liquidations_short_score_30: (t) => unusual('liquidations', 'short', t),
  news_surprise: (t) => weightedMean(told(t)) - mean(range(t - 20, t).map((bar) => weightedMean(told(bar)))),
};

const DEFINITIONS = { ...derivatives, ...markets, ...world, ...news };

describe('features equal their definitions over the whole window', () => {
  const names = Object.keys(DEFINITIONS);
  const { columns } = computeFeatures(names, candles, '4h', inputs);
  it.each(names.map((name, i) => [name, columns[i]] as const))('%s', (name, column) => {
    for (let t = 480; t < rows.length; t += 43) {
      const expected = DEFINITIONS[name](t);
      expect(expected, `row ${t}`).not.toBeNaN();
      expect(Math.abs(column[t] - expected) / Math.max(1, Math.abs(expected)), `row ${t}`).toBeLessThan(1e-9);
    }
  });

  it('and none is left out', () => {
    const all = catalogue.filter(({ needs }) => needs.length > 0);
    expect(all.map(({ name }) => name).filter((name) => !names.includes(name))).toEqual([]);
  });
});
