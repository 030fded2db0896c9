import type { Worker } from 'node:worker_threads';
import type { Feeds } from '../program.ts';
import { ended, startThread, waitAtExit } from './threads.ts';

/** What a thread is given when it starts. */
export interface PredictTask {
  readonly model: Uint8Array;
  /** Int32: threads that have ended. */
  readonly left: SharedArrayBuffer;
}

/** The runs of one model. */
export interface Runs {
  readonly count: number;
  /** The inputs of a run; the arrays may be the same every time, they are read before the next call. */
  readonly feeds: (run: number) => Feeds;
  /** Takes the outputs of a run. Runs end in any order. */
  readonly take: (run: number, outputs: Readonly<Record<string, Float32Array>>) => void;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the model on `workers` threads, each with a single-threaded session of its own, opened for this and closed
 * afterwards: the same bits as one such session gives. Models that forecast at the same time take turns, because each
 * takes all cores. A worker that dies fails all with its reason.
 */
export function predictOnThreads(model: Uint8Array, workers: number, runs: Runs): Promise<void> {
  const turn = last.then(() => predict(model, workers, runs));
  last = turn.catch(() => {});
  return turn;
}

async function predict(model: Uint8Array, workers: number, runs: Runs): Promise<void> {
  const left = new SharedArrayBuffer(4);
  const threads = Array.from({ length: workers }, (_, index) =>
    startThread('predict-worker', `predict-${index}`, { model, left } satisfies PredictTask),
  );
  const stop = (): void => threads.forEach((thread) => thread.postMessage('end'));
  const release = waitAtExit(new Int32Array(left), workers, stop);
  let next = 0;
  try {
    await Promise.all(
      threads.map(async (thread) => {
        let answer = answerOf(thread);
        await answer;
        while (next < runs.count) {
          const run = next++;
          answer = answerOf(thread);
          thread.postMessage(runs.feeds(run));
          runs.take(run, await answer);
        }
      }),
    );
  } finally {
    next = runs.count;
    stop();
    await Promise.all(threads.map(ended));
    release();
  }
}

/** The next message of the thread, or the reason why there is none. */
function answerOf(thread: Worker): Promise<Readonly<Record<string, Float32Array>>> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      thread.off('message', answered).off('error', failed).off('exit', gone);
    };
    const answered = (outputs: Readonly<Record<string, Float32Array>>): void => {
      settled();
      resolve(outputs);
    };
    const failed = (cause: unknown): void => {
      settled();
      const reason = cause instanceof Error ? cause.message : String(cause);
      reject(new Error(`A forecasting worker died: ${reason}`, { cause }));
    };
    const gone = (code: number): void => failed(`it ended with code ${code} in the middle of the run`);
    thread.on('message', answered).on('error', failed).on('exit', gone);
  });
}
