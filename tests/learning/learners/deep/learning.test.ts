import { describe, expect, it } from 'vitest';
import { panelUntil } from '../../../../src/core/dataset/panel.ts';
import { models } from '../../../../src/learning/models/registry.ts';
import { modelParams } from '../../../../src/learning/training/plan.ts';
import { hitRate, labelledUntil, oneBarAhead, PLANTED_FEATURES, plantedPanel } from './planted.ts';

const [TRAIN, VALIDATE, ROWS] = [1000, 1400, 2000];

const SMALL = {
  features: PLANTED_FEATURES,
  lookBack: 4,
  batchSize: 32,
  epochs: 8,
  learningRate: 5e-3,
};

describe.each(models.filter(({ kind }) => kind === 'deep').map((model) => [model.id, model] as const))(
  '%s',
  (id, model) => {
    const trained = async (shuffled: boolean) => {
      const panel = plantedPanel(ROWS, { shuffled });
      const fitted = await model.fit({
        panel: panelUntil(panel, labelledUntil(VALIDATE)),
        params: modelParams(model, 'quick', { ...SMALL, ...oneBarAhead(id) }),
        trainUntilMs: labelledUntil(TRAIN),
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      });
      const forecasts = await fitted.forecast(panel);
      const { explanation: explained = [] } = fitted;
      fitted.dispose?.();
      return { ...hitRate(panel, forecasts, VALIDATE), explained };
    };

    // Signal and noise of equal size correlate with the return by 1 / sqrt(2), so that the best possible
    // forecast has the right sign in 1/2 + asin(1 / sqrt(2)) / pi = 75 % of the bars.
    it('finds the right side of at least 70 % of new bars when a noisy input tells it, of 75 % possible', async () => {
      const { share, explained } = await trained(false);
      expect(share).toBeGreaterThan(0.7);
      const inputs = explained.find(({ title }) => title === 'inputs of the past');
      if (inputs?.kind === 'importance') {
        expect(inputs.names.indexOf('hint')).toBeLessThan(inputs.names.indexOf('noise'));
      }
    });

    it('is right by chance only when that input tells of other bars', async () => {
      const { share, samples } = await trained(true);
      expect(Math.abs(share - 0.5)).toBeLessThan(3.3 * Math.sqrt(0.25 / samples));
    });
  },
);
