import type { Timeframe } from '../../market/timeframe.ts';
import { barsIn, type Feature } from '../feature.ts';
import { observing } from '../observing.ts';
import type { SeriesName } from '../../market/series-kinds.ts';
import { ratio } from '../kernels/indicators.ts';
import { Lag, RollingMean, RollingMoments } from '../kernels/rolling.ts';

const shared = {
  group: 'on-chain',
  source: "Coin Metrics community data, of the benchmark's asset",
  unit: 'fraction',
  inputs: [],
} as const;

const days =
  (count: number) =>
  (timeframe: Timeframe): number =>
    barsIn(count, timeframe);

/** Growth of a daily count over a week and its distance from a month's mean. */
const activity = (column: string, what: string): readonly Feature[] =>
  observing(
    shared,
    [{ input: 'on-chain', columns: [column] }],
    [
      {
        name: `${column}_change_7`,
        warmUp: days(7),
        about: `${what} / those 7 days before - 1; 0 from none`,
      },
      {
        name: `${column}_score_30`,
        warmUp: days(29),
        unit: 'score',
        about: `${what} in deviations from the mean of 30 days; 0 when flat`,
      },
    ],
    () => {
      const week = new Lag(7);
      const month = new RollingMoments(30);
      const now = new Float64Array(2).fill(NaN);
      return {
        observe: [
          ([value]) => {
            now[0] = ratio(value, week.push(value), 1) - 1;
            month.push(value);
            now[1] = month.score(value);
          },
        ],
        step: (_, out) => out.set(now),
      };
    },
  );

const flows = observing(
  shared,
  [{ input: 'on-chain', columns: ['exchange_inflow', 'exchange_outflow', 'exchange_supply', 'supply'] }],
  [
    {
      name: 'exchange_netflow',
      warmUp: 0,
      about: '(inflow - outflow) of exchanges / what they hold; 0 from none',
    },
    { name: 'exchange_netflow_mean_7', warmUp: days(6), about: 'mean of exchange_netflow over 7 days' },
    {
      name: 'exchange_flow_imbalance',
      warmUp: 0,
      about: '(inflow - outflow) / (inflow + outflow) of exchanges; 0 without flows',
    },
    { name: 'exchange_supply_share', warmUp: 0, about: 'held by exchanges / supply; 0 from none' },
    {
      name: 'exchange_supply_change_30',
      warmUp: days(30),
      about: 'held by exchanges / that 30 days before - 1; 0 from none',
    },
    { name: 'supply_growth_30', warmUp: days(30), about: 'supply / that 30 days before - 1; 0 from none' },
  ],
  () => {
    const week = new RollingMean(7);
    const [held, all] = [new Lag(30), new Lag(30)];
    const now = new Float64Array(6).fill(NaN);
    return {
      observe: [
        ([inflow, outflow, exchanges, supply]) => {
          now[0] = ratio(inflow - outflow, exchanges, 0);
          now[1] = week.push(now[0]);
          now[2] = ratio(inflow - outflow, inflow + outflow, 0);
          now[3] = ratio(exchanges, supply, 0);
          now[4] = ratio(exchanges, held.push(exchanges), 1) - 1;
          now[5] = ratio(supply, all.push(supply), 1) - 1;
        },
      ],
      step: (_, out) => out.set(now),
    };
  },
);

const value = observing(
  { ...shared, source: 'MVRV: Mahmudov and Puell 2018; hash rate of Coin Metrics' },
  [{ input: 'on-chain', columns: ['mvrv', 'hash_rate'] }],
  [
    { name: 'mvrv', warmUp: 0, about: 'market value / realised value' },
    { name: 'mvrv_change_30', warmUp: days(30), about: 'mvrv less that 30 days before' },
    {
      name: 'mvrv_score_365',
      warmUp: days(364),
      unit: 'score',
      about: 'mvrv in deviations from the mean of 365 days; 0 when flat',
    },
    {
      name: 'hash_rate_change_30',
      warmUp: days(30),
      about: 'hash rate / that 30 days before - 1; 0 from none',
    },
    {
      name: 'hash_ribbon',
      warmUp: days(59),
      about: 'mean hash rate of 30 days / that of 60 - 1: below 0 while miners give up',
    },
  ],
  () => {
    const [mvrv, hashes] = [new Lag(30), new Lag(30)];
    const year = new RollingMoments(365);
    const [short, long] = [new RollingMean(30), new RollingMean(60)];
    const now = new Float64Array(5).fill(NaN);
    return {
      observe: [
        ([worth, hashRate]) => {
          year.push(worth);
          now[0] = worth;
          now[1] = worth - mvrv.push(worth);
          now[2] = year.score(worth);
          now[3] = ratio(hashRate, hashes.push(hashRate), 1) - 1;
          now[4] = ratio(short.push(hashRate), long.push(hashRate), 1) - 1;
        },
      ],
      step: (_, out) => out.set(now),
    };
  },
);

