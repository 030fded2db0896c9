import { parentPort, workerData } from 'node:worker_threads';
import { computeFeatures } from '../../core/features/catalogue.ts';
import { type ComputedPiece, type FeatureTask, take } from './feature-threads.ts';

/** One thread of `computeColumns`: takes pieces until none is left. */
const task = workerData as FeatureTask;
for (let p = take(task); p < task.pieces.length; p = take(task)) {
  const { s, names } = task.pieces[p];
  const { columns } = computeFeatures(names, task.candles[s], task.timeframe);
  parentPort?.postMessage(
    { p, columns } satisfies ComputedPiece,
    columns.map(({ buffer }) => buffer as ArrayBuffer),
  );
}
