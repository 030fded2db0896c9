import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  chooseFolds,
  combinatorialPaths,
  combinatorialSplits,
} from '../../../src/core/dataset/combinatorial.ts';

/** Computed with skfolio 1.12.2. */
const { skfolio_cpcv: golden } = z
  .object({
    skfolio_cpcv: z.object({
      cases: z.record(
        z.string(),
        z.object({
          n_splits: z.number(),
          n_test_paths: z.number(),
          path_ids: z.array(z.array(z.number())),
          splits: z.array(z.object({ train: z.array(z.number()), test: z.array(z.array(z.number())) })),
        }),
      ),
      optimal_folds: z.array(
        z.object({
          n_obs: z.number(),
          target_train: z.number(),
          target_paths: z.number(),
          'n_folds,n_test': z.tuple([z.number(), z.number()]),
        }),
      ),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../golden/evaluation.json', import.meta.url), 'utf8')));

describe("combinatorial splits and paths equal skfolio's", () => {
  it.each(Object.entries(golden.cases))('%s', (name, expected) => {
    const [rows, folds, testFolds, purgeRows, embargoRows] = (name.match(/\d+/g) ?? []).map(Number);
    const splits = combinatorialSplits({ rows, folds, testFolds, purgeRows, embargoRows });
    expect(splits).toHaveLength(expected.n_splits);
    expect(combinatorialPaths(folds, testFolds)).toBe(expected.n_test_paths);
    expect(splits.map(({ paths }) => paths)).toEqual(expected.path_ids);
    expect(
      splits.map(({ train, tests }) => ({ train: [...train], test: tests.map((test) => [...test]) })),
    ).toEqual(expected.splits);
  });

  it.each(golden.optimal_folds)('$n_obs rows, $target_train to train on, $target_paths paths', (wanted) => {
    const { folds, testFolds } = chooseFolds(wanted.n_obs, {
      trainRows: wanted.target_train,
      paths: wanted.target_paths,
    });
    expect([folds, testFolds]).toEqual(wanted['n_folds,n_test']);
  });
});

it('every path covers every row exactly once', () => {
  const splits = combinatorialSplits({ rows: 50, folds: 6, testFolds: 3, purgeRows: 1, embargoRows: 1 });
  const seen = Array.from({ length: combinatorialPaths(6, 3) }, () => new Array<number>(50).fill(0));
  for (const { tests, paths } of splits)
    tests.forEach((rows, i) => rows.forEach((row) => seen[paths[i]][row]++));
  for (const path of seen) expect(path.every((count) => count === 1)).toBe(true);
});
