import { z } from 'zod';

/**
 * One thing that a model can say about what its forecasts rest on, in numbers a person can read:
 * - `importance`: how much each named input counts, largest first; shares, or signed contributions (SHAP);
 * - `by-lag`: weight of each bar of the window, `values[0]` the last closed one;
 * - `matrix`: how much each row attends to each column, such as a learned graph between symbols.
 */
export const ExplanationPart = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('importance'),
    title: z.string(),
    unit: z.string(),
    names: z.array(z.string()),
    values: z.array(z.number()),
  }),
  z.strictObject({
    kind: z.literal('by-lag'),
    title: z.string(),
    unit: z.string(),
    values: z.array(z.number()),
  }),
  z.strictObject({
    kind: z.literal('matrix'),
    title: z.string(),
    unit: z.string(),
    rows: z.array(z.string()),
    columns: z.array(z.string()),
    values: z.array(z.array(z.number())),
  }),
]);
export type ExplanationPart = z.output<typeof ExplanationPart>;

/** An `importance`, its inputs sorted by the size of what they contribute. */
export function importance(
  title: string,
  unit: string,
  entries: readonly (readonly [name: string, value: number])[],
): ExplanationPart {
  const sorted = entries.toSorted(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return {
    kind: 'importance',
    title,
    unit,
    names: sorted.map(([name]) => name),
    values: sorted.map(([, value]) => value),
  };
}

/** Shares that sum to 1, as percent with two decimals. */
export const percentOf = (share: number): number => Math.round(share * 1e4) / 100;
