import { fanInUniform } from '../initializers.ts';
import type { Declare, Layer } from '../network.ts';
import { named, within } from '../network.ts';
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
import { concat, split } from '../trace/layout.ts';

export interface LstmState {
  /** [hidden, batch] */
  readonly hidden: Tensor;
  /** [hidden, batch] */
  readonly cell: Tensor;
}
export interface LstmInput {
  /** One [features, batch] tensor a time step: columns are rows of the batch. */
  readonly steps: readonly Tensor[];
  readonly initial?: LstmState;
}
export interface LstmOutput {
  /** One [hidden, batch] tensor a time step. */
  readonly steps: readonly Tensor[];
  readonly final: LstmState;
}

/**
 * One LSTM layer with PyTorch's equations, gate order (i, f, g, o), two biases and initialisation
 * U(-1/sqrt(hidden), 1/sqrt(hidden)). Tensors are feature-major, [features, batch]: the small activations
 * and not the weights are then what a GEMM packs, and gates are contiguous.
 */
export function lstm(
  declare: Declare,
  name: string,
  { inputs, hidden }: { readonly inputs: number; readonly hidden: number },
): Layer<LstmInput, LstmOutput> {
  const own = within(declare, name);
  const initializer = fanInUniform(hidden);
  const weightInput = own('weight_ih_l0', [4 * hidden, inputs], initializer);
  const weightHidden = own('weight_hh_l0', [4 * hidden, hidden], initializer);
  const biasInput = own('bias_ih_l0', [4 * hidden], initializer);
  const biasHidden = own('bias_hh_l0', [4 * hidden], initializer);
  return named(`lstm "${name}"`, (pass, { steps, initial }) => {
    const batch = steps[0].shape[1] ?? 0;
    const zero = (): Tensor => tf.zeros([hidden, batch]);
    const weight = tf.concat([pass.value(weightInput), pass.value(weightHidden)], 1);
    const bias = tf.add(pass.value(biasInput), pass.value(biasHidden));
    const outputs = lstmSteps(steps, {
      weight,
      bias: tf.reshape(bias, [4 * hidden, 1]),
      hidden: initial?.hidden ?? zero(),
      cell: initial?.cell ?? zero(),
    });
    const hiddens = outputs.slice(0, -1);
    return {
      steps: hiddens,
      final: { hidden: hiddens[hiddens.length - 1], cell: outputs[outputs.length - 1] },
    };
  });
}

/**
 * All steps as one operation with its own gradient: the weights' gradient is one GEMM over all steps, and
 * no gradient of a slice is ever taken. With tanh(a) = 2 sigmoid(2a) - 1 and the rows of gate g doubled, all
 * four gates share one GEMM and one sigmoid.
 */
