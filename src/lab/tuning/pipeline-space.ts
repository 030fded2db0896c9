import { z } from 'zod';
import type { Model } from '../../core/forecast/model.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import { shapeOf, spaceOfModel } from './model-space.ts';
import type { Dimension, Params, Space, Value } from './space.ts';

/**
 * Which features a model reads: those of its settings; of all that the stored data allow one of each cluster of near duplicates; or
 * of these the ones that the loss rises without. Chosen on the training bars of each fold.
 */
export const FEATURE_CHOICES = ['own', 'distinct', 'important'] as const;
export type FeatureChoice = (typeof FEATURE_CHOICES)[number];

/** No other model beside the first one. */
export const ALONE = 'none';

/** What a search over whole pipelines may choose from; a list of one is fixed. */
export interface Candidates {
  readonly timeframes: readonly Timeframe[];
  readonly models: readonly Model[];
  readonly features: readonly FeatureChoice[];
  /** Ways of combining the first model with others, `ALONE` among them. */
  readonly ensembles: readonly string[];
  readonly strategies: readonly Strategy[];
}

/** Where a model reads features by name, they can be chosen for it. */
export const choosesFeatures = ({ params }: Model): boolean =>
  shapeOf(params)['features']?.safeParse(['x']).success === true;

/**
 * Timeframe, model, its features and parameters, who votes beside it and how, strategy and its parameters as one space with conditions.
 * Parameters are named as in config.yaml: `models.ridge.penalty`. `schema` checks what a file says of them.
 */
export function pipelineSpace(candidates: Candidates): {
  readonly space: Space;
  readonly schema: z.ZodObject;
} {
  const { models, ensembles } = candidates;
  const space: Record<string, Dimension> = {};
  const shape: Record<string, z.ZodType> = {};
  const choose = (name: string, choices: readonly Value[], when?: Dimension['when']): void => {
    space[name] = { kind: 'categorical', choices, ...(when && { when }) };
    shape[name] = z.any().refine((value: unknown) => choices.some((choice) => choice === value), {
      error: `expected one of ${choices.join(', ')}`,
    });
  };
  const search = (group: string, { id, params }: Pick<Model, 'id' | 'params'>, when: Dimension['when']) => {
    for (const [name, schema] of Object.entries(shapeOf(params))) shape[`${group}.${id}.${name}`] = schema;
    for (const [name, dimension] of Object.entries(spaceOfModel(params)))
      space[`${group}.${id}.${name}`] = { ...dimension, when };
  };

  if (candidates.timeframes.length > 1) choose('timeframe', candidates.timeframes);
  const ids = models.map(({ id }) => id);
  choose('model', ids);
  for (const model of models) search('models', model, { model: [model.id] });
  const choosing = models.filter(choosesFeatures).map(({ id }) => id);
  if (candidates.features.length > 1 && choosing.length > 0)
    choose('features', candidates.features, { model: choosing });
  const methods = ensembles.filter((name) => name !== ALONE);
  if (ids.length > 1 && methods.length > 0) {
    choose('ensemble', ensembles);
    for (const id of ids)
      choose(`with.${id}`, [true, false], { model: ids.filter((one) => one !== id), ensemble: methods });
  }
  choose(
    'strategy',
    candidates.strategies.map(({ id }) => id),
  );
  for (const strategy of candidates.strategies) search('strategies', strategy, { strategy: [strategy.id] });
  return { space, schema: z.strictObject(shape) };
}

/** One point of the space. */
export interface Pipeline {
  readonly timeframe: Timeframe;
  readonly model: string;
  readonly features: FeatureChoice;
  /** `ALONE`, or how the model and its partners are combined. */
  readonly ensemble: string;
  readonly partners: readonly string[];
  readonly strategy: string;
  /** Searched, of the model and of the strategy. */
  readonly modelParams: Params;
  readonly strategyParams: Params;
}

/** A trial's parameters as a pipeline; what was not searched is the only candidate there was. */
export function pipelineOf(
  params: Params,
  otherwise: { readonly timeframe: Timeframe; readonly features: FeatureChoice },
): Pipeline {
  const named = z
    .looseObject({
      timeframe: z.custom<Timeframe>().default(otherwise.timeframe),
      model: z.string(),
      features: z.enum(FEATURE_CHOICES).default(otherwise.features),
      ensemble: z.string().default(ALONE),
      strategy: z.string(),
    })
    .parse(params);
  const below = (prefix: string): Params =>
    Object.fromEntries(
      Object.entries(params).flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
      ),
    );
  const { timeframe, model, features, ensemble, strategy } = named;
  const partners = Object.entries(below('with.')).flatMap(([id, taken]) => (taken === true ? [id] : []));
  return {
    timeframe,
    model,
    features,
    ensemble: partners.length === 0 ? ALONE : ensemble,
    partners,
    strategy,
    modelParams: below(`models.${model}.`),
    strategyParams: below(`strategies.${strategy}.`),
  };
}

/** The space as a file narrows it: what it names is searched there, or fixed; everything else as before. */
export function narrowedPipelines(
  space: Space,
  narrowed: { readonly space: Space; readonly fixed: Params },
): Space {
  const fixed = Object.entries(narrowed.fixed).map(([name, value]): [string, Dimension] => [
    name,
    { kind: 'categorical', choices: [value] },
  ]);
  const changed = new Map([...Object.entries(narrowed.space), ...fixed]);
  const all = { ...space, ...Object.fromEntries([...changed].filter(([name]) => !(name in space))) };
  return Object.fromEntries(
    Object.entries(all).map(([name, dimension]) => {
      const one = changed.get(name) ?? dimension;
      const when = one.when ?? space[name]?.when ?? conditionOf(name);
      return [name, { ...one, ...(when && { when }) }];
    }),
  );
}

/** Parameters without a range of their own belong to their model or strategy too. */
function conditionOf(name: string): Dimension['when'] {
  const [, group, id] = /^(models|strategies)\.(.+)\.[^.]+$/.exec(name) ?? [];
  if (group === undefined || id === undefined) return undefined;
  return group === 'models' ? { model: [id] } : { strategy: [id] };
}
