import type { Network } from './network.ts';
import { clipByNorm, globalNorm, type Optimizer } from './optimizers.ts';
import { type BatchSpec, createPass, type Inputs, type Program, rowsOf, unflatten } from './program.ts';
import { type Rank, type Tensor, tf } from './tf.ts';
import type { Loss } from './trainer.ts';

export interface TrainProgramOptions {
  readonly network: Pick<Network, 'name' | 'parameters'>;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batch: BatchSpec;
  readonly unroll?: number;
  readonly microBatches?: number;
  readonly clipNorm?: number;
  /** An input `scale` multiplies the loss before its gradient is taken, and divides the gradient: what is too small for float16 survives. */
  readonly scaled?: boolean;
}

/** Forward, backward and update of `unroll` steps as one program. */
export function trainProgram(options: TrainProgramOptions): Program & { metrics(): readonly string[] } {
  const { network, optimizer, batch, unroll = 1, clipNorm, scaled = false } = options;
  let metricNames: readonly string[] = [];
  return {
    name: network.name,
    metrics: () => metricNames,
    build(inputs) {
      let parameters = inputParameters(inputs, network);
      let slots: readonly Tensor[] = optimizer.slots.map((slot) =>
        inputs.input(`slot.${slot}`, parameters.shape, 'float32'),
      );
      const controls = inputs.input('controls', [unroll * optimizer.controlCount], 'float32');
      const perStep = stepInputs(inputs, batch, unroll);
      const scalars = each(controls);
      const scale = scaled ? tf.reshape(inputs.input('scale', [1], 'float32'), []) : undefined;
      const records: Record<string, Tensor[]> = {};
      for (let k = 0; k < unroll; k++) {
        const { gradient, loss, metrics } = lossAndGradient(inputs, options, parameters, perStep[k], {
          stepOffset: k,
          ...(scale && { scale }),
        });
        const norm = globalNorm(gradient);
        const clipped = clipNorm === undefined ? gradient : clipByNorm(gradient, norm, clipNorm);
        const at = k * optimizer.controlCount;
        const updated = optimizer.update({
          parameters,
          gradient: clipped,
          slots,
          controls: scalars.slice(at, at + optimizer.controlCount),
        });
        parameters = updated.parameters;
        slots = updated.slots;
        metricNames = Object.keys(metrics);
        const figures = { loss, gradientNorm: norm, ...prefixed('metric.', metrics) };
        for (const [name, figure] of Object.entries(figures)) (records[name] ??= []).push(figure);
      }
      slots = optimizer.settle?.(slots) ?? slots;
      return {
        'parameters.next': parameters,
        ...Object.fromEntries(optimizer.slots.map((slot, i) => [`slot.${slot}.next`, slots[i]])),
        ...Object.fromEntries(Object.entries(records).map(([name, list]) => [name, tf.stack(list)])),
      };
    },
  };
}

/** Mean loss and flat gradient over the rows of a batch: what a worker of a parallel run computes for its own. */
export function gradientProgram(
  options: Omit<TrainProgramOptions, 'optimizer' | 'unroll' | 'scaled'>,
): Program & { metrics(): readonly string[] } {
  let metricNames: readonly string[] = [];
  return {
    name: options.network.name,
    metrics: () => metricNames,
    build(inputs) {
      const parameters = inputParameters(inputs, options.network);
      const [batch] = stepInputs(inputs, options.batch, 1);
      const { gradient, loss, metrics } = lossAndGradient(inputs, options, parameters, batch, {
        stepOffset: 0,
      });
      metricNames = Object.keys(metrics);
      const figures = [loss, ...metricNames.map((name) => metrics[name])];
      return { gradient, figures: tf.stack(figures) };
    },
  };
}

/** The optimiser step alone, from an averaged gradient. */
export function updateProgram(
  options: Pick<TrainProgramOptions, 'network' | 'optimizer' | 'clipNorm'>,
): Program {
  const { network, optimizer, clipNorm } = options;
  return {
    name: `${network.name} update`,
    build(inputs) {
      const parameters = inputParameters(inputs, network);
      const gradient = inputs.input('gradient', parameters.shape, 'float32');
      const slots = optimizer.slots.map((slot) => inputs.input(`slot.${slot}`, parameters.shape, 'float32'));
      const controls = inputs.input('controls', [optimizer.controlCount], 'float32');
      const norm = globalNorm(gradient);
      const updated = optimizer.update({
        parameters,
        gradient: clipNorm === undefined ? gradient : clipByNorm(gradient, norm, clipNorm),
        slots,
        controls: each(controls),
      });
      const kept = optimizer.settle?.(updated.slots) ?? updated.slots;
      return {
        'parameters.next': updated.parameters,
        ...Object.fromEntries(optimizer.slots.map((slot, i) => [`slot.${slot}.next`, kept[i]])),
        gradientNorm: tf.reshape(norm, [1]),
      };
    },
  };
}