const stablecoins = observing(
  { ...shared, source: 'DefiLlama' },
  [{ input: 'stablecoins', columns: ['supply'] }],
  [
    {
      name: 'stablecoin_growth_7',
      warmUp: days(7),
      about: 'value of all stablecoins / that 7 days before - 1; 0 from none',
    },
    {
      name: 'stablecoin_growth_30',
      warmUp: days(30),
      about: 'value of all stablecoins / that 30 days before - 1; 0 from none',
    },
  ],
  () => {
    const lags = [new Lag(7), new Lag(30)];
    const now = new Float64Array(2).fill(NaN);
    return {
      observe: [
        ([supply]) => {
          for (let i = 0; i < lags.length; i++) now[i] = ratio(supply, lags[i].push(supply), 1) - 1;
        },
      ],
      step: (_, out) => out.set(now),
    };
  },
);

/** How unusual a daily level is within a month, on a logarithmic scale. */
const unusual = (
  name: string,
  {
    input,
    column,
    source,
    what,
  }: { readonly input: SeriesName; readonly column: string; readonly source: string; readonly what: string },
): readonly Feature[] =>
  observing(
    { ...shared, source },
    [{ input, columns: [column] }],
    [
      {
        name,
        warmUp: days(29),
        unit: 'score',
        about: `ln(1 + ${what}) in deviations from the mean of 30 days; 0 when flat`,
      },
    ],
    () => {
      const month = new RollingMoments(30);
      let now = NaN;
      return {
        observe: [
          ([level]) => {
            month.push(Math.log1p(level));
            now = month.score(Math.log1p(level));
          },
        ],
        step: (_, out) => void (out[0] = now),
      };
    },
  );

/** (first - second) / (first + second) of two daily sums. */
const leaning = (
  name: string,
  {
    input,
    columns,
    source,
    about,
  }: {
    readonly input: SeriesName;
    readonly columns: readonly [string, string];
    readonly source: string;
    readonly about: string;
  },
): readonly Feature[] =>
  observing(
    { ...shared, source },
    [{ input, columns }],
    [{ name, warmUp: 0, about: `${about}; 0 from none` }],
    () => {
      let now = NaN;
      return {
        observe: [([first, second]) => void (now = ratio(first - second, first + second, 0))],
        step: (_, out) => void (out[0] = now),
      };
    },
  );

const GLASSNODE = "Glassnode, of the benchmark's asset";

const longTerm = observing(
  { ...shared, source: GLASSNODE },
  [{ input: 'long-term-holders', columns: ['supply'] }],
  [
    {
      name: 'long_term_supply_change_30',
      warmUp: days(30),
      about: 'coins not moved for 155 days / those 30 days before - 1; 0 from none',
    },
  ],
  () => {
    const month = new Lag(30);
    let now = NaN;
    return {
      observe: [([supply]) => void (now = ratio(supply, month.push(supply), 1) - 1)],
      step: (_, out) => void (out[0] = now),
    };
  },
);

export const onChainFeatures: readonly Feature[] = [
  ...activity('active_addresses', 'active addresses'),
  ...activity('transactions', 'transactions'),
  ...flows,
  ...value,
  ...stablecoins,
  ...unusual('bitcoin_fees_score_30', {
    input: 'bitcoin-fees',
    column: 'fees',
    source: 'blockchain.com',
    what: 'fees of a day on Bitcoin, in dollars',
  }),
  ...unusual('fee_rate_score_30', {
    input: 'fee-rates',
    column: 'median',
    source: 'mempool.space',
    what: 'median fee rate of a day on Bitcoin',
  }),
  ...unusual('gas_score_30', {
    input: 'gas',
    column: 'gwei',
    source: 'Glassnode',
    what: 'mean gas price of a day on Ethereum',
  }),
  ...unusual('whale_transactions_score_30', {
    input: 'whales',
    column: 'transactions',
    source: GLASSNODE,
    what: 'transfers of large holders to exchanges in a day',
  }),
  ...leaning('whale_exchange_flow', {
    input: 'whales',
    columns: ['deposits', 'withdrawals'],
    source: GLASSNODE,
    about: '(to exchanges - from exchanges) / both, of large holders in a day',
  }),
  ...leaning('whale_buying', {
    input: 'whales',
    columns: ['bought', 'sold'],
    source: 'a source of the user (series.custom)',
    about: '(bought - sold) / both, of large holders in a day',
  }),
  ...longTerm,
  ...leaning('liquidation_imbalance', {
    input: 'liquidations',
    columns: ['long', 'short'],
    source: GLASSNODE,
    about: '(long - short positions closed by force) / both, in a day',
  }),
  ...unusual('liquidations_long_score_30', {
    input: 'liquidations',
    column: 'long',
    source: GLASSNODE,
    what: 'long positions closed by force in a day, in dollars',
  }),
  ...unusual('liquidations_short_score_30', {
    input: 'liquidations',
    column: 'short',
    source: GLASSNODE,
    what: 'short positions closed by force in a day, in dollars',
  }),
];
