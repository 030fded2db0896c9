import { alignColumn } from '../../core/trading/align.ts';
import type { ForecastSource } from './sources.ts';
import { marketOf } from './strategies.ts';

/** What one model counted for in the ensemble, bar by bar of the market, its confidence included. */
export interface VotesOverTime {
  readonly model: string;
  /** In [0, 1], the mean over the symbols it spoke on; 0 where it was silent. */
  readonly share: Float64Array;
}

/** Of every voter. Empty where nobody shares the vote. */
export function votesOverTime({ panel, range, voters, shares }: ForecastSource): readonly VotesOverTime[] {
  if (shares === undefined || voters.length < 2) return [];
  const { market } = marketOf(panel, range);
  const rows = panel.series.map(({ candles }) => {
    const from = candles.time.findIndex((time) => time >= range.fromMs);
    const until = candles.time.findIndex((time) => time >= range.untilMs);
    return [from < 0 ? candles.time.length : from, until < 0 ? candles.time.length : until] as const;
  });
  return voters.map((model, m) => {
    const columns = shares.map((of, s) => alignColumn(market, s, of[m].subarray(...rows[s])));
    const share = market.time.map((_, row) => {
      let [sum, count] = [0, 0];
      for (const column of columns) {
        if (Number.isNaN(column[row])) continue;
        sum += Math.abs(column[row]);
        count++;
      }
      return count === 0 ? 0 : sum / count;
    });
    return { model, share };
  });
}
