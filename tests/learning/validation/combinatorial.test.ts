import { expect, test } from 'vitest';
import { z } from 'zod';
import type { FitTask, Model } from '../../../src/core/forecast/model.ts';
import { combinatorial } from '../../../src/learning/validation/combinatorial.ts';
import { HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';

const BARS = 600;
const HORIZON = 3;

/** A model that notes which bars it was shown and holds the number of its fit as its position. */
function witness(shown: number[][]): Model {
  return {
    id: 'witness',
    summary: '',
    kind: 'classical',
    source: '',
    params: z.unknown(),
    features: () => [],
    fit: async ({ panel }: FitTask<unknown>) => {
      shown.push([...panel.series[0].candles.time].map((time) => time / HOUR_MS));
      const number = shown.length;
      return {
        report: {},
        forecast: async (whole) =>
          whole.series.map(({ symbol, candles }) => ({
            symbol,
            horizonBars: HORIZON,
            position: candles.time.map(() => number / 100),
            confidence: candles.time.map(() => 1),
          })),
        save: () => ({ json: undefined, blobs: {} }),
      };
    },
    load: () => Promise.reject(new Error('not used')),
  };
}

test('every path covers every bar once, each by a fit that saw neither it nor a label that touches it', async () => {
  const shown: number[][] = [];
  const { members } = await combinatorial({
    panel: randomPanel(BARS, 1),
    entries: [{ model: witness(shown), params: {} }],
    folds: 6,
    testFolds: 2,
    embargoBars: 5,
    validationPct: 20,
    seed: 1,
    signal: new AbortController().signal,
    onSplit: () => {},
  });
  // One fit to learn the horizon, then 15 = C(6, 2) splits; 5 = 15 * 2 / 6 paths.
  expect(shown).toHaveLength(16);
  expect(members[0].paths).toHaveLength(5);
  for (const [forecast] of members[0].paths) {
    for (let row = 0; row < BARS; row++) {
      const fit = Math.round(100 * forecast.position[row]) - 1;
      expect(Number.isNaN(forecast.position[row])).toBe(false);
      const close = shown[fit].filter((bar) => bar >= row - (HORIZON + 1) && bar <= row + HORIZON + 1);
      expect(close, `bar ${row} by fit ${fit}`).toEqual([]);
    }
  }
  const folds = new Set(members[0].paths.map(([forecast]) => forecast.position[0]));
  expect(folds.size).toBe(5);
});
