import { z } from 'zod';
import { exportOnnx, openPredictor } from '../../engine/predictor.ts';
import type { Feeds } from '../../engine/program.ts';
import type { Panel } from '../../../core/dataset/panel.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { longestMs, parseBarLength } from '../../../core/market/bar-length.ts';
import { parseTimeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { Artifact, FittedModel, Forecast } from '../../../core/forecast/model.ts';
import type { Architecture, Head } from './architecture.ts';
import { barBlock, barBlockSpec } from './bar-block.ts';
import { explainNewest, explanationOnnx, type InWords } from './explain.ts';
import type { Trained } from './fit.ts';
import { followBranches } from './follow-branches.ts';
import {
  batchSpec,
  type InputLayout,
  type PanelShape,
  type ReadBranch,
  seriesInputs,
  type SeriesInputs,
  windowBatch,
  without,
} from './inputs.ts';
import { saveWeights, WEIGHTS } from './kept-weights.ts';
import type { DeepParams } from './params.ts';

/**
 * Windows in one run of the inference graph. Every window has its own place in a batch, counted in bars from the
 * epoch, so that neither a longer series nor one that begins earlier changes anything in what it is computed with.
 */
const LEAST_ROWS = 64;
const ONNX = 'model.onnx';
const EXPLANATION = 'explanation.onnx';
const VERSION = 3;

const Saved = z.strictObject({
  version: z.literal(VERSION, {
    error: ({ input }) => `it has version ${String(input)}, version ${VERSION} is read`,
  }),
  params: z.unknown(),
  panel: z.strictObject({
    timeframe: z.string().transform(parseTimeframe),
    features: z.array(z.string()),
    /** Absent in older checkpoints. */
    lengths: z.array(z.string().transform(parseBarLength)).default([]),
  }),
  symbols: z.array(z.templateLiteral([z.string(), '/', z.string()])),
  scalers: z.array(z.strictObject({ means: z.array(z.number()), deviations: z.array(z.number()) })),
  calibration: z.record(z.string(), z.number()),
  report: z.record(z.string(), z.unknown()),
  explanation: z.array(ExplanationPart).optional(),
  /** Inputs that the layout would have and the network was trained without. */
  absent: z.array(z.strictObject({ name: z.string(), reason: z.string() })).optional(),
  /** Index of the weights to go on from: kept-weights.ts. Absent in older checkpoints. */
  weights: z.unknown().optional(),
});
type Saved = z.output<typeof Saved>;

/** What a fit saved, checked. Throws when it is not that. */
export const readSaved = ({ json }: Artifact): Saved => Saved.parse(json);

/** A model fresh from training. */
export async function trainedForecaster<Params extends DeepParams>(
  trained: Trained,
  architecture: Architecture<Params>,
  params: Params,
): Promise<FittedModel> {
  const { network, parameters, layout, panel, symbols, scalers, calibration, report, explanation } = trained;
  const onnx = exportOnnx({
    network,
    parameters,
    batch: inputSpec(architecture, layout, batchRows(layout, symbols)),
    outputs: (pass, inputs) => ({ output: network.forward(pass, inputs).output }),
  });
  const weights = saveWeights(network, trained.kept);
  const saved = Saved.parse({
    version: VERSION,
    params,
    panel,
    symbols,
    scalers,
    calibration,
    report,
    explanation,
    absent: layout.absent,
    weights: weights.index,
  });
  const blobs = {
    [ONNX]: onnx,
    [WEIGHTS]: weights.blob,
    ...(explanation && { [EXPLANATION]: explanationOnnx(trained) }),
  };
  return forecaster(saved, blobs, meaning(architecture, params, saved));
}

const inputSpec = (
  { sharesBars }: Pick<Architecture<never>, 'sharesBars'>,
  layout: InputLayout,
  rows: number,
) => (sharesBars ? barBlockSpec(rows, layout) : batchSpec(rows, layout));

/** What the network's inputs, outputs and explanations mean under these parameters. */
interface Meaning {
  readonly layout: InputLayout;
  readonly sharesBars: boolean;
  readonly head: Head;
  readonly inWords: InWords | undefined;
}

const meaning = <Params extends DeepParams>(
  architecture: Architecture<Params>,
  params: Params,
  { panel, symbols, absent = [] }: Pick<Saved, 'panel' | 'symbols' | 'absent'>,
): Meaning => ({
  layout: without(architecture.inputs(params, panel), absent),
  sharesBars: architecture.sharesBars ?? false,
  head: architecture.head(params),
  inWords:
    architecture.explain &&
    ((explanation) => architecture.explain?.(params, explanation, { ...panel, symbols }) ?? []),
});

/** A model from its checkpoint. Throws when the parameters or the ONNX file are not what they should be. */
export async function loadForecaster<Params extends DeepParams>(
  { json, blobs }: Artifact,
  architecture: Architecture<Params>,
  params: z.ZodType<Params>,
): Promise<FittedModel> {
  const saved = Saved.parse(json);
  return forecaster(saved, blobs, meaning(architecture, params.parse(saved.params), saved));
}

/** Rows of the inference graph: whole bars when the symbols of a bar stand together. */
const batchRows = ({ together }: InputLayout, { length }: readonly PairSymbol[]): number =>
  together ? length * Math.ceil(LEAST_ROWS / length) : LEAST_ROWS;

async function forecaster(
  saved: Saved,
  blobs: Artifact['blobs'],
  { layout, sharesBars, head, inWords }: Meaning,
): Promise<FittedModel> {
  const { symbols, scalers, calibration, panel: shape, explanation } = saved;
  const onnx = blobs[ONNX];
  if (onnx === undefined) {
    throw new UserError(`The checkpoint has no "${ONNX}".`, {
      hint: 'Restore the file from a backup, or train again.',
    });
  }
  const why = blobs[EXPLANATION];
  const predictor = await openPredictor(onnx);
  // One run at a time: the batch is one set of arrays.
  let queue: Promise<unknown> = Promise.resolve();
  const rows = batchRows(layout, symbols);
  const batch = sharesBars ? blockFiller(rows, layout, shape) : batchFiller(rows, layout, shape);

  /** The outputs of every series, [its bars, outputs], `NaN` where it has no window. */
  async function outputsOf(series: readonly SeriesInputs[], sinceMs: number): Promise<Float64Array[]> {
    const outputs = series.map(({ time }) => new Float64Array(time.length * head.outputs).fill(NaN));
    const batches = inBatches(series, { rows, sinceMs, layout, symbols: symbols.length, shape });
    await predictor.runAll({
      count: batches.length,
      feeds(i) {
        batch.fill(batches[i], series);
        return batch.feeds;
      },
      take(i, { output }) {
        for (const { slot, of, row } of batches[i]) {
          const found = output.subarray(slot * head.outputs, (slot + 1) * head.outputs);
          outputs[of].set(found, row * head.outputs);
        }
      },
    });
    return outputs;
  }

  function inputsOf(panel: Panel, sinceMs = -Infinity, read?: ReadBranch): SeriesInputs[] {
    requireSameInputs(panel, saved, layout);
    // Windows that share their bars come in blocks, which begin up to `rows` bars before the first that is wanted.
    const before = sharesBars ? rows * TIMEFRAME_MS[shape.timeframe] : 0;
    return seriesInputs(panel, { symbols, scalers, layout, sinceMs: sinceMs - before, read });
  }

  async function forecast(panel: Panel, sinceMs: number, read?: ReadBranch): Promise<Forecast[]> {
    const series = inputsOf(panel, sinceMs, read);
    const outputs = await outputsOf(series, sinceMs);
    return series.map(({ symbol, volatility }, s) => ({
      symbol,
      ...head.forecast(outputs[s], volatility, calibration),
    }));
  }

  const ask = (panel: Panel, sinceMs = -Infinity, read?: ReadBranch): Promise<Forecast[]> => {
    const made = queue.then(() => forecast(panel, sinceMs, read));
    queue = made.catch(() => undefined);
    return made;
  };
  const step = TIMEFRAME_MS[shape.timeframe];
  // Of longer bars, all parts of the one that is still open.
  const lookBacks = layout.branches.map(({ timeframe, lookBack }) =>
    timeframe === shape.timeframe ? lookBack : longestMs(timeframe) / step,
  );

  return {
    report: saved.report,
    ...(layout.absent && { absent: layout.absent }),
    ...(explanation && { explanation }),
    ...(why &&
      inWords && {
        explain: async (panel: Panel) =>
          explainNewest(why, inputsOf(panel), { layout, timeframe: shape.timeframe, inWords }),
      }),
    forecast: (panel, { sinceMs } = {}) => ask(panel, sinceMs),
    ...(layout.branches.every(({ beside }) => beside !== true) && {
      follow(from) {
        const { read, standing } = followBranches(from);
        return {
          lookBackBars: Math.max(...lookBacks) + (sharesBars ? rows : 0) + 1,
          forecast: (panel: Panel, sinceMs: number) => ask(panel, sinceMs, read),
          standing,
        };
      },
    }),
    save: () => ({ json: saved, blobs }),
    dispose: () => void predictor.dispose(),
  };
}

function requireSameInputs({ timeframe, series }: Panel, saved: Saved, { together }: InputLayout): void {
  const { timeframe: trained, features: names } = saved.panel;
  if (timeframe !== trained) {
    throw new UserError(`The model was trained on ${trained} bars, these are ${timeframe} bars.`, {
      hint: `Use --timeframe ${trained}, or train again.`,
    });
  }
  for (const { symbol, features } of series) {
    if (features.names.join() === names.join()) continue;
    throw new UserError(
      `The model reads the features ${names.join(', ')}; ${symbol} comes with ${features.names.join(', ')}.`,
      { hint: 'Train again: the features in the settings have changed.' },
    );
  }
  const absent = saved.symbols.filter((symbol) => !series.some((one) => one.symbol === symbol));
  if (together && absent.length > 0) {
    throw new UserError(
      `The model reads ${saved.symbols.join(', ')} together; ${absent.join(', ')} is absent.`,
      {
        hint: 'Give it all of its symbols, or train again without them.',
      },
    );
  }
}

interface PlacedWindow {
  /** Row of the batch. */
  readonly slot: number;
  /** Index of the series. */
  readonly of: number;
  readonly row: number;
}

/** The inputs of one run of the inference graph. */
interface GraphInputs {
  readonly feeds: Feeds;
  /** Puts in the windows of one batch. */
  fill(windows: readonly PlacedWindow[], series: readonly SeriesInputs[]): void;
}

function batchFiller(rows: number, layout: InputLayout, { timeframe }: PanelShape): GraphInputs {
  const batch = windowBatch(rows, layout, timeframe);
  return {
    feeds: batch.feeds,
    fill(windows, series) {
      if (layout.together) for (let slot = 0; slot < rows; slot++) batch.clear(slot);
      for (const { slot, of, row } of windows) batch.fill(slot, series[of], row);
    },
  };
}

function blockFiller(rows: number, layout: InputLayout, { timeframe }: PanelShape): GraphInputs {
  const block = barBlock(rows, layout, timeframe);
  return {
    feeds: block.feeds,
    fill([{ slot, of, row }], series) {
      block.fill(series[of], series[of].time[row] / TIMEFRAME_MS[timeframe] - slot);
    },
  };
}

/** The windows from `sinceMs` on, batch by batch, each in the place that is its own. */
function inBatches(
  series: readonly SeriesInputs[],
  options: {
    readonly rows: number;
    readonly sinceMs: number;
    readonly layout: InputLayout;
    readonly symbols: number;
    readonly shape: PanelShape;
  },
): readonly (readonly PlacedWindow[])[] {
  const { rows, sinceMs, layout, symbols, shape } = options;
  const batches = new Map<string, PlacedWindow[]>();
  series.forEach(({ time, ends, symbolIndex }, of) => {
    for (const row of ends) {
      if (time[row] < sinceMs) continue;
      const bar = time[row] / TIMEFRAME_MS[shape.timeframe];
      const place = layout.together ? bar * symbols + symbolIndex : bar;
      const key = `${layout.together ? '' : of} ${Math.floor(place / rows)}`;
      const windows = batches.get(key);
      if (windows) windows.push({ slot: place % rows, of, row });
      else batches.set(key, [{ slot: place % rows, of, row }]);
    }
  });
  return [...batches.values()];
}
