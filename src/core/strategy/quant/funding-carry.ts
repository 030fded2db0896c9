import { z } from 'zod';
import { UserError } from '../../foundation/errors.ts';
import { defineRule } from './rule.ts';
import { walk } from './trailing.ts';

const FEATURE = 'funding_mean_21';

const Params = z.strictObject({
  entryBps: z.number().positive().default(3).describe('Mean funding rate of a week that opens a position'),
  exitBps: z.number().min(0).default(1).describe('... and below which it is closed'),
});
type Params = z.output<typeof Params>;

/** Takes the side that is paid: short when longs pay dearly, long when shorts do. */
export const fundingCarry = defineRule<Params>({
  id: 'funding-carry',
  summary: 'short while longs pay high funding, long while shorts do',
  source: 'Koijen, Moskowitz, Pedersen & Vrugt 2018, Carry; funding as the carry of a perpetual',
  params: Params,
  features: () => [FEATURE],
  positions: (panel, { entryBps, exitBps }) =>
    panel.series.map(({ symbol, candles, features }) => {
      const funding = features.columns[features.names.indexOf(FEATURE)];
      if (funding === undefined) {
        throw new UserError(`No funding rates are stored for ${symbol}.`, {
          hint: 'Fetch them with `crypto-trader fetch --series funding --exchange binanceusdm`.',
        });
      }
      return walk(candles.time.length, 0, (row, held) => {
        const bps = 1e4 * funding[row];
        if (Number.isNaN(bps)) return held;
        if (bps >= entryBps) return -1;
        if (bps <= -entryBps) return 1;
        return Math.abs(bps) < exitBps || held * bps > 0 ? 0 : held;
      });
    }),
});
