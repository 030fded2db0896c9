import { z } from 'zod';
import type { EntryRules } from '../../core/trading/rules.ts';

/** `trading.entry`: how what is decided at a close becomes orders that open a position or add to it. */
export const Entry = z
  .strictObject({
    kind: z
      .enum(['market', 'limit', 'stop'])
      .default('market')
      .describe(
        'How positions are opened and added to: at the next open; by limit orders that are better than the last close; by stop orders beyond it. Leaving is at the market',
      ),
    offsetPct: z
      .number()
      .min(0)
      .max(50)
      .default(0)
      .describe('Distance of a limit or stop entry from the last close, in percent'),
    parts: z
      .int()
      .min(1)
      .max(50)
      .default(1)
      .describe('Limit orders of equal amounts, evenly spaced from the last close to offsetPct'),
    bars: z
      .int()
      .min(1)
      .max(10_000)
      .default(1)
      .describe(
        'Bars after which an entry that did not fill is given up; a new decision replaces it at once',
      ),
    postOnly: z.boolean().default(false).describe('A limit entry that would fill at once is not placed'),
  })
  .prefault({});

/** `undefined`: at the market, at the next open. */
export const entryRules = ({ kind, ...entry }: z.output<typeof Entry>): EntryRules | undefined =>
  kind === 'market' ? undefined : { kind, ...entry };
