import { z } from 'zod';
import { forwardReturns, labelledRows } from '../../../core/dataset/labels.ts';
import type { Series } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Timeframe } from '../../../core/market/timeframe.ts';
import {
  type FittedModel,
  type FitTask,
  followWindow,
  type Forecast,
  type Model,
} from '../../../core/forecast/model.ts';

const Params = z.strictObject({
  horizonBars: z.int().min(1).default(1).describe('Bars over which the rule is judged'),
});
type Params = z.output<typeof Params>;

const Learned = z.strictObject({
  horizonBars: z.int().min(1),
  /** How often the return had the sign of the position, one of each added (Laplace's rule of succession). */
  hitRate: z.number().min(0).max(1),
  /** Mean of position times return. */
  meanReturn: z.number(),
  samples: z.int().min(1),
});
type Learned = z.output<typeof Learned>;

/** The rule itself: the position in {-1, 0, 1} that it takes at the close of each bar from it and the bar before, `NaN` for none. */
type SignRule = (series: Series, timeframe: Timeframe) => Float64Array;

/**
 * A baseline whose positions are a fixed rule; training only measures how often and by how much the rule was
 * right, which is the probability and the return that it then states.
 */
export function signRuleModel(
  about: { readonly id: string; readonly summary: string; readonly source: string },
  rule: SignRule,
): Model<Params> {
  return {
    ...about,
    kind: 'baseline',
    params: Params,
    features: () => [],
    fit: async (task) => fitted(rule, measure(about.id, rule, task)),
    load: async ({ json }) => fitted(rule, Learned.parse(json)),
  };
}

function measure(id: string, rule: SignRule, task: FitTask<Params>): Learned {
  const { panel, params, trainUntilMs, signal } = task;
  signal.throwIfAborted();
  const { timeframe } = panel;
  const { horizonBars } = params;
  let samples = 0;
  let hits = 0;
  let total = 0;
  for (const series of panel.series) {
    const positions = rule(series, timeframe);
    const returns = forwardReturns(series.candles, timeframe, horizonBars);
    const range = { timeframe, horizonBars, fromMs: -Infinity, untilMs: trainUntilMs };
    for (const row of labelledRows(series.candles, returns, range)) {
      const earned = positions[row] * returns[row];
      if (Number.isNaN(earned)) continue;
      samples++;
      total += earned;
      if (earned > 0) hits++;
    }
  }
  if (samples === 0) {
    throw new UserError(`"${id}" found no bar to train on.`, {
      hint: 'Fetch more history with `fetch --since`.',
    });
  }
  task.onProgress({ step: 1, steps: 1 });
  return { horizonBars, hitRate: (hits + 1) / (samples + 2), meanReturn: total / samples, samples };
}

function fitted(rule: SignRule, learned: Learned): FittedModel {
  const { horizonBars, hitRate, meanReturn } = learned;
  const forecast: FittedModel['forecast'] = async (panel) =>
    panel.series.map((series): Forecast => {
      const position = rule(series, panel.timeframe);
      return {
        symbol: series.symbol,
        horizonBars,
        position,
        confidence: position.map((at) => Math.abs(at) * Math.abs(2 * hitRate - 1)),
        probabilityUp: position.map((at) => 0.5 + at * (hitRate - 0.5)),
        expectedReturn: position.map((at) => at * meanReturn),
      };
    });
  return {
    report: learned,
    forecast,
    follow: () => followWindow({ forecast }, 1),
    save: () => ({ json: learned, blobs: {} }),
  };
}
