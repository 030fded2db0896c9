import type { GradFunc, NamedAttrMap, NamedTensorMap } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from './tf.ts';
import { tracesStandardOnly, tracing } from './trace/backend.ts';
import type { TraceKernel } from './trace/kernel.ts';

/** An operation made of TF.js operations, with a gradient written by hand. */
export interface Composite {
  readonly forward: (inputs: readonly Tensor[], attributes: NamedAttrMap) => Tensor[];
  /**
   * The gradients of the inputs from those of the outputs. It computes what it needs of the forward pass anew
   * from the inputs: a compiled graph shares equal nodes, so this costs nothing there, and second derivatives
   * stay exact, because nothing saved is cut off from its inputs.
   */
  readonly backward: (
    gradients: readonly Tensor[],
    inputs: readonly Tensor[],
    attributes: NamedAttrMap,
  ) => readonly Tensor[];
  /** The outputs in an inference graph, where ONNX has an operator for all of it and it is the faster way. */
  readonly operator?: {
    readonly kernel: TraceKernel;
    readonly isFaster: (inputs: readonly Tensor[]) => boolean;
  };
}

/** Registers the operation as a kernel of every TF.js backend, and gives the function that runs it. */
export function defineComposite(
  kernelName: string,
  { forward, backward, operator }: Composite,
): (inputs: readonly Tensor[], attributes?: NamedAttrMap) => Tensor[] {
  // TF.js passes a list of tensors as a record with the keys 0, 1, ...
  const listOf = (inputs: object): Tensor[] => Object.values<Tensor>(inputs as Record<string, Tensor>);
  const byOperator = operator && tracing(kernelName, operator.kernel);

  for (const backendName of ['onnx-trace', 'cpu', 'tensorflow'])
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc(call) {
        const inputs = listOf(call.inputs);
        const exports = backendName === 'onnx-trace' && tracesStandardOnly();
        if (byOperator && exports && operator.isFaster(inputs)) return byOperator(call);
        return forward(inputs, call.attrs ?? {});
      },
    });

  const gradFunc: GradFunc = (dys, saved, attributes) => {
    let made: readonly Tensor[] | undefined;
    const gradients = (): readonly Tensor[] =>
      (made ??= backward(Array.isArray(dys) ? dys : [dys], saved, attributes));
    return Object.fromEntries(saved.map((_, i) => [String(i), () => gradients()[i]]));
  };
  tf.registerGradient({ kernelName, saveAllInputs: true, gradFunc });

  return (inputs, attributes = {}) => {
    const list: unknown = inputs;
    return tf.engine().runKernel(kernelName, list as NamedTensorMap, attributes);
  };
}
