import { expect, it } from 'vitest';
import { z } from 'zod';
import { refit } from '../../../src/learning/validation/refit.ts';
import type { FitTask, Model } from '../../../src/core/forecast/model.ts';
import { HOUR_MS, randomPanel } from '../../lab/backtest/panel-of.ts';

const panel = randomPanel(1000, 3);
const hours = (from: number, until: number) => ({ fromMs: from * HOUR_MS, untilMs: until * HOUR_MS });

/** What a model is handed for a fold. */
async function handed(fold: Parameters<typeof refit>[1]): Promise<FitTask<unknown> | undefined> {
  let seen: FitTask<unknown> | undefined;
  const model: Model = {
    id: 'witness',
    summary: '',
    kind: 'classical',
    source: '',
    params: z.unknown(),
    features: () => [],
    fit: async (task) => {
      seen = task;
      return { report: {}, forecast: async () => [], save: () => ({ json: 1, blobs: {} }) };
    },
    load: () => Promise.reject(new Error('not used')),
  };
  const task = { panel, validationPct: 10, seed: 1, signal: new AbortController().signal };
  await refit({ model, params: undefined }, fold, task);
  return seen;
}

it('shows a model the bars of the training span and no other', async () => {
  const seen = await handed({ train: hours(200, 600), test: hours(624, 700) });
  for (const { candles } of seen?.panel.series ?? []) {
    expect([candles.time[0] / HOUR_MS, candles.time[candles.time.length - 1] / HOUR_MS]).toEqual([200, 599]);
  }
  // 10 % of 400 bars are for validation.
  expect(seen?.trainUntilMs).toBe(560 * HOUR_MS);
});

it('refuses a fold whose training span reaches into its test span', async () => {
  await expect(handed({ train: hours(200, 601), test: hours(600, 700) })).rejects.toThrow(
    'trained on bars before',
  );
});
