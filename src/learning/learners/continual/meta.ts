import { constant } from '../../engine/initializers.ts';
import type { Network, Parameter, Pass } from '../../engine/network.ts';
import type { BatchSpec, Inputs, Program } from '../../engine/program.ts';
import { createPass, rowsOf, unflatten } from '../../engine/program.ts';
import { type Tensor, tf } from '../../engine/tf.ts';
import type { Loss } from '../../engine/trainer.ts';
import { parameterCount } from '../../engine/weights.ts';
import {
  type InnerLoop,
  innerSteps,
  lossUnder,
  parts,
  scalar,
  untaped,
  type Values,
  valuesOf,
} from './inner-loop.ts';

/**
 * - `maml`: Finn, Abbeel & Levine 2017, through the inner steps; `first-order`: their cheaper form.
 * - `anil`: only the last layer learns inside (Raghu, Raghu, Bengio & Vinyals 2020).
 * - `meta-sgd`: the inner rate of every parameter tensor is learned too (Li, Zhou, Chen & Li 2017).
 * - `reptile`: towards where plain training on the task leads (Nichol, Achiam & Schulman 2018).
 */
export const META_METHODS = ['maml', 'first-order', 'anil', 'meta-sgd', 'reptile'] as const;
export type MetaMethod = (typeof META_METHODS)[number];

export interface MetaOptions {
  readonly method: MetaMethod;
  readonly innerRate: number;
  readonly innerSteps: number;
  /** Tasks in one step of the outer loop. */
  readonly tasks: number;
}

/** A network that is to learn tasks quickly. */
export interface MetaProblem {
  readonly network: Pick<Network, 'name' | 'parameters'>;
  readonly loss: Loss;
  /** Inputs of one task's support; its query has as many rows. */
  readonly batch: BatchSpec;
  /**
   * The network computes all tasks of a step at once: it is made of dense layers and of operations on single values, and the loss is
   * a mean over rows. Default: one task after the other.
   */
  readonly stacks?: boolean;
}

/** Parameters of a network's last layer, by the names that the networks here give it. */
const LAST_LAYER = /(^|\.)(head|tasks|quantile_proj)(\.|$)/;

/** The network with the rates that are learned beside it, and the loss over a batch of tasks: what a trainer is given. */
export function metaTraining(problem: MetaProblem, options: MetaOptions): MetaProblem {
  const { loss, batch } = problem;
  const network = metaNetwork(problem.network, options);
  const rows = rowsOf(batch) * options.tasks;
  const ofTasks = Object.entries(batch).map(([name, { shape, type }]) => {
    const spec = { shape: [rows, ...shape.slice(1)], type };
    return [[`support.${name}`, spec] as const, [`query.${name}`, spec] as const];
  });
  return {
    network,
    batch: Object.fromEntries(ofTasks.flat()),
    loss(pass, given) {
      const start = valuesOf(pass, network.parameters);
      if (problem.stacks === true && options.method !== 'reptile')
        return stackedLoss(pass, start, { given, network, loss, options });
      const [support, query] = ['support.', 'query.'].map((prefix) =>
        parts(withoutPrefix(given, prefix), options.tasks),
      );
      const loop = innerLoop(network.parameters, loss, options, (parameter) => pass.value(parameter));
      const losses = support.map((own, task) =>
        options.method === 'reptile'
          ? towards(pass, start, { support: own, query: query[task], loop })
          : lossUnder(pass, last(innerSteps(pass, start, own, loop)), query[task], loss),
      );
      return tf.div(tf.addN([...losses]), options.tasks);
    },
  };
}

/**
 * The same mean over tasks with every parameter as often as there are tasks, in one pass: a task's rows meet its own copy alone, so
 * the gradient of a sum over tasks is that of each.
 */
function stackedLoss(
  pass: Pass,
  start: Values,
  {
    given,
    network,
    loss,
    options,
  }: {
    readonly given: Readonly<Record<string, Tensor>>;
    readonly network: Pick<Network, 'parameters'>;
    readonly loss: Loss;
    readonly options: MetaOptions;
  },
): Tensor {
  const { tasks } = options;
  const copies = new Map(
    Array.from(start, ([parameter, value]) => [
      parameter,
      isRate(parameter) ? value : tf.tile(tf.expandDims(value, 0), [tasks, ...value.shape.map(() => 1)]),
    ]),
  );
  const summed: Loss = (own, batch) => tf.mul(scalar(loss(own, batch)), tasks);
  const loop = innerLoop(network.parameters, summed, options, (parameter) => pass.value(parameter));
  // A task's rows stay together, so that no product has to part them and join them again.
  const [support, query] = ['support.', 'query.'].map((prefix) =>
    Object.fromEntries(
      Object.entries(withoutPrefix(given, prefix)).map(([name, tensor]) => [
        name,
        tf.reshape(tensor, [tasks, -1, ...tensor.shape.slice(1)]),
      ]),
    ),
  );
  return lossUnder(pass, last(innerSteps(pass, copies, support, loop)), query, loss);
}

