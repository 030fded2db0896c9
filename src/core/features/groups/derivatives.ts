import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { ratio } from '../kernels/indicators.ts';
import { Latest } from '../kernels/latest.ts';
import { Lag, RollingMean, RollingMoments, RollingSum } from '../kernels/rolling.ts';

const shared = { group: 'derivatives', source: 'definition', unit: 'fraction', inputs: [] } as const;

/** Most exchanges settle funding every 8 hours: the warm-ups in bars assume it. */
const settlements =
  (count: number) =>
  (timeframe: Timeframe): number =>
    barsIn(count / 3, timeframe);

const funding = observing(
  { ...shared, source: 'He, Manela, Ross and von Wachter 2022, Fundamentals of perpetual futures' },
  [{ input: 'funding', columns: ['rate'] }],
  [
    { name: 'funding_rate', warmUp: 0, about: 'newest funding rate; positive: longs pay shorts' },
    { name: 'funding_change', warmUp: settlements(1), about: 'newest funding rate less the one before' },
    { name: 'funding_mean_3', warmUp: settlements(3), about: 'mean of the last 3 rates (a day at 8 hours)' },
    {
      name: 'funding_mean_21',
      warmUp: settlements(21),
      about: 'mean of the last 21 rates (a week at 8 hours)',
    },
    {
      name: 'funding_score_90',
      warmUp: settlements(90),
      unit: 'score',
      about: 'newest rate in deviations from the mean of the last 90; 0 when flat',
    },
  ],
  () => {
    const previous = new Lag(1);
    const day = new RollingMean(3);
    const week = new RollingMean(21);
    const month = new RollingMoments(90);
    const now = new Float64Array(5).fill(NaN);
    return {
      observe: [
        ([rate]) => {
          month.push(rate);
          now[0] = rate;
          now[1] = rate - previous.push(rate);
          now[2] = day.push(rate);
          now[3] = week.push(rate);
          now[4] = month.score(rate);
        },
      ],
      step: (_, out) => out.set(now),
    };
  },
);

const lastBarOf =
  (days: number) =>
  (timeframe: Timeframe): number =>
    barsIn(days, timeframe) - 1;
const wholeDays =
  (days: number) =>
  (timeframe: Timeframe): number =>
    barsIn(days, timeframe);

const openInterest = observing(
  {
    ...shared,
    source: 'Bessembinder and Seguin 1993: open interest beside volume and volatility',
    inputs: ['close'],
  },
  [{ input: 'open-interest', columns: ['amount'] }],
  [
    {
      name: 'open_interest_change_1',
      warmUp: 1,
      inputs: [],
      about: 'open interest / that of the bar before - 1',
    },
    {
      name: 'open_interest_change_1d',
      warmUp: wholeDays(1),
      inputs: [],
      about: 'open interest / that of 1 d ago - 1',
    },
    {
      name: 'open_interest_change_7d',
      warmUp: wholeDays(7),
      inputs: [],
      about: 'open interest / that of 7 d ago - 1',
    },
    {
      name: 'open_interest_score_7d',
      warmUp: lastBarOf(7),
      unit: 'score',
      inputs: [],
      about: 'open interest in deviations from its mean over the bars of 7 d; 0 when flat',
    },
    {
      name: 'open_interest_divergence_1d',
      warmUp: wholeDays(1),
      about: 'open_interest_change_1d less the return over the bars of 1 d',
    },
    {
      name: 'open_interest_turnover_1d',
      warmUp: lastBarOf(1),
      inputs: ['volume'],
      about: 'volume of the bars of 1 d / open interest',
    },
  ],
  (timeframe) => {
    const latest = new Latest();
    const lags = [1, barsIn(1, timeframe), barsIn(7, timeframe)].map((bars) => new Lag(bars));
    const week = new RollingMoments(barsIn(7, timeframe));
    const closes = new Lag(barsIn(1, timeframe));
    const volumes = new RollingSum(barsIn(1, timeframe));
    return {
      observe: [latest.observe],
      step: ({ close, volume }, out) => {
        const dayReturn = close / closes.push(close) - 1;
        const traded = volumes.push(volume);
        if (latest.values.length === 0) return;
        const [amount] = latest.values;
        for (let i = 0; i < lags.length; i++) out[i] = ratio(amount, lags[i].push(amount), 1) - 1;
        week.push(amount);
        out[3] = week.score(amount);
        out[4] = out[1] - dayReturn;
        out[5] = ratio(traded, amount, 0);
      },
    };
  },
);

const basis = observing(
  {
    ...shared,
    inputs: ['close'],
    source: 'basis of a perpetual: Hull, Options, Futures and Other Derivatives',
  },
  [{ input: 'perpetual', columns: ['close', 'volume'] }],
  [
    { name: 'basis', warmUp: 0, about: 'close of the perpetual / close - 1' },
    { name: 'basis_change_1d', warmUp: wholeDays(1), about: 'basis less that of 1 d ago' },
    { name: 'basis_mean_1d', warmUp: lastBarOf(1), about: 'mean basis over the bars of 1 d' },
    {
      name: 'basis_score_7d',
      warmUp: lastBarOf(7),
      unit: 'score',
      about: 'basis in deviations from its mean over the bars of 7 d; 0 when flat',
    },
    {
      name: 'perpetual_volume_ratio',
      warmUp: 0,
      unit: 'log',
      inputs: ['volume'],
      about: 'ln((1 + volume of the perpetual) / (1 + volume))',
    },
  ],
  (timeframe) => {
    const perpetual = new Latest();
    const yesterday = new Lag(barsIn(1, timeframe));
    const day = new RollingMean(barsIn(1, timeframe));
    const week = new RollingMoments(barsIn(7, timeframe));
    return {
      observe: [perpetual.observe],
      step: ({ time, close, volume }, out) => {
        if (perpetual.timeMs !== time) return;
        const value = perpetual.values[0] / close - 1;
        out[0] = value;
        out[1] = value - yesterday.push(value);
        out[2] = day.push(value);
        week.push(value);
        out[3] = week.score(value);
        out[4] = Math.log((1 + perpetual.values[1]) / (1 + volume));
      },
    };
  },
);

export const derivativesFeatures: readonly Feature[] = [...funding, ...openInterest, ...basis];
