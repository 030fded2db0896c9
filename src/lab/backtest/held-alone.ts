import { trade, type Traded } from './assess.ts';
import type { Backtest } from './backtest.ts';

/** All capital in one symbol, bought at the first open and left alone, at the same costs: one run for each of several symbols. */
export function heldAlone({
  benchmark,
  setting,
}: Pick<Backtest, 'benchmark' | 'setting'>): readonly Traded[] {
  const { instruments } = setting;
  if (instruments.length < 2) return [];
  const rules = { ...benchmark.run.portfolio.rules, maxPositionPct: 100 };
  return instruments.map(({ symbol }, s) => {
    const targets = benchmark.strategy.targets.map((column, i) =>
      i === s ? column : new Float64Array(column.length).fill(NaN),
    );
    return trade({ name: `hold ${symbol}`, kind: 'baseline', targets }, { ...setting, rules }, undefined);
  });
}
