import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { gruModel } from '../../../../src/learning/models/gru/index.ts';
import { graphAttentionModel } from '../../../../src/learning/models/graph-attention/index.ts';
import type { Artifact, FitTask, Model } from '../../../../src/core/forecast/model.ts';
import { modelParams } from '../../../../src/learning/training/plan.ts';
import { labelledUntil, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const panel = plantedPanel(400, { shuffled: false });
const SMALL = {
  features: PLANTED_FEATURES,
  lookBack: 4,
  hidden: 4,
  horizonBars: 1,
  batchSize: 32,
  epochs: 2,
  windowsPerEpoch: 256,
};

const fit = <Params>(model: Model<Params>, workers: number, more: Partial<FitTask<Params>> = {}) =>
  model.fit({
    panel,
    params: model.params.parse(modelParams(model, 'quick', { ...SMALL, workers })),
    trainUntilMs: labelledUntil(300),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  });

/** The bits of the weights. */
const weightsOf = ({ blobs }: Artifact): string => Buffer.from(blobs['model.onnx'] ?? []).toString('base64');

describe.skipIf(availableParallelism() < 2)('a deep model trained on two threads (needs two cores)', () => {
  it('has the same bits for the same seed, stopped and gone on with or not, and learns what one thread does', async () => {
    const whole = await fit(gruModel, 2);
    const kept: Artifact[] = [];
    const stop = new AbortController();
    const stopped = fit(gruModel, 2, {
      signal: stop.signal,
      snapshots: {
        isDue: ({ step }) => step === 3,
        keep: async (snapshot) => {
          kept.push(snapshot);
          stop.abort(new Error('stop'));
        },
      },
    });
    await expect(stopped).rejects.toThrow('stop');
    const resumed = await fit(gruModel, 2, {
      snapshots: { from: kept[0], isDue: () => false, keep: async () => {} },
    });
    expect(weightsOf(resumed.save())).toBe(weightsOf(whole.save()));

    const alone = await fit(gruModel, 1);
    expect(weightsOf(alone.save())).not.toBe(weightsOf(whole.save())); // rounded otherwise
    const lossesOf = ({ report }: typeof whole): number[] => report['losses'] as number[];
    lossesOf(whole).forEach((loss, epoch) => expect(loss).toBeCloseTo(lossesOf(alone)[epoch], 4));
    for (const one of [whole, resumed, alone]) one.dispose?.();
  });

  it('is refused where the symbols of a bar stand together', async () => {
    await expect(fit(graphAttentionModel, 2)).rejects.toThrow('whose symbols stand together');
  });
});
