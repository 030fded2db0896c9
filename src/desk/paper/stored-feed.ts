import { formatTime } from '../../core/foundation/time.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Store } from '../../data/store/store.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { TrainedSet } from '../../learning/training/checkpoints.ts';
import { barAt } from './bar.ts';
import type { BarFeed } from './feed.ts';
import { createOutlooks, type Outlook, type SessionTerms } from './outlook.ts';

/**
 * The stored bars that training has never seen, one a look: a session over the recent past, without an
 * exchange. Throws `UserError` when there are none.
 */
export function createStoredFeed({
  store,
  trained,
  terms,
  traded,
  sinceMs = -Infinity,
  untilMs = Infinity,
}: {
  readonly store: Store;
  readonly trained: TrainedSet;
  readonly terms: SessionTerms;
  /** Symbols of the run; default: all. */
  readonly traded?: readonly PairSymbol[];
  /** Where a new session begins, and where any ends; default: all bars. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
}): BarFeed {
  let outlook: Outlook | undefined;
  return {
    look: async (last, signal) => {
      const fromMs = Math.max(trained.validateUntilMs, last === undefined ? sinceMs : last.timeMs + 1);
      outlook ??= await createOutlooks(store, trained, terms, traded).look({
        untilMs,
        sinceMs: fromMs,
        wanted: last?.wanted,
        state: last?.ensemble?.state,
        signal,
      });
      const { market } = outlook;
      const row = lowerBound(market.time, fromMs);
      if (row < market.time.length) {
        const bar = { bar: barAt(market, row), decision: outlook.decide(row, 'placed') };
        return { bars: [bar], ended: row === market.time.length - 1 };
      }
      if (last === undefined) throw nothingUnseen(trained);
      return { bars: [], ended: true };
    },
  };
}

function nothingUnseen({ runId, validateUntilMs }: TrainedSet): UserError {
  const until = formatTime(validateUntilMs);
  return new UserError(`The store has no bars after ${until}, where the training data of "${runId}" ends.`, {
    hint: 'Fetch newer candles, or train with a larger training.testPct.',
  });
}