/** The loss of the query after plain training; its gradient leads to where that training ended, in units of the inner rate. */
function towards(
  pass: Pass,
  start: Values,
  {
    support,
    query,
    loop,
  }: {
    readonly support: Readonly<Record<string, Tensor>>;
    readonly query: Readonly<Record<string, Tensor>>;
    readonly loop: InnerLoop;
  },
): Tensor {
  const { end, figure } = untaped(() => {
    const half = last(innerSteps(pass, start, support, loop));
    const ended = last(innerSteps(pass, half, query, loop));
    return { end: ended, figure: lossUnder(pass, half, query, loop.loss) };
  });
  const pulls = loop.learns.map((parameter) => {
    const rate = loop.rate(parameter);
    const gap = tf.sub(start.get(parameter) ?? 0, end.get(parameter) ?? 0);
    return tf.div(tf.mul(tf.sum(tf.square(gap)), 0.5), rate);
  });
  const pull = tf.addN(pulls);
  return tf.add(
    figure,
    tf.sub(
      pull,
      untaped(() => tf.add(pull, 0)),
    ),
  );
}

/** The network, and with Meta-SGD a rate for each of its parameters. */
function metaNetwork(
  { name, parameters }: Pick<Network, 'name' | 'parameters'>,
  { method, innerRate }: Pick<MetaOptions, 'method' | 'innerRate'>,
): Pick<Network, 'name' | 'parameters'> {
  if (method !== 'meta-sgd') return { name, parameters };
  const rates = parameters.map((parameter) => ({
    name: rateName(parameter),
    shape: [1],
    initializer: constant(innerRate),
  }));
  return { name, parameters: [...parameters, ...rates] };
}

const rateName = ({ name }: Parameter): string => `inner_rate.${name}`;
const isRate = ({ name }: Parameter): boolean => name.startsWith('inner_rate.');

/** How a task is learned: in the outer loop, and by whoever adapts afterwards. `value`: that of a learned rate. */
function innerLoop(
  all: readonly Parameter[],
  loss: Loss,
  { method, innerRate, innerSteps: steps }: Omit<MetaOptions, 'tasks'>,
  value: (parameter: Parameter) => Tensor,
): InnerLoop {
  const rates = new Map(all.map((parameter) => [parameter.name, parameter]));
  const own = all.filter((parameter) => !isRate(parameter));
  const learns = method === 'anil' ? own.filter(({ name }) => LAST_LAYER.test(name)) : own;
  if (learns.length === 0) throw new Error('the network has no last layer of a known name');
  return {
    loss,
    steps,
    learns,
    rate(parameter) {
      const learned = rates.get(rateName(parameter));
      return learned === undefined ? innerRate : value(learned);
    },
    traced: method === 'maml' || method === 'anil' || method === 'meta-sgd',
  };
}

/**
 * Learning one task from what meta-training made: input `parameters` (flat, rates included), `support.*` and `query.*`;
 * outputs the parameters after all steps and the loss of the query after each, [steps + 1], the one before in front.
 */
export function adaptationProgram(
  problem: MetaProblem,
  options: Omit<MetaOptions, 'tasks'> & {
    /** Default: as many as the support has. */
    readonly queryRows?: number;
    /** Give the loss before the first step alone: for who runs one step again and again. */
    readonly judgesStart?: boolean;
  },
): Program {
  const network = metaNetwork(problem.network, options);
  const { loss, batch } = problem;
  const rows = rowsOf(batch);
  return {
    name: `${network.name} adaptation`,
    build(inputs) {
      const flat = inputs.input('parameters', [parameterCount(network.parameters)], 'float32');
      const values = unflatten(network.parameters, flat);
      const pass = createPass(inputs, { training: false, values, rows, firstRow: 0, stepOffset: 0 });
      const loop = innerLoop(network.parameters, loss, options, (parameter) => pass.value(parameter));
      const all = innerSteps(pass, values, given(inputs, 'support', batch), { ...loop, traced: false });
      const query = given(inputs, 'query', withRows(batch, options.queryRows ?? rows));
      const judged = options.judgesStart === true ? all.slice(0, 1) : all;
      const losses = judged.map((one) => lossUnder(pass, one, query, loss));
      const end = last(all);
      const flattened = network.parameters.map((parameter) => tf.reshape(end.get(parameter) ?? flat, [-1]));
      return { 'parameters.next': tf.concat(flattened), losses: tf.stack(losses) };
    },
  };
}

const withRows = (batch: BatchSpec, rows: number): BatchSpec =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { shape, type }]) => [
      name,
      { shape: [rows, ...shape.slice(1)], type },
    ]),
  );

const given = (inputs: Inputs, part: string, batch: BatchSpec): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(batch).map(([name, { shape, type }]) => [
      name,
      inputs.input(`${part}.${name}`, shape, type),
    ]),
  );

const withoutPrefix = (
  batch: Readonly<Record<string, Tensor>>,
  prefix: string,
): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    Object.entries(batch).flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );

function last<T>(list: readonly T[]): T {
  return list[list.length - 1];
}
