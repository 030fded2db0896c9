import { UserError } from '../../core/foundation/errors.ts';
import type { Candles } from '../../core/market/candles.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Store } from '../../data/store/store.ts';
import type { DetailCandles } from '../../lab/backtest/backtest.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';

/** The stored candles of `timeframe` for every symbol of a backtest. Throws `UserError` where there are none, or they are no finer. */
export async function loadDetail(
  store: Store,
  { panel, range }: ForecastSource,
  timeframe: Timeframe,
): Promise<DetailCandles> {
  const barMs = TIMEFRAME_MS[timeframe];
  if (barMs >= TIMEFRAME_MS[panel.timeframe] || TIMEFRAME_MS[panel.timeframe] % barMs !== 0)
    throw new UserError(`--detail ${timeframe} does not divide the bars of ${panel.timeframe}.`, {
      hint: 'Choose a finer timeframe, such as --detail 1m.',
    });
  // One after the other, so that the symbol that an error names is the first that lacks them.
  const candles: Candles[] = [];
  for (const { symbol } of panel.series) {
    const key = { exchange: panel.exchange, symbol, timeframe };
    const stored =
      (await store.manifest(key)) &&
      (await store.read(key, { sinceMs: range.fromMs, untilMs: range.untilMs }));
    if (stored === undefined || stored.time.length === 0)
      throw new UserError(`No ${timeframe} candles of ${symbol} are stored for this range.`, {
        hint: `Fetch them: \`crypto-trader fetch --symbols ${symbol} --timeframe ${timeframe}\`.`,
      });
    candles.push(stored);
  }
  return { timeframe, candles };
}
