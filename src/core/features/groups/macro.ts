import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { Latest } from '../kernels/latest.ts';
import { Lag, RollingMoments, RollingPairs } from '../kernels/rolling.ts';

/** Five trading days a week: `count` closes take this many bars. */
const closes =
  (count: number) =>
  (timeframe: Timeframe): number =>
    barsIn((count * 7) / 5, timeframe);

const shared = (source: string) => ({ group: 'macro', source, unit: 'fraction', inputs: [] }) as const;

type Index = 'spx' | 'dxy' | 'gold' | 'vix';

/** How an index moves, close by close. */
const moves = (index: Index, title: string): readonly Feature[] =>
  observing(
    shared(`${title}, daily closes`),
    [{ input: index, columns: ['close'] }],
    [
      {
        name: `${index}_return_1`,
        warmUp: closes(1),
        about: `newest known close of ${title} / the one before - 1`,
      },
      {
        name: `${index}_return_5`,
        warmUp: closes(5),
        about: `newest known close of ${title} / 5 closes before - 1`,
      },
      {
        name: `${index}_return_20`,
        warmUp: closes(20),
        about: `newest known close of ${title} / 20 closes before - 1`,
      },
      {
        name: `${index}_score_60`,
        warmUp: closes(59),
        unit: 'score',
        about: `newest known close of ${title} in deviations from the mean of 60; 0 when flat`,
      },
    ],
    () => {
      const lags = [1, 5, 20].map((count) => new Lag(count));
      const quarter = new RollingMoments(60);
      const now = new Float64Array(4).fill(NaN);
      return {
        observe: [
          ([close]) => {
            for (let i = 0; i < lags.length; i++) now[i] = close / lags[i].push(close) - 1;
            quarter.push(close);
            now[3] = quarter.score(close);
          },
        ],
        step: (_, out) => out.set(now),
      };
    },
  );

/** How the symbol moves with an index, between the bars at which its closes become known. */
const link = (index: Index, title: string): readonly Feature[] =>
  observing(
    { ...shared(`market model on daily closes of ${title}`), inputs: ['close'] },
    [{ input: index, columns: ['close'] }],
    [
      {
        name: `${index}_correlation_60`,
        warmUp: closes(61),
        about: `correlation with ${title} over 60 log returns between known closes; 0 when one never moves`,
      },
      {
        name: `${index}_beta_60`,
        warmUp: closes(61),
        about: `slope on ${title} over 60 log returns between known closes; 0 when that never moves`,
      },
      {
        name: `${index}_relative_strength_20`,
        warmUp: closes(21),
        about: `return over 20 known closes of ${title} less its own`,
      },
    ],
    () => {
      const latest = new Latest();
      const pairs = new RollingPairs(60);
      const own = new Lag(20);
      const theirs = new Lag(20);
      const now = new Float64Array(3).fill(NaN);
      let seenMs = NaN;
      let previousIndex = NaN;
      let previousClose = NaN;
      return {
        observe: [latest.observe],
        step: ({ close }, out) => {
          if (latest.values.length > 0 && latest.timeMs !== seenMs) {
            const [level] = latest.values;
            pairs.push(Math.log(level / previousIndex), Math.log(close / previousClose));
            const warm = pairs.xy === pairs.xy;
            now[0] = warm ? pairs.correlation : NaN;
            now[1] = warm ? pairs.beta : NaN;
            now[2] = close / own.push(close) - level / theirs.push(level);
            seenMs = latest.timeMs;
            previousIndex = level;
            previousClose = close;
          }
          out.set(now);
        },
      };
    },
  );

const vixLevel = observing(
  { ...shared('VIX, daily closes'), unit: 'percent' },
  [{ input: 'vix', columns: ['close'] }],
  [
    {
      name: 'vix',
      warmUp: 0,
      about: 'newest known close of the VIX: expected volatility of the S&P 500 a year',
    },
  ],
  () => {
    const latest = new Latest();
    return {
      observe: [latest.observe],
      step: (_, out) => {
        out[0] = latest.values.length === 0 ? NaN : latest.values[0];
      },
    };
  },
);

const INDICES = [
  ['spx', 'the S&P 500'],
  ['dxy', 'the US dollar index'],
  ['gold', 'gold (GLD)'],
  ['vix', 'the VIX'],
] as const;

export const macroFeatures: readonly Feature[] = [
  ...INDICES.flatMap(([index, title]) => [...moves(index, title), ...link(index, title)]),
  ...vixLevel,
];
