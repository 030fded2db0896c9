import type { GradConfig, NamedAttrMap } from '@tensorflow/tfjs-core';
import { type Tensor, tf } from './tf.ts';

// TF.js 4.22 is wrong here, in ways that its own tests do not reach; importing this file repairs it.

// The gradients of these forget to sum over what was broadcast.
for (const name of ['Maximum', 'Minimum', 'SquaredDifference', 'BatchMatMul'])
  replace(name, (original) => (dy, saved, attributes) => {
    const gradients = original.gradFunc(dy, saved, attributes);
    return Object.fromEntries(
      ['a', 'b'].map((input, i) => [input, () => sumTo(gradients[input](), saved[i].shape)]),
    );
  });

// Its gradient moves the axes of an inner axis once more, although the kernel has moved them already.
replace('Cumsum', () => (dy, _, { axis, exclusive, reverse }: NamedAttrMap) => ({
  x: () => tf.cumsum(Array.isArray(dy) ? dy[0] : dy, Number(axis), exclusive === true, reverse !== true),
}));

// 2 dy first: of a mean's gradient, one number everywhere, it is known while a graph is compiled.
replace('Square', () => (dy, [x]) => ({ x: () => tf.mul(tf.mul(Array.isArray(dy) ? dy[0] : dy, 2), x) }));

// From the output's sign and not the input's: what comes before the activation need not be kept.
replace('Relu', () => (dy, [x]) => ({
  x: () => tf.mul(Array.isArray(dy) ? dy[0] : dy, tf.step(tf.relu(x))),
}));

// Its gradient is a kernel of its own, EluGrad, which has no gradient in turn: composed, the second derivative exists.
tf.unregisterGradient('Elu');
tf.registerGradient({
  kernelName: 'Elu',
  inputsToSave: ['x'],
  gradFunc: (dy, [x]) => ({
    x: () => tf.mul(Array.isArray(dy) ? dy[0] : dy, tf.add(tf.minimum(tf.elu(x), 0), 1)),
  }),
});

// The sum over the copies in one node; TF.js writes a slice and an addition for each of them.
replace('Tile', () => (dy, [x], { reps }: NamedAttrMap) => ({
  x() {
    const apart: number[] = [];
    const axes: number[] = [];
    for (const [axis, copies] of (Array.isArray(reps) ? reps : []).entries()) {
      if (copies !== 1) axes.push(apart.push(Number(copies)) - 1);
      apart.push(x.shape[axis]);
    }
    return tf.sum(tf.reshape(Array.isArray(dy) ? dy[0] : dy, apart), axes);
  },
}));

// Whole numbers as indices have no gradient; TF.js returns the indices themselves and then refuses them.
replace('GatherV2', (original) => (dy, saved, attributes) => ({
  ...original.gradFunc(dy, saved, attributes),
  indices: () => tf.zeros(saved[1].shape),
}));

// A comparison is flat where it is differentiable: `tf.where(tf.greater(x, 0), ...)` is allowed to depend on x.
for (const kernelName of ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'])
  tf.registerGradient({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (_, [a, b]) => ({ a: () => tf.zeros(a.shape), b: () => tf.zeros(b.shape) }),
  });

// A saved output is cut off from its input in a second derivative (its copy enters the tape too early), so
// save the input and compute the output again: a compiled graph shares the two.
const OUTPUT_SAVERS = {
  Exp: 'x',
  LogSoftmax: 'logits',
  Max: 'x',
  Min: 'x',
  Sigmoid: 'x',
  Softmax: 'logits',
  Tanh: 'x',
} as const;
for (const [kernelName, input] of Object.entries(OUTPUT_SAVERS)) {
  const original = tf.getGradient(kernelName);
  const alsoInput = original.inputsToSave?.length === 1;
  tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave: [input],
    gradFunc(dy, [x], attributes) {
      const output = tf.engine().runKernel<Tensor>(kernelName, { [input]: x }, attributes);
      return original.gradFunc(dy, alsoInput ? [x, output] : [output], attributes);
    },
  });
}

function replace(kernelName: string, gradient: (original: GradConfig) => GradConfig['gradFunc']): void {
  const original = tf.getGradient(kernelName);
  tf.unregisterGradient(kernelName);
  tf.registerGradient({ ...original, gradFunc: gradient(original) });
}

/** Sums away the axes along which an input of `shape` was repeated. */
function sumTo(gradient: Tensor, shape: readonly number[]): Tensor {
  const extra = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < extra || (size > 1 && shape[axis - extra] === 1) ? [axis] : [],
  );
  return axes.length === 0 ? gradient : tf.reshape(tf.sum(gradient, axes), [...shape]);
}
