import { signRuleModel } from '../../learners/rules/sign-rule.ts';

/** Fully invested from the first bar to the last. */
export const buyAndHold = signRuleModel(
  {
    id: 'buy-and-hold',
    summary: 'always fully invested',
    source: 'the market itself; what a strategy earns beyond it is what it adds',
  },
  ({ candles }) => new Float64Array(candles.time.length).fill(1),
);
