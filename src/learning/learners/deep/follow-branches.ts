import type { FeatureColumn } from '../../../core/dataset/panel.ts';
import { z } from 'zod';
import { type FeatureStream, streamFeatures } from '../../../core/features/catalogue.ts';
import { ExactNumber } from '../../../core/foundation/exact-json.ts';
import { lowerBound, sliceCandles } from '../../../core/market/candles.ts';
import {
  type Branch,
  type BranchColumns,
  branchColumns,
  featureLength,
  joinInto,
  longerBars,
  type ReadBranch,
} from './inputs.ts';

const Numbers = z.array(ExactNumber).transform((numbers) => Float64Array.from(numbers));

/** Of each branch of longer bars and each symbol: its newest window, and what the features remember. */
const Stood = z.array(
  z.tuple([z.string(), z.strictObject({ time: Numbers, columns: z.array(Numbers), state: Numbers })]),
);

/**
 * Reads the branches of a history that grows: those of longer bars, which the shown ones make up, go on from the longer bars
 * that were made before. The bits are those of `branchColumns` of all bars. `from`: what `standing` gave, read back from JSON.
 */
export function followBranches(from?: unknown): {
  readonly read: ReadBranch;
  readonly standing: () => unknown;
} {
  const stood = new Map(from === undefined ? [] : Stood.parse(from));
  const kept = new Map<string, Followed>();
  return {
    read(series, branch, timeframe) {
      if (branch.timeframe === timeframe || branch.beside) return branchColumns(series, branch, timeframe);
      const key = `${series.symbol} ${branch.name}`;
      const known = kept.get(key) ?? begin(branch, stood.get(key));
      kept.set(key, known);
      const { time, columns } = known.bars;
      const longer = longerBars(series.candles, timeframe, branch.timeframe);
      const fresh = sliceCandles(longer, lowerBound(longer.time, (time.at(-1) ?? -Infinity) + 1));
      if (fresh.time.length === 0) return known.bars;
      const added = known.stream.append(fresh).columns;
      const longerBy = (before: FeatureColumn, more: FeatureColumn): Float64Array => {
        const kept = before.subarray(-branch.lookBack);
        return joinInto(new Float64Array(kept.length + more.length), [kept, more]);
      };
      known.bars = {
        time: longerBy(time, fresh.time),
        columns: columns.map((column, c) => longerBy(column, added[c])),
      };
      return known.bars;
    },
    standing: () =>
      Array.from(kept, ([key, { stream, lookBack, bars }]) => {
        const newest = (column: FeatureColumn): FeatureColumn => column.subarray(-lookBack);
        return [key, { time: newest(bars.time), columns: bars.columns.map(newest), state: stream.state() }];
      }),
  };
}

interface Followed {
  readonly stream: FeatureStream;
  readonly lookBack: number;
  /** The newest window and what has closed since, or all. */
  bars: BranchColumns;
}

function begin(
  { features, timeframe, lookBack }: Branch,
  stood: (BranchColumns & { readonly state: Float64Array }) | undefined,
): Followed {
  const stream = streamFeatures(features, featureLength(timeframe));
  if (stood !== undefined) stream.restore(stood.state);
  const { time, columns } = stood ?? {
    time: new Float64Array(),
    columns: features.map(() => new Float64Array()),
  };
  return { stream, lookBack, bars: { time, columns } };
}
