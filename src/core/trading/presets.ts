import { type ExecutionRules, withFreqtradeFills } from './rules.ts';

export const RULES_OF = ['freqtrade', 'backtesting.py', 'vectorbt', 'grademark', 'backtrader'] as const;
export type RulesOf = (typeof RULES_OF)[number];

/** Stops at the open that lies beyond them, targets at a touch, entered again while a signal stands. */
const touching = {
  intrabarOrder: 'stop-first',
  takeProfitFill: 'touch',
  gapFill: 'open',
  reentry: 'next-bar',
} as const;

/**
 * The same rules with the fills of another system, for comparison; fees, sizes and distances stay. Each is held to trades
 * that the system itself made or published (`tests/core/trading`).
 */
export function withRulesOf(system: RulesOf, rules: ExecutionRules): ExecutionRules {
  switch (system) {
    case 'freqtrade':
      return withFreqtradeFills(rules);
    case 'backtesting.py':
      return { ...rules, ...touching, protectEntryBar: true };
    case 'vectorbt':
    case 'backtrader':
      // Stop and target begin to work on the bar after the entry.
      return { ...rules, ...touching, protectEntryBar: false };
    case 'grademark':
      return {
        ...rules,
        ...touching,
        gapFill: 'level-if-touched',
        protectEntryBar: false,
        trailingStop: rules.trailingStop && { ...rules.trailingStop, from: 'close' },
      };
  }
}
