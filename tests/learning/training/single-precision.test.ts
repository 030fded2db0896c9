import { expect, it } from 'vitest';
import { featuresRead, type Model } from '../../../src/core/forecast/model.ts';
import type { Panel } from '../../../src/core/dataset/panel.ts';
import { boostedTrees } from '../../../src/learning/models/boosted-trees/index.ts';
import { createRegistry } from '../../../src/learning/models/registry.ts';
import { ridge } from '../../../src/learning/models/ridge/index.ts';
import { loadTrainedPanel, readTrained } from '../../../src/learning/training/checkpoints.ts';
import { planRun } from '../../../src/learning/training/plan.ts';
import { finishRun, startRun } from '../../../src/learning/training/train.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { SETTINGS, surroundings, walkStore } from './runs.ts';

it('single precision is for what nobody reads in more', () => {
  const [exact, rounding] = [{ model: {} }, { model: { readsSingle: true } }] as const;
  const { featureNames, single } = featuresRead([
    { ...rounding, features: ['a', 'b'] },
    { ...exact, features: ['b', 'c'] },
  ]);
  expect(featureNames).toEqual(['a', 'b', 'c']);
  expect([...single]).toEqual(['a']);
});

it('a panel holds the columns of models that round to single precision so, and those of others whole', async () => {
  const folder = temporaryFolder();
  const store = await walkStore(folder);
  const given: Record<string, readonly string[]> = {};
  const watched = <Params>(model: Model<Params>): Model<Params> => ({
    ...model,
    id: `watched-${model.id}`,
    fit(task) {
      given[model.id] = kindsOf(task.panel);
      return model.fit(task);
    },
  });
  const registry = createRegistry({ models: [watched(boostedTrees), watched(ridge)] });
  const around = { ...surroundings(folder, store), registry };
  const plan = await planRun(store, {
    ...SETTINGS,
    registry,
    models: ['watched-boosted-trees', 'watched-ridge'],
    params: {
      'watched-boosted-trees': { features: ['return_1', 'rsi_14'], rounds: 2 },
      'watched-ridge': { features: ['rsi_14', 'return_5'] },
    },
  });
  const run = await finishRun(await startRun(plan, around), around);
  expect(given).toEqual({
    'boosted-trees': ['return_1 Float32Array', 'rsi_14 Float32Array'],
    ridge: ['rsi_14 Float64Array', 'return_5 Float64Array'],
  });

  const trained = await readTrained(around.checkpointDir, { runId: run.runId, registry });
  expect(kindsOf(await loadTrainedPanel(store, trained))).toEqual([
    'return_1 Float32Array',
    'rsi_14 Float64Array',
    'return_5 Float64Array',
  ]);
});

const kindsOf = ({ series: [{ features }] }: Panel): readonly string[] =>
  features.names.map((name, f) => `${name} ${features.columns[f].constructor.name}`);
