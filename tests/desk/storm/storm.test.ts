import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kind } from './life.ts';
import { bundleLives, openLives } from './lives.ts';
import { ROUNDS } from './rounds.ts';

let bundle = '';
beforeAll(async () => {
  bundle = await bundleLives();
}, 60_000);
afterAll(() => rmSync(bundle, { recursive: true }));

describe('processes that SIGKILL ends at their operations on files lose, double and tear nothing; npm run storm kills more', () => {
  test.each<[Kind, number]>([
    ['fetch', 4],
    ['paper', 8],
    ['live', 5],
    ['retrain', 2],
    ['tune', 4],
  ])('%s, %d kills', { timeout: 240_000 }, async (kind, kills) => {
    const lives = openLives(bundle);
    try {
      expect((await ROUNDS[kind]({ lives, seed: 20, kills })).kills).toBe(kills);
    } finally {
      lives.close();
    }
  });
});
