import { lastDirection } from '../persistence/index.ts';
import { signRuleModel } from '../../learners/rules/sign-rule.ts';

/** Goes against the last bar: hourly crypto returns are weakly negatively autocorrelated. */
export const oneBarReversal = signRuleModel(
  {
    id: 'one-bar-reversal',
    summary: 'the opposite of the last bar',
    source: 'short-term reversal: Jegadeesh 1990, Evidence of Predictable Behavior of Security Returns',
  },
  (series, timeframe) => lastDirection(series, timeframe).map((direction) => 0 - direction),
);
