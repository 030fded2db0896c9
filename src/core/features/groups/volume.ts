import type { Timeframe } from '../../market/timeframe.ts';
import { abs, change, distance, growth, log1p, minus, ratio, times, where } from '../columns/arithmetic.ts';
import { accumulation, signedVolume } from '../columns/flows.ts';
import { macd, typical } from '../columns/indicators.ts';
import { type Column, compute, zeros } from '../columns/plan.ts';
import { ema } from '../columns/smoothing.ts';
import { correlation, deviation, mean, moments, score, sum } from '../columns/windows.ts';
import { barsIn, type Feature, features, type Sources } from '../feature.ts';

const shared = {
  group: 'volume',
  source: 'definition',
  unit: 'fraction',
  inputs: ['close', 'volume'],
} as const;
const bars4 = ['high', 'low', 'close', 'volume'] as const;

const usual = (volume: Column, bars: number): Column => moments(volume, bars).mean;

const level = features({ ...shared, inputs: ['volume'] }, [
  ...[5, 20, 50].map((bars) => ({
    name: `volume_ratio_${bars}`,
    warmUp: bars - 1,
    about: `volume / mean of ${bars}; 1 when the mean is 0`,
    column: ({ volume }: Sources) => ratio(volume, usual(volume, bars), 1),
  })),
  {
    name: 'volume_ratio_5_50',
    warmUp: 49,
    about: 'mean of 5 / mean of 50; 1 when the latter is 0',
    column: ({ volume }) => ratio(usual(volume, 5), usual(volume, 50), 1),
  },
  ...[20, 50].map((bars) => ({
    name: `volume_score_${bars}`,
    warmUp: bars - 1,
    unit: 'score' as const,
    about: `volume in deviations from its mean of ${bars}; 0 when flat`,
    column: ({ volume }: Sources) => score(volume, bars),
  })),
  {
    name: 'volume_variation_20',
    warmUp: 19,
    about: 'deviation of 20 volumes / their mean; 0 when the mean is 0',
    column: ({ volume }) => ratio(deviation(volume, 20), usual(volume, 20), 0),
  },
  {
    name: 'volume_change_1',
    warmUp: 1,
    unit: 'log',
    about: 'ln((1 + volume) / (1 + previous volume))',
    column: ({ volume }) => compute('volumeChange', [volume.keep(1)]),
  },
  {
    name: 'volume_concentration_24',
    warmUp: 23,
    unit: 'index',
    source: 'Herfindahl index',
    about: '24 x sum of squared shares of 24 volumes: 1 when even, 24 when one bar has all; 1 when all are 0',
    column: ({ volume }) => {
      const day = moments(volume, 24);
      return compute('concentration', [day.mean, day.squares], [24]);
    },
  },
  {
    name: 'zero_volume_share_50',
    warmUp: 49,
    about: 'share of 50 bars in which nothing was traded',
    column: ({ volume }) => mean(compute('empty', [volume]), 50),
  },
]);

/** Volume from the second bar on, where there is a change of the close to put beside it. */
const later = ({ close, volume }: Sources): Column => where(change(close), volume);
const forced = ({ close, volume }: Sources): Column =>
  compute('forced', [change(close), close.keep(1), volume]);

const runningTotal = (x: Column): Column => compute('runningTotal', [x], [], zeros(1));

const flow = features({ ...shared, inputs: bars4 }, [
  ...[20, 50].map((bars) => ({
    name: `obv_balance_${bars}`,
    warmUp: bars,
    inputs: ['close', 'volume'] as const,
    source: 'Granville 1963, on-balance volume',
    about: `change of on-balance volume over ${bars} bars / their volume; 0 when nothing was traded`,
    column: (of: Sources) => ratio(sum(signedVolume(of), bars), sum(later(of), bars), 0),
  })),
  {
    name: 'money_flow_20',
    warmUp: 19,
    source: 'Chaikin money flow',
    about: 'change of the accumulation/distribution line over 20 bars / their volume; 0 when none',
    column: (of) => ratio(sum(accumulation(of), 20), sum(of.volume, 20), 0),
  },
  {
    name: 'accumulation_oscillator',
    warmUp: 19,
    source: 'Chaikin oscillator (3, 10)',
    about: 'fast minus slow mean of the accumulation/distribution line / mean volume of 20; 0 when none',
    column: (of) => {
      const line = runningTotal(accumulation(of));
      return ratio(minus(ema(line, 3), ema(line, 10)), mean(of.volume, 20), 0);
    },
  },
  {
    name: 'mfi_14',
    warmUp: 14,
    unit: 'percent',
    source: 'Quong and Soudack 1989, money flow index',
    about: 'share of typical price x volume on rising bars of 14; 50 when the typical price never moved',
    column: (of) => {
      const { paid, taken } = moneyFlow(typical(of), of.volume);
      return share(sum(paid, 14), sum(taken, 14));
    },
  },
  {
    name: 'force_13',
    warmUp: 19,
    inputs: ['close', 'volume'],
    source: 'Elder 1993, force index',
    about: 'exponential mean (13) of relative change x volume / mean volume of 20; 0 when nothing was traded',
    column: (of) => ratio(ema(forced(of), 13), mean(of.volume, 20), 0),
  },
  {
    name: 'volume_price_trend_20',
    warmUp: 20,
    inputs: ['close', 'volume'],
    source: 'volume price trend',
    about: 'sum of return x volume over 20 bars / their volume; 0 when nothing was traded',
    column: (of) => ratio(sum(forced(of), 20), sum(later(of), 20), 0),
  },
]);

