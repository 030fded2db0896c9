import { fanInUniform } from '../initializers.ts';
import type { Declare, Layer } from '../network.ts';
import { named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { defineRecurrence, flushTiny, type Held } from './recurrence.ts';

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
 * no gradient of a slice is ever taken.
 */
const lstmSteps = defineRecurrence('LstmSteps', {
  held: ['weight', 'bias', 'hidden', 'cell'],
  forward(steps, held) {
    const run = forward(steps, held);
    return [...run.hiddens, run.cells[run.cells.length - 1]];
  },
  backward(gradients, steps, held) {
    const { gates, cells, joined, weights } = forward(steps, held);
    const size = held.hidden.shape[0];
    const inputs = steps[0].shape[0];
    const weightTransposed = tf.transpose(tf.concat([weights.ifo, weights.g], 0)); // [inputs + hidden, 4 hidden]
    const inputGradients: Tensor[] = [];
    const gateGradients: Tensor[] = [];
    let fromNext: Tensor | undefined;
    let dCell = gradients[steps.length];
    for (let t = steps.length - 1; t >= 0; t--) {
      const { i, f, o, g, ifo, tanhCell } = gates[t];
      const dHidden = fromNext ? tf.add(gradients[t], fromNext) : gradients[t];
      const dOut = tf.mul(dHidden, tanhCell);
      // d tanh(c) = 1 - tanh(c)^2
      dCell = tf.add(dCell, tf.mul(tf.sub(dHidden, tf.mul(dOut, tanhCell)), o));
      const dIfo = tf.concat([tf.mul(dCell, g), tf.mul(dCell, cells[t]), dOut], 0);
      const dG = tf.mul(dCell, i);
      const beforeGates = tf.concat(
        [tf.mul(dIfo, tf.sub(ifo, tf.square(ifo))), tf.sub(dG, tf.mul(dG, tf.square(g)))],
        0,
      );
      gateGradients[t] = beforeGates;
      const [dInput, dPrevious] = tf.split(tf.matMul(weightTransposed, beforeGates), [inputs, size], 0);
      inputGradients[t] = dInput;
      fromNext = flushTiny(dPrevious);
      dCell = flushTiny(tf.mul(dCell, f));
    }
    const all = tf.concat(gateGradients, 1); // [4 hidden, steps x batch], rows i f o g
    const dWeight = tf.matMul(all, tf.concat([...joined], 1), false, true);
    return {
      steps: inputGradients,
      held: {
        weight: reorder(dWeight),
        bias: reorder(tf.sum(all, 1, true)),
        hidden: fromNext ?? gradients[0],
        cell: dCell,
      },
    };
  },
});

function forward(
  steps: readonly Tensor[],
  { weight, bias, hidden, cell }: Held<'weight' | 'bias' | 'hidden' | 'cell'>,
) {
  const [weights, biases] = [ifoAndG(weight), ifoAndG(bias)];
  const [hiddens, cells, joined, gates] = [[] as Tensor[], [cell], [] as Tensor[], [] as Gates[]];
  let previous = hidden;
  for (const [t, step] of steps.entries()) {
    const both = tf.concat([step, previous], 0); // [inputs + hidden, batch]
    const ifo = tf.sigmoid(tf.add(tf.matMul(weights.ifo, both), biases.ifo));
    const g = tf.tanh(tf.add(tf.matMul(weights.g, both), biases.g));
    const [i, f, o] = tf.split(ifo, 3, 0);
    const next = tf.add(tf.mul(f, cells[t]), tf.mul(i, g));
    const tanhCell = tf.tanh(next);
    previous = tf.mul(o, tanhCell);
    joined.push(both);
    gates.push({ i, f, o, g, ifo, tanhCell });
    cells.push(next);
    hiddens.push(previous);
  }
  return { hiddens, cells, joined, gates, weights };
}

type Gates = Readonly<Record<'i' | 'f' | 'o' | 'g' | 'ifo' | 'tanhCell', Tensor>>;

/** Rows (i, f, g, o) as (i, f, o), which share one sigmoid, and g. */
function ifoAndG(rows: Tensor): { readonly ifo: Tensor; readonly g: Tensor } {
  const [i, f, g, o] = tf.split(rows, 4, 0);
  return { ifo: tf.concat([i, f, o], 0), g };
}

/** Rows (i, f, o, g) back in PyTorch's order. */
function reorder(rows: Tensor): Tensor {
  const [i, f, o, g] = tf.split(rows, 4, 0);
  return tf.concat([i, f, g, o], 0);
}
