import { sharpe } from '../../core/evaluation/returns.ts';
import { barReturns } from '../../core/evaluation/returns.ts';
import type { Steps } from '../../core/foundation/steps.ts';
import type { Setting } from './assess.ts';
import { runBacktest } from '../../core/trading/run.ts';
import type { Strategy } from './strategies.ts';

interface CostPoint {
  /** Fee and slippage together, each side. */
  readonly costBps: number;
  readonly totalReturnPct: number;
  readonly sharpe: number | undefined;
}

export interface CostCurve {
  readonly points: readonly CostPoint[];
  /**
   * Cost per side at which nothing is left. `undefined`: nothing is earned even for free, or something is left even at
   * 200 bp.
   */
  readonly breakEvenBps: number | undefined;
}

const COSTS_BPS = [0, 2, 5, 10, 20];
const HIGHEST_BPS = 200;

/** The strategy at other costs, everything else equal. */
export function* costCurve(strategy: Strategy, setting: Setting): Steps<CostCurve> {
  const at = (costBps: number): CostPoint => {
    const rules = {
      ...setting.rules,
      feeBps: costBps,
      feeTiers: undefined,
      slippageBps: 0,
      impact: undefined,
    };
    const { equity } = runBacktest({ ...setting, rules, targets: strategy.targets });
    return {
      costBps,
      totalReturnPct: 100 * (equity[equity.length - 1] / rules.initialBalance - 1),
      sharpe: sharpe(barReturns(equity, rules.initialBalance), setting.barsPerYear),
    };
  };
  const points: CostPoint[] = [];
  for (const costBps of COSTS_BPS) {
    points.push(at(costBps));
    yield;
  }
  const breakEvenBps = yield* breakEven((costBps) => at(costBps).totalReturnPct, points[0].totalReturnPct);
  return { points, breakEvenBps };
}

/** Bisection to a tenth of a basis point; more cost never earns more, but for rounding. */
function* breakEven(returnAt: (costBps: number) => number, free: number): Steps<number | undefined> {
  if (free <= 0 || returnAt(HIGHEST_BPS) > 0) return undefined;
  let low = 0;
  let high = HIGHEST_BPS;
  while (high - low > 0.1) {
    const middle = (low + high) / 2;
    if (returnAt(middle) > 0) low = middle;
    else high = middle;
    yield;
  }
  return Math.round((low + high) * 5) / 10;
}
