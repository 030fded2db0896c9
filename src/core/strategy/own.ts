import { z } from 'zod';
import { actionOf } from './reason.ts';
import { allowed, type Strategy } from './strategy.ts';

const Params = z.strictObject({});

/** The position that the model itself states: its own rule, as it was trained and validated. */
export const own: Strategy<z.output<typeof Params>> = {
  id: 'own',
  summary: 'the position that each model states itself',
  source: "the model's own rule",
  params: Params,
  prepare: (_, setting) => (seen) => {
    const { position: value, held, confidence } = seen;
    if (Number.isNaN(value)) return { target: NaN, reason: { kind: 'no-opinion' } };
    const target = allowed(value, setting);
    const action = actionOf(held, target);
    return { target, reason: { kind: 'level', action, stated: 'position', value, level: 0, confidence } };
  },
};
