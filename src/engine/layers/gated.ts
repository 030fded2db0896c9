import { fanInUniform } from '../initializers.ts';
import { type Declare, type Layer, named, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { dense, linear } from './dense.ts';
import { dropout } from './dropout.ts';
import { layerNorm } from './layer-norm.ts';

/**
 * Gated linear unit (Dauphin et al. 2017): one linear map to twice the size, the first half times the
 * sigmoid of the second. The weight and not the activation is cut in half, which saves two copies.
 */
export function gatedLinear(
  declare: Declare,
  name: string,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Layer {
  const own = within(declare, `${name}.lin`);
  const weight = own('weight', [2 * outputs, inputs], fanInUniform(inputs));
  const bias = own('bias', [2 * outputs], fanInUniform(inputs));
  return named(`gated linear "${name}"`, (pass, x) => {
    const [valueWeight, gateWeight] = tf.split(pass.value(weight), 2);
    const [valueBias, gateBias] = tf.split(pass.value(bias), 2);
    return tf.mul(linear(x, valueWeight, valueBias), tf.sigmoid(linear(x, gateWeight, gateBias)));
  });
}

export interface GatedResidualOptions {
  readonly inputs: number;
  readonly hidden: number;
  /** Default `hidden`; another size than the inputs' adds a projection of the skip connection. */
  readonly outputs?: number;
  /** Size of a context vector added before the non-linearity. */
  readonly context?: number;
  readonly dropout?: number;
}

export interface GatedResidualInput {
  readonly x: Tensor;
  readonly context?: Tensor;
}

/**
 * Gated residual network (Lim et al. 2021, eq. 3-5) as NVIDIA lays it out:
 * LayerNorm(skip + GLU(dropout(W_i ELU(W_a a + b_a + W_c c) + b_i))), LayerNorm epsilon 1e-3.
 */
export function gatedResidual(
  declare: Declare,
  name: string,
  options: GatedResidualOptions,
): Layer<GatedResidualInput> {
  const { inputs, hidden, outputs = hidden, context } = options;
  const own = within(declare, name);
  const first = dense(own, 'lin_a', { inputs, outputs: hidden });
  const fromContext =
    context === undefined
      ? undefined
      : dense(own, 'lin_c', { inputs: context, outputs: hidden, bias: false });
  const second = dense(own, 'lin_i', { inputs: hidden, outputs: hidden });
  const gate = gatedLinear(own, 'glu', { inputs: hidden, outputs });
  const project = inputs === outputs ? undefined : dense(own, 'out_proj', { inputs, outputs });
  const norm = layerNorm(own, 'layer_norm', { size: outputs, epsilon: 1e-3 });
  return named(`gated residual "${name}"`, (pass, { x, context: c }) => {
    const before = first(pass, x);
    const added = fromContext && c ? tf.add(before, fromContext(pass, c)) : before;
    const inner = dropout(pass, second(pass, tf.elu(added)), options.dropout ?? 0);
    return norm(pass, tf.add(gate(pass, inner), project ? project(pass, x) : x));
  });
}

export interface VariableSelectionInput {
  /** One embedded variable each, [..., hidden]. */
  readonly variables: readonly Tensor[];
  readonly context?: Tensor;
}

export interface VariableSelectionOutput {
  readonly output: Tensor;
  /** [..., variables], each row sums to one. */
  readonly weights: Tensor;
}

/**
 * Variable selection network (Lim et al. 2021, eq. 6-8): a joint gated residual network weighs the
 * variables, each of which passes through one of its own.
 */
export function variableSelection(
  declare: Declare,
  name: string,
  options: {
    readonly variables: number;
    readonly hidden: number;
    readonly context?: number;
    readonly dropout?: number;
  },
): Layer<VariableSelectionInput, VariableSelectionOutput> {
  const { variables, hidden, context } = options;
  const own = within(declare, name);
  const rate = options.dropout === undefined ? {} : { dropout: options.dropout };
  const joint = gatedResidual(own, 'joint_grn', {
    inputs: hidden * variables,
    hidden,
    outputs: variables,
    ...(context === undefined ? {} : { context }),
    ...rate,
  });
  const single = Array.from({ length: variables }, (_, i) =>
    gatedResidual(own, `var_grns.${i}`, { inputs: hidden, hidden, ...rate }),
  );
  return named(`variable selection "${name}"`, (pass, input) => {
    const flat = tf.concat([...input.variables], -1); // [..., variables x hidden]
    const scores = joint(pass, { x: flat, ...(input.context ? { context: input.context } : {}) });
    const weights = tf.softmax(scores); // [..., variables]
    const parts = tf.split(weights, variables, -1);
    const weighted = input.variables.map((variable, i) => tf.mul(single[i](pass, { x: variable }), parts[i]));
    return { output: tf.addN(weighted), weights };
  });
}
