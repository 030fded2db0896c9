import { z } from 'zod';
import { forwardReturns, labelledRows } from '../../../core/dataset/labels.ts';
import { type Panel, panelUntil } from '../../../core/dataset/panel.ts';
import type { FittedModel, Forecast, Model } from '../../../core/forecast/model.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { QuantRule } from '../../../core/strategy/quant/rule.ts';

const HORIZON_BARS = 1;

/** How the rule did on the training bars, which is what it then states beside its positions. */
const Measured = z.strictObject({
  /** Bars in a position on which it was right, one of each added (Laplace's rule of succession). */
  hitRate: z.number().min(0).max(1),
  /** Mean of position times return over the bars in a position, as a fraction. */
  meanReturn: z.number(),
  samples: z.int().min(0),
});
type Measured = z.output<typeof Measured>;

/**
 * A rule that a person states, as a model: what it needs of the training bars is fitted and kept, and its checkpoint,
 * backtest, paper session and place in an ensemble are those of every model.
 */
export function quantModel(rule: QuantRule): Model {
  const Artifact = z.strictObject({
    params: z.unknown(),
    fitted: rule.fitted?.schema ?? z.undefined().optional(),
    measured: Measured,
  });
  const make = (learned: z.output<typeof Artifact>): FittedModel => ({
    report: { ...learned.measured, ...(learned.fitted !== undefined && { fitted: learned.fitted }) },
    forecast: async (panel) => {
      const positions = rule.positions(panel, rule.params.parse(learned.params), learned.fitted);
      return panel.series.map(({ symbol }, s) => forecastOf(symbol, positions[s], learned.measured));
    },
    save: () => ({ json: learned, blobs: {} }),
  });
  return {
    id: rule.id,
    summary: rule.summary,
    kind: 'rule',
    source: rule.source,
    params: rule.params,
    features: (params) => rule.features?.(params) ?? [],
    fit: async ({ panel, params, trainUntilMs, signal, onProgress }) => {
      signal.throwIfAborted();
      const past = panelUntil(panel, trainUntilMs);
      const fitted = rule.fitted?.fit(past, params);
      const measured = measure(rule, past, rule.positions(past, params, fitted), trainUntilMs);
      onProgress({ step: 1, steps: 1 });
      return make({ params, fitted, measured });
    },
    load: async ({ json }) => make(Artifact.parse(json)),
  };
}

function measure(
  { id }: QuantRule,
  { series, timeframe }: Panel,
  positions: readonly Float64Array[],
  untilMs: number,
): Measured {
  let [samples, hits, total, known] = [0, 0, 0, 0];
  for (const [s, { candles }] of series.entries()) {
    const returns = forwardReturns(candles, timeframe, HORIZON_BARS);
    const range = { timeframe, horizonBars: HORIZON_BARS, fromMs: -Infinity, untilMs };
    for (const row of labelledRows(candles, returns, range)) {
      const position = positions[s][row];
      if (Number.isNaN(position)) continue;
      known++;
      if (position === 0) continue;
      samples++;
      total += position * returns[row];
      if (position * returns[row] > 0) hits++;
    }
  }
  if (known === 0) {
    throw new UserError(`"${id}" has no opinion on any training bar.`, {
      hint: 'Fetch more history with `fetch --since`, or give it a shorter look-back.',
    });
  }
  return { hitRate: (hits + 1) / (samples + 2), meanReturn: samples === 0 ? 0 : total / samples, samples };
}

const forecastOf = (
  symbol: Forecast['symbol'],
  position: Float64Array,
  { hitRate, meanReturn }: Measured,
): Forecast => ({
  symbol,
  horizonBars: HORIZON_BARS,
  position,
  confidence: position.map((at) => Math.abs(at) * Math.abs(2 * hitRate - 1)),
  probabilityUp: position.map((at) => 0.5 + Math.sign(at) * (hitRate - 0.5)),
  expectedReturn: position.map((at) => Math.sign(at) * meanReturn),
});
