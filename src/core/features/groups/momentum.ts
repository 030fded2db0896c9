import {
  abs,
  change,
  distance,
  growth,
  lag,
  minus,
  over,
  place,
  plus,
  ratio,
  scaled,
} from '../columns/arithmetic.ts';
import { barsSinceHighest, barsSinceLowest, highest, lowest } from '../columns/extremes.ts';
import { cci, macd, middle, rsi, trueRange, typical } from '../columns/indicators.ts';
import { type Column, compute, zeros } from '../columns/plan.ts';
import { ema, linearMean } from '../columns/smoothing.ts';
import { mean, moments, sum } from '../columns/windows.ts';
import { type Feature, features, type Sources } from '../feature.ts';
import { logMove } from '../columns/returns.ts';

const shared = { group: 'momentum', source: 'definition', unit: 'fraction', inputs: ['close'] } as const;
const hlc = ['high', 'low', 'close'] as const;

const stochRsi = (close: Column): Column => {
  const value = rsi(close, 14);
  return mean(place(value, lowest(value, 14), highest(value, 14), 100), 3);
};

const strength = features({ ...shared, unit: 'percent', source: 'Wilder 1978' }, [
  ...[7, 14, 28].map((bars) => ({
    name: `rsi_${bars}`,
    warmUp: bars,
    about: `relative strength index of ${bars}; 50 when the price never moved`,
    column: ({ close }: Sources) => rsi(close, bars),
  })),
  {
    name: 'rsi_14_change_5',
    warmUp: 19,
    about: 'rsi_14 - rsi_14 of 5 bars ago',
    column: ({ close }) => change(rsi(close, 14), 5),
  },
  {
    name: 'stoch_rsi_k',
    warmUp: 29,
    source: 'Chande and Kroll 1994 (14, 14, 3, 3)',
    about: 'place of rsi_14 in its range of 14, mean of 3; 50 when it does not vary',
    column: ({ close }) => stochRsi(close),
  },
  {
    name: 'stoch_rsi_d',
    warmUp: 31,
    source: 'Chande and Kroll 1994 (14, 14, 3, 3)',
    about: 'mean of 3 of stoch_rsi_k',
    column: ({ close }) => mean(stochRsi(close), 3),
  },
  {
    name: 'cmo_14',
    warmUp: 14,
    source: 'Chande 1994, simple sums',
    about: '100 (gains - losses) / (gains + losses) of 14 changes; 0 when none',
    column: ({ close }) => {
      const { gains, losses } = gainsAndLosses(close);
      return balance(sum(gains, 14), sum(losses, 14));
    },
  },
]);

/** Rises and falls from the previous close, each at least 0. */
function gainsAndLosses(close: Column): { readonly gains: Column; readonly losses: Column } {
  const [gains, losses] = close.plan.formula('gainsAndLosses', [close.keep(1)], 2);
  return { gains, losses };
}

/** `100 (a - b) / (a + b)`; 0 where both are. */
const balance = (a: Column, b: Column): Column => scaled(ratio(minus(a, b), plus(a, b), 0), 100);

const MACDS = [
  { name: 'macd', spans: { fast: 12, slow: 26, signal: 9 } },
  { name: 'macd_fast', spans: { fast: 5, slow: 35, signal: 5 } },
  { name: 'macd_slow', spans: { fast: 24, slow: 52, signal: 18 } },
] as const;

