import type { GradFunc, NamedTensorMap } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from '../tf.ts';

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
}

/**
 * Zero for anything below about 1e-27. A gradient that fades over many steps ends in denormal numbers,
 * which processors multiply some fifty times more slowly than others.
 */
export const flushTiny = (x: Tensor): Tensor => tf.sub(tf.add(x, 1e-20), 1e-20);

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

  for (const backendName of ['onnx-trace', 'cpu', 'tensorflow'])
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs }) => {
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
