import type { Instrument } from './instrument.ts';
import type { OpenOrder } from './orders/order.ts';
import { createPortfolio, type Portfolio, type PositionColumns } from './portfolio.ts';
import type { ExecutionRules } from './rules.ts';

/** A portfolio's state as JSON values. JSON has no NaN or Infinity, so those are written as strings. */
export interface PortfolioSnapshot {
  readonly totals: Readonly<Record<(typeof TOTALS)[number], StoredNumber>>;
  readonly columns: Readonly<Record<keyof PositionColumns, readonly StoredNumber[]>>;
  /** Only where there were any. */
  readonly orders?: { readonly placed: number; readonly open: readonly OpenOrder[] } | undefined;
  /** Only where fees have tiers. */
  readonly turnover?: { readonly day: StoredNumber; readonly days: readonly number[] } | undefined;
}

type StoredNumber = number | 'NaN' | 'Infinity' | '-Infinity';

const TOTALS = [
  'time',
  'bars',
  'ruinedAt',
  'cash',
  'feesQuote',
  'slippageQuote',
  'fundingQuote',
  'interestQuote',
  'turnoverQuote',
] as const;

const COLUMNS = [
  'amount',
  'mark',
  'barTime',
  'target',
  'blocked',
  'entryPrice',
  'stopPrice',
  'stopTrails',
  'takePrice',
  'bestPrice',
  'trueRange',
  'rangeBars',
  'entryRange',
  'partials',
  'kept',
  'liquidityBars',
  'lastHigh',
  'lastLow',
  'lastClose',
  'spread',
  'barVariance',
  'barVolume',
  'margin',
  'openedFunding',
  'entryTime',
  'entryBar',
  'openedBase',
  'openedQuote',
  'openedFees',
  'closedQuote',
  'closedFees',
] as const satisfies readonly (keyof PositionColumns)[];

export function snapshot(portfolio: Portfolio): PortfolioSnapshot {
  return {
    totals: mapKeys(TOTALS, (name) => store(portfolio[name])),
    columns: mapKeys(COLUMNS, (name) => Array.from(portfolio.columns[name], store)),
    ...(portfolio.ordersPlaced > 0 && {
      orders: { placed: portfolio.ordersPlaced, open: portfolio.orders.map((order) => ({ ...order })) },
    }),
    ...(portfolio.rules.feeTiers !== undefined && {
      turnover: { day: store(portfolio.turnoverDay), days: [...portfolio.turnoverDays] },
    }),
  };
}

/** The portfolio that `snapshot` was taken of, bit for bit; it must be given the same instruments and rules. */
export function restore(
  saved: PortfolioSnapshot,
  instruments: readonly Instrument[],
  rules: ExecutionRules,
): Portfolio {
  const portfolio = createPortfolio(instruments, rules);
  for (const name of TOTALS) portfolio[name] = Number(saved.totals[name]);
  for (const name of COLUMNS) portfolio.columns[name].set(saved.columns[name].map(Number));
  if (saved.orders !== undefined) {
    portfolio.ordersPlaced = saved.orders.placed;
    portfolio.orders = saved.orders.open.map((order) => ({ ...order }));
  }
  if (saved.turnover !== undefined) {
    portfolio.turnoverDay = Number(saved.turnover.day);
    portfolio.turnoverDays.set(saved.turnover.days);
  }
  return portfolio;
}

function store(value: number): StoredNumber {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function mapKeys<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
