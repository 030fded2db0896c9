import { actionOf, allowed, defineStrategy, z } from 'crypto-trader';
import { checkStrategy } from 'crypto-trader/testing';

/** Half of the capital when the forecast is worth its cost, all of it when it is worth three times as much. */
const steps = defineStrategy({
  id: 'steps',
  summary: 'half a position for an edge, a whole one for three times the edge',
  source: 'own work',
  params: z.strictObject({ timesCost: z.number().default(2) }),
  prepare:
    ({ timesCost }, setting) =>
    ({ held, expectedReturn, confidence }) => {
      if (Number.isNaN(expectedReturn)) return { target: NaN, reason: { kind: 'no-opinion' } };
      const level = timesCost * setting.cost;
      const edges = Math.abs(expectedReturn) / level;
      const size = edges >= 3 ? 1 : edges >= 1 ? 0.5 : 0;
      const target = allowed(Math.sign(expectedReturn) * size, setting);
      const action = actionOf(held, target);
      return {
        target,
        reason: { kind: 'level', action, stated: 'return', value: expectedReturn, level, confidence },
      };
    },
});

let kept = 0;
for await (const verdict of checkStrategy(steps)) {
  if (verdict.kind === 'kept') kept++;
  else process.stdout.write(`BROKEN ${verdict.law}: ${verdict.reason}\n`);
}
process.stdout.write(`${kept} laws kept\n`);