/** Price x volume of bars whose price rose, and of those whose price fell. */
function moneyFlow(price: Column, volume: Column): { readonly paid: Column; readonly taken: Column } {
  const [paid, taken] = price.plan.formula('moneyFlow', [price.keep(1), volume], 2);
  return { paid, taken };
}

/** `100 a / (a + b)`; 50 where both are 0. */
const share = (a: Column, b: Column): Column => compute('share', [a, b]);

/** Volume-weighted mean of the typical price over `bars` bars; the close where nothing was traded. */
function vwap(of: Sources, bars: number): Column {
  const [money, volume] = [sum(times(typical(of), of.volume), bars), sum(of.volume, bars)];
  return priceOf(money, volume, of.close);
}

const priceOf = (money: Column, volume: Column, close: Column): Column =>
  compute('priceOf', [money, volume, close]);

function dayVwap(of: Sources): Column {
  const price = typical(of);
  const inputs = [of.time, price, of.volume];
  const [money, volume] = price.plan.formula('sinceMidnight', inputs, 2, [], zeros(3));
  return priceOf(money, volume, of.close);
}

const averages = features(
  {
    ...shared,
    inputs: bars4,
    source: 'volume-weighted average of the typical price (high + low + close) / 3',
  },
  [
    ...[20, 100].map((bars) => ({
      name: `vwap_distance_${bars}`,
      warmUp: bars - 1,
      about: `close / VWAP of ${bars} bars - 1; 0 when nothing was traded`,
      column: (of: Sources) => distance(of.close, vwap(of, bars)),
    })),
    {
      name: 'vwap_distance_day',
      warmUp: 0,
      inputs: ['time', ...bars4],
      about: 'close / VWAP since 00:00 UTC - 1; 0 when nothing was traded since',
      column: (of) => distance(of.close, dayVwap(of)),
    },
    {
      name: 'vwap_distance_1d',
      warmUp: (timeframe: Timeframe) => barsIn(1, timeframe) - 1,
      about: 'close / VWAP of the bars of one day - 1; 0 when nothing was traded',
      column: (of) => distance(of.close, vwap(of, barsIn(1, of.timeframe))),
    },
    {
      name: 'vwap_score_20',
      warmUp: 19,
      unit: 'score',
      about: 'distance from the VWAP of 20 in deviations of 20 closes; 0 when flat',
      column: (of) => ratio(minus(of.close, vwap(of, 20)), deviation(of.close, 20), 0),
    },
  ],
);

const volumeMacd = ({ volume }: Sources) => macd(volume, { fast: 12, slow: 26, signal: 9 });

const relations = features(shared, [
  {
    name: 'volume_price_correlation_20',
    warmUp: 20,
    unit: 'index',
    about: 'correlation of return and volume over 20 bars; 0 when either is flat',
    column: (of) => correlation(growth(of.close), later(of), 20),
  },
  {
    name: 'volume_volatility_correlation_50',
    warmUp: 50,
    unit: 'index',
    about: 'correlation of absolute return and volume over 50 bars; 0 when either is flat',
    column: (of) => correlation(abs(growth(of.close)), later(of), 50),
  },
  {
    name: 'illiquidity_20',
    warmUp: 20,
    unit: 'log',
    source: 'Amihud 2002',
    about: 'ln(1 + mean of 20 |return| per million of quote volume); bars without volume count 0',
    column: ({ close, volume }) => log1p(mean(perMillion(abs(growth(close)), close, volume), 20)),
  },
  {
    name: 'corwin_schultz_20',
    warmUp: 20,
    inputs: ['high', 'low'],
    source: 'Corwin and Schultz 2012, spread from high and low prices; no overnight gap to adjust for',
    about: 'mean of 20 bid-ask spreads estimated from two bars each, a negative one counted as 0',
    column: ({ high, low }) => mean(spread(high, low), 20),
  },
  {
    name: 'quote_volume_log',
    warmUp: 0,
    unit: 'log',
    about: 'ln(1 + close x volume), the only feature here that depends on the price level',
    column: ({ close, volume }) => log1p(times(close, volume)),
  },
  {
    name: 'volume_oscillator',
    warmUp: 25,
    inputs: ['volume'],
    source: 'percentage volume oscillator (12, 26, 9)',
    about: 'exponential mean of 12 / exponential mean of 26 volumes - 1; 0 when the latter is 0',
    column: (of) => ratio(volumeMacd(of).line, ema(of.volume, 26), 0),
  },
  {
    name: 'volume_oscillator_histogram',
    warmUp: 33,
    inputs: ['volume'],
    source: 'percentage volume oscillator (12, 26, 9)',
    about: 'MACD histogram of volume / exponential mean of 26 volumes; 0 when the latter is 0',
    column: (of) => ratio(minus(volumeMacd(of).line, volumeMacd(of).signal), ema(of.volume, 26), 0),
  },
]);

const perMillion = (size: Column, close: Column, volume: Column): Column =>
  compute('perMillion', [size, close, volume]);

/** Spread as a fraction of the price, at least 0, from two bars that follow each other (Corwin and Schultz 2012). */
const spread = (high: Column, low: Column): Column =>
  compute('spread', [high.keep(1), low.keep(1)], [], zeros(1));

export const volumeFeatures: readonly Feature[] = [...level, ...flow, ...averages, ...relations];
