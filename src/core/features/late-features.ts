import type { FeatureColumn, FeatureTable } from '../dataset/panel.ts';
import { finish } from '../foundation/steps.ts';
import { type Computed, roundedSteps } from './catalogue.ts';

/** Values that are worked out at a time, in less than a tenth of a second. */
const VALUES_AT_ONCE = 4_000_000;

/**
 * The features of `roundedSteps`, a few neighbours worked out when one of them is read and forgotten for the next few. For who goes
 * through the columns in their order and keeps none, where all of them would not fit: each pass costs their computation once more.
 */
export function lateFeatures(
  names: readonly string[],
  single: ReadonlySet<string>,
  of: Computed,
  valuesAtOnce = VALUES_AT_ONCE,
): FeatureTable {
  const count = Math.max(1, Math.floor(valuesAtOnce / Math.max(1, of.candles.time.length)));
  let held: { readonly first: number; readonly columns: readonly FeatureColumn[] } | undefined;
  const columnOf = (name: string): FeatureColumn => {
    const place = names.indexOf(name);
    const first = place - (place % count);
    if (held?.first !== first) {
      const some = names.slice(first, first + count);
      held = { first, columns: finish(roundedSteps(some, single, of)).columns };
    }
    return held.columns[place - first];
  };
  const tableOf = (some: readonly string[]): FeatureTable => {
    const columns: FeatureColumn[] = [];
    for (const [i, name] of some.entries())
      Object.defineProperty(columns, i, { enumerable: true, get: () => columnOf(name) });
    return { names: some, columns, pick: tableOf };
  };
  return tableOf(names);
}
