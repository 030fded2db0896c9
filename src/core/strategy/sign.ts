import { z } from 'zod';
import { actionOf } from './reason.ts';
import { allowed, barred, ifKnown, type Strategy } from './strategy.ts';

const Params = z.strictObject({});

/** Fully in on the side that the forecast names, whatever it costs. The yardstick for rules that know costs. */
export const sign: Strategy<z.output<typeof Params>> = {
  id: 'sign',
  summary: 'always fully on the side of the forecast, costs ignored',
  source: 'baseline',
  params: Params,
  prepare: (_, setting) => (seen) => {
    const { stated, value, level } = opinion(seen);
    if (Number.isNaN(value)) return { target: NaN, reason: { kind: 'no-opinion' } };
    const wanted = Math.sign(value - level);
    const target = allowed(wanted, setting);
    const action = actionOf(seen.held, target);
    const confidence = ifKnown(seen.confidence);
    return {
      target,
      reason: { kind: 'level', action, stated, value, level, confidence, ...barred(wanted, setting) },
    };
  },
};

type Opinion = {
  readonly stated: 'median' | 'probability' | 'position';
  readonly value: number;
  readonly level: number;
};

/** The first that is stated of expected return, probability and position, and the value at which it is neutral. */
function opinion(seen: {
  readonly expectedReturn: number;
  readonly probabilityUp: number;
  readonly position: number;
}): Opinion {
  if (!Number.isNaN(seen.expectedReturn)) return { stated: 'median', value: seen.expectedReturn, level: 0 };
  if (!Number.isNaN(seen.probabilityUp))
    return { stated: 'probability', value: seen.probabilityUp, level: 0.5 };
  return { stated: 'position', value: seen.position, level: 0 };
}
