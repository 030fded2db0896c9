import { parentPort, workerData } from 'node:worker_threads';
import { catalogue, roundedSteps } from '../../core/features/catalogue.ts';
import { finish } from '../../core/foundation/steps.ts';
import { type ComputedPiece, type FeatureTask, take } from './feature-threads.ts';

/** One thread of `computeColumns`: takes pieces until none is left. */
const task = workerData as FeatureTask;
for (let p = take(task); p < task.pieces.length; p = take(task)) {
  const { s, names } = task.pieces[p];
  const { single, timeframe } = task;
  const of = { candles: task.candles[s], timeframe, inputs: {}, known: catalogue };
  const { columns } = finish(roundedSteps(names, single, of));
  parentPort?.postMessage(
    { p, columns } satisfies ComputedPiece,
    columns.map(({ buffer }) => buffer as ArrayBuffer),
  );
}
