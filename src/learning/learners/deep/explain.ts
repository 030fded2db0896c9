import { exportOnnx, openPredictor } from '../../engine/predictor.ts';
import { lowerBound } from '../../../core/market/candles.ts';
import type { Timeframe } from '../../../core/market/timeframe.ts';
import type { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { Trained } from './fit.ts';
import { batchSpec, type InputLayout, type SeriesInputs, type WindowBatch, windowBatch } from './inputs.ts';

/** What makes the network's explanation readable: `Architecture.explain` with its parameters. */
export type InWords = (explanation: Readonly<Record<string, Float32Array>>) => readonly ExplanationPart[];

/**
 * The network as an ONNX file that answers with its explanation of one window (of one bar, where symbols stand together). It is beside the one that forecasts,
 * which so stays free to be compiled for speed alone; it is opened only when somebody asks why.
 */
export const explanationOnnx = ({ network, parameters, layout, symbols }: Trained): Uint8Array =>
  exportOnnx({
    network,
    parameters,
    batch: batchSpec(layout.together ? symbols.length : 1, layout),
    outputs: (pass, inputs) => network.forward(pass, inputs).explanation ?? {},
  });

/** Explains the newest bar of every series; nothing where it does not end a complete window. */
export async function explainNewest(
  onnx: Uint8Array,
  series: readonly SeriesInputs[],
  {
    layout,
    timeframe,
    inWords,
  }: { readonly layout: InputLayout; readonly timeframe: Timeframe; readonly inWords: InWords },
): Promise<readonly (readonly ExplanationPart[])[]> {
  const predictor = await openPredictor(onnx);
  try {
    const batch = windowBatch(layout.together ? series.length : 1, layout, timeframe);
    const explained: (readonly ExplanationPart[])[] = [];
    for (const one of series) {
      const newest = one.time.length - 1;
      if (one.ends[one.ends.length - 1] !== newest) {
        explained.push([]);
        continue;
      }
      if (layout.together) fillBar(batch, series, one.time[newest]);
      else batch.fill(0, one, newest);
      explained.push(inWords(await predictor.run(batch.feeds)));
    }
    return explained;
  } finally {
    await predictor.dispose();
  }
}

/** All symbols at the bar that opened at `time`, those without a window there masked. */
function fillBar(batch: WindowBatch, series: readonly SeriesInputs[], time: number): void {
  for (const one of series) {
    const row = lowerBound(one.time, time);
    if (one.time[row] === time && one.ends.includes(row)) batch.fill(one.symbolIndex, one, row);
    else batch.clear(one.symbolIndex);
  }
}
