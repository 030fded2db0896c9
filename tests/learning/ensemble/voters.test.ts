import { expect, it } from 'vitest';
import { type Candidate, markedName, votersOf } from '../../../src/learning/ensemble/voters.ts';

const baseline: Candidate = { model: { kind: 'baseline' } };
const learned: Candidate = { model: { kind: 'classical' } };
const rule: Candidate = { model: { kind: 'rule' } };
const unskilled: Candidate = { model: { kind: 'deep' }, noSkill: 'it holds long only' };

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
