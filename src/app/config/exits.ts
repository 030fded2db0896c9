import { z } from 'zod';
import { bars, distance, multiple, percent } from './kinds.ts';

/** `exits`: how positions are left, beside the stop and target of `trading`. */
export const Exits = z
  .strictObject({
    atrBars: bars
      .default(14)
      .describe("Bars of Wilder's average true range (ATR) that the distances below are measured in"),
    stopLossAtr: multiple('Stop-loss distance from the entry price, in ATR at the entry').optional(),
    takeProfitAtr: multiple('Take-profit distance from the entry price, in ATR at the entry').optional(),
    trailingStopAtr: multiple(
      'Distance of a trailing stop from the best price, in ATR at the last close',
    ).optional(),
    breakEvenPct: distance(
      'Profit at the best price from which on the stop lies at the entry price',
    ).optional(),
    breakEvenLockPct: percent('... or so far beyond it').default(0),
    maxBars: bars
      .optional()
      .describe('A position is closed at the open N bars after its entry; default: never'),
    maxMinutes: z
      .number()
      .positive()
      .optional()
      .describe('A position is left at the first open at which it is so old; default: never'),
    partialTargets: z
      .array(z.strictObject({ atPct: distance('Profit'), sharePct: z.number().positive().max(100) }))
      .default([])
      .refine((steps) => steps.every(({ atPct }, i) => i === 0 || atPct > steps[i - 1].atPct), {
        message: 'write them in the order of atPct',
      })
      .refine((steps) => steps.reduce((sum, { sharePct }) => sum + sharePct, 0) <= 100, {
        message: 'the shares add up to more than 100 %',
      })
      .describe('At atPct of profit sharePct of what was opened is sold'),
    timedTargets: z
      .array(z.strictObject({ afterMinutes: z.number().min(0), pct: z.number().min(-100).max(1000) }))
      .default([])
      .refine((steps) => steps.every((step, i) => i === 0 || step.afterMinutes > steps[i - 1].afterMinutes), {
        message: 'write them in the order of afterMinutes',
      })
      .describe('Take-profit by age: from afterMinutes on at pct of profit; -100 leaves at any price'),
  })
  .prefault({})
  .describe('How positions are left, beside the stop and target of trading');