const convergence = features({ ...shared, source: 'Appel; exponential means seeded with simple means' }, [
  ...MACDS.flatMap(({ name, spans }) => [
    {
      name: `${name}_line`,
      warmUp: spans.slow - 1,
      about: `exponential mean of ${spans.fast} - of ${spans.slow}, / close`,
      column: ({ close }: Sources) => over(macd(close, spans).line, close),
    },
    {
      name: `${name}_signal`,
      warmUp: spans.slow + spans.signal - 2,
      about: `exponential mean of ${spans.signal} of the line, / close`,
      column: ({ close }: Sources) => over(macd(close, spans).signal, close),
    },
    {
      name: `${name}_histogram`,
      warmUp: spans.slow + spans.signal - 2,
      about: 'line - signal',
      column: ({ close }: Sources) => over(histogram(close, spans), close),
    },
  ]),
  {
    name: 'macd_histogram_change',
    warmUp: 34,
    about: 'change of the MACD (12, 26, 9) histogram, / close',
    column: ({ close }) => over(change(histogram(close, MACDS[0].spans)), close),
  },
  {
    name: 'trix_15',
    warmUp: 43,
    source: 'Hutson 1983',
    about: 'one-bar change of the triple exponential mean of 15, as a fraction',
    column: ({ close }) => trix(close),
  },
  {
    name: 'trix_signal',
    warmUp: 51,
    source: 'Hutson 1983',
    about: 'exponential mean of 9 of trix_15',
    column: ({ close }) => ema(trix(close), 9),
  },
  {
    name: 'tsi_25_13',
    warmUp: 37,
    unit: 'index',
    source: 'Blau 1991, true strength index',
    about: 'doubly smoothed change / doubly smoothed absolute change, in [-1, 1]; 0 when none',
    column: ({ close }) => {
      const move = change(close);
      return ratio(ema(ema(move, 25), 13), ema(ema(abs(move), 25), 13), 0);
    },
  },
  {
    name: 'detrended_20',
    warmUp: 19,
    source: 'detrended price oscillator',
    about: 'close of 11 bars ago / the current mean of 20 - 1',
    column: ({ close }) => distance(lag(close, 11), mean(close, 20)),
  },
  {
    name: 'coppock',
    warmUp: 23,
    source: 'Coppock 1962 (14, 11, 10)',
    about: 'weighted mean of 10 of the sum of the 14- and 11-bar returns',
    column: ({ close }) => linearMean(plus(growth(close, 14), growth(close, 11)), 10),
  },
  {
    name: 'kst',
    warmUp: 44,
    source: 'Pring 1992, know sure thing',
    about: 'weighted sum of the smoothed 10-, 15-, 20- and 30-bar returns',
    column: ({ close }) => {
      const smooth = (bars: number, smoothing: number): Column => mean(growth(close, bars), smoothing);
      const early = plus(smooth(10, 10), scaled(smooth(15, 10), 2));
      return plus(plus(early, scaled(smooth(20, 10), 3)), scaled(smooth(30, 15), 4));
    },
  },
]);

const histogram = (close: Column, spans: (typeof MACDS)[number]['spans']): Column => {
  const { line, signal } = macd(close, spans);
  return minus(line, signal);
};

const trix = (close: Column): Column => growth(ema(ema(ema(close, 15), 15), 15));

const stochastic = ({ high, low, close }: Sources): Column =>
  place(close, lowest(low, 14), highest(high, 14), 100);

const awesome = ({ high, low }: Sources): Column => {
  const price = middle(high, low);
  return minus(mean(price, 5), mean(price, 34));
};

