import type { Fold } from '../../core/dataset/splits.ts';
import { sharpe } from '../../core/evaluation/returns.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { Setting, Traded } from './assess.ts';

/** A fold of a walk-forward: what the models were fitted on, and what each strategy made of the bars after it. */
export interface FoldOutcome extends Fold {
  readonly bars: number;
  /** From the equity before the first bar of the fold to that at its last close, the curve being one from fold to fold. */
  readonly strategies: readonly {
    readonly name: string;
    readonly returnPct: number;
    /** Annualised; `undefined` where equity never changed, or below 20 bars. */
    readonly sharpe: number | undefined;
  }[];
}

export function foldOutcomes(
  folds: readonly Fold[],
  traded: readonly Traded[],
  { market, rules, barsPerYear }: Setting,
): readonly FoldOutcome[] {
  return folds.map((fold) => {
    const from = lowerBound(market.time, fold.test.fromMs);
    const until = lowerBound(market.time, fold.test.untilMs);
    const strategies = traded.map(({ strategy, run, returns }) => {
      const worth = (row: number): number => (row < 0 ? rules.initialBalance : run.equity[row]);
      const own = returns.subarray(from, until);
      return {
        name: strategy.name,
        returnPct: worth(from - 1) > 0 ? 100 * (worth(until - 1) / worth(from - 1) - 1) : 0,
        sharpe: own.length < 20 ? undefined : sharpe(own, barsPerYear),
      };
    });
    return { ...fold, bars: until - from, strategies };
  });
}

export const FOLD_HEAD = [
  'fold',
  'trained on',
  'tested on',
  'bars',
  'ensemble %',
  'buy and hold %',
  'best model',
];

/** The ensemble first, buy and hold last: as `foldOutcomes` was given them. */
export function foldRow({ train, test, bars, strategies }: FoldOutcome, index: number): readonly string[] {
  const [ensemble, hold] = [strategies[0], strategies[strategies.length - 1]];
  const traded = strategies.slice(1, -1).filter((one) => one.sharpe !== undefined);
  const [best] = traded.toSorted((a, b) => b.returnPct - a.returnPct);
  return [
    String(index + 1),
    `${formatMinute(train.fromMs)} .. ${formatMinute(train.untilMs)}`,
    `${formatMinute(test.fromMs)} .. ${formatMinute(test.untilMs)}`,
    String(bars),
    ensemble.returnPct.toFixed(1),
    hold.returnPct.toFixed(1),
    best === undefined ? '-' : `${best.name} ${best.returnPct.toFixed(1)}`,
  ];
}
