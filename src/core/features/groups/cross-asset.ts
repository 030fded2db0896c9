import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { ratio } from '../kernels/indicators.ts';
import { Latest } from '../kernels/latest.ts';
import { Lag, RollingMoments, RollingPairs } from '../kernels/rolling.ts';

const shared = {
  group: 'cross-asset',
  source: 'market model: Sharpe 1963, A simplified model for portfolio analysis',
  unit: 'fraction',
  inputs: ['close'],
} as const;
const benchmark = { input: 'benchmark', columns: ['close'] } as const;

const LINKS = [50, 200];

const link = observing(
  shared,
  [benchmark],
  [
    {
      name: 'benchmark_return_1',
      warmUp: 1,
      about: 'log return of the benchmark, bars that both have',
      unit: 'log',
    },
    ...LINKS.flatMap((bars) => [
      {
        name: `benchmark_beta_${bars}`,
        warmUp: bars,
        about: `slope of log returns on the benchmark's over ${bars} bars; 0 when that never moves`,
      },
      {
        name: `benchmark_correlation_${bars}`,
        warmUp: bars,
        about: `correlation of log returns with the benchmark's over ${bars} bars; 0 when one never moves`,
      },
    ]),
    {
      name: 'benchmark_residual_1',
      warmUp: 200,
      unit: 'log',
      about: 'log return less benchmark_beta_200 times the log return of the benchmark',
    },
    {
      name: 'benchmark_volatility_ratio_50',
      warmUp: 50,
      about: "deviation of log returns / deviation of the benchmark's, 50 bars; 1 when that never moves",
    },
  ],
  () => {
    const other = new Latest();
    const own = new Lag(1);
    const theirs = new Lag(1);
    const pairs = LINKS.map((bars) => new RollingPairs(bars));
    const ours = new RollingMoments(50);
    const benchmarks = new RollingMoments(50);
    return {
      observe: [other.observe],
      step: ({ time, close }, out) => {
        if (other.timeMs !== time) return;
        const x = Math.log(other.values[0] / theirs.push(other.values[0]));
        const y = Math.log(close / own.push(close));
        out[0] = x;
        for (let i = 0; i < pairs.length; i++) {
          pairs[i].push(x, y);
          const warm = pairs[i].xy === pairs[i].xy;
          out[1 + 2 * i] = warm ? pairs[i].beta : NaN;
          out[2 + 2 * i] = warm ? pairs[i].correlation : NaN;
        }
        out[5] = y - out[3] * x;
        ours.push(y);
        benchmarks.push(x);
        out[6] = ratio(ours.deviation, benchmarks.deviation, 1);
      },
    };
  },
);

const DAYS = [1, 7, 30];

const strength = observing(
  {
    ...shared,
    source: 'relative strength: Levy 1967, Relative strength as a criterion for investment selection',
  },
  [benchmark],
  DAYS.map((days) => ({
    name: `relative_strength_${days}d`,
    warmUp: (timeframe: Timeframe) => barsIn(days, timeframe),
    about: `return over the bars of ${days} d less the benchmark's, bars that both have`,
  })),
  (timeframe) => {
    const other = new Latest();
    const own = DAYS.map((days) => new Lag(barsIn(days, timeframe)));
    const theirs = DAYS.map((days) => new Lag(barsIn(days, timeframe)));
    return {
      observe: [other.observe],
      step: ({ time, close }, out) => {
        if (other.timeMs !== time) return;
        for (let i = 0; i < DAYS.length; i++)
          out[i] = close / own[i].push(close) - other.values[0] / theirs[i].push(other.values[0]);
      },
    };
  },
);

export const crossAssetFeatures: readonly Feature[] = [...link, ...strength];
