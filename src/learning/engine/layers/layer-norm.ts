import { ones, zeros } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { number } from '../trace/kernel.ts';
import { tracesDoubles, tracing } from '../trace/backend.ts';

/**
 * Ba et al. 2016 over the last axis; weight one, bias zero at the start. `epsilon`: PyTorch 1e-5, the
 * Temporal Fusion Transformer of Google and NVIDIA 1e-3.
 */
export function layerNorm(
  declare: Declare,
  name: string,
  { size, epsilon = 1e-5 }: { readonly size: number; readonly epsilon?: number },
): Layer {
  const own = within(declare, name);
  const weight = own('weight', [size], ones);
  const bias = own('bias', [size], zeros);
  return named(`layer norm "${name}"`, (pass, x) => {
    const last = x.shape[x.rank - 1];
    if (last !== size) throw new Error(`expected ${size} features, found ${last}`);
    return layerNormalize(x, pass.value(weight), pass.value(bias), epsilon);
  });
}

const KERNEL = 'LayerNormalize';

function layerNormalize(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const [output] = tf.engine().runKernel<Tensor[]>(KERNEL, { x, weight, bias }, { epsilon });
  return output;
}

// ONNX has this as one operator, which also gives the mean and 1 / deviation that the gradient needs.
const byOperator = tracing(KERNEL, ({ graph, inputs: { x, weight, bias }, attributes }) => {
  const statistic = { shape: [...x.shape.slice(0, -1), 1], type: x.type };
  const epsilon = { float: number(attributes.epsilon) };
  return graph.nodes('LayerNormalization', [x, weight, bias], [x, statistic, statistic], {
    axis: -1,
    epsilon,
  });
});

for (const backendName of ['onnx-trace', 'cpu', 'tensorflow'])
  tf.registerKernel({
    kernelName: KERNEL,
    backendName,
    kernelFunc(call) {
      // ONNX Runtime keeps the operator's statistics in single precision, whatever its input.
      if (backendName === 'onnx-trace' && !tracesDoubles()) return byOperator(call);
      const { x, weight, bias } = call.inputs as Record<string, Tensor>;
      const { mean, inverse } = statistics(x, number(call.attrs?.epsilon));
      return [tf.add(tf.mul(tf.mul(tf.sub(x, mean), inverse), weight), bias), mean, inverse];
    },
  });

tf.registerGradient({
  kernelName: KERNEL,
  inputsToSave: ['x', 'weight', 'bias'],
  gradFunc: (dys, [x, weight, bias], attributes) => {
    const dy = Array.isArray(dys) ? dys[0] : dys;
    const leading = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
    const normalised = (): { centred: Tensor; inverse: Tensor } => {
      const epsilon = number(attributes.epsilon);
      // A second derivative must see how mean and deviation depend on x.
      const nested = tf.engine().state.gradientDepth > 0;
      const [, mean, inverse] = nested
        ? [x, ...Object.values(statistics(x, epsilon))]
        : tf.engine().runKernel<Tensor[]>(KERNEL, { x, weight, bias }, { epsilon });
      return { centred: tf.mul(tf.sub(x, mean), inverse), inverse };
    };
    return {
      x: () => {
        const { centred, inverse } = normalised();
        const scaled = tf.mul(dy, weight);
        const along = tf.mul(centred, tf.mean(tf.mul(scaled, centred), -1, true));
        return tf.mul(tf.sub(tf.sub(scaled, tf.mean(scaled, -1, true)), along), inverse);
      },
      weight: () => tf.sum(tf.mul(dy, normalised().centred), leading),
      bias: () => tf.sum(dy, leading),
    };
  },
});

function statistics(x: Tensor, epsilon: number): { mean: Tensor; inverse: Tensor } {
  const mean = tf.mean(x, -1, true);
  const variance = tf.mean(tf.square(tf.sub(x, mean)), -1, true);
  return { mean, inverse: tf.rsqrt(tf.add(variance, epsilon)) };
}
