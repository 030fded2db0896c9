import { createRequire } from 'node:module';
import { defaultDevice, type Device, executionProviders } from './devices.ts';
import { encodeModel } from './onnx/encode.ts';
import type { ElementType, GraphOptions, Precision } from './onnx/graph.ts';
import { inHalf } from './onnx/half.ts';
import type { Feed, Feeds, Program } from './program.ts';
import type { RandomInput } from './random-inputs.ts';
import { openSession } from './session.ts';
import { tf } from './tf.ts';
import { trace } from './trace/backend.ts';

export type Engine = 'onnx' | 'tfjs';

/** A program ready to run. `run` fills the arrays of `results`; `randomFeed` gives each random input. */
export interface Executor {
  run(feeds: Feeds, results: Feeds, randomFeed: (input: RandomInput) => Feed): Promise<void>;
  release(): Promise<void>;
}

export interface CompiledProgram {
  readonly model: Uint8Array;
  readonly randomInputs: readonly RandomInput[];
}

/** A program as the bytes of an ONNX model, and the random inputs it wants. */
export function compileProgram(program: Program, options: GraphOptions = {}): CompiledProgram {
  const randomInputs: RandomInput[] = [];
  const graph = trace(
    (tracing) =>
      program.build({
        input: (name, shape, type) => tracing.input(name, shape, type),
        random(input) {
          randomInputs.push(input);
          return tracing.input(input.name, input.shape, typeOf(input));
        },
      }),
    options,
  );
  const { precision = 'float32' } = options;
  const written = precision === 'float32' ? graph : inHalf(graph, precision, options);
  return { model: encodeModel(written, program.name, options), randomInputs };
}

const typeOf = (input: RandomInput): ElementType => (input.kind === 'mask' ? 'bool' : 'float32');

export interface ExecutorOptions {
  readonly engine?: Engine;
  readonly device?: Device;
  readonly threads?: number;
  readonly precision?: Precision;
}

export async function createExecutor(program: Program, options: ExecutorOptions = {}): Promise<Executor> {
  if (options.engine === 'tfjs') return eagerExecutor(program);
  const { device = defaultDevice(), threads = 1, precision = 'float32' } = options;
  const emulated = executionProviders(device)[0] === 'cpu';
  const { model, randomInputs } = compileProgram(program, { precision, emulated });
  const session = await openSession(model, { device, threads });
  return {
    run(feeds, results, randomFeed) {
      if (randomInputs.length === 0) return session.run(feeds, results);
      const all: Record<string, Feed> = { ...feeds };
      for (const input of randomInputs) all[input.name] = randomFeed(input);
      return session.run(all, results);
    },
    release: () => session.release(),
  };
}

/** The program run by TF.js itself, kernel by kernel: for comparison, and where ONNX Runtime is missing. */
function eagerExecutor(program: Program): Executor {
  const backend = eagerBackend();
  // Both engines refuse the same programs.
  compileProgram(program);
  return {
    async run(feeds, results, randomFeed) {
      void tf.setBackend(backend);
      tf.tidy(() => {
        const outputs = program.build({
          input: (name, shape, type) => tensorOf(feeds[name], shape, type),
          random: (input) => tensorOf(randomFeed(input), input.shape, typeOf(input)),
        });
        for (const [name, values] of Object.entries(results)) values.set(outputs[name].dataSync());
      });
    },
    release: () => Promise.resolve(),
  };
}

const tensorOf = (values: Feed, shape: readonly number[], type: ElementType) =>
  tf.tensor(values.slice(), [...shape], type === 'int64' ? 'int32' : type);

/** tfjs-node where the user has installed it, else TF.js's own CPU backend. */
function eagerBackend(): string {
  try {
    createRequire(import.meta.url)('@tensorflow/tfjs-node');
    return 'tensorflow';
  } catch {
    return 'cpu';
  }
}
