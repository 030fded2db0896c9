import { UserError } from '../../core/foundation/errors.ts';
import type { EnsembleMethod } from './method.ts';
import type { Model } from '../../core/forecast/model.ts';

/** A trained model as one that may vote. */
export interface Candidate {
  readonly model: Pick<Model, 'kind' | 'id'>;
  /** Why it has no skill to vote with: validation/no-skill.ts. */
  readonly noSkill?: string | undefined;
}

/**
 * Whose forecasts make the ensemble, in training, signals, backtests and paper alike: the learned models and rules that
 * were not found without skill, unless the ensemble says who votes. When nobody else is left, those without skill; baselines only when there is nothing else. Throws
 * `UserError` when a model is not there that the ensemble names.
 */
export function votersOf<T extends Candidate>(
  members: readonly T[],
  { id, members: wanted }: Pick<EnsembleMethod, 'id' | 'members'> = { id: 'enhanced' },
): readonly T[] {
  if (wanted?.models !== undefined) {
    const { models } = wanted;
    const named = members.filter(({ model }) => models.includes(model.id));
    const absent = models.filter((name) => !named.some(({ model }) => model.id === name));
    if (absent.length === 0) return named;
    throw new UserError(`The ensemble "${id}" needs ${absent.join(' and ')}, which is not here.`, {
      hint: `There are ${[...new Set(members.map(({ model }) => model.id))].join(', ')}.`,
    });
  }
  if (wanted?.unskilled === true) {
    const all = members.filter(({ model }) => model.kind !== 'baseline');
    return all.length > 0 ? all : members;
  }
  const learned = members.filter(({ model }) => model.kind !== 'baseline');
  const skilled = learned.filter(({ noSkill }) => noSkill === undefined);
  return [skilled, learned].find(({ length }) => length > 0) ?? members;
}

/** The model of which an ensemble wants what came out of every seed. */
export const allSeedsOf = ({ members }: Pick<EnsembleMethod, 'members'>): string | undefined =>
  members?.allSeeds === true ? members.models?.[0] : undefined;

/** A model's name as every table shows it. */
export const markedName = (name: string, noSkill: string | undefined): string =>
  noSkill === undefined ? name : `${name} (no skill)`;