const lstmSteps = defineRecurrence('LstmSteps', {
  held: ['weight', 'bias', 'hidden', 'cell'],
  forward(steps, held, recur) {
    const { hidden, cell } = forward(steps, held, recur);
    return [...stepsIn(hidden), cell];
  },
  backward(gradients, steps, held, recur) {
    const { joined, gates, cellBefore, tanhCell } = forward(steps, held, recur);
    const size = held.hidden.shape[0];
    const inputs = steps[0].shape[0];
    const time = steps.length;
    const batch = steps[0].shape[1] ?? 0;
    // dg/da = 4 sigmoid'(2a): the 4 goes into the weights here and into their gradient below.
    const weightTransposed = tf.transpose(scaleGateG(held.weight, 4)); // [inputs + hidden, 4 hidden]
    const {
      final: [dInitial, dCellInitial],
      outputs: [dSteps, dGates],
    } = recur(
      ([fromNext, dCellAfter], [dOutput, gates, cellBefore, tanhCell]) => {
        const [i, f, half, o] = tf.split(gates, 4, 0);
        const g = tf.sub(tf.mul(half, 2), 1);
        const dHidden = tf.add(dOutput, fromNext);
        const dOut = tf.mul(dHidden, tanhCell);
        // d tanh(c) = 1 - tanh(c)^2
        const dCell = tf.add(dCellAfter, tf.mul(tf.sub(dHidden, tf.mul(dOut, tanhCell)), o));
        const dActive = tf.concat([tf.mul(dCell, g), tf.mul(dCell, cellBefore), tf.mul(dCell, i), dOut], 0);
        const dGates = tf.mul(dActive, tf.sub(gates, tf.square(gates)));
        const [dInput, dBefore] = tf.split(tf.matMul(weightTransposed, dGates), [inputs, size], 0);
        return { state: [flushTiny(dBefore), flushTiny(tf.mul(dCell, f))], outputs: [dInput, dGates] };
      },
      {
        initial: [tf.zeros([size, batch]), gradients[time]],
        sequences: [tf.stack(gradients.slice(0, time)), gates, cellBefore, tanhCell],
        reverse: true,
      },
    );
    const all = wide(dGates); // [4 hidden, steps x batch]
    return {
      steps: stepsIn(dSteps),
      held: {
        weight: scaleGateG(tf.matMul(all, wide(joined), false, true), 4),
        bias: scaleGateG(tf.sum(all, 1, true), 4),
        hidden: dInitial,
        cell: dCellInitial,
      },
    };
  },
  operator(graph, steps, held) {
    const hidden = held.hidden.shape[0];
    const [features, batch] = steps[0].shape;
    // ONNX orders its gates i, o, f, g.
    const ordered = gatesInOrder(graph, held.weight, [0, 3, 1, 2]);
    const [weight, recurrent] = split(graph, ordered, [features, hidden], 1);
    const bias = reshape(graph, gatesInOrder(graph, held.bias, [0, 3, 1, 2]), [1, 4 * hidden]);
    const biases = concat(graph, [bias, graph.fill(0, [1, 4 * hidden], 'float32')], 1);
    const inputs = [
      sequenceOf(graph, steps),
      reshape(graph, weight, [1, 4 * hidden, features]),
      reshape(graph, recurrent, [1, 4 * hidden, hidden]),
      biases,
      graph.constant(new Int32Array(batch).fill(steps.length), [batch], 'int32'),
      stateOf(graph, held.hidden),
      stateOf(graph, held.cell),
    ];
    const state = { shape: [1, batch, hidden], type: 'float32' } as const;
    const sequence = { shape: [steps.length, 1, batch, hidden], type: 'float32' } as const;
    const [all, last, cell] = graph.nodes('LSTM', inputs, [sequence, state, state], { hidden_size: hidden });
    const turned = (value: Value): Value => transpose(graph, reshape(graph, value, [batch, hidden]), [1, 0]);
    return [...stepsOf(graph, all).slice(0, -1), turned(last), turned(cell)];
  },
});

type LstmHeld = Held<'weight' | 'bias' | 'hidden' | 'cell'>;

/** [time, ...] each, but the last cell. */
function forward(steps: readonly Tensor[], held: LstmHeld, recur: Recur) {
  const [weight, bias] = [scaleGateG(held.weight, 2), scaleGateG(held.bias, 2)];
  const { final, outputs } = recur(
    ([before, cellBefore], [step]) => {
      const joined = tf.concat([step, before], 0); // [inputs + hidden, batch]
      const gates = tf.sigmoid(tf.add(tf.matMul(weight, joined), bias)); // [4 hidden, batch]
      const [i, f, half, o] = tf.split(gates, 4, 0);
      const g = tf.sub(tf.mul(half, 2), 1);
      const cell = tf.add(tf.mul(f, cellBefore), tf.mul(i, g));
      const tanhCell = tf.tanh(cell);
      const hidden = tf.mul(o, tanhCell);
      return { state: [hidden, cell], outputs: [hidden, joined, gates, cellBefore, tanhCell] };
    },
    { initial: [held.hidden, held.cell], sequences: [tf.stack([...steps])] },
  );
  const [hidden, joined, gates, cellBefore, tanhCell] = outputs;
  return { cell: final[1], hidden, joined, gates, cellBefore, tanhCell };
}

/** Rows of the gates (i, f, g, o) with those of g multiplied. */
function scaleGateG(rows: Tensor, factor: number): Tensor {
  const [i, f, g, o] = tf.split(rows, 4, 0);
  return tf.concat([i, f, tf.mul(g, factor), o], 0);
}