const channel = features({ ...shared, unit: 'percent', inputs: hlc, source: 'Lane 1984' }, [
  {
    name: 'stochastic_k_14',
    warmUp: 13,
    about: 'place of the close in the range of 14; 50 when flat; less 100 it is %R (Williams 1973)',
    column: stochastic,
  },
  {
    name: 'stochastic_d_14',
    warmUp: 15,
    about: 'mean of 3 of stochastic_k_14',
    column: (of) => mean(stochastic(of), 3),
  },
  {
    name: 'stochastic_slow_d_14',
    warmUp: 17,
    about: 'mean of 3 of stochastic_d_14',
    column: (of) => mean(mean(stochastic(of), 3), 3),
  },
  ...[14, 20].map((bars) => ({
    name: `cci_${bars}`,
    warmUp: bars - 1,
    unit: 'index' as const,
    source: 'Lambert 1980',
    about: `typical price from its mean of ${bars} / .015 mean absolute deviation; 0 when flat`,
    column: (of: Sources) => cci(typical(of), bars),
  })),
  {
    name: 'awesome',
    warmUp: 33,
    unit: 'fraction',
    source: 'Williams 1995, awesome oscillator',
    about: '(mean of 5 - mean of 34 of (high + low) / 2) / close',
    column: (of) => over(awesome(of), of.close),
  },
  {
    name: 'accelerator',
    warmUp: 37,
    unit: 'fraction',
    source: 'Williams 1995, accelerator oscillator',
    about: 'awesome - its mean of 5',
    column: (of) => over(minus(awesome(of), mean(awesome(of), 5)), of.close),
  },
  {
    name: 'ultimate',
    warmUp: 28,
    source: 'Williams 1976 (7, 14, 28)',
    about: 'weighted buying pressure / true range of 7, 14 and 28; 50 when flat',
    column: (of) => {
      const share = (bars: number): Column => ratio(sum(pressure(of), bars), sum(trueRange(of), bars), 0.5);
      return weighted(share(7), share(14), share(28));
    },
  },
  {
    name: 'aroon_25',
    warmUp: 25,
    source: 'Chande 1995',
    about: 'Aroon up - Aroon down over 25 bars, -100 to 100',
    column: ({ high, low }) => scaled(minus(barsSinceLowest(low, 26), barsSinceHighest(high, 26)), 4),
  },
  {
    name: 'vortex_14',
    warmUp: 14,
    unit: 'index',
    source: 'Botes and Siepman 2010',
    about: '(positive - negative movement) / true range of 14; 0 when flat',
    column: (of) => {
      const up = abs(minus(of.high, lag(of.low, 1)));
      const down = abs(minus(of.low, lag(of.high, 1)));
      return ratio(minus(sum(up, 14), sum(down, 14)), sum(trueRange(of), 14), 0);
    },
  },
  {
    name: 'balance_of_power_14',
    warmUp: 13,
    unit: 'index',
    inputs: ['open', 'high', 'low', 'close'],
    source: 'Livshin 2001',
    about: 'mean of 14 of (close - open) / (high - low); bars without range count 0',
    column: ({ open, high, low, close }) => mean(ratio(minus(close, open), minus(high, low), 0), 14),
  },
  {
    name: 'elder_bull_13',
    warmUp: 12,
    unit: 'fraction',
    source: 'Elder 1993, Elder-ray',
    about: 'high / exponential mean of 13 closes - 1',
    column: ({ high, close }) => distance(high, ema(close, 13)),
  },
  {
    name: 'elder_bear_13',
    warmUp: 12,
    unit: 'fraction',
    source: 'Elder 1993, Elder-ray',
    about: 'low / exponential mean of 13 closes - 1',
    column: ({ low, close }) => distance(low, ema(close, 13)),
  },
  {
    name: 'fisher_10',
    warmUp: 9,
    unit: 'index',
    source: 'Ehlers 2002, Fisher transform',
    about: 'Fisher transform of the smoothed place of the midpoint in its range of 10; 0 when flat',
    column: ({ high, low }) => {
      const price = middle(high, low);
      return fisher(place(price, lowest(price, 10), highest(price, 10)));
    },
  },
]);

/** Buying pressure: the close above the lower of the bar's low and the previous close. */
const pressure = ({ low, close }: Sources): Column => compute('pressure', [low, close.keep(1)]);

/** `100 (4 a + 2 b + c) / 7`. */
const weighted = (a: Column, b: Column, c: Column): Column => compute('weighted', [a, b, c]);

const fisher = (position: Column): Column => compute('fisher', [position], [], zeros(2));

const pace = features(shared, [
  ...[5, 10, 20, 50].map((bars) => ({
    name: `momentum_score_${bars}`,
    warmUp: bars,
    unit: 'score' as const,
    source: 'Moskowitz, Ooi and Pedersen 2012: return over volatility',
    about: `mean of ${bars} log returns / (their deviation / root of ${bars}); 0 when they do not vary`,
    column: ({ close }: Sources) => momentumScore(logMove(close), bars),
  })),
  {
    name: 'up_share_20',
    warmUp: 20,
    about: 'share of rising closes of 20; a close that did not move counts half',
    column: ({ close }) => mean(rising(close), 20),
  },
  {
    name: 'acceleration_10',
    warmUp: 20,
    unit: 'log',
    about: 'log return of 10 bars - log return of the 10 before',
    column: ({ close }) => acceleration(close, 10),
  },
]);

function momentumScore(move: Column, bars: number): Column {
  const { mean: means, squares } = moments(move, bars);
  return compute('momentumScore', [means, squares], [bars]);
}

/** 1 for a rising close, 0 for a falling one, a half for one that did not move. */
const rising = (close: Column): Column => compute('rising', [close.keep(1)]);

const acceleration = (close: Column, bars: number): Column =>
  compute('acceleration', [close.keep(2 * bars)], [bars]);

export const momentumFeatures: readonly Feature[] = [...strength, ...convergence, ...channel, ...pace];
