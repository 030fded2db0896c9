import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/folder.ts';
import { MODELS, PLANTED, tradeWorld, walkingWorld } from '../../support/worlds.ts';

const trading = () => ({
  folder: temporaryFolder(),
  models: MODELS,
  folds: 4,
});

// The first two of the 20 of `npm run worlds`, whatever they do: a rule from before anything was measured.
it.each([1, 2])(
  'makes nothing from nothing: random walk %i of a year of hours',
  async (seed) => {
    const { decided, plain } = await tradeWorld(walkingWorld(seed), trading());
    expect(Math.abs(decided.returnPct)).toBeLessThan(1);
    expect(decided.trades).toBeLessThan(3);
    // The plain mean of the same models pays for nothing.
    expect(plain.trades).toBeGreaterThan(20);
    expect(plain.returnPct).toBeLessThan(decided.returnPct - 2);
  },
  120_000,
);

it('makes something from something: a drift that lasts and pays for its trades', async () => {
  const { decided, informed } = await tradeWorld(PLANTED.drift(600, 1), trading());
  expect(decided.returnPct).toBeGreaterThan(20);
  expect(decided.returnPct).toBeGreaterThan(0.7 * (informed?.returnPct ?? NaN));
}, 120_000);
