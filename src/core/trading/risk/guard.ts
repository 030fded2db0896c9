import type { TradingEvent } from '../events.ts';
import type { Market } from '../market.ts';
import type { Portfolio } from '../portfolio.ts';
import { setTarget } from '../step.ts';
import { allow, collar, createRiskState, observe, type RiskState } from './gate.ts';
import type { RiskRules, Verdict } from './rules.ts';

/**
 * Risk rules over one portfolio, called around each of its bars: `before` it, `after` it, and to `place` what was decided at
 * its close. A backtest, a paper session and its replay make the same calls.
 */
export interface Guard {
  before(market: Market, row: number): readonly Verdict[];
  after(market: Market, row: number, events: readonly TradingEvent[]): void;
  /** Targets in the order of the instruments; null: no opinion. */
  place(targets: readonly (number | null)[]): readonly Verdict[];
  /** Plain values, for a snapshot. */
  state(): RiskState;
}

/** `saved`: what `state` gave, to go on from there. */
export function createGuard(rules: RiskRules, portfolio: Portfolio, barMs: number, saved?: RiskState): Guard {
  const state = saved === undefined ? createRiskState(portfolio.rules.initialBalance) : { ...saved };
  const fresh = portfolio.instruments.map(() => false);
  return {
    before: (market, row) => collar(rules, portfolio, market, row),
    after: (market, row, events) => {
      observe(state, rules, portfolio, events, barMs);
      market.candles.forEach(({ close }, s) => (fresh[s] = !Number.isNaN(close[row])));
    },
    place: (targets) => {
      const allowed = allow(state, rules, portfolio, targets, { fresh, barMs });
      allowed.targets.forEach((target, s) => setTarget(portfolio, s, target ?? NaN));
      return allowed.verdicts;
    },
    state: () => ({ ...state }),
  };
}
