/**
 * Training and forecasting of one deep model at the size of `train --mode full`, in a process of its own, so that its peak
 * memory is its own: one line of JSON.
 * usage: one.ts <model> [adapt]: with what adapting it takes
 */
import { panelUntil, type Panel, type Series } from '../../src/core/dataset/panel.ts';
import { computeFeatures } from '../../src/core/features/catalogue.ts';
import { createRandom, normal } from '../../src/core/foundation/random.ts';
import { emptyCandles } from '../../src/core/market/candles.ts';
import type { PairSymbol } from '../../src/core/market/symbol.ts';
import { models } from '../../src/learning/models/registry.ts';
import { modelParams } from '../../src/learning/training/plan.ts';
import { peakMb } from '../peak.mjs';

const HOUR = 3_600_000;
const BARS = 17_520;
const BATCH = 64;
const SYMBOLS: readonly PairSymbol[] = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const model = models.find(({ id }) => id === process.argv[2]);
if (!model) throw new Error(`No model "${process.argv[2]}".`);
const params = modelParams(model, 'full', {
  epochs: 1,
  batchSize: BATCH,
  windowsPerEpoch: 768,
  validationWindows: 64,
});
const panel = walkPanel(model.features(params));

/** The first steps of a session lay out its memory, and are slower than the rest. */
const WARM_UP = 3;
const started = performance.now();
const stepEnds: number[] = [];
let firstStepMs: number | undefined;
const fitted = await model.fit({
  panel: panelUntil(panel, 1800 * HOUR),
  params,
  trainUntilMs: 1700 * HOUR,
  seed: 1,
  signal: new AbortController().signal,
  onProgress({ validationLoss, samplesPerSecond }) {
    if (validationLoss === undefined) stepEnds.push(performance.now());
    // Of the steps so far: here of the first alone.
    if (samplesPerSecond !== undefined) firstStepMs ??= (1000 * BATCH) / samplesPerSecond;
  },
});
const trainingPeakMb = peakMb();
await fitted.forecast(panel, { sinceMs: (BARS - 64) * HOUR }); // warm-up
const from = performance.now();
const forecasts = await fitted.forecast(panel);
const forecastMs = performance.now() - from;
const windows = forecasts.reduce(
  (count, { position }) => count + position.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0),
  0,
);
const adaptMs = process.argv[3] === 'adapt' ? await timeToAdapt() : undefined;
fitted.dispose?.();
if (firstStepMs === undefined) throw new Error(`"${model.id}" made no step.`);
console.log(
  JSON.stringify({
    samplesPerSecond:
      (1000 * BATCH) / medianOf(stepEnds.slice(WARM_UP).map((end, i) => end - stepEnds[WARM_UP - 1 + i])),
    openMs: stepEnds[0] - started - firstStepMs,
    firstStepMs,
    forecastMs,
    adaptMs,
    windows,
    peakMb: trainingPeakMb,
  }),
);
process.exit(0);

async function timeToAdapt(): Promise<number> {
  const start = performance.now();
  const adapted = await model?.adapt?.(fitted.save(), {
    ...{ panel, sinceMs: (BARS - 14 * 24) * HOUR, steps: 5, rate: undefined },
    signal: new AbortController().signal,
  });
  adapted?.fitted.dispose?.();
  return performance.now() - start;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Random walks with the features that the model reads. */
function walkPanel(names: readonly string[]): Panel {
  const series = SYMBOLS.map((symbol, s): Series => {
    const random = createRandom(s + 1);
    const candles = emptyCandles(BARS);
    let price = 100;
    for (let row = 0; row < BARS; row++) {
      candles.time[row] = row * HOUR;
      candles.open[row] = price;
      candles.close[row] = price *= Math.exp(0.01 * normal(random));
      candles.high[row] = Math.max(candles.open[row], price) * 1.002;
      candles.low[row] = Math.min(candles.open[row], price) * 0.998;
      candles.volume[row] = 10 + 100 * random();
    }
    return { symbol, candles, features: computeFeatures(names, candles, '1h') };
  });
  return { timeframe: '1h', series };
}
