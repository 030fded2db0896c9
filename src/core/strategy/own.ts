import { z } from 'zod';
import { allowed, ifKnown, type Strategy } from './strategy.ts';

const Params = z.strictObject({});

/** The position that the model itself states: its own rule, as it was trained and validated. */
export const own: Strategy<z.output<typeof Params>> = {
  id: 'own',
  summary: 'the position that each model states itself',
  source: "the model's own rule",
  params: Params,
  restates: true,
  prepare: (_, setting) => (seen) => {
    const { position, confidence } = seen;
    if (Number.isNaN(position)) return { target: NaN, reason: { kind: 'no-opinion' } };
    const target = allowed(position, setting);
    return { target, reason: { kind: 'own', position: target, confidence: ifKnown(confidence) } };
  },
};
