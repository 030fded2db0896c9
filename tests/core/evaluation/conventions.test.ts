import { expect, it } from 'vitest';
import {
  CONVENTION_NAMES,
  type ConventionFigures,
  type ConventionName,
  measureAs,
} from '../../../src/core/evaluation/conventions.ts';
import type { Trade } from '../../../src/core/trading/events.ts';

const HOUR = 3_600_000;
const bars = 40 * 24;
const time = Float64Array.from({ length: bars }, (_, i) => Date.UTC(2024, 0, 1) + i * HOUR);
const equity = Float64Array.from(
  { length: bars },
  (_, i) => 10_000 * Math.exp(0.02 * Math.sin(0.013 * i) + 0.00005 * i + 0.004 * Math.sin(0.9 * i)),
);
const trades = Array.from({ length: 12 }, (_, i): Trade => {
  const profitQuote = Number((50 * Math.sin(1.7 * i + 0.3) + 8).toFixed(6));
  return {
    kind: 'trade',
    symbol: 'BTC/USDT',
    side: 'long',
    entryTime: time[i * 10],
    exitTime: time[i * 10 + 5],
    barsHeld: 5,
    entryPrice: 100,
    exitPrice: 101,
    baseAmount: 1,
    feeQuote: 0,
    profitQuote,
    profitPct: profitQuote / 100,
    exit: 'target',
  };
});

/**
 * Computed with empyrical-reloaded 0.7.1 (for vectorbt with `annualization=8760`, its formula), QuantStats 0.0.86 and
 * backtesting.py 0.6.6; freqtrade's formulas by NumPy.
 */
const GOLDEN: Readonly<Record<ConventionName, ConventionFigures>> = {
  empyrical: {
    sharpe: 2.769104791024182,
    sortino: 4.58568722027377,
    calmar: 10.15744988959104,
    annualReturnPct: 36.11308829538078,
    volatilityPct: 11.368244577548662,
    maxDrawdownPct: -3.5553301948738203,
  },
  quantstats: {
    sharpe: 2.769104791024182,
    sortino: 4.585687220273771,
    calmar: 10.157449889591048,
    annualReturnPct: 36.11308829538078,
    volatilityPct: 11.368244577548662,
    maxDrawdownPct: -3.555330194873818,
  },
  vectorbt: {
    sharpe: 2.0494347089487848,
    sortino: 2.9587479908671845,
    calmar: 15.655988919238233,
    annualReturnPct: 56.293997050675415,
    volatilityPct: 23.089660607197825,
    maxDrawdownPct: -3.595684523096513,
  },
  'backtesting.py': {
    sharpe: 2.2078583987893703,
    sortino: 5.11297307665438,
    calmar: 11.89773110686258,
    annualReturnPct: 42.78048760090849,
    volatilityPct: 19.37646346539534,
    maxDrawdownPct: -3.5956845230964096,
  },
  freqtrade: {
    sharpe: 1.5338991481150819,
    sortino: 4.462258772301844,
    calmar: 106.90143920715458,
    annualReturnPct: 10.41274694050449,
    volatilityPct: undefined,
    maxDrawdownPct: -0.48758293474941394,
  },
};

const run = { initialBalance: 10_000, time, equity, trades, barsPerYear: 8760 };

it.each(CONVENTION_NAMES)('figures as %s computes them', (name) => {
  for (const [figure, value] of Object.entries(measureAs(name, run))) {
    const golden = new Map<string, number>(Object.entries(GOLDEN[name])).get(figure);
    if (golden === undefined) expect(value).toBeUndefined();
    else expect(Math.abs(value / golden - 1), figure).toBeLessThan(1e-9);
  }
});

it.each(CONVENTION_NAMES)('%s has no ratio of an account that never moves', (name) => {
  const idle = { ...run, equity: equity.map(() => 10_000), trades: [] };
  const { sharpe, sortino, calmar } = measureAs(name, idle);
  expect([sharpe, sortino, calmar]).toEqual([undefined, undefined, undefined]);
});
