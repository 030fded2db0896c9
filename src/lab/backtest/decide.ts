import type { EnsembleSpan } from '../../learning/ensemble/combine.ts';
import { withReturns } from '../../learning/ensemble/stated-returns.ts';
import { finish, type Steps } from '../../core/foundation/steps.ts';
import type { Panel } from '../../core/dataset/panel.ts';
import type { Forecast } from '../../core/forecast/model.ts';
import { type DecisionTerms, decidePaths, measureSkill } from '../../core/strategy/decide.ts';
import type { Edge } from '../../core/strategy/edge.ts';
import type { ForecastSource } from './sources.ts';

/** From `fromMs` on, decisions rest on the skill that was measured over `measured`. */
export type DecisionSpan = EnsembleSpan;

/** How skilled a forecaster was where its last decisions began, by name. */
export type Edges = Readonly<Record<string, Edge | undefined>>;

/**
 * The source with every forecast's position replaced by what the strategy decides on it. Baselines and rules, which state
 * positions and no belief, keep theirs, and so does everybody under a strategy that takes stated positions as they are.
 */
export const decide = (source: ForecastSource, terms: DecisionTerms): Decided =>
  finish(decideSteps(source, terms));

interface Decided {
  readonly source: ForecastSource;
  readonly edges: Edges;
}

/** One forecaster's positions as the strategy decides them on what it stated, and its skill where the last decisions began. */
export function decideOne(
  forecaster: {
    readonly stated: readonly Forecast[];
    readonly shown?: ((span: number) => readonly Forecast[]) | undefined;
  },
  { panel, decisions }: Pick<ForecastSource, 'decisions'> & { readonly panel: Panel },
  terms: DecisionTerms,
): { readonly forecasts: readonly Forecast[]; readonly edge: Edge | undefined } {
  const { stated, shown } = forecaster;
  const { strategy } = terms;
  if (strategy.restates) return { forecasts: stated, edge: undefined };
  const forecasts = strategy.restsOnSkill ? withReturns(panel, stated, decisions) : stated;
  const spans = decisions.map(({ fromMs, measured }, i) => ({
    fromMs,
    asOfMs: measured.untilMs,
    edge: strategy.restsOnSkill
      ? measureSkill(panel, shown?.(i) ?? forecasts, measured, { labels: strategy.restsOnLabels })
      : undefined,
  }));
  const paths = decidePaths(panel, forecasts, terms, { spans });
  return {
    forecasts: stated.map((forecast, s) => ({ ...forecast, position: paths[s].orders })),
    edge: spans.at(-1)?.edge,
  };
}

/** One forecaster after the other. */
export function* decideSteps(source: ForecastSource, terms: DecisionTerms): Steps<Decided> {
  const { strategy, params } = terms;
  if (strategy.restates) return { source, edges: {} };
  const edges: Record<string, Edge | undefined> = {};
  const decided = (
    name: string,
    stated: readonly Forecast[],
    keep: boolean,
    shown?: (span: number) => readonly Forecast[],
  ): readonly Forecast[] => {
    if (keep) return stated;
    const one = decideOne({ stated, shown }, source, terms);
    if (strategy.restsOnSkill) edges[name] ??= one.edge;
    return one.forecasts;
  };
  const statesPosition = (id: string): boolean => source.positionsOnly.includes(id);
  const members: ForecastSource['members'][number][] = [];
  for (const one of source.members) {
    members.push({ ...one, forecasts: decided(one.id, one.forecasts, statesPosition(one.id)) });
    yield;
  }
  const ensemble = decided('ensemble', source.ensemble, source.voters.every(statesPosition), source.shown);
  const otherSeeds: ForecastSource['otherSeeds'][number][] = [];
  for (const seed of source.otherSeeds) {
    yield;
    otherSeeds.push({
      ...seed,
      ensemble: decided('ensemble', seed.ensemble, false),
      members: seed.members.map((one) => ({
        ...one,
        forecasts: decided(one.id, one.forecasts, statesPosition(one.id)),
      })),
    });
  }
  const weights = Object.fromEntries(
    Object.entries(source.weights).map(([id, own]) => [id, { own, strategy: strategy.id, params }]),
  );
  return { source: { ...source, members, ensemble, otherSeeds, weights }, edges };
}
