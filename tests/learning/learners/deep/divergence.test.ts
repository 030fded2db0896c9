import { expect, it } from 'vitest';
import { gruModel } from '../../../../src/learning/models/gru/index.ts';
import type { Artifact, FitTask } from '../../../../src/core/forecast/model.ts';
import { modelParams } from '../../../../src/learning/training/plan.ts';
import { labelledUntil, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const panel = plantedPanel(400, { shuffled: false });
const fit = (learningRate: number, snapshots: FitTask<unknown>['snapshots']) =>
  gruModel.fit({
    panel,
    params: gruModel.params.parse(
      modelParams(gruModel, 'quick', {
        features: PLANTED_FEATURES,
        lookBack: 4,
        hidden: 4,
        horizonBars: 1,
        batchSize: 32,
        epochs: 2,
        windowsPerEpoch: 256,
        learningRate,
      }),
    ),
    trainUntilMs: labelledUntil(300),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...(snapshots && { snapshots }),
  });

it('training that diverges stops, says at which step, and leaves the snapshot before it', async () => {
  const kept: { snapshot: Artifact; step: number }[] = [];
  const messageOf = (training: Promise<unknown>): Promise<string> => training.then(() => 'no error', String);
  const message = await messageOf(
    fit(1e30, {
      isDue: () => true,
      keep: async (snapshot, { step }) => void kept.push({ snapshot, step }),
    }),
  );
  expect(message).toMatch(/Training of "gru" diverged at step [2-9]: the (loss|gradient norm) is/);
  const last = kept.at(-1);
  expect(message).toContain(`step ${(last?.step ?? NaN) + 1}:`);
  // It holds the state before that step: going on from it ends at the same step with the same words.
  const again = fit(1e30, { from: last?.snapshot, isDue: () => false, keep: async () => {} });
  expect(await messageOf(again)).toBe(message);
});
