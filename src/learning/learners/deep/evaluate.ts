import { createExecutor } from '../../engine/executor.ts';
import { type BatchSpec, createPass, type Feeds, rowsOf, unflatten } from '../../engine/program.ts';
import { tf } from '../../engine/tf.ts';
import { parameterCount } from '../../engine/weights.ts';
import type { ClassBalance, DeepNetwork, Head } from './architecture.ts';
import type { Examples } from './examples.ts';

/** A network on windows with known returns. */
export interface Evaluation {
  /** Mean loss. */
  readonly loss: number;
  /** [count, outputs] */
  readonly outputs: Float32Array;
  /** Averages over the windows. */
  readonly explanation: Readonly<Record<string, Float32Array>>;
}

export interface Evaluator {
  run(
    parameters: Float32Array,
    windows: {
      readonly examples: Examples;
      readonly signal: AbortSignal;
      /** Feeds of the batch that starts at window `from`. */
      readonly batch: (from: number) => Feeds;
    },
  ): Promise<Evaluation>;
  dispose(): Promise<void>;
}

/** The network without dropout, its parameters an input: compiled once, run after every epoch. */
export async function createEvaluator(options: {
  readonly network: DeepNetwork;
  readonly head: Head;
  readonly balance: ClassBalance;
  readonly batch: BatchSpec;
}): Promise<Evaluator> {
  const { network, head, balance, batch } = options;
  const rows = rowsOf(batch);
  let sizes: Record<string, number> = {};
  const executor = await createExecutor({
    name: `${network.name} evaluation`,
    build(inputs) {
      const flat = inputs.input('parameters', [parameterCount(network.parameters)], 'float32');
      const values = unflatten(network.parameters, flat);
      const pass = createPass(inputs, { training: false, values, rows, firstRow: 0, stepOffset: 0 });
      const {
        targets,
        weights: _,
        ...given
      } = Object.fromEntries(
        Object.entries(batch).map(([name, { shape, type }]) => [name, inputs.input(name, shape, type)]),
      );
      const { output, explanation } = network.forward(pass, given);
      const results = { output, losses: head.rowLosses(output, targets, balance), ...explanation };
      sizes = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.size]));
      // An explanation may be an input of the graph as it is; an output must be computed.
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tf.clone(tensor)]));
    },
  });
  const results = Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => [name, new Float32Array(size)]),
  );
  const { output, losses, ...explanation } = results;
  return {
    async run(parameters, { examples, signal, batch: feedsAt }) {
      const { count, weights } = examples;
      const outputs = new Float32Array(count * head.outputs);
      const sums = Object.entries(explanation).map(
        ([name, values]) => [name, values, new Float64Array(values.length)] as const,
      );
      let [loss, counted] = [0, 0];
      let batches = 0;
      for (let from = 0; from < count; from += rows) {
        signal.throwIfAborted();
        await executor.run({ ...feedsAt(from), parameters }, results, () => new Float32Array());
        const used = Math.min(rows, count - from);
        outputs.set(output.subarray(0, used * head.outputs), from * head.outputs);
        for (let row = 0; row < used; row++) {
          const weight = weights?.[from + row] ?? 1;
          if (weight > 0) loss += weight * losses[row];
          counted += weight;
        }
        for (const [, values, sum] of sums) values.forEach((value, i) => (sum[i] += value));
        batches++;
      }
      return {
        loss: loss / counted,
        outputs,
        explanation: Object.fromEntries(
          sums.map(([name, , sum]) => [name, Float32Array.from(sum, (value) => value / batches)]),
        ),
      };
    },
    dispose: () => executor.release(),
  };
}
