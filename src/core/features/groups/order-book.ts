import type { Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import { ratio } from '../kernels/indicators.ts';

const LEVELS = [5, 10, 20];

/** Columns of an order-book row, in the order in which the kernel reads them. */
const COLUMNS = [
  'bid',
  'ask',
  'bid_5',
  'ask_5',
  'bid_10',
  'ask_10',
  'bid_20',
  'ask_20',
  'bought',
  'sold',
] as const;

const book = observing(
  {
    group: 'order-book',
    source: 'Cont, Kukanov and Stoikov 2014, The price impact of order book events',
    unit: 'fraction',
    inputs: [],
  },
  [{ input: 'order-book', columns: COLUMNS }],
  [
    ...LEVELS.map((levels) => ({
      name: `book_imbalance_${levels}`,
      warmUp: 0,
      about: `(bid - ask depth) / (bid + ask depth) of the best ${levels} levels, newest snapshot; 0 when empty`,
    })),
    ...LEVELS.map((levels) => ({
      name: `book_imbalance_mean_${levels}`,
      warmUp: 0,
      about: `mean of book_imbalance_${levels} over the snapshots since the bar before`,
    })),
    { name: 'book_spread', warmUp: 0, about: '(best ask - best bid) / their mean, newest snapshot' },
    {
      name: 'book_spread_mean',
      warmUp: 0,
      about: 'mean of book_spread over the snapshots since the bar before',
    },
    {
      name: 'book_depth_ratio',
      warmUp: 0,
      unit: 'log',
      about: 'ln((1 + bid depth) / (1 + ask depth)) of 20 levels, newest snapshot',
    },
    {
      name: 'book_concentration',
      warmUp: 0,
      about: 'share of the depth of 20 levels that the best 5 hold, newest snapshot; 0.25 when empty',
    },
    {
      name: 'trade_flow_imbalance',
      warmUp: 0,
      about:
        '(bought - sold) / (bought + sold) by takers since the bar before; 0 when nothing traded, none where unknown',
    },
  ],
  () => {
    const now = new Float64Array(11).fill(NaN);
    const sums = new Float64Array(4);
    let snapshots = 0;
    let flows = 0;
    let bought = 0;
    let sold = 0;
    return {
      observe: [
        (row) => {
          for (let i = 0; i < LEVELS.length; i++) {
            const bid = row[2 + 2 * i];
            const ask = row[3 + 2 * i];
            now[i] = ratio(bid - ask, bid + ask, 0);
            sums[i] += now[i];
          }
          now[6] = (2 * (row[1] - row[0])) / (row[1] + row[0]);
          sums[3] += now[6];
          now[8] = Math.log((1 + row[6]) / (1 + row[7]));
          now[9] = ratio(row[2] + row[3], row[6] + row[7], 0.25);
          snapshots++;
          if (row[8] !== row[8]) return; // the exchange did not give all trades
          bought += row[8];
          sold += row[9];
          flows++;
        },
      ],
      step: (_, out) => {
        if (snapshots > 0) {
          for (let i = 0; i < LEVELS.length; i++) now[3 + i] = sums[i] / snapshots;
          now[7] = sums[3] / snapshots;
          now[10] = flows === 0 ? NaN : ratio(bought - sold, bought + sold, 0);
          sums.fill(0);
          snapshots = flows = bought = sold = 0;
          out.set(now);
        } else out.fill(NaN); // no snapshot since the bar before: nothing is known of this one
      },
    };
  },
);

export const orderBookFeatures: readonly Feature[] = [...book];
