import { z } from 'zod';
import { TIMEFRAME_MS } from '../../market/timeframe.ts';
import { defineRule } from './rule.ts';

const Params = z.strictObject({
  leastT: z.number().min(0).default(3).describe('t statistic that an hour of the week needs; 168 are tried'),
});
type Params = z.output<typeof Params>;

const HOUR_MS = 3_600_000;
const SLOTS = 168;

const Fitted = z.strictObject({
  /** For each hour of the week, Thursday 00:00 UTC first (1970-01-01): 1 long, -1 short, 0 neither. */
  side: z.array(z.int().min(-1).max(1)).length(SLOTS),
  t: z.array(z.number()).length(SLOTS),
});
type Fitted = z.output<typeof Fitted>;

/** Holds during those hours of the week that moved one way on the training bars beyond doubt. */
export const calendar = defineRule<Params, Fitted>({
  id: 'calendar',
  summary: 'in the market in the hours of the week that rose or fell reliably on the training bars',
  source: 'French 1980, Stock Returns and the Weekend Effect',
  params: Params,
  fitted: {
    schema: Fitted,
    fit: (panel, { leastT }) => {
      const barMs = TIMEFRAME_MS[panel.timeframe];
      const sums = Array.from({ length: SLOTS }, () => ({ count: 0, sum: 0, squares: 0 }));
      for (const { candles } of panel.series) {
        const { time, open, close } = candles;
        for (let row = 0; row < time.length; row++) {
          const slot = sums[slotOf(time[row])];
          const change = close[row] / open[row] - 1;
          slot.count++;
          slot.sum += change;
          slot.squares += change * change;
        }
      }
      const t = sums.map(({ count, sum, squares }) => {
        const variance = (squares - (sum * sum) / count) / (count - 1);
        // Symbols move together: they count as one observation of each hour.
        const weeks = count / (panel.series.length * Math.max(1, HOUR_MS / barMs));
        // Adding 0 turns -0 into 0, which JSON cannot tell apart.
        return weeks < 10 || !(variance > 0) ? 0 : sum / count / Math.sqrt(variance / weeks) + 0;
      });
      return { side: t.map((one) => (Math.abs(one) >= leastT ? Math.sign(one) : 0)), t };
    },
  },
  positions: (panel, _, { side }) => {
    const barMs = TIMEFRAME_MS[panel.timeframe];
    // Decided at the close of a bar for the bar that opens then.
    return panel.series.map(({ candles }) => candles.time.map((time) => side[slotOf(time + barMs)]));
  },
});

const slotOf = (timeMs: number): number => Math.floor(timeMs / HOUR_MS) % SLOTS;
