import { type Panel, panelUntil, panelWithin, selectFeatures } from '../../core/dataset/panel.ts';
import type { Fold, Span } from '../../core/dataset/splits.ts';
import type { Forecast, Model } from '../../core/forecast/model.ts';
import { invariant } from '../../core/foundation/errors.ts';
import { deriveSeed } from '../../core/foundation/random.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import { combineSteps } from '../../learning/ensemble/combine.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { noSkill } from '../../learning/validation/no-skill.ts';
import { refit, validationSpan } from '../../learning/validation/refit.ts';
import { decideOne } from '../backtest/decide.ts';
import { type FeatureChooser, chooseFeatures } from './fold-features.ts';
import { measureSpan, type SpanFigures } from './objective.ts';
import { ALONE, choosesFeatures, type FeatureChoice, type Pipeline } from './pipeline-space.ts';

type Own = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface PipelineBench {
  readonly registry: Registry;
  /** By timeframe, with every feature that may be read. */
  readonly panels: ReadonlyMap<Timeframe, Panel>;
  readonly mode: 'quick' | 'full';
  /** What config.yaml says of models, strategies and ensembles. */
  readonly own: { readonly models: Own; readonly strategies: Own; readonly ensembles: Own };
  readonly validationPct: number;
  readonly seed: number;
  readonly rules: ExecutionRules;
  /** Returns are summed over steps of this length: the longest bar. */
  readonly stepMs: number;
}

/** A model with its parameters, as it is fitted and asked. */
interface Entry {
  readonly model: Model;
  readonly params: unknown;
}

/** What a model said from its validation bars on. */
interface Stated extends Entry {
  readonly forecasts: readonly Forecast[];
  readonly noSkill: string | undefined;
}

/**
 * Measures whole pipelines on folds: what is chosen and fitted, features, models, weights of an ensemble, skill that a strategy rests on,
 * is so on the fold's training bars; skill and weights on the part of them that is kept for validation. The fold's test bars are then
 * decided and traded, with costs. What does not depend on a trial, partners as they are without a search and rankings of features, is kept for
 * the next.
 */
