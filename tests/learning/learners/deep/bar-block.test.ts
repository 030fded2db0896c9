import { expect, it } from 'vitest';
import type { FeatureColumn, Panel } from '../../../../src/core/dataset/panel.ts';
import { createPredictor } from '../../../../src/learning/engine/predictor.ts';
import type { BatchSpec } from '../../../../src/learning/engine/program.ts';
import { initialParameters } from '../../../../src/learning/engine/weights.ts';
import { barBlock, barBlockSpec } from '../../../../src/learning/learners/deep/bar-block.ts';
import {
  batchSpec,
  CALENDAR_INPUTS,
  fitScalers,
  oneWindow,
  seriesInputs,
  shapeOf,
  windowBatch,
} from '../../../../src/learning/learners/deep/inputs.ts';
import { tftNetwork } from '../../../../src/learning/models/tft/network.ts';
import { distance } from '../../engine/golden.ts';
import { plantedPanel } from './planted.ts';

const [WINDOWS, LOOK_BACK, FUTURE, MISSING] = [16, 6, 3, 40];

/** Random walks, of which the second lacks a bar. */
function panel(): Panel {
  const { timeframe, series } = plantedPanel(60, { shuffled: false });
  const [whole, { symbol, candles, features }] = series;
  const without = (column: FeatureColumn): Float64Array =>
    Float64Array.from(column).filter((_, row) => row !== MISSING);
  const { time, open, high, low, close, volume } = candles;
  const [t, o, h, l, c, v] = [time, open, high, low, close, volume].map(without);
  return {
    timeframe,
    series: [
      whole,
      {
        symbol,
        candles: { ...candles, time: t, open: o, high: h, low: l, close: c, volume: v },
        features: { ...features, columns: features.columns.map(without) },
      },
    ],
  };
}

it('the Temporal Fusion Transformer says the same of consecutive windows and of their bars, across a gap too', async () => {
  const data = panel();
  const layout = oneWindow({ lookBack: LOOK_BACK }, shapeOf(data), FUTURE);
  const scalers = fitScalers(data, layout, Infinity);
  const symbols = data.series.map(({ symbol }) => symbol);
  const [, series] = seriesInputs(data, { symbols, scalers, layout });
  const network = tftNetwork({
    hidden: 8,
    heads: 2,
    dropout: 0.1,
    lookBack: LOOK_BACK,
    futureBars: FUTURE,
    outputBars: [1, 3],
    outputsPerBar: 3,
    observedInputs: 3,
    knownInputs: CALENDAR_INPUTS.length,
    symbols: 2,
  });
  const open = (batch: BatchSpec) =>
    createPredictor({
      network,
      parameters: initialParameters(network.parameters, 1),
      batch,
      outputs: (pass, inputs) => ({ output: network.forward(pass, inputs).output }),
    });

  const first = 32;
  const block = barBlock(WINDOWS, layout, '1h');
  block.fill(series, series.time[0] / 3_600_000 + first);
  const byBar = await open(barBlockSpec(WINDOWS, layout));
  const shared = (await byBar.run(block.feeds)).output;

  const batch = windowBatch(WINDOWS, layout, '1h');
  const ends = Array.from(series.ends).filter((row) => row >= first);
  const bars = ends.map((row) => (series.time[row] - series.time[0]) / 3_600_000);
  const slots = bars.map((bar) => bar - first).filter((slot) => slot < WINDOWS);
  slots.forEach((slot, i) => batch.fill(slot, series, ends[i]));
  const byWindow = await open(batchSpec(WINDOWS, layout));
  const alone = (await byWindow.run(batch.feeds)).output;
  await Promise.all([byBar.dispose(), byWindow.dispose()]);

  expect(slots).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 14, 15]); // none from the missing bar until it is out of sight
  const complete = (outputs: Float32Array) =>
    slots.flatMap((slot) => [...outputs.subarray(6 * slot, 6 * slot + 6)]);
  expect(distance(complete(shared), complete(alone))).toBeLessThan(1e-6);
  expect(new Set(complete(shared)).size).toBe(6 * slots.length);
});
