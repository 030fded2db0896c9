import type { Layer, Network } from './network.ts';
import type { Device } from './devices.ts';
import { compileProgram, createExecutor, type Engine } from './executor.ts';
import { type BatchSpec, createPass, type Feeds, type Program } from './program.ts';
import { openSession } from './session.ts';
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
  dispose(): Promise<void>;
}

/**
 * The trained network as a standard .onnx file with its parameters: what a checkpoint ships. Only operators
 * of the ONNX standard are used; the inputs and outputs have the names given here.
 */
export function exportOnnx(options: PredictOptions): Uint8Array {
  return compileProgram(predictProgram(options), { standardOnly: true }).model;
}

/** Opens the bytes that `exportOnnx` made. Throws `UserError` when they are damaged. */
export async function openPredictor(
  model: Uint8Array,
  options: { readonly device?: Device; readonly threads?: number } = {},
): Promise<Predictor> {
  const session = await openSession(model, { ...options, optimise: true });
  return {
    async run(inputs) {
      const results = arrays(session.outputs);
      await session.run(inputs, results);
      return results;
    },
    dispose: () => session.release(),
  };
}

/** `exportOnnx` and `openPredictor` in one, or TF.js itself with `engine: 'tfjs'`. */
export async function createPredictor(
  options: PredictOptions & { readonly engine?: Engine; readonly device?: Device; readonly threads?: number },
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
  return {
    async run(inputs) {
      const results = arrays(shapes);
      await executor.run(inputs, results, () => new Float32Array());
      return results;
    },
    dispose: () => executor.release(),
  };
}

function predictProgram({ network, outputs, parameters, batch }: PredictOptions): Program {
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
      return outputs(pass, Object.fromEntries(given) as Tensors);
    },
  };
}

const arrays = (shapes: Readonly<Record<string, readonly number[]>>): Record<string, Float32Array> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      new Float32Array(shape.reduce((product, length) => product * length, 1)),
    ]),
  );
