import { exportOnnx, openPredictor } from '../../engine/predictor.ts';
import type { Timeframe } from '../../market/timeframe.ts';
import type { ExplanationPart } from '../explanation.ts';
import type { Trained } from './fit.ts';
import { batchSpec, type SeriesInputs, windowBatch, type WindowSizes } from './inputs.ts';

/** What makes the network's explanation readable: `Architecture.explain` with its parameters. */
export type InWords = (explanation: Readonly<Record<string, Float32Array>>) => readonly ExplanationPart[];

/**
 * The network as an ONNX file that answers with its explanation of one window. It is beside the one that forecasts,
 * which so stays free to be compiled for speed alone; it is opened only when somebody asks why.
 */
export const explanationOnnx = ({ network, parameters, sizes }: Trained): Uint8Array =>
  exportOnnx({
    network,
    parameters,
    batch: batchSpec(1, sizes),
    outputs: (pass, inputs) => network.forward(pass, inputs).explanation ?? {},
  });

/** Explains the newest bar of every series; nothing where it does not end a complete window. */
export async function explainNewest(
  onnx: Uint8Array,
  series: readonly SeriesInputs[],
  {
    sizes,
    timeframe,
    inWords,
  }: { readonly sizes: WindowSizes; readonly timeframe: Timeframe; readonly inWords: InWords },
): Promise<readonly (readonly ExplanationPart[])[]> {
  const predictor = await openPredictor(onnx);
  try {
    const batch = windowBatch(1, sizes, timeframe);
    const explained: (readonly ExplanationPart[])[] = [];
    for (const one of series) {
      const newest = one.time.length - 1;
      if (one.ends[one.ends.length - 1] !== newest) {
        explained.push([]);
        continue;
      }
      batch.fill(0, one, newest);
      explained.push(inWords(await predictor.run(batch.feeds)));
    }
    return explained;
  } finally {
    await predictor.dispose();
  }
}
