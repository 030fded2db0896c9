import type { z } from 'zod';
import type { Panel } from '../../dataset/panel.ts';
import { TIMEFRAME_MS } from '../../market/timeframe.ts';

/**
 * A strategy that a person can state and read: no belief, no training of weights, positions from closed bars alone.
 * Where it has thresholds of its own (hedge ratios, loadings, hours) they are fitted on the training bars and kept.
 */
export interface QuantRule<Params = unknown, Fitted = unknown> {
  readonly id: string;
  readonly summary: string;
  /** Paper or book. */
  readonly source: string;
  /** Parameters with their defaults; what `models.<id>` in config.yaml may hold. */
  readonly params: z.ZodType<Params>;
  /** Names from the feature catalogue that the rule reads beside the candles. */
  features?(params: Params): readonly string[];
  /** What is measured once on training bars; a rule without it fixes everything by its parameters. */
  readonly fitted?: {
    readonly schema: z.ZodType<Fitted>;
    /** Throws `UserError` when the bars cannot support the rule. */
    fit(panel: Panel, params: Params): Fitted;
  };
  /**
   * Position wanted at the close of each bar, one column per series beside its candles, in [-1, 1]; `NaN`: no opinion
   * (warm-up). Row t uses bars up to t only.
   */
  positions(panel: Panel, params: Params, fitted: Fitted): readonly Float64Array[];
}

/** Keeps the types of a rule's parameters together where it is written, and forgets them for lists of rules. */
export const defineRule = <Params, Fitted = undefined>(rule: QuantRule<Params, Fitted>): QuantRule => rule;

/** A rule that reads each symbol's candles alone. */
export function defineSingleRule<Params>(
  about: Pick<QuantRule<Params>, 'id' | 'summary' | 'source' | 'params'>,
  positions: (series: Panel['series'][number], params: Params, barMs: number) => Float64Array,
): QuantRule {
  return defineRule<Params>({
    ...about,
    positions: (panel, params) =>
      panel.series.map((series) => positions(series, params, TIMEFRAME_MS[panel.timeframe])),
  });
}
