import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { exportOnnx, openPredictor } from '../../engine/predictor.ts';
import type { Panel } from '../../dataset/panel.ts';
import { UserError } from '../../foundation/errors.ts';
import { parseTimeframe, type Timeframe } from '../../market/timeframe.ts';
import { ExplanationPart } from '../explanation.ts';
import type { Artifact, FittedModel, Forecast } from '../model.ts';
import type { Architecture, Head } from './architecture.ts';
import { explainNewest, explanationOnnx, type InWords } from './explain.ts';
import type { Trained } from './fit.ts';
import { batchSpec, seriesInputs, type SeriesInputs, windowBatch } from './inputs.ts';
import type { DeepParams } from './params.ts';

/**
 * Windows in one run of the inference graph. Every window has its own place in a batch, counted from the first
 * row of its series, so that a longer series changes nothing in what its neighbours are computed with.
 */
const ROWS = 64;
const ONNX = 'model.onnx';
const EXPLANATION = 'explanation.onnx';

const Sizes = z.strictObject({
  lookBack: z.int().min(1),
  features: z.int().min(1),
  futureBars: z.int().min(0),
  symbols: z.int().min(1),
  outputs: z.int().min(1),
});

const Saved = z.strictObject({
  version: z.literal(1),
  params: z.unknown(),
  timeframe: z.string().transform(parseTimeframe),
  symbols: z.array(z.templateLiteral([z.string(), '/', z.string()])),
  scaler: z.strictObject({ means: z.array(z.number()), deviations: z.array(z.number()) }),
  sizes: Sizes,
  calibration: z.record(z.string(), z.number()),
  report: z.record(z.string(), z.unknown()),
  explanation: z.array(ExplanationPart).optional(),
});
type Saved = z.output<typeof Saved>;

/** A model fresh from training. */
export async function trainedForecaster<Params extends DeepParams>(
  trained: Trained,
  architecture: Architecture<Params>,
  about: { readonly params: Params; readonly timeframe: Timeframe },
): Promise<FittedModel> {
  const { network, parameters, symbols, scaler, sizes, calibration, report, explanation } = trained;
  const onnx = exportOnnx({
    network,
    parameters,
    batch: batchSpec(ROWS, sizes),
    outputs: (pass, inputs) => ({ output: network.forward(pass, inputs).output }),
  });
  const saved = Saved.parse({
    version: 1,
    params: about.params,
    timeframe: about.timeframe,
    symbols,
    scaler,
    sizes,
    calibration,
    report,
    explanation,
  });
  const blobs = { [ONNX]: onnx, ...(explanation && { [EXPLANATION]: explanationOnnx(trained) }) };
  return forecaster(saved, blobs, meaning(architecture, about.params));
}

/** What the network's outputs and explanations mean under these parameters. */
interface Meaning {
  readonly head: Head;
  readonly inWords: InWords | undefined;
}

const meaning = <Params extends DeepParams>(architecture: Architecture<Params>, params: Params): Meaning => ({
  head: architecture.head(params),
  inWords: architecture.explain && ((explanation) => architecture.explain?.(params, explanation) ?? []),
});

/** A model from its checkpoint. Throws when the parameters or the ONNX file are not what they should be. */
export async function loadForecaster<Params extends DeepParams>(
  { json, blobs }: Artifact,
  architecture: Architecture<Params>,
  params: z.ZodType<Params>,
): Promise<FittedModel> {
  const saved = Saved.parse(json);
  return forecaster(saved, blobs, meaning(architecture, params.parse(saved.params)));
}

async function forecaster(
  saved: Saved,
  blobs: Artifact['blobs'],
  { head, inWords }: Meaning,
): Promise<FittedModel> {
  const { sizes, calibration, timeframe, explanation } = saved;
  const onnx = blobs[ONNX];
  if (onnx === undefined) {
    throw new UserError(`The checkpoint has no "${ONNX}".`, {
      hint: 'Restore the file from a backup, or train again.',
    });
  }
  const why = blobs[EXPLANATION];
  const predictor = await openPredictor(onnx, { threads: availableParallelism() });
  // One run at a time: the batch is one set of arrays.
  let queue: Promise<unknown> = Promise.resolve();
  const batch = windowBatch(ROWS, sizes, timeframe);

  async function outputsOf(series: SeriesInputs, sinceMs: number): Promise<Float64Array> {
    const outputs = new Float64Array(series.time.length * sizes.outputs).fill(NaN);
    const wanted = series.ends.filter((row) => series.time[row] >= sinceMs);
    for (let from = 0; from < wanted.length;) {
      const block = Math.floor(wanted[from] / ROWS);
      let to = from;
      for (; to < wanted.length && Math.floor(wanted[to] / ROWS) === block; to++)
        batch.fill(wanted[to] % ROWS, series, wanted[to]);
      const { output } = await predictor.run(batch.feeds);
      for (; from < to; from++) {
        const slot = wanted[from] % ROWS;
        outputs.set(
          output.subarray(slot * sizes.outputs, (slot + 1) * sizes.outputs),
          wanted[from] * sizes.outputs,
        );
      }
    }
    return outputs;
  }

  function inputsOf(panel: Panel): SeriesInputs[] {
    requireSameInputs(panel, saved);
    return seriesInputs(panel, { ...saved, lookBack: sizes.lookBack });
  }

  async function forecast(panel: Panel, sinceMs: number): Promise<Forecast[]> {
    const forecasts: Forecast[] = [];
    for (const series of inputsOf(panel)) {
      const outputs = await outputsOf(series, sinceMs);
      forecasts.push({ symbol: series.symbol, ...head.forecast(outputs, series.volatility, calibration) });
    }
    return forecasts;
  }

  return {
    report: saved.report,
    ...(explanation && { explanation }),
    ...(why &&
      inWords && {
        explain: async (panel: Panel) => explainNewest(why, inputsOf(panel), { sizes, timeframe, inWords }),
      }),
    forecast(panel, { sinceMs = -Infinity } = {}) {
      const made = queue.then(() => forecast(panel, sinceMs));
      queue = made.catch(() => undefined);
      return made;
    },
    save: () => ({ json: saved, blobs }),
    dispose: () => void predictor.dispose(),
  };
}

function requireSameInputs({ timeframe, series }: Panel, { timeframe: trained, sizes }: Saved): void {
  if (timeframe !== trained) {
    throw new UserError(`The model was trained on ${trained} bars, these are ${timeframe} bars.`, {
      hint: `Use --timeframe ${trained}, or train again.`,
    });
  }
  for (const { symbol, features } of series) {
    if (features.columns.length === sizes.features) continue;
    throw new UserError(
      `The model reads ${sizes.features} features, ${symbol} comes with ${features.columns.length}.`,
      { hint: 'Train again: the features in the settings have changed.' },
    );
  }
}
