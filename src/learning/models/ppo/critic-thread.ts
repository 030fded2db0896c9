import { parentPort, workerData } from 'node:worker_threads';
import { createKernel } from '../../learners/agent/kernel.ts';
import { ASKED, awaitChange, type CriticThreadTask, DONE, FROM, messageBoard } from './critic-side.ts';
import { createHalves } from './halves.ts';

/** The critic's thread: does what it is asked on the message board until it is told to go. */
const { memory, task, boardAt } = workerData as CriticThreadTask;
const { critic, valueLoss } = createHalves(createKernel(memory), task);
const { signals, numbers } = messageBoard(memory, boardAt);

parentPort?.postMessage('ready');
try {
  for (let done = 0; ; done++) {
    if (awaitChange(signals, ASKED, done, Infinity) < 0) break;
    const from = signals[FROM];
    if (from < 0) critic.update(numbers[0], { rate: numbers[1], floor: numbers[2] });
    else {
      numbers[3] = critic.gradient(from, 0);
      numbers[4] = valueLoss();
    }
    Atomics.store(signals, DONE, done + 1);
    Atomics.notify(signals, DONE);
  }
} catch (error) {
  Atomics.store(signals, DONE, -1);
  Atomics.notify(signals, DONE);
  throw error;
}
