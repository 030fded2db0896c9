import { parentPort, workerData } from 'node:worker_threads';
import type { Feed } from '../program.ts';
import { fillRandom } from '../random-inputs.ts';
import { openSession } from '../session.ts';
import { SIGNAL, type WorkerTask } from './protocol.ts';
import { countAtExit } from './threads.ts';

/** One thread of a data-parallel run: the gradient over its rows; worker 0 also averages and updates. */
const task = workerData as WorkerTask;
const { shared } = task;
const signals = new Int32Array(shared.signals);
countAtExit(new Int32Array(shared.left));

const gradientSession = await openSession(task.gradientModel, { device: 'cpu' });
const updateSession = task.updateModel ? await openSession(task.updateModel, { device: 'cpu' }) : undefined;
const sets = shared.state.map((buffers) => buffers.map((buffer) => new Float32Array(buffer)));
const gradients = shared.gradients.map((buffer) => new Float32Array(buffer));
const figures = shared.figures.map((buffer) => new Float32Array(buffer));
const results = new Float32Array(shared.results);

// ONNX Runtime takes no shared memory: these are this thread's own copies.
const count = gradients[0].length;
const parameters = new Float32Array(count);
const ownGradient = new Float32Array(count);
const ownFigures = new Float32Array(figures[0].length);
const feeds: Record<string, Feed> = { parameters };
for (const { name, type, start, end } of task.batch)
  feeds[`batch.${name}`] = type === 'float32' ? new Float32Array(end - start) : new Int32Array(end - start);
for (const input of task.randomInputs) {
  const size = input.shape.reduce((product, length) => product * length, 1);
  feeds[input.name] = input.kind === 'mask' ? new Uint8Array(size) : new Float32Array(size);
}
const mean = new Float32Array(count);
const slots = task.slots.map(() => new Float32Array(count));
const nextVectors = [new Float32Array(count), ...task.slots.map(() => new Float32Array(count))];
const controls = new Float32Array(shared.controls.byteLength / 4);
const norm = new Float32Array(1);

parentPort?.postMessage('open');
for (let started = 0; ; started++) {
  Atomics.wait(signals, SIGNAL.start, started);
  if (Atomics.load(signals, SIGNAL.start) < 0) break;
  await computeGradient();
  Atomics.add(signals, SIGNAL.ready, 1);
  Atomics.notify(signals, SIGNAL.ready);
  if (updateSession && (await everyoneReady())) {
    await update();
    parentPort?.postMessage('done');
  }
}
await gradientSession.release();
await updateSession?.release();

async function computeGradient(): Promise<void> {
  parameters.set(sets[Atomics.load(signals, SIGNAL.set)][0]);
  for (const { name, type, start, end, values } of task.batch) {
    const all = type === 'float32' ? new Float32Array(values) : new Int32Array(values);
    feeds[`batch.${name}`].set(all.subarray(start, end));
  }
  for (const input of task.randomInputs) {
    const values = feeds[input.name];
    if (!(values instanceof Int32Array))
      fillRandom(input, values, { seed: task.seed, step: Atomics.load(signals, SIGNAL.step) });
  }
  await gradientSession.run(feeds, { gradient: ownGradient, figures: ownFigures });
  gradients[task.index].set(ownGradient);
  figures[task.index].set(ownFigures);
}

/** Waits for the other workers; false when the run was stopped meanwhile. */
async function everyoneReady(): Promise<boolean> {
  for (;;) {
    const ready = Atomics.load(signals, SIGNAL.ready);
    if (Atomics.load(signals, SIGNAL.start) < 0) return false;
    if (ready === task.workers) return true;
    Atomics.wait(signals, SIGNAL.ready, ready);
  }
}

/** The weighted mean, always summed in the workers' order, and one optimiser step from it. */
async function update(): Promise<void> {
  weightedMean(mean, gradients);
  weightedMean(results.subarray(0, ownFigures.length), figures);
  const set = Atomics.load(signals, SIGNAL.set);
  sets[set].slice(1).forEach((values, i) => slots[i].set(values));
  controls.set(new Float32Array(shared.controls));
  await updateSession?.run(
    { parameters, gradient: mean, controls, ...named((slot) => `slot.${slot}`, slots) },
    {
      'parameters.next': nextVectors[0],
      gradientNorm: norm,
      ...named((slot) => `slot.${slot}.next`, nextVectors.slice(1)),
    },
  );
  nextVectors.forEach((values, i) => sets[1 - set][i].set(values));
  results[ownFigures.length] = norm[0];
}

function weightedMean(into: Float32Array, parts: readonly Float32Array[]): void {
  const [first, ...rest] = parts;
  const [weight, ...weights] = task.weights;
  for (let i = 0; i < into.length; i++) into[i] = weight * first[i];
  rest.forEach((part, w) => {
    const share = weights[w];
    for (let i = 0; i < into.length; i++) into[i] += share * part[i];
  });
}

function named(
  key: (slot: string) => string,
  vectors: readonly Float32Array[],
): Record<string, Float32Array> {
  return Object.fromEntries(task.slots.map((slot, i) => [key(slot), vectors[i]]));
}
