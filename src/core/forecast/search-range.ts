import { z } from 'zod';

/** Where a parameter's useful values lie, for searches; bounds are included. */
export type SearchRange =
  | {
      readonly low: number;
      readonly high: number;
      readonly log?: boolean | undefined;
      readonly step?: number | undefined;
    }
  | { readonly choices: readonly (number | string | boolean)[] };

/**
 * The ranges of parameters that a search may vary: `z.number().default(.1).register(searchRanges, { low: 0, high: .5 })`,
 * last in the chain. What has no range stays at its default, or at what config.yaml says.
 */
export const searchRanges = z.registry<SearchRange>();
