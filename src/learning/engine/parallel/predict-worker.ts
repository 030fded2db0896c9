import { parentPort, workerData } from 'node:worker_threads';
import type { Feeds } from '../program.ts';
import { arraysOf, openSession } from '../session.ts';
import type { PredictTask } from './predict.ts';
import { countAtExit } from './threads.ts';

/** One thread of a parallel forecast: a message with inputs is answered by the outputs, any other ends it. */
const { model, left } = workerData as PredictTask;
countAtExit(new Int32Array(left));
const session = await openSession(model, { device: 'cpu', optimise: true });

const work = async (feeds: Feeds | 'end'): Promise<void> => {
  if (feeds === 'end') {
    parentPort?.close();
    await session.release();
    return;
  }
  const results = arraysOf(session.outputs);
  await session.run(feeds, results);
  parentPort?.postMessage(results);
};
parentPort?.on('message', (message: Feeds | 'end') => void work(message));
parentPort?.postMessage('open');
