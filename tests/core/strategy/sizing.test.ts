import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UserError } from '../../../src/core/foundation/errors.ts';
import type { Edge } from '../../../src/core/strategy/edge.ts';
import { chooseStrategy } from '../../../src/core/strategy/registry.ts';
import type { Rule, Setting, Situation } from '../../../src/core/strategy/strategy.ts';

const skilled: Edge = {
  slope: 0.8,
  error: 0.2,
  low: 0.3,
  high: 1.3,
  samples: 5000,
  persistence: 0.9,
  deviation: 0.01,
  horizonBars: 4,
};
const seen: Situation = {
  held: 0,
  horizonBars: 4,
  position: NaN,
  confidence: 0.3,
  probabilityUp: NaN,
  expectedReturn: 0.0003,
  lowQuantile: NaN,
  medianQuantile: NaN,
  highQuantile: NaN,
  volatility: 0.006,
  calmest: 0.0045,
};

/** `sign` wants all or nothing: what comes out is the size. */
function sized(sizing: object, over: Partial<Setting> = {}, id = 'sign', own = {}): Rule {
  const { strategy, params } = chooseStrategy(id, { ...own, sizing });
  return strategy.prepare(params, { cost: 0.0015, allowShort: true, edge: skilled, ...over });
}

it.each([
  ['a fixed share', { kind: 'fixed', share: 0.4 }, {}, 0.4],
  ['a fixed share, short', { kind: 'fixed', share: 0.4 }, { expectedReturn: -0.0003 }, -0.4],
  ['.3 % a bar wanted of .6 %', { kind: 'volatility', barPct: 0.3 }, {}, 0.5],
  [
    '.3 % a bar wanted of .2 %: never more than all',
    { kind: 'volatility', barPct: 0.3 },
    { volatility: 0.002 },
    1,
  ],
  ['the same under a cap', { kind: 'volatility', barPct: 0.3, most: 0.35 }, { volatility: 0.002 }, 0.35],
  // Mean .8 x .0003, variance 4 x .006^2: 1.6667, of which a quarter.
  ['a quarter of Kelly', { kind: 'kelly' }, {}, 0.41667],
  ['all of Kelly, capped', { kind: 'kelly', fraction: 1, most: 0.6 }, {}, 0.6],
  ['confidence', { kind: 'confidence' }, {}, 0.3],
  ['equal risk: .45 % the calmest, .6 % this one', { kind: 'equal-risk' }, {}, 0.75],
  ['unknown volatility: keep', { kind: 'volatility', barPct: 0.3 }, { volatility: NaN, held: 0.2 }, NaN],
] as const)('%s', (_, sizing, over, expected) => {
  const { target } = sized(sizing)({ ...seen, ...over });
  if (Number.isNaN(expected)) expect(target).toBeNaN();
  else expect(target).toBeCloseTo(expected, 5);
});

it('Kelly holds nothing without skill, or where it was never measured', () => {
  for (const edge of [undefined, { ...skilled, low: -0.1 }])
    expect(sized({ kind: 'kelly' }, { edge })({ ...seen, held: 0.4 }).target).toBe(0);
  expect(chooseStrategy('sign', { sizing: { kind: 'kelly' } }).strategy.restsOnSkill).toBe(true);
});

it('leaves a position alone that is nearly of its size, and always closes', () => {
  const decide = sized({ kind: 'fixed', share: 0.5 }, { allowShort: false });
  // The band of a quarter reaches from .375 to .625.
  expect(decide({ ...seen, held: 0.38 }).target).toBe(0.38);
  expect(decide({ ...seen, held: 0.62 }).target).toBe(0.62);
  expect(decide({ ...seen, held: 0.37 }).target).toBe(0.5);
  expect(decide({ ...seen, held: 0.63 }).target).toBe(0.5);
  expect(Object.is(decide({ ...seen, held: 0.5, expectedReturn: -0.01 }).target, 0)).toBe(true);
});

it('the strategy sees what is held in units of the size, so that its no-trade region stays', () => {
  // So wary that positions are fractions and the region has an inside.
  const wary = { riskAversion: 40 };
  const alone = chooseStrategy('cost-aware', wary);
  const setting: Setting = { cost: 0.0015, allowShort: true, edge: skilled };
  const plain = alone.strategy.prepare(alone.params, setting);
  const half = sized({ kind: 'fixed', share: 0.5, band: 0 }, {}, 'cost-aware', wary);
  fc.assert(
    fc.property(
      fc.double({ min: -0.02, max: 0.02, noNaN: true }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      (expectedReturn, held) => {
        const one = plain({ ...seen, expectedReturn, held }).target;
        expect(half({ ...seen, expectedReturn, held: held / 2 }).target).toBeCloseTo(one / 2, 12);
      },
    ),
  );
});

it('is among the parameters, so that a session that is resumed decides as before', () => {
  const { params } = chooseStrategy('sign', { sizing: { kind: 'fixed', share: 0.4 } });
  expect(params).toMatchObject({ sizing: { kind: 'fixed', share: 0.4, most: 1, band: 0.25 } });
  const again = chooseStrategy('sign', JSON.parse(JSON.stringify(params)) as Record<string, unknown>);
  expect(again.params).toEqual(params);
});

it('refuses what it does not know, and strategies that take positions as they are stated', () => {
  const choose = (id: string, sizing: object) => () => chooseStrategy(id, { sizing });
  expect(choose('sign', { kind: 'fixed' })).toThrow(UserError);
  expect(choose('sign', { kind: 'martingale' })).toThrow('The sizing is not valid');
  expect(choose('own', { kind: 'confidence' })).toThrow('it has no sizing');
});
