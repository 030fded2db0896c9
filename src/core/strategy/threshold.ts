import { z } from 'zod';
import { searchRanges } from '../forecast/search-range.ts';
import { actionOf, type Reason } from './reason.ts';
import { allowed, barred, ifKnown, type Situation, type Strategy } from './strategy.ts';

const share = z.number().min(0).max(1);

const Params = z.strictObject({
  medianPct: z
    .number()
    .min(0)
    .default(2)
    .describe('Median return over the horizon that opens a position')
    .register(searchRanges, { low: 0.02, high: 5, log: true }),
  medianConfidence: share
    .default(0.6)
    .describe('... and the confidence it needs')
    .register(searchRanges, { low: 0, high: 0.9 }),
  probability: z
    .number()
    .min(0.5)
    .max(1)
    .default(0.65)
    .describe('Probability of a rise that opens a long one')
    .register(searchRanges, { low: 0.5, high: 0.75 }),
  probabilityConfidence: share
    .default(0.7)
    .describe('... and the confidence it needs')
    .register(searchRanges, { low: 0, high: 0.9 }),
  position: share
    .default(0.3)
    .describe("Size of an agent's action that opens a position of that size")
    .register(searchRanges, { low: 0, high: 0.8 }),
});
type Params = z.output<typeof Params>;

/**
 * Each kind of forecast under its published rule: quantile forecasts open beyond +-2 % in the median, probabilities
 * beyond .65 and .35, agents beyond +-.3 of their action. A position stays until its side is no longer favoured
 * (hysteresis): the median or action changes sign, or the probability crosses one half.
 */
export const threshold: Strategy<Params> = {
  id: 'threshold',
  summary: 'each kind of forecast under its published levels, with hysteresis; knows no costs',
  source: 'levels of the reference system that the models follow',
  params: Params,
  prepare: (params, setting) => (seen) => {
    const rule = ruleFor(params, seen);
    if (rule === undefined) return { target: NaN, reason: { kind: 'no-opinion' } };
    const side = Math.sign(rule.value);
    const opens = Math.abs(rule.value) >= rule.level && seen.confidence >= rule.confidence;
    const wanted = opens ? side * rule.size : Math.sign(seen.held) === side ? seen.held : 0;
    const target = allowed(wanted, setting);
    const reason: Reason = {
      kind: 'level',
      action: actionOf(seen.held, target),
      stated: rule.stated,
      value: rule.value + rule.neutral,
      level: rule.neutral + side * rule.level,
      confidence: ifKnown(seen.confidence),
      ...barred(wanted, setting),
    };
    return { target, reason };
  },
};

interface Level {
  readonly stated: 'median' | 'probability' | 'position';
  /** Distance from neutral. */
  readonly value: number;
  readonly neutral: number;
  readonly level: number;
  readonly confidence: number;
  readonly size: number;
}

function ruleFor(params: Params, seen: Situation): Level | undefined {
  if (!Number.isNaN(seen.medianQuantile)) {
    const { medianPct, medianConfidence } = params;
    const level = medianPct / 100;
    return {
      stated: 'median',
      value: seen.medianQuantile,
      neutral: 0,
      level,
      confidence: medianConfidence,
      size: 1,
    };
  }
  if (!Number.isNaN(seen.probabilityUp)) {
    const { probability, probabilityConfidence } = params;
    return {
      stated: 'probability',
      value: seen.probabilityUp - 0.5,
      neutral: 0.5,
      level: probability - 0.5,
      confidence: probabilityConfidence,
      size: 1,
    };
  }
  if (Number.isNaN(seen.position)) return undefined;
  const size = Math.abs(seen.position);
  return {
    stated: 'position',
    value: seen.position,
    neutral: 0,
    level: params.position,
    confidence: 0,
    size,
  };
}
