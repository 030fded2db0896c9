import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { dense } from '../../../src/learning/engine/layers/dense.ts';
import { embedding } from '../../../src/learning/engine/layers/embedding.ts';
import { defineNetwork } from '../../../src/learning/engine/network.ts';
import { exportOnnx, openPredictor } from '../../../src/learning/engine/predictor.ts';
import { predictOnThreads, type Runs } from '../../../src/learning/engine/parallel/predict.ts';
import { type Tensor, tf } from '../../../src/learning/engine/tf.ts';
import { initialParameters } from '../../../src/learning/engine/weights.ts';
import { temporaryFolder } from '../../support/folder.ts';

const [ROWS, CLASSES, RUNS] = [33, 5, 70];
const network = defineNetwork('forecast', (declare) => {
  const table = embedding(declare, 'symbol', { classes: CLASSES, size: 70 });
  const layers = [70, 90, 2].map((outputs, i, sizes) =>
    dense(declare, `layer-${i}`, { inputs: i === 0 ? 70 : sizes[i - 1], outputs }),
  );
  return (pass, symbol: Tensor) =>
    layers.reduce((values, layer) => tf.tanh(layer(pass, values)), table(pass, symbol));
});
const model = exportOnnx({
  network,
  outputs: (pass, { symbol }) => ({ y: network.forward(pass, symbol) }),
  parameters: initialParameters(network.parameters, 1),
  batch: { symbol: { shape: [ROWS], type: 'int32' } },
});

/** One array for all runs: what a run reads must not be what the next one wrote. */
const symbol = new Int32Array(ROWS);
const feeds = (run: number) => {
  symbol.forEach((_, row) => (symbol[row] = (run * run + row) % CLASSES));
  return { symbol };
};

it('many runs on threads give the bits of one session, each to its own run', async () => {
  const predictor = await openPredictor(model);
  const expected: Float32Array[] = [];
  for (let run = 0; run < RUNS; run++) expected.push((await predictor.run(feeds(run))).y);
  expect(new Set(expected.map(String)).size).toBeGreaterThan(2);
  for (const runAll of [
    (runs: Runs) => predictor.runAll(runs),
    (runs: Runs) => predictOnThreads(model, 3, runs),
  ]) {
    const found: Float32Array[] = [];
    await runAll({ count: RUNS, feeds, take: (run, { y }) => (found[run] = y) });
    expect(found).toEqual(expected);
  }
  await predictor.dispose();
});

it('models that forecast at the same time take turns, also after one that failed', async () => {
  const before = process.listenerCount('exit');
  const atOnce: number[] = [];
  const forecast = (broken: boolean) =>
    predictOnThreads(model, 2, {
      count: 4,
      feeds: (run) => (broken ? { symbol: new Int32Array(ROWS).fill(CLASSES) } : feeds(run)),
      // Each that is at work listens for the end of the process.
      take: () => atOnce.push(process.listenerCount('exit') - before),
    });
  const [first, ...rest] = await Promise.allSettled([true, false, false].map(forecast));
  expect(first.status).toBe('rejected');
  expect(rest.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(atOnce).toEqual(Array(8).fill(1));
});

it('a thread that dies fails the forecast with its reason, and the model still runs', async () => {
  const predictor = await openPredictor(model);
  const broken = (run: number) => {
    const given = feeds(run);
    if (run === 40) symbol[0] = CLASSES;
    return given;
  };
  await expect(
    predictOnThreads(model, 2, { count: RUNS, feeds: broken, take: () => undefined }),
  ).rejects.toThrow(/A forecasting worker died: .*out of data bounds/);
  expect((await predictor.run(feeds(0))).y.length).toBe(2 * ROWS);
  await predictor.dispose();
});

it('a file that is damaged fails on threads too', async () => {
  const damaged = model.slice(0, model.length - 30);
  await expect(predictOnThreads(damaged, 2, { count: RUNS, feeds, take: () => undefined })).rejects.toThrow(
    'cannot open the model',
  );
});

it('a process that exits in the middle of a forecast ends with its own code', async () => {
  const script = resolve(import.meta.dirname, 'predictor-end.ts');
  const { code, output } = await new Promise<{ code: unknown; output: string }>((done) =>
    execFile(process.execPath, ['--import', 'tsx', script], (error, stdout, stderr) =>
      done({ code: error ? error.code : 0, output: stdout + stderr }),
    ),
  );
  expect(code, output).toBe(7);
});

it('leaves nothing in the home folder that ONNX Runtime would tell its makers', async () => {
  const home = temporaryFolder();
  const script = resolve(import.meta.dirname, 'predictor-end.ts');
  // In CI it keeps quiet by itself: the variable that says so is not passed on.
  const env = { PATH: process.env['PATH'], HOME: home };
  await new Promise<void>((done) =>
    execFile(process.execPath, ['--import', 'tsx', script], { env }, () => done()),
  );
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
