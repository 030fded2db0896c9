import { defineComposite } from '../composite.ts';
import type { GraphBuilder, Scanned, Turn, Value } from '../onnx/graph.ts';
import { type Tensor, tf } from '../tf.ts';
import { traceScan } from '../trace/backend.ts';
import { stepsIn } from './sequence.ts';
import { reshape, transpose } from '../trace/kernel.ts';
import { concat, split } from '../trace/layout.ts';

/** The parameters and the initial state of a recurrent layer, by name. */
export type Held<Name extends string> = Readonly<Record<Name, Tensor>>;

/** Runs `turn` for each slice of [time, ...] sequences, from the last one where `reverse` is set. */
export type Recur = (
  turn: (state: readonly Tensor[], slices: readonly Tensor[]) => Turn<Tensor>,
  options: {
    readonly initial: readonly Tensor[];
    readonly sequences: readonly Tensor[];
    readonly reverse?: boolean;
  },
) => Scanned<Tensor>;

/** A recurrent layer as one TF.js kernel over all time steps, with a hand-written gradient. */
export interface Recurrence<Name extends string> {
  readonly held: readonly Name[];
  /** The outputs, any number. */
  forward(steps: readonly Tensor[], held: Held<Name>, recur: Recur): Tensor[];
  /** From the gradients of the outputs; computes what it needs of the forward pass anew, as a `Composite` does. */
  backward(
    gradients: readonly Tensor[],
    steps: readonly Tensor[],
    held: Held<Name>,
    recur: Recur,
  ): { readonly steps: readonly Tensor[]; readonly held: Held<Name> };
  /** The outputs by ONNX's own operator, for inference graphs of few rows. */
  operator(
    graph: GraphBuilder,
    steps: readonly Value[],
    held: Readonly<Record<Name, Value>>,
  ): readonly Value[];
}

/**
 * Zero for anything below about 1e-27. A gradient that fades over many steps ends in denormal numbers,
 * which processors multiply some fifty times more slowly than others.
 */
export const flushTiny = (x: Tensor): Tensor => tf.sub(tf.add(x, 1e-20), 1e-20);

/** [time, rows, batch] as one [rows, time x batch] matrix: the gradient of a weight is then one product. */
export function wide(sequence: Tensor): Tensor {
  const [time, rows, batch = 0] = sequence.shape;
  return tf.reshape(tf.transpose(sequence, [1, 0, 2]), [rows ?? 0, time * batch]);
}

/** The steps [features, batch] as one [time, batch, features] sequence, as ONNX's recurrent operators take it. */
export function sequenceOf(graph: GraphBuilder, steps: readonly Value[]): Value {
  const [features, batch] = steps[0].shape;
  const stacked = reshape(graph, concat(graph, steps, 0), [steps.length, features, batch]);
  return transpose(graph, stacked, [0, 2, 1]);
}

/** What such an operator gives, [time, 1, batch, hidden], as steps [hidden, batch]. */
export function stepsOf(graph: GraphBuilder, sequence: Value): readonly Value[] {
  const [time, , batch, hidden] = sequence.shape;
  const turned = transpose(graph, reshape(graph, sequence, [time, batch, hidden]), [0, 2, 1]);
  const flat = reshape(graph, turned, [time * hidden, batch]);
  return split(
    graph,
    flat,
    Array.from({ length: time }, () => hidden),
    0,
  );
}

/** A [hidden, batch] state as [1, batch, hidden]. */
export function stateOf(graph: GraphBuilder, state: Value): Value {
  const [hidden, batch] = state.shape;
  return reshape(graph, transpose(graph, state, [1, 0]), [1, batch, hidden]);
}

/** Rows of a stack of gates in another order. */
export function gatesInOrder(graph: GraphBuilder, rows: Value, order: readonly number[]): Value {
  const size = rows.shape[0] / order.length;
  const gates = split(
    graph,
    rows,
    order.map(() => size),
    0,
  );
  return concat(
    graph,
    order.map((gate) => gates[gate]),
    0,
  );
}

/** So many rows fill a product: the steps as products are then faster than ONNX's operator (docs/decisions/0004-engine.md). */
const ROWS_FOR_PRODUCTS = 32;

/** The layer as one kernel, and the function that runs it. */
export function defineRecurrence<Name extends string>(
  kernelName: string,
  recurrence: Recurrence<Name>,
): (steps: readonly Tensor[], held: Held<Name>) => Tensor[] {
  const names = recurrence.held;
  const heldOf = <T>(list: readonly T[]): Readonly<Record<Name, T>> =>
    Object.fromEntries(names.map((name, i) => [name, list[i]])) as Record<Name, T>;
  const run = defineComposite(kernelName, {
    forward: (inputs) => recurrence.forward(inputs.slice(names.length), heldOf(inputs), inOneNode),
    backward(gradients, inputs) {
      // Inside another gradient every operation is recorded, for the second derivative.
      const recur = tf.engine().state.gradientDepth > 0 ? stepByStep : inOneNode;
      const { steps, held } = recurrence.backward(
        gradients,
        inputs.slice(names.length),
        heldOf(inputs),
        recur,
      );
      return [...names.map((name) => held[name]), ...steps];
    },
    operator: {
      isFaster: (inputs) => (inputs[names.length].shape[1] ?? 0) < ROWS_FOR_PRODUCTS,
      kernel({ graph, inputs }) {
        const list = Object.values(inputs);
        return recurrence.operator(graph, list.slice(names.length), heldOf(list));
      },
    },
  });
  return (steps, held) => run([...names.map((name) => held[name]), ...steps]);
}

/** As many operations as there are steps. */
const stepByStep: Recur = (turn, { initial, sequences, reverse = false }) => {
  const slices = sequences.map((sequence) => stepsIn(sequence));
  const outputs: Tensor[][] = [];
  let state = initial;
  const time = slices[0].length;
  for (let step = 0; step < time; step++) {
    const t = reverse ? time - 1 - step : step;
    const next = turn(
      state,
      slices.map((slice) => slice[t]),
    );
    state = next.state;
    next.outputs.forEach((output, i) => ((outputs[i] ??= [])[t] = output));
  }
  return { final: state, outputs: outputs.map((list) => tf.stack(list)) };
};

/** One node in a compiled graph: see `GraphBuilder.scan`. */
const inOneNode: Recur = (turn, options) =>
  traceScan({ turn, reverse: false, ...options }) ?? stepByStep(turn, options);
