import { fanInUniform } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import {
  defineRecurrence,
  flushTiny,
  gatesInOrder,
  type Held,
  type Recur,
  sequenceOf,
  stateOf,
  stepsOf,
  wide,
} from './recurrence.ts';
import { stepsIn } from './sequence.ts';
import type { Value } from '../onnx/graph.ts';
import { reshape, transpose } from '../trace/kernel.ts';
import { concat } from '../trace/layout.ts';

export interface GruInput {
  /** One [features, batch] tensor a time step. */
  readonly steps: readonly Tensor[];
  /** [hidden, batch]; default zero. */
  readonly initial?: Tensor;
}

/**
 * One GRU layer with PyTorch's equations (the reset gate acts after the recurrent product), gate order
 * (r, z, n), two biases and initialisation U(-1/sqrt(hidden), 1/sqrt(hidden)). Gives one [hidden, batch]
 * tensor a step.
 */
export function gru(
  declare: Declare,
  name: string,
  { inputs, hidden }: { readonly inputs: number; readonly hidden: number },
): Layer<GruInput, readonly Tensor[]> {
  const own = within(declare, name);
  const initializer = fanInUniform(hidden);
  const weightInput = own('weight_ih_l0', [3 * hidden, inputs], initializer);
  const weightHidden = own('weight_hh_l0', [3 * hidden, hidden], initializer);
  const biasInput = own('bias_ih_l0', [3 * hidden], initializer);
  const biasHidden = own('bias_hh_l0', [3 * hidden], initializer);
  return named(`gru "${name}"`, (pass, { steps, initial }) =>
    gruSteps(steps, {
      weightInput: pass.value(weightInput),
      weightHidden: pass.value(weightHidden),
      biasInput: tf.reshape(pass.value(biasInput), [3 * hidden, 1]),
      biasHidden: tf.reshape(pass.value(biasHidden), [3 * hidden, 1]),
      hidden: initial ?? tf.zeros([hidden, steps[0].shape[1] ?? 0]),
    }),
  );
}

type GruHeld = Held<'weightInput' | 'weightHidden' | 'biasInput' | 'biasHidden' | 'hidden'>;

