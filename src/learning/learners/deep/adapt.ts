import { availableParallelism } from 'node:os';
import type { z } from 'zod';
import { labelEndMs } from '../../../core/dataset/labels.ts';
import type { Adapted, AdaptTask, Artifact } from '../../../core/forecast/model.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createExecutor } from '../../engine/executor.ts';
import type { Feeds } from '../../engine/program.ts';
import { adaptationProgram } from '../continual/meta.ts';
import { type Architecture, networkSizes } from './architecture.ts';
import { batchFiller } from './batches.ts';
import { classBalance } from './class-balance.ts';
import { meanLoss } from './epochs.ts';
import { type Examples, findExamples } from './examples.ts';
import { readSaved, trainedForecaster } from './forecaster.ts';
import { batchSpec, type SeriesInputs, seriesInputs, without } from './inputs.ts';
import { loadWeights } from './kept-weights.ts';
import type { DeepParams } from './params.ts';

/** Most windows that an adaptation is judged on. */
const MOST_QUERIES = 256;

/**
 * Inner steps from the weights that a fit saved, on `supportWindows` windows at most, evenly spread over the first half of the
 * bars since `sinceMs`; judged on windows that open when the last of their labels is known. What calibrates and scales is the
 * fit's own.
 */
export async function adaptDeep<Params extends DeepParams>(
  architecture: Architecture<Params>,
  schema: z.ZodType<Params>,
  artifact: Artifact,
  task: AdaptTask,
): Promise<Adapted> {
  const saved = readSaved(artifact);
  const params = schema.parse(saved.params);
  const { panel, sinceMs, steps = params.innerSteps, rate = params.innerRate } = task;
  const { symbols, scalers, absent = [] } = saved;
  const layout = without(architecture.inputs(params, saved.panel), absent);
  if (layout.together)
    throw new UserError('A model whose symbols stand together cannot be adapted yet.', {
      hint: 'Go on with new bars instead: crypto-trader train --from <run>.',
    });
  const head = architecture.head(params);
  const sizes = networkSizes(layout, { symbols: symbols.length, outputs: head.outputs });
  const network = architecture.network(params, sizes);
  const kept = loadWeights(network, artifact);
  const inputs = seriesInputs(panel, { symbols, scalers, layout });
  const { horizonBars, width } = head.targets;
  const labels = head.targets.of(panel, Infinity);
  const span = { fromMs: sinceMs, untilMs: Infinity };
  const examples = findExamples(panel, inputs, labels.columns, {
    ...span,
    horizonBars,
    least: 2,
    together: false,
  });
  const { support, query } = parted(examples, inputs, {
    most: params.supportWindows,
    labelEnd: (openedMs) => labelEndMs(openedMs, panel.timeframe, horizonBars),
  });
  const loss = meanLoss(network, head, classBalance(head, examples, { classWeights: 'none' }));
  const batchOf = (rows: number) => ({
    ...batchSpec(rows, layout),
    targets: { shape: [rows, width], type: 'float32' as const },
  });
  const program = adaptationProgram(
    { network, loss, batch: batchOf(support.length) },
    {
      method: params.meta === 'anil' ? 'anil' : 'first-order',
      innerRate: rate,
      // One step, run again and again: the graph is smaller, and Ctrl-C is heard between steps.
      innerSteps: 1,
      queryRows: query.length,
      judgesStart: true,
    },
  );
  // Most of a step judges hundreds of windows: two threads halve it.
  const executor = await createExecutor(program, { threads: availableParallelism() });
  let parameters = kept.parameters;
  const queryLosses: number[] = [];
  try {
    const feedsOf = (chosen: Int32Array, prefix: string): Feeds => {
      const source = { task: { panel, params, seed: 0 }, layout, batchSize: chosen.length, inputs };
      const feeds = batchFiller(source, examples)(chosen, 0);
      return Object.fromEntries(Object.entries(feeds).map(([name, values]) => [prefix + name, values]));
    };
    const batch = { ...feedsOf(support, 'support.'), ...feedsOf(query, 'query.') };
    for (let step = 0; step <= steps; step++) {
      task.signal.throwIfAborted();
      const losses = new Float32Array(1);
      const next = new Float32Array(parameters.length);
      const results = { 'parameters.next': next, losses };
      await executor.run({ ...batch, parameters }, results, () => new Float32Array());
      queryLosses.push(losses[0]);
      // The last run only judges.
      if (step < steps) parameters = next;
    }
  } finally {
    await executor.release();
  }
  if (!queryLosses.every(Number.isFinite))
    throw new UserError('The adaptation diverged.', { hint: 'Lower --rate, or take fewer --steps.' });
  const fitted = await trainedForecaster(
    {
      ...{ network, layout, panel: saved.panel, parameters, symbols, scalers },
      calibration: saved.calibration,
      // A network that was trained to adapt goes on from where it learned that.
      kept: params.meta === 'none' ? { parameters } : kept,
      report: {
        ...saved.report,
        adaptation: { steps, rate, supportWindows: support.length, queryWindows: query.length, queryLosses },
      },
    },
    architecture,
    params,
  );
  const firstQuery = query[0];
  return {
    fitted,
    supportWindows: support.length,
    queryWindows: query.length,
    queryFromMs: inputs[examples.series[firstQuery]].time[examples.row[firstQuery]],
    queryLosses,
  };
}

/** Windows to learn from and windows to be judged on, in order of time, no label of the first reaching into the others. */
function parted(
  { series, row, count }: Examples,
  inputs: readonly SeriesInputs[],
  of: { readonly most: number; readonly labelEnd: (openedMs: number) => number },
): { readonly support: Int32Array; readonly query: Int32Array } {
  const openedMs = (example: number): number => inputs[series[example]].time[row[example]];
  const all = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => openedMs(a) - openedMs(b));
  const middleMs = (openedMs(all[0]) + openedMs(all[count - 1])) / 2;
  const support = spread(
    all.filter((example) => openedMs(example) <= middleMs),
    of.most,
  );
  const knownMs = Math.max(...Array.from(support, (example) => of.labelEnd(openedMs(example))));
  const query = spread(
    all.filter((example) => openedMs(example) >= knownMs),
    MOST_QUERIES,
  );
  if (query.length > 0) return { support, query };
  throw new UserError(`Only ${count} labelled windows were found, none of them behind those to learn from.`, {
    hint: 'Go further back: --since 28d.',
  });
}

const spread = (all: Int32Array, most: number): Int32Array => {
  const count = Math.min(most, all.length);
  return Int32Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]);
};
