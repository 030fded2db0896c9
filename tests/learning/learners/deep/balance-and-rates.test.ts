import { describe, expect, it } from 'vitest';
import { directionHead } from '../../../../src/learning/learners/deep/direction-head.ts';
import { rateOf } from '../../../../src/learning/learners/deep/rate-params.ts';
import { tf } from '../../../../src/learning/engine/tf.ts';
import type { FitTask } from '../../../../src/core/forecast/model.ts';
import { graphAttentionModel } from '../../../../src/learning/models/graph-attention/index.ts';
import { gruModel } from '../../../../src/learning/models/gru/index.ts';
import { multiTask } from '../../../../src/learning/models/multi-task/index.ts';
import { multiTaskHead } from '../../../../src/learning/models/multi-task/head.ts';
import { tft } from '../../../../src/learning/models/tft/index.ts';
import { labelledUntil, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const RULE = { horizonBars: 1, buyAbove: 0.5, sellBelow: 0.5, minimumConfidence: 0.5 };

describe('the loss of a direction', () => {
  const loss = (logit: number, change: number, focalGamma: number, positiveShare = 0.5): number =>
    directionHead({ ...RULE, focalGamma })
      .rowLosses(tf.tensor2d([logit], [1, 1]), tf.tensor2d([change], [1, 1]), { positiveShare })
      .dataSync()[0];
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

  it.each([
    [1.5, 0.02],
    [1.5, -0.02],
    [-3, 0.02],
  ])(
    'is focal with a gamma: (1 - p)^gamma times the cross-entropy, at logit %d and return %d',
    (logit, change) => {
      const p = change > 0 ? sigmoid(logit) : sigmoid(-logit);
      expect(loss(logit, change, 2)).toBeCloseTo((1 - p) ** 2 * -Math.log(p), 5);
      expect(loss(logit, change, 0)).toBeCloseTo(-Math.log(p), 5);
    },
  );

  it('weighs a rise by how rare rises are', () => {
    expect(loss(0, 1, 0, 0.2)).toBeCloseTo(Math.LN2 / 0.4, 5);
    expect(loss(0, -1, 0, 0.2)).toBeCloseTo(Math.LN2 / 1.6, 5);
  });
});

it('the classes of several tasks are weighed and made focal each by itself', () => {
  const rule = multiTask.params.parse({ focalGamma: 1 });
  const row = [...[2, 0, 0], 0, ...[0, 0, 0, 0], 0, ...[0, 0, 0, 0]];
  const targets = tf.tensor2d([-9, 0, 3], [1, 3]); // down, high volatility
  const shares = [
    [0.5, 0.25, 0.25],
    [0.4, 0.4, 0.1, 0.1],
  ];
  const head = multiTaskHead(rule);
  const [loss] = head
    .rowLosses(tf.tensor2d(row, [1, 13]), targets, { positiveShare: 0.5, shares })
    .dataSync();
  const p = Math.exp(2) / (Math.exp(2) + 2);
  const direction = (1 / 1.5) * (1 - p) * -Math.log(p);
  const regime = (1 / 0.4) * 0.75 * Math.log(4);
  expect(loss).toBeCloseTo(direction + regime + 0.5, 5);
  expect(head.questions?.map((question) => question.of(Float32Array.of(-9, 0, 3), 0))).toEqual([0, 3]);
});

describe('the learning rate', () => {
  const plan = { learningRate: 1, plateauFactor: 0.5, plateauPatience: 1 };
  it.each([
    ['constant', [1, 1, 1]],
    ['one-cycle', [0.04, 1, 4e-6]],
    ['cosine', [1, 1, 0.0341]],
  ] as const)('runs as %s says', (schedule, [first, third, last]) => {
    const rate = rateOf({ ...plan, schedule }, 10);
    expect(rate(0, [])).toBeCloseTo(first, 3);
    expect(rate(schedule === 'cosine' ? 1 : 2, [])).toBeCloseTo(third, 3);
    expect(rate(9, [])).toBeCloseTo(last, 1);
  });

  it('falls after epochs without gain, from their losses alone', () => {
    const rate = rateOf({ ...plan, schedule: 'plateau' }, 10);
    expect(rate(99, [3, 2])).toBe(1);
    expect(rate(99, [3, 2, 2, 2])).toBe(0.5);
    expect(rate(99, [3, 2, 2, 2, 2, 2])).toBe(0.25);
  });
});

const panel = plantedPanel(400, { shuffled: false });
const SMALL = {
  features: PLANTED_FEATURES,
  lookBack: 4,
  hidden: 4,
  layers: 1,
  batchSize: 32,
  epochs: 1,
  windowsPerEpoch: 128,
};
const fit = (
  params: Readonly<Record<string, unknown>>,
  model = gruModel,
  more: Partial<FitTask<never>> = {},
) =>
  model.fit({
    panel,
    params: model.params.parse({ ...SMALL, horizonBars: 1, ...params }),
    trainUntilMs: labelledUntil(300),
    seed: 1,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  });
const bits = async (training: ReturnType<typeof fit>): Promise<string> =>
  Buffer.from((await training).save().blobs['model.onnx']).toString('base64');

describe('training', () => {
  it.each([
    ['jitter', { jitter: 0.1 }],
    ['scaling', { scaling: 0.2 }],
    ['timeWarp', { timeWarp: 0.5 }],
    ['mixup', { mixup: 0.4 }],
    ['smote', { smote: 1 }],
    ['focalGamma', { focalGamma: 2 }],
    ['classWeights', { classWeights: 'none' }],
    ['schedule', { schedule: 'one-cycle' }],
    ['layers', { layers: 2 }],
  ])('by another %s gives other weights, the same ones every time', async (_, params) => {
    const [plain, changed, again] = [await bits(fit({})), await bits(fit(params)), await bits(fit(params))];
    expect(changed).not.toBe(plain);
    expect(again).toBe(changed);
  });

  it('in parts whose gradients are added up takes the same steps', async () => {
    const losses = async (params: object): Promise<number[]> => (await fit({ dropout: 0, ...params })).report['losses'] as number[]; // prettier-ignore
    const [whole, parts] = [await losses({}), await losses({ accumulate: 4 })];
    expect(parts[0]).toBeCloseTo(whole[0], 5);
    await expect(fit({ accumulate: 5 })).rejects.toThrow('does not divide into 5 parts');
  });

  it('makes synthetic windows of training windows alone: what lies after the training end changes nothing', async () => {
    const trainUntilMs = labelledUntil(250);
    const cut = labelledUntil(250) + 80 * 3_600_000;
    const changedLater = {
      ...panel,
      series: panel.series.map((one) => ({
        ...one,
        features: {
          ...one.features,
          columns: one.features.columns.map((column, c) =>
            column.map((value, row) => (c > 0 && one.candles.time[row] > cut ? value * 3 : value)),
          ),
        },
      })),
    };
    const params = { smote: 1, jitter: 0.1, mixup: 0.5, timeWarp: 0.3 };
    const [before, after] = [
      await fit(params, gruModel, { trainUntilMs }),
      await fit(params, gruModel, { trainUntilMs, panel: changedLater }),
    ];
    expect(before.report['syntheticWindows']).toBeGreaterThan(0);
    expect(after.report['losses']).toEqual(before.report['losses']);
    expect(after.report['validationLosses']).not.toEqual(before.report['validationLosses']);
  });

  it('refuses what cannot be done with symbols that stand together', async () => {
    const together = (params: object) => fit({ heads: 1, ...params }, graphAttentionModel);
    await expect(together({ smote: 1 })).rejects.toThrow('whose symbols stand together');
    await expect(together({ mixup: 1 })).rejects.toThrow('whose symbols stand together');
    await expect(together({ accumulate: 2 })).rejects.toThrow('whose symbols stand together');
    expect(await bits(together({ jitter: 0.2 }))).not.toBe(await bits(together({})));
  });

  it('takes as many layers of a Temporal Fusion Transformer as are asked for', async () => {
    const { horizonBars: _, ...params } = {
      ...SMALL,
      horizonBars: 1,
      horizonsBars: [1],
      decisionBars: 1,
      heads: 1,
    };
    const size = async (layers: number): Promise<number> =>
      (await tft.fit({
        ...{ panel, trainUntilMs: labelledUntil(300), seed: 1, onProgress: () => {} },
        params: tft.params.parse({ ...params, layers }),
        signal: new AbortController().signal,
      })).report['parameters'] as number; // prettier-ignore
    // One more LSTM of 4 units in the encoder and in the decoder: 4 x 4 x (4 + 4) weights and 2 x 16 biases each.
    expect((await size(2)) - (await size(1))).toBe(2 * (128 + 32));
  });
});