/** The numbers of a vector as tensors of shape [1]. */
const each = (vector: Tensor): Tensor[] => (vector.size === 1 ? [vector] : tf.split(vector, vector.size));

type Batch = Readonly<Record<string, Tensor>>;

function inputParameters(inputs: Inputs, network: Pick<Network, 'parameters'>): Tensor {
  const count = network.parameters.reduce(
    (total, { shape }) => total + shape.reduce((product, length) => product * length, 1),
    0,
  );
  return inputs.input('parameters', [count], 'float32');
}

/** The batch of each unrolled step: feeds hold them one after another. */
function stepInputs(inputs: Inputs, batch: BatchSpec, unroll: number): Batch[] {
  const steps: Record<string, Tensor>[] = Array.from({ length: unroll }, () => ({}));
  for (const [name, { shape, type }] of Object.entries(batch)) {
    const all = inputs.input(`batch.${name}`, [unroll * shape[0], ...shape.slice(1)], type);
    const parts = unroll === 1 ? [all] : tf.split(all, unroll);
    parts.forEach((part, k) => (steps[k][name] = part));
  }
  return steps;
}

function lossAndGradient(
  inputs: Inputs,
  options: Omit<TrainProgramOptions, 'optimizer' | 'scaled'>,
  parameters: Tensor,
  batch: Batch,
  { stepOffset, scale }: { readonly stepOffset: number; readonly scale?: Tensor },
): { gradient: Tensor; loss: Tensor; metrics: Record<string, Tensor> } {
  const { network, loss: lossOf, microBatches = 1 } = options;
  const rows = rowsOf(options.batch);
  if (rows % microBatches !== 0)
    throw new Error(`${rows} rows do not divide into ${microBatches} micro-batches.`);
  const parts = splitRows(batch, microBatches);
  const results = parts.map((part, i) => {
    const kept: Record<string, Tensor> = {};
    const { value, grads } = tf.valueAndGrads((flat: Tensor) => {
      const values = unflatten(network.parameters, flat);
      const partRows = rows / microBatches;
      const where = { firstRow: i * partRows, rows: partRows, stepOffset };
      const result = lossOf(createPass(inputs, { training: true, values, ...where }), part);
      const { loss, metrics: given } = 'loss' in result ? result : { loss: result, metrics: {} };
      for (const [key, metric] of Object.entries(given)) kept[key] = tf.keep(tf.reshape(metric, []));
      if (loss.size !== 1) throw new Error(`the loss is a scalar; found shape [${loss.shape.join(', ')}]`);
      const scalar = tf.reshape<Rank.R0>(loss, []);
      return scale === undefined ? scalar : tf.mul<Tensor<Rank.R0>>(scalar, scale);
    })([parameters]);
    // The gradient's scope disposes what it made: metrics leave it kept, and return to this scope as copies.
    const metrics = Object.fromEntries(Object.entries(kept).map(([key, metric]) => [key, tf.clone(metric)]));
    for (const metric of Object.values(kept)) metric.dispose();
    if (scale === undefined) return { gradient: grads[0], loss: value, metrics };
    return { gradient: tf.div(grads[0], scale), loss: tf.div(value, scale), metrics };
  });
  const mean = (tensors: readonly Tensor[]): Tensor =>
    tensors.length === 1 ? tensors[0] : tf.div(tf.addN([...tensors]), tensors.length);
  return {
    gradient: mean(results.map(({ gradient }) => gradient)),
    loss: mean(results.map(({ loss }) => loss)),
    metrics: Object.fromEntries(
      Object.keys(results[0].metrics).map((name) => [
        name,
        mean(results.map(({ metrics }) => metrics[name])),
      ]),
    ),
  };
}

function splitRows(batch: Batch, parts: number): Batch[] {
  if (parts === 1) return [batch];
  const pieces = Array.from({ length: parts }, (): Record<string, Tensor> => ({}));
  for (const [name, tensor] of Object.entries(batch))
    tf.split(tensor, parts).forEach((piece, i) => (pieces[i][name] = piece));
  return pieces;
}

const prefixed = (prefix: string, record: Readonly<Record<string, Tensor>>): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));