const gruSteps = defineRecurrence('GruSteps', {
  held: ['weightInput', 'weightHidden', 'biasInput', 'biasHidden', 'hidden'],
  forward: (steps, held, recur) => stepsIn(forward(steps, held, recur).next),
  backward(gradients, steps, held, recur) {
    const { joined, rz, n, recurrent } = forward(steps, held, recur);
    const [size, batch = 0] = held.hidden.shape;
    const inputs = steps[0].shape[0];
    const inputTransposed = tf.transpose(held.weightInput); // [inputs, 3 hidden]
    const hiddenTransposed = tf.transpose(held.weightHidden);
    const {
      final: [dInitial],
      outputs: [dSteps, dInput, dRecurrent],
    } = recur(
      ([fromNext], [dOutput, joined, rz, n, recurrent]) => {
        const [, previous] = tf.split(joined, [inputs, size], 0);
        const [r, z] = tf.split(rz, 2, 0);
        const dHidden = tf.add(dOutput, fromNext);
        const passed = tf.mul(dHidden, z);
        const dN = tf.sub(dHidden, passed);
        const dNew = tf.sub(dN, tf.mul(dN, tf.square(n)));
        const dZ = tf.mul(dHidden, tf.sub(previous, n));
        const dRz = tf.mul(tf.concat([tf.mul(dNew, recurrent), dZ], 0), tf.sub(rz, tf.square(rz)));
        const dInput = tf.concat([dRz, dNew], 0); // [3 hidden, batch]
        const dRecurrent = tf.mul(dNew, r);
        const dGates = tf.concat([dRz, dRecurrent], 0);
        const dPrevious = tf.add(tf.matMul(hiddenTransposed, dGates), passed);
        return {
          state: [flushTiny(dPrevious)],
          outputs: [tf.matMul(inputTransposed, dInput), dInput, dRecurrent],
        };
      },
      {
        initial: [tf.zeros([size, batch])],
        sequences: [tf.stack([...gradients]), joined, rz, n, recurrent],
        reverse: true,
      },
    );
    const allInput = wide(dInput); // [3 hidden, steps x batch]
    const allHidden = tf.concat([tf.slice(allInput, [0, 0], [2 * size, -1]), wide(dRecurrent)], 0);
    const [input, previous] = tf.split(wide(joined), [inputs, size], 0);
    return {
      steps: stepsIn(dSteps),
      held: {
        weightInput: tf.matMul(allInput, input, false, true),
        weightHidden: tf.matMul(allHidden, previous, false, true),
        biasInput: tf.sum(allInput, 1, true),
        biasHidden: tf.sum(allHidden, 1, true),
        hidden: dInitial,
      },
    };
  },
  operator(graph, steps, held) {
    const hidden = held.hidden.shape[0];
    const [features, batch] = steps[0].shape;
    // ONNX orders its gates z, r, n.
    const ordered = (rows: Value): Value => gatesInOrder(graph, rows, [1, 0, 2]);
    const biases = [held.biasInput, held.biasHidden].map((bias) =>
      reshape(graph, ordered(bias), [1, 3 * hidden]),
    );
    const inputs = [
      sequenceOf(graph, steps),
      reshape(graph, ordered(held.weightInput), [1, 3 * hidden, features]),
      reshape(graph, ordered(held.weightHidden), [1, 3 * hidden, hidden]),
      concat(graph, biases, 1),
      graph.constant(new Int32Array(batch).fill(steps.length), [batch], 'int32'),
      stateOf(graph, held.hidden),
    ];
    const outputs = [
      { shape: [steps.length, 1, batch, hidden], type: 'float32' },
      { shape: [1, batch, hidden], type: 'float32' },
    ] as const;
    // The reset gate acts after the recurrent product, as in PyTorch.
    const attributes = { hidden_size: hidden, linear_before_reset: 1 };
    const [all, last] = graph.nodes('GRU', inputs, outputs, attributes);
    const final = transpose(graph, reshape(graph, last, [batch, hidden]), [1, 0]);
    return [...stepsOf(graph, all).slice(0, -1), final];
  },
});

/** [time, ...] each. */
function forward(steps: readonly Tensor[], held: GruHeld, recur: Recur) {
  const { weightInput, weightHidden, biasInput, biasHidden } = held;
  const size = held.hidden.shape[0];
  const gates = (rows: Tensor): Tensor[] => tf.split(rows, [2 * size, size], 0);
  const [inputRz, inputN] = gates(weightInput);
  const [hiddenRz, hiddenN] = gates(weightHidden);
  const [, biasN] = gates(biasInput);
  const [biasRz] = gates(tf.add(biasInput, biasHidden));
  const [, biasRecurrent] = gates(biasHidden);
  const joint = tf.concat([inputRz, hiddenRz], 1); // [2 hidden, inputs + hidden]
  const { outputs } = recur(
    ([previous], [step]) => {
      const joined = tf.concat([step, previous], 0); // [inputs + hidden, batch]
      const rz = tf.sigmoid(tf.add(tf.matMul(joint, joined), biasRz));
      const [r, z] = tf.split(rz, 2, 0);
      const recurrent = tf.add(tf.matMul(hiddenN, previous), biasRecurrent);
      const n = tf.tanh(tf.add(tf.add(tf.matMul(inputN, step), biasN), tf.mul(r, recurrent)));
      // (1 - z) n + z h
      const next = tf.add(n, tf.mul(z, tf.sub(previous, n)));
      return { state: [next], outputs: [next, joined, rz, n, recurrent] };
    },
    { initial: [held.hidden], sequences: [tf.stack([...steps])] },
  );
  const [next, joined, rz, n, recurrent] = outputs;
  return { next, joined, rz, n, recurrent };
}
