import { Worker } from 'node:worker_threads';

/** How long a process that exits waits for one more thread; a run of a graph takes a second or less. */
const EXIT_PATIENCE_MS = 10_000;

/**
 * Starts a thread with a script of this folder. Threads run compiled code: beside this file in dist/, and dist's
 * copy when this runs from src/.
 */
export function startThread(
  script: 'worker' | 'predict-worker',
  name: string,
  workerData: { readonly [key: string]: unknown },
): Worker {
  const here = import.meta.url;
  const folder = here.endsWith('.js') ? '.' : '../../../../dist/learning/engine/parallel';
  return new Worker(new URL(`${folder}/${script}.js`, here), { workerData, name });
}

export const ended = (thread: Worker): Promise<void> =>
  thread.threadId < 0 ? Promise.resolve() : new Promise((resolve) => thread.once('exit', () => resolve()));

/**
 * A thread that is ended while ONNX Runtime is at work in it takes the whole process down (its binding cannot throw
 * into a thread that is ending). So nobody terminates one, and a process that exits asks its threads to `stop` and
 * waits until all have counted themselves in `left`. Gives what takes this back once they have ended.
 */
export function waitAtExit(left: Int32Array, threads: number, stop: () => void): () => void {
  const leave = (): void => {
    stop();
    for (let gone = 0; gone < threads; gone = Atomics.load(left, 0))
      if (Atomics.wait(left, 0, gone, EXIT_PATIENCE_MS) === 'timed-out') return;
  };
  process.once('exit', leave);
  return () => process.off('exit', leave);
}

/** In a thread: counts it in `left` when it ends, for whatever reason. */
export function countAtExit(left: Int32Array): void {
  process.once('exit', () => {
    Atomics.add(left, 0, 1);
    Atomics.notify(left, 0);
  });
}
