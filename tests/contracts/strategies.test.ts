import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { strategies } from '../../src/core/strategy/registry.ts';
import { sign } from '../../src/core/strategy/sign.ts';
import type { Decision, Setting, Situation, Strategy } from '../../src/core/strategy/strategy.ts';
import { checkStrategy, STRATEGY_LAWS } from '../../src/lab/contracts/check-strategy.ts';

const laws = Object.keys(STRATEGY_LAWS);

describe.each(strategies.map((strategy) => [strategy.id, strategy] as const))('%s', (_, strategy) => {
  it.each(laws)('%s', async (law) => STRATEGY_LAWS[law](strategy));
});

/** A sound strategy with another rule. */
const deciding = (prepare: (setting: Setting) => (seen: Situation) => Decision): Strategy => ({
  ...sign,
  params: z.strictObject({}),
  prepare: (_params, setting) => prepare(setting),
});
const because: Decision['reason'] = { kind: 'no-opinion' };

describe('a strategy that breaks a law is caught', () => {
  let calls = 0;
  const violations: readonly (readonly [string, Strategy])[] = [
    [
      'has defaults for all parameters, and they survive JSON',
      { ...sign, params: z.strictObject({ level: z.number() }) },
    ],
    [
      'wants at most all of the capital, and nothing below zero where short sales are not allowed',
      deciding(() => ({ expectedReturn }) => ({ target: Math.sign(expectedReturn), reason: because })),
    ],
    [
      'wants at most all of the capital, and nothing below zero where short sales are not allowed',
      deciding(() => () => ({ target: 1.01, reason: because })),
    ],
    [
      'gives a reason with every decision, one that can be put into words',
      // What plain JavaScript may hand over.
      deciding(() => () => ({ target: 0, reason: JSON.parse('{ "kind": "a feeling" }') as typeof because })),
    ],
    [
      'remembers nothing: the same situation gives the same decision in any order',
      deciding(() => {
        let last = 0;
        return ({ confidence }) => {
          const rising = confidence > last;
          last = confidence;
          return { target: rising ? 1 : 0, reason: because };
        };
      }),
    ],
    [
      'leaves what it is shown as it is',
      deciding(() => (seen) => {
        Object.assign(seen, { held: 0 });
        return { target: 0, reason: because };
      }),
    ],
    [
      'decides the same when later bars arrive',
      deciding(() => () => ({ target: ++calls % 7 > 3 ? 1 : 0, reason: because })),
    ],
    [
      'decides the same on prices in another unit',
      deciding(() => () => ({ target: ++calls % 7 > 3 ? 1 : 0, reason: because })),
    ],
    [
      'decides in less than 200 microseconds',
      deciding(() => ({ held }) => {
        let sum = 0;
        for (let i = 0; i < 1e6; i++) sum += Math.sqrt(i);
        return { target: sum < 0 ? 0 : held, reason: because };
      }),
    ],
  ];

  it.each(violations)('%s', async (law, strategy) => {
    await expect(STRATEGY_LAWS[law](strategy)).rejects.toThrow();
  });

  it('has a violation for every law', () => {
    expect([...new Set(violations.map(([law]) => law))]).toEqual(laws);
  });

  it('by name', async () => {
    const broken: string[] = [];
    for await (const verdict of checkStrategy(deciding(() => () => ({ target: 2, reason: because }))))
      if (verdict.kind === 'broken') broken.push(verdict.law);
    expect(broken).toEqual([laws[1]]);
  });
});
