import { z } from 'zod';
import { bars, percent } from './kinds.ts';

/** What three of the protections share: how far they look back, at how many trades, and how long they lock. */
const window = { lookbackBars: bars, tradeLimit: z.int().min(1), stopBars: bars };

/** `risk`: limits above the strategy. */
export const Risk = z
  .strictObject({
    maxDrawdownPct: percent(
      'Loss of equity from its peak at which everything is closed for good; default: none',
    ).optional(),
    maxDailyLossPct: percent(
      'Loss of equity in a UTC day at which nothing is opened until it ends; default: none',
    ).optional(),
    maxTradePct: percent(
      'Largest increase of a position by one decision, of equity; default: none',
    ).optional(),
    maxOrdersPerMinute: z
      .int()
      .min(1)
      .optional()
      .describe('Openings and increases per minute; closing is never held back; default: no limit'),
    priceCollarPct: percent(
      'Distance between a close and the next open beyond which nothing is opened there; default: none',
    ).optional(),
    minBalance: z
      .number()
      .min(0)
      .optional()
      .describe('Cash that purchases leave, in quote currency; default: none'),
    protections: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('cooldown'), stopBars: bars }),
          z.strictObject({
            kind: z.literal('stop-loss-guard'),
            ...window,
            requiredProfitPct: z.number().default(0),
            onlyPerSymbol: z.boolean().default(false),
            onlyPerSide: z.boolean().default(false),
          }),
          z.strictObject({
            kind: z.literal('max-drawdown'),
            ...window,
            maxDrawdownPct: z.number().positive(),
          }),
          z.strictObject({
            kind: z.literal('low-profit'),
            ...window,
            requiredProfitPct: z.number().default(0),
          }),
        ]),
      )
      .default([])
      .describe("freqtrade's protections, in bars: cooldown, stop-loss-guard, max-drawdown, low-profit"),
  })
  .prefault({})
  .describe('Limits above the strategy in paper trading');
