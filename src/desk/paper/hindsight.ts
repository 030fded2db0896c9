import { UserError } from '../../core/foundation/errors.ts';
import { lowerBound } from '../../core/market/candles.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { Store } from '../../data/store/store.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { barAt } from './bar.ts';
import { createOutlooks, termsOf } from './outlook.ts';
import type { Hindsight } from './parity.ts';
import { type BarRecord, type SessionRecord, symbolsOf } from './record.ts';

/** What a backtest of today sees between the first and the last of `bars`: the stored candles, and its own forecasts. */
export async function loadHindsight(
  store: Store,
  trained: TrainedSet,
  session: SessionRecord,
  bars: readonly BarRecord[],
): Promise<Omit<Hindsight, 'instruments'>> {
  const traded = symbolsOf(session);
  if (!traded.every((symbol) => trained.symbols.includes(symbol)))
    throw new UserError(
      `The run "${trained.runId}" knows ${trained.symbols.join(', ')}, the session trades ${traded.join(', ')}.`,
      {
        hint: 'Compare with a run of the same symbols: --run <name>.',
      },
    );
  const [fromMs, lastMs] = [bars[0].timeMs, bars[bars.length - 1].timeMs];
  const untilMs = lastMs + TIMEFRAME_MS[session.timeframe];
  const outlook = await createOutlooks(store, trained, termsOf(session, trained), traded).look({
    sinceMs: fromMs,
    untilMs,
  });
  const { market } = outlook;
  const from = lowerBound(market.time, fromMs);
  const rows = Array.from({ length: market.time.length - from }, (_, i) => from + i);
  return {
    runId: trained.runId,
    bars: rows.map((row) => barAt(market, row)),
    targets: rows.map((row) => outlook.decide(row, 'placed').targets),
  };
}
