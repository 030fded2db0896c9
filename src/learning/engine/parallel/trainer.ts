import { availableParallelism } from 'node:os';
import { UserError } from '../../../core/foundation/errors.ts';
import { compileProgram } from '../executor.ts';
import { sizeOf } from '../onnx/graph.ts';
import { type BatchSpec, rowsOf } from '../program.ts';
import { gradientProgram, updateProgram } from '../train-program.ts';
import { refuseNonFinite, type StepResult, type Trainer, type TrainerOptions } from '../trainer.ts';
import { initialParameters, parameterCount } from '../weights.ts';
import { SIGNAL, type Shared, type WorkerTask } from './protocol.ts';
import { ended, startThread, waitAtExit } from './threads.ts';

export interface ParallelOptions extends Omit<
  TrainerOptions,
  'unroll' | 'device' | 'engine' | 'threads' | 'precision'
> {
  /** Threads, each with its part of every batch; default: the number of cores. */
  readonly workers?: number;
}

/**
 * Trains on several threads: each computes the gradient over its rows of the batch in a single-threaded
 * session, the mean of the gradients makes one step. The same seed and worker count give the same bits; other
 * counts differ by rounding alone, provided the loss is a mean over rows. A worker that dies fails the run.
 */
export async function createParallelTrainer(options: ParallelOptions): Promise<Trainer> {
  const { network, optimizer, batch, seed } = options;
  const rows = rowsOf(batch);
  const workers = options.workers ?? Math.min(availableParallelism(), rows);
  checkWorkers(workers, rows);
  const starts = Array.from({ length: workers + 1 }, (_, w) => Math.floor((w * rows) / workers));
  const count = parameterCount(network.parameters);
  const update = compileProgram(updateProgram(options));
  // Workers with equally many rows run the same graph; only which rows its random numbers belong to differs.
  const compiled = new Map<number, ReturnType<typeof compileGradient>>();
  const parts = starts.slice(0, -1).map((from, w) => {
    const own = starts[w + 1] - from;
    const graph = compiled.get(own) ?? compileGradient(options, own);
    compiled.set(own, graph);
    const randomInputs = graph.randomInputs.map((input) => ({ ...input, firstRow: from + input.firstRow }));
    return { ...graph, randomInputs };
  });
  const metricNames = parts[0].metrics;

  const vector = (length: number): SharedArrayBuffer => new SharedArrayBuffer(4 * length);
  const stateSet = (): SharedArrayBuffer[] =>
    Array.from({ length: 1 + optimizer.slots.length }, () => vector(count));
  const shared: Shared = {
    signals: vector(4),
    left: vector(1),
    state: [stateSet(), stateSet()],
    gradients: parts.map(() => vector(count)),
    figures: parts.map(() => vector(1 + metricNames.length)),
    controls: vector(optimizer.controlCount),
    results: vector(2 + metricNames.length),
  };
  const signals = new Int32Array(shared.signals);
  const sets = shared.state.map((buffers) => buffers.map((buffer) => new Float32Array(buffer)));
  const inputs = Object.entries(batch).map(([name, { shape, type }]) => {
    const values = vector(sizeOf(shape));
    return { name, type, perRow: sizeOf(shape.slice(1)), values, view: viewOf(values, type) };
  });
  sets[0][0].set(initialParameters(network.parameters, seed));
  let steps = 0;

  const weights = parts.map((_, w) => (starts[w + 1] - starts[w]) / rows);
  const crew = startWorkers(
    parts.map(({ model, randomInputs }, index): WorkerTask => ({
      index,
      workers,
      seed,
      gradientModel: model,
      randomInputs,
      ...(index === 0 ? { updateModel: update.model } : {}),
      weights,
      batch: inputs.map(({ name, type, perRow, values }) => ({
        name,
        type,
        start: starts[index] * perRow,
        end: starts[index + 1] * perRow,
        values,
      })),
      slots: optimizer.slots,
      shared,
    })),
    shared,
  );
  await crew.opened;

  const set = (): Float32Array[] => sets[signals[SIGNAL.set]];
  return {
    async step(feeds, learningRate) {
      for (const { name, view } of inputs) {
        if (feeds[name].length !== view.length)
          throw new Error(`Batch input "${name}" has ${feeds[name].length} values, expected ${view.length}.`);
        view.set(feeds[name]);
      }
      new Float32Array(shared.controls).set(optimizer.controls(steps + 1, learningRate));
      signals[SIGNAL.step] = steps;
      signals[SIGNAL.ready] = 0;
      await crew.step();
      const figures = new Float32Array(shared.results);
      const result: StepResult = {
        losses: figures.slice(0, 1),
        gradientNorms: figures.slice(-1),
        metrics: Object.fromEntries(metricNames.map((name, i) => [name, figures.slice(i + 1, i + 2)])),
      };
      refuseNonFinite(network.name, result, steps);
      signals[SIGNAL.set] = 1 - signals[SIGNAL.set];
      steps += 1;
      return result;
    },
    state: () => ({
      step: steps,
      parameters: Float32Array.from(set()[0]),
      slots: Object.fromEntries(optimizer.slots.map((slot, i) => [slot, Float32Array.from(set()[i + 1])])),
    }),
    restore(state) {
      const vectors = [state.parameters, ...optimizer.slots.map((slot) => state.slots[slot])];
      vectors.forEach((values, i) => {
        if (values?.length !== count)
          throw new Error(`The state has ${values?.length ?? 'no'} values where the network has ${count}.`);
        set()[i].set(values);
      });
      steps = state.step;
    },
    parameters: () => Float32Array.from(set()[0]),
    dispose: () => crew.dismiss(),
  };
}

