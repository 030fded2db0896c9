import type { Fold } from '../../core/dataset/splits.ts';
import { featuresRead } from '../../core/forecast/model.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import { computePanel } from '../../data/panel/load-panel.ts';
import { inTurns } from '../../data/turns.ts';
import { builtIn } from '../models/registry.ts';
import { refit } from '../validation/refit.ts';
import { type ForecastScore, scoreSteps } from '../validation/score.ts';
import { featuresOfRun } from './plugins.ts';
import type { RunPlan } from './run-folder.ts';
import { type FinishedRun, planMarket, type TrainingSurroundings } from './train.ts';

/** What a model came to on bars that nothing of its fit had seen, or why it could not be fitted before them. */
export type TestFoldScore = { readonly score: ForecastScore } | { readonly reason: string };

/**
 * The last bars of training, as many as those of validation, as a test of models whose fits look at validation bars: each is fitted once more on the bars before
 * them, the last of which are its own for stopping early, thresholds and calibration.
 */
export function testFold({ sinceMs, trainUntilMs, validateUntilMs }: RunPlan): {
  readonly fold: Fold;
  readonly validationPct: number;
} {
  const fromMs = 2 * trainUntilMs - validateUntilMs;
  return {
    fold: {
      train: { fromMs: sinceMs, untilMs: fromMs },
      test: { fromMs, untilMs: trainUntilMs },
    },
    validationPct: (100 * (validateUntilMs - trainUntilMs)) / (validateUntilMs - sinceMs),
  };
}

/** By model, of those of a run whose figures flatter; as dear as their training. Throws `signal.reason` when aborted. */
export async function testFoldScores(
  { plan, members }: Pick<FinishedRun, 'plan' | 'members'>,
  {
    store,
    signal,
    registry = builtIn,
    onModel,
  }: Pick<TrainingSurroundings, 'store' | 'signal' | 'registry'> & {
    readonly onModel?: (id: string) => void;
  },
): Promise<Readonly<Record<string, TestFoldScore>>> {
  const flattered = members.filter(({ model }) => model.usesValidation === true);
  const entries = flattered.map(({ model, manifest }) => ({ model, params: manifest.params }));
  if (entries.length === 0) return {};
  const { fold, validationPct } = testFold(plan);
  const market = await planMarket(store, plan, { entries, registry });
  const scores: Record<string, TestFoldScore> = {};
  for (const { model, params } of entries) {
    onModel?.(model.id);
    const panel = await computePanel(market, {
      ...featuresRead([{ model, features: model.features(params) }]),
      inOrder: model.readsColumns,
      catalogue: featuresOfRun(plan, registry),
      signal,
    });
    try {
      const seed = deriveSeed(plan.seed, `${model.id} test fold`);
      const fitted = await refit({ model, params }, fold, { panel, validationPct, seed, signal });
      const forecasts = await fitted.forecast(panel, { sinceMs: fold.test.fromMs });
      fitted.dispose?.();
      const costs = { feeBps: plan.feeBps, slippageBps: plan.slippageBps };
      scores[model.id] = { score: await inTurns(scoreSteps(panel, forecasts, fold.test, costs), signal) };
    } catch (error) {
      if (!(error instanceof UserError) || signal.aborted) throw error;
      scores[model.id] = { reason: error.message };
    }
  }
  return scores;
}
