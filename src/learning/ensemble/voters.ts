import type { Model } from '../../core/forecast/model.ts';

/** A trained model as one that may vote. */
export interface Candidate {
  readonly model: Pick<Model, 'kind'>;
  /** Why it has no skill to vote with: validation/no-skill.ts. */
  readonly noSkill?: string | undefined;
}

/**
 * Whose forecasts make the ensemble, in training, signals, backtests and paper alike: the learned models and rules that
 * were not found without skill. When nobody else is left, those without skill; baselines only when there is nothing else.
 */
export function votersOf<T extends Candidate>(members: readonly T[]): readonly T[] {
  const learned = members.filter(({ model }) => model.kind !== 'baseline');
  const skilled = learned.filter(({ noSkill }) => noSkill === undefined);
  return [skilled, learned].find(({ length }) => length > 0) ?? members;
}

/** A model's name as every table shows it. */
export const markedName = (name: string, noSkill: string | undefined): string =>
  noSkill === undefined ? name : `${name} (no skill)`;
