import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { Lag, RollingMean, RollingMoments } from '../kernels/rolling.ts';

const days =
  (count: number) =>
  (timeframe: Timeframe): number =>
    barsIn(count, timeframe);

const fearGreed = observing(
  { group: 'sentiment', source: 'Fear & Greed index, alternative.me', unit: 'score', inputs: [] },
  [{ input: 'fear-greed', columns: ['value'] }],
  [
    {
      name: 'fear_greed',
      warmUp: 0,
      unit: 'percent',
      about: 'newest known daily value, 0 fear to 100 greed',
    },
    {
      name: 'fear_greed_change_1',
      warmUp: days(1),
      unit: 'percent',
      about: 'less the value of the day before',
    },
    { name: 'fear_greed_change_7', warmUp: days(7), unit: 'percent', about: 'less the value 7 days before' },
    { name: 'fear_greed_mean_30', warmUp: days(29), unit: 'percent', about: 'mean of 30 daily values' },
    {
      name: 'fear_greed_score_90',
      warmUp: days(89),
      about: 'deviations from the mean of 90 values; 0 when flat',
    },
    { name: 'extreme_fear', warmUp: 0, unit: 'flag', about: '1 when the index is 25 or less' },
    { name: 'extreme_greed', warmUp: 0, unit: 'flag', about: '1 when the index is 75 or more' },
  ],
  () => {
    const [day, week] = [new Lag(1), new Lag(7)];
    const month = new RollingMean(30);
    const quarter = new RollingMoments(90);
    const now = new Float64Array(7).fill(NaN);
    return {
      observe: [
        ([value]) => {
          quarter.push(value);
          now[0] = value;
          now[1] = value - day.push(value);
          now[2] = value - week.push(value);
          now[3] = month.push(value);
          now[4] = quarter.score(value);
          now[5] = value <= 25 ? 1 : 0;
          now[6] = value >= 75 ? 1 : 0;
        },
      ],
      step: (_, out) => out.set(now),
    };
  },
);

export const sentimentFeatures: readonly Feature[] = [...fearGreed];
