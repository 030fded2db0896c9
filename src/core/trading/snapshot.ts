import type { Instrument } from './instrument.ts';
import { createPortfolio, type Portfolio, type PositionColumns } from './portfolio.ts';
import type { ExecutionRules } from './rules.ts';

/** A portfolio's state as JSON values. JSON has no NaN or Infinity, so those are written as strings. */
export interface PortfolioSnapshot {
  readonly totals: Readonly<Record<(typeof TOTALS)[number], StoredNumber>>;
  readonly columns: Readonly<Record<keyof PositionColumns, readonly StoredNumber[]>>;
}

type StoredNumber = number | 'NaN' | 'Infinity' | '-Infinity';

const TOTALS = ['time', 'bars', 'ruinedAt', 'cash', 'feesQuote', 'slippageQuote', 'turnoverQuote'] as const;

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
  return portfolio;
}

function store(value: number): StoredNumber {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

function mapKeys<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