export function createPipelineMeter(bench: PipelineBench) {
  const { registry, mode, own, validationPct, seed, rules } = bench;
  const partners = new Map<string, Promise<Stated>>();
  const chooser: FeatureChooser = chooseFeatures({ registry, validationPct, seed });

  const paramsOf = (model: Model, searched: Readonly<Record<string, unknown>>): unknown =>
    modelParams(model, mode, { ...own.models[model.id], ...searched });

  /** The parameters that a pipeline's model is fitted with. Throws `UserError` for what it refuses. */
  function leadOf(pipeline: Pipeline, features?: readonly string[]): Entry {
    const model = registry.findModel(pipeline.model);
    return {
      model,
      params: paramsOf(model, { ...pipeline.modelParams, ...(features && { features: [...features] }) }),
    };
  }

  async function ask(entry: Entry, panel: Panel, fold: Fold, signal: AbortSignal): Promise<Stated> {
    const { model, params } = entry;
    const fitted = await refit(entry, fold, {
      panel,
      validationPct,
      seed: deriveSeed(seed, `${model.id} ${fold.test.fromMs}`),
      signal,
    });
    try {
      await giveWay(signal);
      const validation = validationSpan(fold.train, panel.timeframe, validationPct);
      const known = panelUntil(selectFeatures(panel, model.features(params)), fold.test.untilMs);
      const forecasts = await fitted.forecast(known, { sinceMs: validation.fromMs });
      return { ...entry, forecasts, noSkill: noSkill(model, known, forecasts, validation) };
    } finally {
      fitted.dispose?.();
    }
  }

  function askPartner(id: string, panel: Panel, fold: Fold, signal: AbortSignal): Promise<Stated> {
    const key = `${panel.timeframe} ${fold.test.fromMs} ${id}`;
    const model = registry.findModel(id);
    const asked = partners.get(key) ?? ask({ model, params: paramsOf(model, {}) }, panel, fold, signal);
    partners.set(key, asked);
    // One that failed or was stopped is asked again.
    asked.catch(() => partners.delete(key));
    return asked;
  }

  async function measure(pipeline: Pipeline, fold: Fold, signal: AbortSignal): Promise<SpanFigures> {
    const panel = bench.panels.get(pipeline.timeframe);
    invariant(panel !== undefined, 'every timeframe of the space is loaded');
    const validation = validationSpan(fold.train, panel.timeframe, validationPct);
    const features = await featuresOf(pipeline, panel, { fold, validation }, signal);
    const lead = await ask(leadOf(pipeline, features), panel, fold, signal);
    const members = [lead];
    for (const id of pipeline.partners) members.push(await askPartner(id, panel, fold, signal));
    const known = panelUntil(panel, fold.test.untilMs);
    const decisions = [{ fromMs: fold.test.fromMs, measured: validation }];
    const { forecasts, shown, isBelief } = await together(pipeline, known, members, decisions, signal);
    const terms = {
      ...chooseStrategy(
        pipeline.strategy,
        { ...own.strategies[pipeline.strategy], ...pipeline.strategyParams },
        registry.strategies,
      ),
      cost: tradeCostsFrom(rules),
      allowShort: rules.allowShort,
    };
    await giveWay(signal);
    const decided = isBelief
      ? decideOne({ stated: forecasts, shown }, { panel: known, decisions }, terms).forecasts
      : forecasts;
    await giveWay(signal);
    const steps = measureSpan(known, forecasts, fold.test, rules, { decided, stepMs: bench.stepMs });
    return { ...(await inTurns(steps, signal)), ...(features && { features }) };
  }

  /** Names chosen on the fold's training bars; `undefined`: as the settings say. */
  async function featuresOf(
    { model: id, features }: Pick<Pipeline, 'model' | 'features'>,
    panel: Panel,
    { fold, validation }: { readonly fold: Fold; readonly validation: Span },
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    if (features === 'own' || !choosesFeatures(registry.findModel(id))) return undefined;
    const known = panelWithin(panel, { fromMs: fold.train.fromMs, untilMs: validation.fromMs });
    return chooser(features, known, signal);
  }

  /** What the members say as one. */
  async function together(
    { ensemble }: Pipeline,
    panel: Panel,
    members: readonly Stated[],
    decisions: Parameters<typeof combineSteps>[3]['spans'],
    signal: AbortSignal,
  ) {
    if (ensemble === ALONE || members.length === 1) {
      const [{ model, forecasts }] = members;
      return { forecasts, isBelief: isBelief(model), shown: undefined };
    }
    const choice = chooseEnsemble(ensemble, own.ensembles[ensemble] ?? {});
    const voters = votersOf(members, choice.method).map(({ model: { id, kind }, forecasts }) => ({
      id,
      kind,
      forecasts,
    }));
    const { forecasts, shown } = await inTurns(
      combineSteps(panel, voters, choice, { spans: decisions }),
      signal,
    );
    return { forecasts, shown, isBelief: voters.some(isBelief) };
  }

  return { measure, leadOf };
}
export type PipelineMeter = ReturnType<typeof createPipelineMeter>;

/** Baselines and rules state positions, which no strategy changes. */
const isBelief = ({ kind }: Pick<Model, 'kind'>): boolean => kind !== 'baseline' && kind !== 'rule';

/** Features that panels must hold for such models and choices. */
export function featuresToLoad(
  { registry, mode, own }: Pick<PipelineBench, 'registry' | 'mode' | 'own'>,
  models: readonly string[],
  choices: readonly FeatureChoice[],
  stored: readonly string[],
): readonly string[] {
  const named = models.flatMap((id) => {
    const model = registry.findModel(id);
    return model.features(modelParams(model, mode, own.models[id] ?? {}));
  });
  return [...new Set([...named, ...(choices.some((choice) => choice !== 'own') ? stored : [])])];
}
