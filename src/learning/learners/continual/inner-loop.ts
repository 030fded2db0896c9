import type { Parameter, Pass } from '../../engine/network.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Loss } from '../../engine/trainer.ts';

/** Parameters and the values that they have in one pass. */
export type Values = ReadonlyMap<Parameter, Tensor>;

type Batch = Readonly<Record<string, Tensor>>;

export interface InnerLoop {
  readonly loss: Loss;
  readonly steps: number;
  /** Parameters that learn inside; the others stay. */
  readonly learns: readonly Parameter[];
  /** The rate of each, a number or, where it is learned, a tensor of one element. */
  readonly rate: (parameter: Parameter) => number | Tensor;
  /** Whether the gradient of what follows knows how the inner gradients depend on the parameters (second order). */
  readonly traced: boolean;
}

/**
 * Gradient steps on one batch, written down as part of a graph: `steps` times value - rate x gradient (Finn, Abbeel &
 * Levine 2017, eq. 1). Random layers are off. Gives the values after every step, those before the first in front.
 */
export function innerSteps(pass: Pass, start: Values, batch: Batch, loop: InnerLoop): readonly Values[] {
  const all = [start];
  for (let step = 0; step < loop.steps; step++) {
    const before = all[step];
    const values = loop.learns.map((parameter) => valueOf(before, parameter));
    const gradients = (): Tensor[] =>
      tf.grads((...moved: Tensor[]) => {
        const own = new Map([
          ...before,
          ...loop.learns.map((parameter, i) => [parameter, moved[i]] as const),
        ]);
        return scalar(loop.loss(passWith(pass, own), batch));
      })(values);
    const found = loop.traced ? gradients() : untaped(gradients);
    const after = loop.learns.map(
      (parameter, i) =>
        [parameter, tf.add(values[i], tf.mul(found[i], tf.neg(loop.rate(parameter))))] as const,
    );
    all.push(new Map([...before, ...after]));
  }
  return all;
}

/** The loss of a batch under these values, random layers off. */
export const lossUnder = (pass: Pass, values: Values, batch: Batch, loss: Loss): Tensor =>
  scalar(loss(passWith(pass, values), batch));

export const valuesOf = (pass: Pass, parameters: readonly Parameter[]): Values =>
  new Map(parameters.map((parameter) => [parameter, pass.value(parameter)]));

/** The batch in equal parts along its rows. */
export function parts(batch: Batch, count: number): readonly Batch[] {
  const pieces = Array.from({ length: count }, (): Record<string, Tensor> => ({}));
  for (const [name, tensor] of Object.entries(batch))
    (count === 1 ? [tensor] : tf.split(tensor, count)).forEach((piece, i) => (pieces[i][name] = piece));
  return pieces;
}

/**
 * Runs `work` as if no gradient were being taken around it: what it gives is a constant to that gradient. TF.js has no
 * operation for this; its tape is put aside and back.
 */
export function untaped<T>(work: () => T): T {
  const { state } = tf.engine();
  const { gradientDepth, activeTape } = state;
  state.gradientDepth = 0;
  try {
    return work();
  } finally {
    state.gradientDepth = gradientDepth;
    state.activeTape = activeTape;
  }
}

const passWith = (pass: Pass, values: Values): Pass => ({
  ...pass,
  training: false,
  value: (parameter) => valueOf(values, parameter),
});

function valueOf(values: Values, parameter: Parameter): Tensor {
  const value = values.get(parameter);
  if (value === undefined) throw new Error(`parameter "${parameter.name}" belongs to another network`);
  return value;
}

/** What a loss gives, as one number. */
export function scalar(result: ReturnType<Loss>): ReturnType<typeof tf.scalar> {
  return tf.reshape('loss' in result ? result.loss : result, []);
}
