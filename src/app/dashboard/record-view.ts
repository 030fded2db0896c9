import type { LedgerState } from './follow-ledger.ts';
import type { RecordView } from './view.ts';

/** Edges of the stated confidence, in percent. */
const EDGES = [0, 5, 10, 20, 40, 60, 80, 100] as const;

/**
 * How often the sign of a stated position was that of the return from the close it was stated at over the model's horizon,
 * over all symbols, in the bars that are kept. No costs: it judges the direction alone.
 */
export function recordOf(
  { recent }: Pick<LedgerState, 'recent'>,
  horizonOf: (model: string) => number | undefined,
): readonly RecordView[] {
  const models = [...new Set(recent.flatMap((bar) => Object.keys(bar.models)))];
  return models.flatMap((model): readonly RecordView[] => {
    const horizonBars = horizonOf(model);
    if (horizonBars === undefined) return [];
    const buckets = EDGES.slice(1).map((toPct, b) => ({ fromPct: EDGES[b], toPct, hits: 0, judged: 0 }));
    recent.slice(0, -horizonBars).forEach((bar, i) => {
      (bar.models[model] ?? []).forEach((said, s) => {
        const from = bar.candles[s]?.[3];
        const to = recent[i + horizonBars].candles[s]?.[3];
        if (said === null || said[0] === 0 || from === undefined || to === undefined || from === to) return;
        const sure = 100 * said[1];
        const bucket = buckets.find(({ toPct }) => sure <= toPct) ?? buckets[buckets.length - 1];
        bucket.judged++;
        if (Math.sign(to - from) === Math.sign(said[0])) bucket.hits++;
      });
    });
    const sum = (key: 'hits' | 'judged'): number => buckets.reduce((total, one) => total + one[key], 0);
    const judged = sum('judged');
    const byConfidence = buckets.filter((one) => one.judged > 0);
    return judged === 0 ? [] : [{ model, horizonBars, hits: sum('hits'), judged, byConfidence }];
  });
}
