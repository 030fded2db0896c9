import { expect, test } from 'vitest';
import { computeFeatures } from '../../../../src/core/features/catalogue.ts';
import type { Artifact, FittedModel } from '../../../../src/core/forecast/model.ts';
import { gruModel } from '../../../../src/learning/models/gru/index.ts';
import { walk } from '../../../support/candles.ts';

const SMALL = { lookBack: 8, epochs: 3, windowsPerEpoch: 128, validationWindows: 64, hidden: 4, layers: 1 };

const candles = walk(900, { startMs: 0, seed: 4 });
const features = [...gruModel.features(gruModel.params.parse(SMALL))];
const panel = {
  timeframe: '1h' as const,
  series: [{ symbol: 'BTC/USDT' as const, candles, features: computeFeatures(features, candles, '1h') }],
};

/** A fit that learns next to nothing shows where it began. */
function fit(params: Readonly<Record<string, number>>, warm?: Artifact) {
  const epochs: number[] = [];
  let last: Artifact | undefined;
  const fitted = gruModel.fit({
    panel,
    params: gruModel.params.parse({ ...SMALL, ...params }),
    trainUntilMs: 700 * 3_600_000,
    seed: 5,
    signal: new AbortController().signal,
    onProgress: ({ epoch, validationLoss }) => {
      if (validationLoss !== undefined) epochs.push(epoch ?? 0);
    },
    ...(warm && { warm }),
    snapshots: { isDue: ({ endOfEpoch }) => endOfEpoch === true, keep: async (one) => void (last = one) },
  });
  return fitted.then((model) => ({ model, epochs, snapshot: () => last }));
}

const probabilities = async (model: FittedModel): Promise<number[]> => {
  const [{ probabilityUp = new Float64Array() }] = await model.forecast(panel, { sinceMs: 800 * 3_600_000 });
  return [...probabilityUp.subarray(800)];
};

const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

test('a network begins from the best weights of an earlier fit, and takes a third of the passes', async () => {
  const learned = await fit({ learningRate: 0.01 });
  const still = { learningRate: 1e-12, weightDecay: 0 };
  const warm = await fit(still, learned.snapshot());
  const cold = await fit(still);
  const [there, begun, elsewhere] = await Promise.all(
    [learned, warm, cold].map(({ model }) => probabilities(model)),
  );
  expect(learned.epochs).toEqual([1, 2, 3]);
  expect(warm.epochs).toEqual([1]);
  expect(apart(there, elsewhere)).toBeGreaterThan(1e-3);
  expect(apart(there, begun)).toBeLessThan(apart(there, elsewhere) / 10);
});

test('a snapshot of another network is refused', async () => {
  const { snapshot } = await fit({ hidden: 5 });
  await expect(fit({}, snapshot())).rejects.toThrow('belongs to another architecture');
});
