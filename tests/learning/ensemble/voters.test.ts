import { expect, it } from 'vitest';
import { chooseEnsemble } from '../../../src/learning/ensemble/registry.ts';
import { allSeedsOf, type Candidate, markedName, votersOf } from '../../../src/learning/ensemble/voters.ts';

const baseline: Candidate = { model: { id: 'persistence', kind: 'baseline' } };
const learned: Candidate = { model: { id: 'boosted-trees', kind: 'classical' } };
const rule: Candidate = { model: { id: 'trend', kind: 'rule' } };
const unskilled: Candidate = { model: { id: 'gru', kind: 'deep' }, noSkill: 'it holds long only' };

it.each([
  ['leaves baselines out as soon as there is another model', [baseline, learned, rule], [learned, rule]],
  ['leaves out who has no skill', [unskilled, learned, baseline], [learned]],
  ['lets those without skill vote when nobody else is left', [unskilled, baseline], [unskilled]],
  ['lets baselines vote when there is nothing else', [baseline], [baseline]],
])('%s', (_, members, voters) => {
  expect(votersOf(members)).toEqual(voters);
});

it('marks a name without skill', () => {
  expect(markedName('gru', 'it holds long only')).toBe('gru (no skill)');
  expect(markedName('gru', undefined)).toBe('gru');
});

it('lets an ensemble name its members, with and without skill', () => {
  const members = [baseline, learned, rule, unskilled];
  const voters = (id: string): readonly Candidate[] => votersOf(members, chooseEnsemble(id, {}).method);
  expect(voters('gru+trees')).toEqual([learned, unskilled]);
  expect(voters('all')).toEqual([learned, rule, unskilled]);
  expect(voters('stacking')).toEqual([learned, rule]);
  expect(() => voters('lstm+trees+forest')).toThrow('needs lstm and random-forest');
});

it('lets an ensemble be the seeds of one model', () => {
  const seeds = [unskilled, { ...unskilled, noSkill: undefined }, learned];
  const { method, params } = chooseEnsemble('seeds', { model: 'gru' });
  expect(votersOf(seeds, method)).toEqual([seeds[0], seeds[1]]);
  expect(allSeedsOf(method)).toBe('gru');
  expect(allSeedsOf(chooseEnsemble('gru+trees', {}).method)).toBeUndefined();
  // What a paper session keeps chooses the same again.
  expect(chooseEnsemble('seeds', Object(params) as Record<string, unknown>)).toEqual({ method, params });
});

it('combines a preset by any way, with its parameters', () => {
  const { method, params } = chooseEnsemble('lstm+trees+forest', { by: 'stacking', penalty: 3 });
  expect(params).toEqual({ penalty: 3, by: 'stacking' });
  expect(method).toMatchObject({
    id: 'lstm+trees+forest',
    members: { models: ['lstm', 'boosted-trees', 'random-forest'] },
  });
  expect(chooseEnsemble('all', {}).method.plain).toBe(true);
  expect(() => chooseEnsemble('all', { by: 'stakcing' })).toThrow('Unknown ensemble "stakcing"');
  expect(() => chooseEnsemble('all', { by: 'stacking', rounds: 3 })).toThrow('rounds');
});
