import { panelUntil, type Panel, type Series } from '../src/dataset/panel.ts';
import { computeFeatures } from '../src/features/catalogue.ts';
import { createRandom, normal } from '../src/foundation/random.ts';
import { emptyCandles } from '../src/market/candles.ts';
import type { FitProgress, Model } from '../src/models/model.ts';
import { models } from '../src/models/registry.ts';
import { modelParams } from '../src/training/plan.ts';
import type { BenchRow } from './bench.ts';

const HOUR = 3_600_000;
const BARS = 1200;
/** Three symbols of 17 520 hourly bars. */
const REFERENCE_BARS = 3 * 17_520;

/** Training and forecasting of every deep model, at the size of `train --mode full`, one epoch of a few steps. */
export async function run(): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const model of models.filter(({ kind }) => kind === 'deep')) rows.push(...(await measure(model)));
  return rows;
}

async function measure(model: Model): Promise<BenchRow[]> {
  const params = modelParams(model, 'full', { epochs: 1, windowsPerEpoch: 512, validationWindows: 64 });
  const panel = walkPanel(model.features(params));
  let last: FitProgress = { step: 0, steps: 0 };
  const fitted = await model.fit({
    panel: panelUntil(panel, 1000 * HOUR),
    params,
    trainUntilMs: 900 * HOUR,
    seed: 1,
    signal: new AbortController().signal,
    onProgress: (progress) => (last = progress),
  });
  await fitted.forecast(panel, { sinceMs: (BARS - 64) * HOUR }); // warm-up
  const started = performance.now();
  const forecasts = await fitted.forecast(panel);
  const seconds = (performance.now() - started) / 1000;
  const windows = forecasts[0].position.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  fitted.dispose?.();
  const note = `projected from ${windows} windows`;
  return [
    {
      name: `${model.id}: training`,
      value: last.samplesPerSecond ?? NaN,
      unit: 'windows/s',
      note: 'one session, optimiser included',
    },
    {
      name: `${model.id}: forecasts of 3 x 17 520 bars`,
      value: (seconds / windows) * REFERENCE_BARS,
      unit: 's',
      note,
      ...(TARGETS[model.id] !== undefined && { target: TARGETS[model.id] }),
    },
  ];
}

const TARGETS: Readonly<Record<string, string>> = { tft: '<= 60 s', 'lstm-cnn': '<= 20 s' };

function walkPanel(names: readonly string[]): Panel {
  const random = createRandom(1);
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
  const series: Series = { symbol: 'BTC/USDT', candles, features: computeFeatures(names, candles, '1h') };
  return { timeframe: '1h', series: [series] };
}
