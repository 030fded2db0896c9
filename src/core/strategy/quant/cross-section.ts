import { z } from 'zod';
import type { Panel } from '../../dataset/panel.ts';
import { UserError } from '../../foundation/errors.ts';
import { TIMEFRAME_MS } from '../../market/timeframe.ts';
import { alignMarket } from '../../trading/align.ts';
import { defineRule } from './rule.ts';

const Params = z.strictObject({
  bars: z.int().min(1).default(60).describe('Bars of the return that ranks the symbols'),
  everyBars: z.int().min(1).default(7).describe('Bars between rankings, counted from 1970-01-01'),
  share: z.number().positive().max(0.5).default(0.2).describe('Part of the symbols held on each side'),
});
type Params = z.output<typeof Params>;

/** Long the strongest, short the weakest. */
export const crossSectionalMomentum = crossSection(
  {
    id: 'cross-sectional-momentum',
    summary: 'long the symbols that rose most, short those that rose least',
    source: 'Jegadeesh & Titman 1993, Returns to Buying Winners and Selling Losers',
  },
  { sign: 1, bars: 60 },
);

/** Long the weakest, short the strongest: over short look-backs losers recover. */
export const crossSectionalReversal = crossSection(
  {
    id: 'cross-sectional-reversal',
    summary: 'long the symbols that fell most, short those that rose most',
    source: 'Lehmann 1990, Fads, Martingales, and Market Efficiency',
  },
  { sign: -1, bars: 7 },
);

function crossSection(
  about: { readonly id: string; readonly summary: string; readonly source: string },
  { sign, bars }: { readonly sign: 1 | -1; readonly bars: number },
) {
  return defineRule<Params>({
    ...about,
    params: z.strictObject({ ...Params.shape, bars: Params.shape.bars.unwrap().default(bars) }),
    positions: (panel, params) => {
      if (panel.series.length < 2) {
        throw new UserError(
          `"${about.id}" ranks symbols against each other and needs two, got ${panel.series.length}.`,
          {
            hint: 'Add symbols to market.symbols, or leave this rule out.',
          },
        );
      }
      return rank(panel, params, sign);
    },
  });
}

function rank(panel: Panel, { bars, everyBars, share }: Params, sign: 1 | -1): Float64Array[] {
  const barMs = TIMEFRAME_MS[panel.timeframe];
  const market = alignMarket(
    panel.series.map(({ candles }) => candles),
    panel.timeframe,
  );
  const symbols = market.candles.length;
  const held = new Float64Array(symbols).fill(NaN);
  const wanted = market.candles.map(({ time }) => new Float64Array(time.length).fill(NaN));
  for (let row = 0; row < market.time.length; row++) {
    if (Math.round(market.time[row] / barMs) % everyBars === 0) {
      const returns = market.candles.map(({ close }) => close[row] / close[row - bars] - 1);
      const ranked = returns
        .flatMap((change, s) => (Number.isNaN(change) ? [] : [{ s, change: sign * change }]))
        .sort((a, b) => b.change - a.change || a.s - b.s);
      // By percent rank: at most `share` on the short side, above `1 - share` on the long one.
      const shorts = Math.floor(share * ranked.length + 1e-9);
      const longs = ranked.length - Math.floor((1 - share) * ranked.length + 1e-9);
      if (ranked.length > 0) held.fill(0);
      // Gross exposure is the whole account, of which each symbol is allotted an equal share and never more.
      const size = Math.min(1, symbols / Math.max(1, longs + shorts));
      for (const { s } of ranked.slice(0, longs)) held[s] = size;
      for (const { s } of ranked.slice(ranked.length - shorts)) held[s] = -size;
    }
    for (let s = 0; s < symbols; s++) wanted[s][row] = held[s];
  }
  return panel.series.map((_, s) => Float64Array.from(market.rows[s], (row) => wanted[s][row]));
}
