import type { Layer, Network, Pass } from './network.ts';
import { availableParallelism } from 'node:os';
import { defaultDevice, type Device, executionProviders } from './devices.ts';
import { compileProgram, createExecutor, type Engine } from './executor.ts';
import { type BatchSpec, createPass, type Feeds, type Program } from './program.ts';
import { refuseExternalData } from './onnx/external-data.ts';
import { predictOnThreads, type Runs } from './parallel/predict.ts';
import { arraysOf, openSession } from './session.ts';
import { type Tensor, tf } from './tf.ts';
import { parameterViews } from './weights.ts';

type Tensors = Readonly<Record<string, Tensor>>;

export interface PredictOptions {
  readonly network: Pick<Network, 'name' | 'parameters'>;
  /** What to compute from the inputs, by name; random layers are off. */
  readonly outputs: Layer<Tensors, Tensors>;
  /** Flat, as `Trainer.parameters` gives them. */
  readonly parameters: Float32Array;
  /** Random layers are off, so inputs need not have equally many rows. */
  readonly batch: BatchSpec;
}

/** An open model for inference, for exactly the rows it was compiled with. */
export interface Predictor {
  /** New arrays, one an output. */
  run(inputs: Feeds): Promise<Readonly<Record<string, Float32Array>>>;
  /** Many runs, on all cores where that pays; the same bits as one after another. */
  runAll(runs: Runs): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * The trained network as a standard .onnx file with its parameters: what a checkpoint ships. Only operators
 * of the ONNX standard are used; the inputs and outputs have the names given here.
 */
export function exportOnnx(options: PredictOptions): Uint8Array {
  return compileProgram(predictProgram(options), { standardOnly: true }).model;
}

/** So many runs pay for starting threads, which takes some tenths of a second. */
const RUNS_FOR_THREADS = 32;

/**
 * Opens the bytes that `exportOnnx` made. A session has one thread, and many runs have one such session on each
 * core: products of some dozen rows are too small to share. Throws `UserError` when the bytes are damaged,
 * or point to other files.
 */
export async function openPredictor(
  model: Uint8Array,
  { device = defaultDevice() }: { readonly device?: Device } = {},
): Promise<Predictor> {
  refuseExternalData(model);
  const session = await openSession(model, { device, optimise: true });
  const run: Predictor['run'] = async (inputs) => {
    const results = arraysOf(session.outputs);
    await session.run(inputs, results);
    return results;
  };
  const workers = executionProviders(device)[0] === 'cpu' ? availableParallelism() : 1;
  return {
    run,
    runAll: (runs) =>
      workers > 1 && runs.count >= RUNS_FOR_THREADS
        ? predictOnThreads(model, workers, runs)
        : oneByOne(run, runs),
    dispose: () => session.release(),
  };
}

async function oneByOne(run: Predictor['run'], { count, feeds, take }: Runs): Promise<void> {
  for (let i = 0; i < count; i++) take(i, await run(feeds(i)));
}

/** `exportOnnx` and `openPredictor` in one, or TF.js itself with `engine: 'tfjs'`. */
export async function createPredictor(
  options: PredictOptions & { readonly engine?: Engine; readonly device?: Device },
): Promise<Predictor> {
  if (options.engine !== 'tfjs') return openPredictor(exportOnnx(options), options);
  const shapes: Record<string, readonly number[]> = {};
  const program = predictProgram(options);
  const executor = await createExecutor(
    {
      name: program.name,
      build(inputs) {
        const outputs = program.build(inputs);
        for (const [name, tensor] of Object.entries(outputs)) shapes[name] = tensor.shape;
        return outputs;
      },
    },
    options,
  );
  const run: Predictor['run'] = async (inputs) => {
    const results = arraysOf(shapes);
    await executor.run(inputs, results, () => new Float32Array());
    return results;
  };
  return { run, runAll: (runs) => oneByOne(run, runs), dispose: () => executor.release() };
}

/** What is compiled; `seen`: the pass as the network is to see it. */
export function predictProgram(
  { network, outputs, parameters, batch }: PredictOptions,
  seen = (pass: Pass): Pass => pass,
): Program {
  return {
    name: network.name,
    build(inputs) {
      const views = parameterViews(network.parameters, parameters);
      const values = new Map(
        network.parameters.map((parameter) => {
          const view = views.get(parameter.name) ?? new Float32Array();
          return [parameter, tf.tensor(Float32Array.from(view), [...parameter.shape], 'float32')];
        }),
      );
      const pass = createPass(inputs, {
        training: false,
        values,
        rows: 1,
        firstRow: 0,
        stepOffset: 0,
      });
      const given = Object.entries(batch).map(([name, { shape, type }]) => [
        name,
        inputs.input(name, shape, type),
      ]);
      return outputs(seen(pass), Object.fromEntries(given) as Tensors);
    },
  };
}
