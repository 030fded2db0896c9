import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bundleLife, killThrough } from './kill-through.ts';

test('sessions that SIGKILL ends at their writes lose, double and invent nothing; npm run storm:live takes every cell', async () => {
  const life = await bundleLife();
  onTestFinished(() => rmSync(dirname(life), { recursive: true }));
  const faults = ['the answer is lost', 'it fills in part'] as const;
  const cell = { action: 'submitted', faults, operations: 8, most: 4, life } as const;
  expect((await killThrough({ ...cell, seed: 1 })).kills).toBe(4);
});