function compileGradient(options: ParallelOptions, rows: number) {
  const program = gradientProgram({ ...options, batch: withRows(options.batch, rows) });
  return { ...compileProgram(program), metrics: program.metrics() };
}

interface Crew {
  /** Resolves when every worker has opened its session; rejects with the reason of one that could not. */
  readonly opened: Promise<void>;
  step(): Promise<void>;
  dismiss(): Promise<void>;
}

function startWorkers(tasks: readonly WorkerTask[], shared: Pick<Shared, 'signals' | 'left'>): Crew {
  const signals = new Int32Array(shared.signals);
  const threads = tasks.map((task) => startThread('worker', `train-${task.index}`, { ...task }));
  let failure: Error | undefined;
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let dismissed = false;
  let missing = threads.length;

  const stop = (): void => {
    Atomics.store(signals, SIGNAL.start, -1);
    Atomics.notify(signals, SIGNAL.start);
    // Changed too, for whoever has looked at it and is about to wait for the next change.
    Atomics.add(signals, SIGNAL.ready, 1);
    Atomics.notify(signals, SIGNAL.ready);
  };
  const release = waitAtExit(new Int32Array(shared.left), threads.length, stop);
  const fail = (index: number, reason: string, cause?: unknown): void => {
    if (dismissed || failure) return;
    failure = new Error(`Training worker ${index} died: ${reason}`, { cause });
    stop();
    waiting?.reject(failure);
  };
  const next = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure) reject(failure);
      else waiting = { resolve, reject };
    });
  const opened = next();
  threads.forEach((thread, index) => {
    thread.on('message', (message) => {
      if (message === 'done' || (message === 'open' && --missing === 0)) waiting?.resolve();
    });
    thread.on('error', (error) => fail(index, error instanceof Error ? error.message : String(error), error));
    thread.on('exit', (code) => fail(index, `it ended with code ${code} in the middle of the run`));
  });
  return {
    opened,
    step() {
      const done = next();
      Atomics.add(signals, SIGNAL.start, 1);
      Atomics.notify(signals, SIGNAL.start);
      return done;
    },
    async dismiss() {
      dismissed = true;
      stop();
      await Promise.all(threads.map(ended));
      release();
    },
  };
}

function checkWorkers(workers: number, rows: number): void {
  const cores = availableParallelism();
  if (!Number.isInteger(workers) || workers < 1 || workers > cores)
    throw new UserError(`${workers} training workers asked for; this machine has ${cores} cores.`, {
      hint: `Use 1 to ${cores} workers.`,
    });
  if (workers > rows)
    throw new UserError(`${workers} training workers share a batch of ${rows} rows.`, {
      hint: 'Use a larger batch or fewer workers.',
    });
}

const withRows = (batch: BatchSpec, rows: number): BatchSpec =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { shape, type }]) => [
      name,
      { shape: [rows, ...shape.slice(1)], type },
    ]),
  );

const viewOf = (buffer: SharedArrayBuffer, type: 'float32' | 'int32'): Float32Array | Int32Array =>
  type === 'float32' ? new Float32Array(buffer) : new Int32Array(buffer);
