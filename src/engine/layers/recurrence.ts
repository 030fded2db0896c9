import type { GradFunc, NamedTensorMap } from '@tensorflow/tfjs-core';
import type { GraphBuilder, Value } from '../onnx/graph.ts';
import { type Tensor, tf } from '../tf.ts';
import { tracesStandardOnly, tracing } from '../trace/backend.ts';
import { reshape, transpose } from '../trace/kernel.ts';
import { concat, split } from '../trace/layout.ts';

/** The parameters and the initial state of a recurrent layer, by name. */
export type Held<Name extends string> = Readonly<Record<Name, Tensor>>;

/** A recurrent layer as one TF.js kernel over all time steps, with a hand-written gradient. */
export interface Recurrence<Name extends string> {
  readonly held: readonly Name[];
  /** The outputs, any number. */
  forward(steps: readonly Tensor[], held: Held<Name>): Tensor[];
  /**
   * From the gradients of the outputs. It computes what it needs of the forward pass anew from the inputs:
   * a compiled graph shares equal nodes, so this costs nothing there, and second derivatives stay exact.
   */
  backward(
    gradients: readonly Tensor[],
    steps: readonly Tensor[],
    held: Held<Name>,
  ): { readonly steps: readonly Tensor[]; readonly held: Held<Name> };
  /** The outputs by ONNX's own operator, for inference graphs. */
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

/** Registers the kernel for every TF.js backend, and gives the function that runs it. */
export function defineRecurrence<Name extends string>(
  kernelName: string,
  recurrence: Recurrence<Name>,
): (steps: readonly Tensor[], held: Held<Name>) => Tensor[] {
  const names = recurrence.held;
  const heldOf = (tensors: readonly Tensor[]): Held<Name> =>
    Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as Record<Name, Tensor>;
  // TF.js passes a list of tensors as a record with the keys 0, 1, ...
  const listOf = (inputs: object): Tensor[] => Object.values<Tensor>(inputs as Record<string, Tensor>);

  const byOperator = tracing(kernelName, ({ graph, inputs }) => {
    const list = Object.values(inputs);
    const held = Object.fromEntries(names.map((name, i) => [name, list[i]])) as Record<Name, Value>;
    return recurrence.operator(graph, list.slice(names.length), held);
  });

  for (const backendName of ['onnx-trace', 'cpu', 'tensorflow'])
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: (call) => {
        if (backendName === 'onnx-trace' && tracesStandardOnly()) return byOperator(call);
        const { inputs } = call;
        const list = listOf(inputs);
        return recurrence.forward(list.slice(names.length), heldOf(list));
      },
    });

  const gradFunc: GradFunc = (dys, saved) => {
    let made: readonly Tensor[] | undefined;
    const gradients = (): readonly Tensor[] => {
      if (made) return made;
      const given = Array.isArray(dys) ? dys : [dys];
      const { steps, held } = recurrence.backward(given, saved.slice(names.length), heldOf(saved));
      return (made = [...names.map((name) => held[name]), ...steps]);
    };
    return Object.fromEntries(saved.map((_, i) => [String(i), () => gradients()[i]]));
  };
  tf.registerGradient({ kernelName, saveAllInputs: true, gradFunc });

  return (steps, held) => {
    const inputs: unknown = [...names.map((name) => held[name]), ...steps];
    return tf.engine().runKernel(kernelName, inputs as NamedTensorMap);
  };
}
