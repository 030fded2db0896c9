import { fanInUniform } from '../initializers.ts';
import { type Declare, type Layer, named, type Pass, within } from '../network.ts';
import { type Tensor, tf } from '../tf.ts';
import { dense, denseParameters, linear } from './dense.ts';
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
  const { first, project, rest } = gatedResidualParts(declare, name, options);
  const map = (pass: Pass, { weight, bias }: Affine, x: Tensor): Tensor =>
    linear(x, pass.value(weight), bias && pass.value(bias));
  return named(`gated residual "${name}"`, (pass, { x, context }) =>
    rest(pass, {
      before: map(pass, first, x),
      skip: project ? map(pass, project, x) : x,
      ...(context && { context }),
    }),
  );
}

type Affine = ReturnType<typeof denseParameters>;

/** The two maps that read the input, and what follows them. */
interface GatedResidualParts {
  readonly first: Affine;
  readonly project: Affine | undefined;
  readonly rest: Layer<{ readonly before: Tensor; readonly skip: Tensor; readonly context?: Tensor }>;
}

function gatedResidualParts(
  declare: Declare,
  name: string,
  options: GatedResidualOptions,
): GatedResidualParts {
  const { inputs, hidden, outputs = hidden, context } = options;
  const own = within(declare, name);
  const first = denseParameters(own, 'lin_a', { inputs, outputs: hidden });
  const fromContext =
    context === undefined
      ? undefined
      : dense(own, 'lin_c', { inputs: context, outputs: hidden, bias: false });
  const second = dense(own, 'lin_i', { inputs: hidden, outputs: hidden });
  const gate = gatedLinear(own, 'glu', { inputs: hidden, outputs });
  const project = inputs === outputs ? undefined : denseParameters(own, 'out_proj', { inputs, outputs });
  const norm = layerNorm(own, 'layer_norm', { size: outputs, epsilon: 1e-3 });
  return {
    first,
    project,
    rest(pass, { before, skip, context: c }) {
      const added = fromContext && c ? tf.add(before, fromContext(pass, c)) : before;
      const inner = dropout(pass, second(pass, tf.elu(added)), options.dropout ?? 0);
      return norm(pass, tf.add(gate(pass, inner), skip));
    },
  };
}

/** Variables that are numbers, each embedded as number x vector + bias: what a layer needs to know of them. */
export interface ScalarVariables {
  /** [..., variables] */
  readonly values: Tensor;
  /** [variables, hidden] */
  readonly vectors: Tensor;
  /** [variables, hidden] */
  readonly biases: Tensor;
}

export interface VariableSelectionInput {
  readonly variables: ScalarVariables;
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
 *
 * Variables are embedded numbers, s v + b, so a first map of one is W (s v + b) = s (W v) + W b: the embedded
 * vectors, [..., variables x hidden], are never made, and the maps that read them shrink from `hidden` inputs a
 * variable to one. Parameters, values and gradients are those of the usual form.
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
  const joint = gatedResidualParts(own, 'joint_grn', {
    inputs: hidden * variables,
    hidden,
    outputs: variables,
    ...(context === undefined ? {} : { context }),
    ...rate,
  });
  const single = Array.from({ length: variables }, (_, i) =>
    gatedResidualParts(own, `var_grns.${i}`, { inputs: hidden, hidden, ...rate }),
  );
  return named(`variable selection "${name}"`, (pass, { variables: scalars, context: c }) => {
    const { values } = scalars;
    const onAll = (map: Affine): Tensor => {
      const { weight, bias } = mapOfScalars(pass, map, scalars);
      return linear(values, weight, bias);
    };
    const scores = joint.rest(pass, {
      before: onAll(joint.first),
      skip: joint.project ? onAll(joint.project) : embedded(scalars),
      ...(c && { context: c }),
    });
    const weights = tf.softmax(scores); // [..., variables]
    const shares = splitLast(weights, variables);
    const weighted = eachScalar(scalars, variables).map((variable, i) => {
      const { weight, bias } = mapOfScalars(pass, single[i].first, variable);
      const before = linear(variable.values, weight, bias);
      return tf.mul(single[i].rest(pass, { before, skip: embedded(variable) }), shares[i]);
    });
    return { output: tf.addN(weighted), weights };
  });
}

/** The map W [outputs, variables x hidden], b of embedded numbers as one of the numbers: [outputs, variables]. */
function mapOfScalars(
  pass: Pass,
  { weight, bias }: Affine,
  { vectors, biases }: ScalarVariables,
): { readonly weight: Tensor; readonly bias: Tensor } {
  const [variables, hidden] = vectors.shape;
  const full = pass.value(weight);
  const outputs = full.shape[0];
  const parts = tf.reshape(full, [outputs, variables, hidden ?? 0]);
  const constant = tf.reshape(linear(tf.reshape(biases, [1, -1]), full), [outputs]);
  return {
    weight: tf.sum(tf.mul(parts, tf.expandDims(vectors, 0)), 2),
    bias: bias ? tf.add(constant, pass.value(bias)) : constant,
  };
}

/** One variable's numbers [..., 1] as vectors [..., hidden]. */
const embedded = ({ values, vectors, biases }: ScalarVariables): Tensor =>
  linear(values, tf.transpose(vectors), tf.reshape(biases, [-1]));

function eachScalar({ values, vectors, biases }: ScalarVariables, variables: number): ScalarVariables[] {
  const rows = (x: Tensor): Tensor[] => (variables === 1 ? [x] : tf.split(x, variables, 0));
  const [vector, bias] = [rows(vectors), rows(biases)];
  return splitLast(values, variables).map((value, i) => ({
    values: value,
    vectors: vector[i],
    biases: bias[i],
  }));
}

const splitLast = (x: Tensor, parts: number): Tensor[] => (parts === 1 ? [x] : tf.split(x, parts, -1));
