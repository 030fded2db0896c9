import type { Random } from '../../core/foundation/random.ts';
import type { Tensor } from './tf.ts';

/** Fills a parameter before training; `shape` is as PyTorch lays it out, e.g. [out, in] for a linear map. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

/** A trained tensor: its name, shape and first values. */
export interface Parameter {
  /** Dotted path, unique in the network: "encoder.weight_ih_l0". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

/** Declares a parameter under a name that is unique in its network. */
export type Declare = (name: string, shape: readonly number[], initializer: Initializer) => Parameter;

/** One run of a network: where its parameters' values and its random numbers come from. */
export interface Pass {
  readonly training: boolean;
  value(parameter: Parameter): Tensor;
  /**
   * Fresh random numbers for every step and row, the same for any number of workers. The first axis counts
   * rows of the batch (or a multiple: [rows x time, ...]).
   */
  mask(shape: readonly number[], keep: number): Tensor;
  uniform(shape: readonly number[]): Tensor;
  normal(shape: readonly number[]): Tensor;
  /** Told of every layer as it begins; what it returns is told what the layer gave. */
  readonly watch?: ((layer: string, input: unknown) => (output: unknown) => void) | undefined;
}

/** A part of a network with its parameters bound: forecasts = layer(pass, inputs). */
export type Layer<In = Tensor, Out = Tensor> = (pass: Pass, input: In) => Out;

/** Parameters and what is computed with them. */
export interface Network<In = Tensor, Out = Tensor> {
  readonly name: string;
  /** In order of declaration: the order of the flat parameter vector. */
  readonly parameters: readonly Parameter[];
  readonly forward: Layer<In, Out>;
}

/** Collects the parameters that `build` declares. Two of one name are a bug of the model and throw. */
export function defineNetwork<In, Out>(
  name: string,
  build: (declare: Declare) => Layer<In, Out>,
): Network<In, Out> {
  const parameters: Parameter[] = [];
  const names = new Set<string>();
  const forward = build((parameterName, shape, initializer) => {
    if (names.has(parameterName)) throw new Error(`Network "${name}" declares "${parameterName}" twice.`);
    names.add(parameterName);
    const parameter = { name: parameterName, shape, initializer };
    parameters.push(parameter);
    return parameter;
  });
  return { name, parameters, forward: named(`network "${name}"`, forward) };
}

/** `declare` with `prefix.` before every name. */
export function within(declare: Declare, prefix: string): Declare {
  return (name, shape, initializer) => declare(`${prefix}.${name}`, shape, initializer);
}

/** Errors inside the layer say where they arose: TF.js names the operation, this names the layer. */
export function named<In, Out>(name: string, layer: Layer<In, Out>): Layer<In, Out> {
  return (pass, input) => {
    try {
      const done = pass.watch?.(name, input);
      const output = layer(pass, input);
      done?.(output);
      return output;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`In ${name}: ${message}`, { cause: error });
    }
  };
}
