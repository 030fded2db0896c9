import { expect, it } from 'vitest';
import { codeOfModel, filesOfModel } from '../../../src/learning/validation/model-code.ts';

const has = (id: string, file: string): boolean => filesOfModel(id).includes(file);

it('a fold depends on what its model and the walk-forward import, and on nothing beside', () => {
  for (const id of ['ridge', 'lstm-cnn', 'ppo'])
    expect(has(id, 'learning/validation/refit.ts'), `${id} is refitted`).toBe(true);
  expect(has('ridge', 'learning/learners/tabular/linear.ts')).toBe(true);
  expect(has('ridge', 'learning/models/tft/index.ts')).toBe(false);
  expect(has('ridge', 'core/strategy/cost-aware.ts')).toBe(false);
  // Imported when it is fitted.
  expect(has('lstm-cnn', 'learning/engine/trainer.ts')).toBe(true);
  // Started as a worker.
  expect(has('lstm-cnn', 'learning/engine/parallel/worker.ts')).toBe(true);
  // Agents see forecasts of the classical models.
  expect(has('ppo', 'learning/models/ridge/index.ts')).toBe(true);
  // The environment that agents learn in.
  expect(has('ppo', 'core/trading/run.ts') || has('ppo', 'core/environments/trading.ts')).toBe(true);
  // A model without a folder of its own depends on all of them.
  expect(has('trend', 'learning/models/tft/index.ts')).toBe(true);
  expect(has('trend', 'core/strategy/quant/trend.ts')).toBe(true);
});

it('names it by its code', () => {
  expect(codeOfModel('ridge')).toMatch(/^[0-9a-f]{64}$/);
  expect(codeOfModel('ridge')).toBe(codeOfModel('ridge'));
  expect(codeOfModel('ridge')).not.toBe(codeOfModel('logistic'));
});
