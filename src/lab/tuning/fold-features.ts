import { type Panel, selectFeatures as pickFeatures } from '../../core/dataset/panel.ts';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import { z } from 'zod';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { type FeatureSelection, selectFeatures } from '../../learning/validation/select-features.ts';
import type { FeatureChoice } from './pipeline-space.ts';

/** Names of the features of a panel, which holds training bars alone, by a choice. */
export type FeatureChooser = (
  choice: Exclude<FeatureChoice, 'own'>,
  panel: Panel,
  signal: AbortSignal,
) => Promise<readonly string[]>;

/** Cheap enough to be refitted for every ranking; the model of the trial would be fitted thousands of times. */
const RANKED_BY = 'logistic';
const RANKING = { folds: 3, repeats: 1, sameAbove: 0.7 };
/** Where no importance is above chance, the first so many stay: a model needs something to read. */
const LEAST = 5;

/**
 * Ranks what a panel holds by what a logistic regression loses when a feature is shuffled in bars that it was not fitted on
 * (validation/select-features.ts). One ranking per span and timeframe, kept.
 */
export function chooseFeatures({
  registry,
  validationPct,
  seed,
}: {
  readonly registry: Registry;
  readonly validationPct: number;
  readonly seed: number;
}): FeatureChooser {
  const model = registry.findModel(RANKED_BY);
  const params = (features: readonly string[]) =>
    z.looseObject({ horizonBars: z.int() }).parse(modelParams(model, 'quick', { features: [...features] }));
  const known = new Map<string, Promise<FeatureSelection>>();

  async function rank(panel: Panel, signal: AbortSignal): Promise<FeatureSelection> {
    const names = panel.series[0].features.names.filter((_, f) =>
      panel.series.every(({ features }) => features.columns[f].some((value) => !Number.isNaN(value))),
    );
    if (names.length === 0)
      throw new UserError('No feature has a value on the training bars of the first fold.', {
        hint: 'Fetch more history, or leave features as they are: --features own.',
      });
    return selectFeatures({
      panel: pickFeatures(panel, names),
      names,
      model,
      params,
      horizonBars: params(names).horizonBars,
      ...RANKING,
      validationPct,
      seed,
      signal,
      onProgress: () => {},
    });
  }

  return async (choice, panel, signal) => {
    const { time } = panel.series[0].candles;
    const key = `${panel.timeframe} ${time[0]} ${time[time.length - 1]}`;
    const ranking = known.get(key) ?? rank(panel, signal);
    known.set(key, ranking);
    ranking.catch(() => known.delete(key));
    const { clusters } = await ranking;
    invariant(clusters.length > 0, 'there is a cluster for every feature');
    const names = (some: typeof clusters): readonly string[] =>
      some.map(({ representative }) => representative);
    if (choice === 'distinct') return names(clusters);
    const taken = clusters.filter(({ importance, stability }) => importance > 0 && stability > 0.5);
    return names(taken.length >= LEAST ? taken : clusters.slice(0, LEAST));
  };
}
