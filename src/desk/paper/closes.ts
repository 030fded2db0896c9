import type { PairSymbol } from '../../core/market/symbol.ts';

/** Closing prices of a session, as far back as somebody asked for. */
export interface Closes {
  add(symbol: PairSymbol, openMs: number, close: number): void;
  /** Has closes at hand down to `agoMs` before `closedMs`, from the store where they were not added. */
  reach(symbol: PairSymbol, agoMs: number, closedMs: number): Promise<void>;
  /** Of the bar that is `agoMs` older than the one that closed at `closedMs`, in whole bars, one at least. */
  before(symbol: PairSymbol, agoMs: number, closedMs: number): number | undefined;
}

/** Stored closes of a pair, of bars that open from `sinceMs` on and before `untilMs`. */
export type StoredCloses = (
  symbol: PairSymbol,
  sinceMs: number,
  untilMs: number,
) => Promise<{ readonly time: Float64Array; readonly close: Float64Array }>;

export function createCloses(stored: StoredCloses, barMs: number): Closes {
  /** By open of the bar, oldest first. */
  const all = new Map<PairSymbol, { byOpen: Map<number, number>; reachMs: number }>();
  const of = (symbol: PairSymbol) => {
    const kept = all.get(symbol) ?? { byOpen: new Map<number, number>(), reachMs: 0 };
    all.set(symbol, kept);
    return kept;
  };
  return {
    add: (symbol, openMs, close) => {
      const { byOpen, reachMs } = of(symbol);
      byOpen.set(openMs, close);
      for (const oldMs of byOpen.keys()) {
        if (oldMs >= openMs - reachMs - barMs) break;
        byOpen.delete(oldMs);
      }
    },
    reach: async (symbol, agoMs, closedMs) => {
      const kept = of(symbol);
      if (agoMs <= kept.reachMs) return;
      const { time, close } = await stored(symbol, closedMs - agoMs - 2 * barMs, closedMs);
      const older = Array.from(time, (openMs, row): [number, number] => [openMs, close[row]]);
      kept.byOpen = new Map([...older, ...kept.byOpen]);
      kept.reachMs = agoMs;
    },
    before: (symbol, agoMs, closedMs) =>
      of(symbol).byOpen.get(closedMs - barMs - barMs * Math.max(1, Math.floor(agoMs / barMs))),
  };
}
