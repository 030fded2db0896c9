import type { AlignedMarket } from '../../core/trading/align.ts';
import { trade, type Traded } from './assess.ts';
import type { Backtest } from './backtest.ts';

type Held = Pick<Backtest, 'benchmark' | 'setting'>;

/**
 * What else could have been done with the capital without a forecast, beside buying and holding: none with one symbol.
 * No risk rule stands above them: whoever holds does not sell at a drawdown.
 */
export const otherBenchmarks = (held: Held): readonly Traded[] =>
  held.setting.instruments.length < 2 ? [] : [rebalancedMonthly(held), ...heldAlone(held)];

/** All capital in one symbol, bought at the first open and left alone, at the same costs: one run for each. */
function heldAlone({ benchmark, setting }: Held): readonly Traded[] {
  const rules = { ...benchmark.run.portfolio.rules, maxPositionPct: 100 };
  return setting.instruments.map(({ symbol }, s) => {
    const targets = benchmark.strategy.targets.map((column, i) =>
      i === s ? column : new Float64Array(column.length).fill(NaN),
    );
    return trade(
      { name: `hold ${symbol}`, kind: 'baseline', targets },
      { ...setting, rules, risk: undefined },
      undefined,
    );
  });
}

/** Equal weights, restored at the first open of every month (UTC), at the same costs; a symbol that comes later joins then. */
function rebalancedMonthly({ benchmark, setting }: Held): Traded {
  const rules = { ...benchmark.run.portfolio.rules, rebalanceBandPct: 0 };
  const ends = monthEnds(setting.market);
  const targets = setting.market.candles.map(({ close }) =>
    Float64Array.from(close, (price, row) => (ends[row] && !Number.isNaN(price) ? 1 : NaN)),
  );
  return trade(
    { name: 'equal weight, monthly', kind: 'baseline', targets },
    { ...setting, rules, risk: undefined },
    undefined,
  );
}

/** Bars at whose close weights are decided: the first, and the last of each month. */
function monthEnds({ time, barMs }: AlignedMarket): readonly boolean[] {
  const monthOf = (ms: number): number => new Date(ms).getUTCMonth();
  return Array.from(time, (opened, row) => row === 0 || monthOf(opened) !== monthOf(opened + barMs));
}

/** What cash earns at a rate in percent a year, compounded, in percent. */
export const cashReturnPct = ({ setting }: Held): number =>
  100 * ((1 + (setting.cashRatePct ?? 0) / 100) ** (setting.market.time.length / setting.barsPerYear) - 1);

/** `Without a forecast: equal weight, monthly -3.1 %, hold BTC/USDT 5.0 %, cash at 4 % a year 1.9 %.` */
export function benchmarkText(held: Held): string {
  const { cashRatePct = 0 } = held.setting;
  const parts = otherBenchmarks(held).map(
    ({ strategy, metrics }) => `${strategy.name} ${metrics.totalReturnPct.toFixed(1)} %`,
  );
  if (cashRatePct !== 0) parts.push(`cash at ${cashRatePct} % a year ${cashReturnPct(held).toFixed(1)} %`);
  return parts.length === 0 ? '' : `Without a forecast: ${parts.join(', ')}.`;
}
