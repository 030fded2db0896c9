import { availableParallelism } from 'node:os';
import { adamw } from '../../engine/optimizers.ts';
import { createParallelTrainer } from '../../engine/parallel/trainer.ts';
import { createTrainer, type Loss, type Trainer } from '../../engine/trainer.ts';
import { tf } from '../../engine/tf.ts';
import { parameterCount } from '../../engine/weights.ts';
import type { Scaler } from '../../../core/dataset/scaler.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createRandom, deriveSeed } from '../../../core/foundation/random.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import type { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { FitProgress, FitTask } from '../../../core/forecast/model.ts';
import {
  type Architecture,
  type Calibration,
  type ClassBalance,
  type DeepNetwork,
  type Head,
  networkSizes,
} from './architecture.ts';
import { createEvaluator, type Evaluation, type Evaluator } from './evaluate.ts';
import { batchFiller, trainingBatch, trainingFiller } from './batches.ts';
import { classBalance, oversampled } from './class-balance.ts';
import {
  type Examples,
  findExamples,
  sampleOf,
  shuffled,
  thinned,
  trainingEndMs,
  windowCount,
} from './examples.ts';
import {
  batchSpec,
  fitScalers,
  type InputLayout,
  type PanelShape,
  seriesInputs,
  type SeriesInputs,
  shapeOf,
  withWholeBranches,
} from './inputs.ts';
import type { DeepParams } from './params.ts';
import { rateOf } from './rate-params.ts';
import { saveTraining, startTraining } from './snapshot.ts';

/** A trained network, and all that is needed to use it. */
export interface Trained {
  readonly network: DeepNetwork;
  readonly layout: InputLayout;
  /** Of the panel it was trained on. */
  readonly panel: PanelShape;
  readonly parameters: Float32Array;
  readonly symbols: readonly PairSymbol[];
  /** One a branch. */
  readonly scalers: readonly Scaler[];
  readonly calibration: Calibration;
  readonly report: Readonly<Record<string, unknown>>;
  /** Over the validation windows, of a network that can tell. */
  readonly explanation?: readonly ExplanationPart[];
}

/**
 * Trains one network on the windows of all symbols together: AdamW with clipped gradients, warm-up and cosine
 * decay, early stopping on the validation loss, the best epoch's weights kept. The same seed gives the same
 * weights, however often it was left and gone on with; another number of workers rounds otherwise. Throws `UserError` when there are too few windows or training diverges.
 */
export async function fitDeep<Params extends DeepParams>(
  architecture: Architecture<Params>,
  task: FitTask<Params>,
): Promise<Trained> {
  const { panel, seed } = task;
  const params = task.warm === undefined ? task.params : fineTuning(task.params);
  const head = architecture.head(params);
  const { horizonBars, width } = head.targets;
  const untilMs = trainingEndMs(panel, horizonBars, task.trainUntilMs);

  const symbols = panel.series.map(({ symbol }) => symbol);
  const shape = shapeOf(panel);
  const layout = withWholeBranches(panel, architecture.inputs(params, shape), untilMs);
  const group = groupOf(layout, symbols);
  const batchSize = group * Math.max(1, Math.round(params.batchSize / group));
  const scalers = fitScalers(panel, layout, untilMs);
  const inputs = seriesInputs(panel, { symbols, scalers, layout });
  const labels = head.targets.of(panel, untilMs);
  const find = (span: { fromMs: number; untilMs: number; least: number }): Examples =>
    findExamples(panel, inputs, labels.columns, { ...span, horizonBars, together: group > 1 });
  const real = find({ fromMs: -Infinity, untilMs, least: batchSize });
  const later = find({ fromMs: untilMs, untilMs: Infinity, least: 1 });
  const validation = thinned(later, params.validationWindows);

  const { outputs } = head;
  const sizes = networkSizes(layout, { symbols: symbols.length, outputs });
  const network = architecture.network(params, sizes);
  const training = await oversampled(params, head, real, {
    inputs,
    seed: deriveSeed(seed, 'smote'),
    signal: task.signal,
  });
  const balance = classBalance(head, training, params);
  const spec = {
    ...batchSpec(batchSize, layout),
    targets: { shape: [batchSize, width], type: 'float32' as const },
    ...(group > 1 && { weights: { shape: [batchSize], type: 'float32' as const } }),
  };
  // Not needed before the end of the first epoch, so a first step need not wait for its graph.
  let opened: Evaluator | undefined;
  const evaluator = async (): Promise<Evaluator> =>
    (opened ??= await createEvaluator({ network, head, balance, batch: spec }));
  const step = {
    network,
    loss: meanLoss(network, head, balance),
    optimizer: adamw({ weightDecay: params.weightDecay }),
    batch: trainingBatch(spec, params),
    seed: deriveSeed(seed, 'weights'),
    clipNorm: params.clipNorm,
    microBatches: params.accumulate,
  };
  requireDivided(params, { group, batchSize });
  const workers = workersOf(params, {
    group,
    batchSize,
    multiplyAdds: multiplyAddsOf(network, layout, batchSize),
  });
  const trainer = await (workers > 1 ? createParallelTrainer({ ...step, workers }) : createTrainer(step));
  const run = {
    task: { ...task, params },
    network,
    layout,
    batchSize,
    inputs,
    training,
    validation,
    evaluator,
    trainer,
  };
  try {
    const { parameters, evaluation, history } = await trainEpochs(run);
    const sample = sampleOf(validation, evaluation.outputs);
    const calibration = head.calibrate(sample);
    const report = {
      parameters: parameters.length,
      trainingWindows: windowCount(training),
      ...(training.synthetic && { syntheticWindows: training.count - training.synthetic.real }),
      validationWindows: windowCount(validation),
      ...history,
      ...(labels.fitted && { fittedTargets: labels.fitted }),
      validation: head.scores(sample, calibration),
      ...(Object.keys(calibration).length > 0 && { calibration }),
    };
    const explanation = architecture.explain?.(params, evaluation.explanation, { ...shape, symbols });
    return {
      network,
      layout,
      panel: shape,
      parameters,
      symbols,
      scalers,
      calibration,
      report,
      ...(explanation && { explanation }),
    };
  } finally {
    await trainer.dispose();
    await opened?.dispose();
  }
}

/** What is left to learn when the weights begin where those of earlier bars ended. */
const fineTuning = <Params extends DeepParams>(params: Params): Params => ({
  ...params,
  epochs: Math.ceil(params.epochs / 3),
  learningRate: params.learningRate / 3,
});

/** From here on, two threads save more in each step than they cost: see docs/decisions/0008-deep-models.md. */
const LARGE_STEP = 1e8;

/** Of one pass over a batch, about: every parameter once at every bar of a window. */
const multiplyAddsOf = ({ parameters }: DeepNetwork, { branches }: InputLayout, rows: number): number =>
  parameterCount(parameters) * Math.max(...branches.map(({ lookBack }) => lookBack)) * rows;

/** Threads that share a step. Throws `UserError` when several are asked for symbols that stand together. */
function workersOf(
  { workers, accumulate }: DeepParams,
  {
    group,
    batchSize,
    multiplyAdds,
  }: { readonly group: number; readonly batchSize: number; readonly multiplyAdds: number },
): number {
  if (group === 1) {
    if (workers !== undefined) return workers;
    const cores = availableParallelism();
    const divides = accumulate === 1 || batchSize % (cores * accumulate) === 0;
    return multiplyAdds < LARGE_STEP || !divides ? 1 : cores;
  }
  if (workers === undefined || workers === 1) return 1;
  throw new UserError(`${workers} training workers were asked for a model whose symbols stand together.`, {
    hint: 'Leave workers out: the symbols of a bar and their weights in the loss cannot be divided among threads.',
  });
}

/** Throws `UserError` for a batch that does not divide into the parts that are asked for. */
function requireDivided(
  { accumulate, workers = 1, mixup }: DeepParams,
  { group, batchSize }: { readonly group: number; readonly batchSize: number },
): void {
  if (group > 1 && (accumulate > 1 || mixup > 0))
    throw new UserError('accumulate or mixup was asked for of a model whose symbols stand together.', {
      hint: 'Leave accumulate at 1 and mixup at 0: the symbols of a bar cannot be divided or mixed.',
    });
  if (batchSize % (accumulate * workers) === 0 || accumulate === 1) return;
  throw new UserError(
    `A batch of ${batchSize} windows does not divide into ${accumulate} parts${workers > 1 ? ` for each of ${workers} workers` : ''}.`,
    { hint: `Choose a batchSize that is a multiple of ${accumulate * workers}.` },
  );
}

interface Run {
  readonly task: FitTask<DeepParams>;
  readonly network: DeepNetwork;
  readonly layout: InputLayout;
  /** Rows of a batch. */
  readonly batchSize: number;
  readonly inputs: readonly SeriesInputs[];
  readonly training: Examples;
  readonly validation: Examples;
  readonly evaluator: () => Promise<Evaluator>;
  readonly trainer: Trainer;
}

/**
 * Epoch by epoch until the validation loss stops falling; gives the weights of its best epoch. Goes on from the
 * snapshot of the task, if it has one, and leaves one behind when it is aborted.
 */
async function trainEpochs(run: Run) {
  const { task, training, trainer, network, batchSize } = run;
  const { params, seed, signal, snapshots } = task;
  const windows = Math.min(params.windowsPerEpoch ?? training.count, training.count);
  const stepsPerEpoch = Math.max(1, Math.floor(windows / batchSize));
  const steps = stepsPerEpoch * params.epochs;
  const rateAt = rateOf(params, steps);
  const rate = (step: number): number => rateAt(step, point.validationLosses);
  const fill = trainingFiller(run, training);
  let point = startTraining(network, trainer, { resume: snapshots?.from, warm: task.warm });
  let trained = { steps: 0, ms: 0 };
  const stepsMade = (): number => (point.epoch - 1) * stepsPerEpoch + point.stepsDone;
  const progress = (): FitProgress => ({
    step: stepsMade(),
    steps,
    ...(trained.ms > 0 && { samplesPerSecond: (trained.steps * batchSize) / (trained.ms / 1000) }),
    learningRate: rate(Math.max(0, stepsMade() - 1)),
  });
  const keep = async (): Promise<void> => {
    const place = { step: stepsMade(), epoch: point.epoch };
    await snapshots?.keep(saveTraining(network, trainer, point), place);
  };

  const finishEpoch = async (order: Int32Array): Promise<void> => {
    while (point.stepsDone < stepsPerEpoch) {
      signal.throwIfAborted();
      const { stepsDone, epoch } = point;
      const started = performance.now();
      const result = await trainer.step(fill(order, stepsDone * batchSize, stepsMade()), rate(stepsMade()));
      trained = { steps: trained.steps + 1, ms: trained.ms + performance.now() - started };
      point = { ...point, stepsDone: stepsDone + 1, lossSum: point.lossSum + result.losses[0] };
      if (point.stepsDone < stepsPerEpoch) {
        if (point.stepsDone % Math.ceil(stepsPerEpoch / 50) === 0)
          task.onProgress({ ...progress(), epoch, loss: point.lossSum / point.stepsDone });
        if (snapshots?.isDue({ step: stepsMade(), epoch })) await keep();
      }
    }
    const { epoch, losses, validationLosses } = point;
    const loss = point.lossSum / stepsPerEpoch;
    const { loss: validationLoss } = await evaluate(run, trainer.parameters());
    task.onProgress({ ...progress(), epoch, loss, validationLoss });
    const better = validationLoss < point.best.loss;
    point = {
      epoch: epoch + 1,
      stepsDone: 0,
      lossSum: 0,
      losses: [...losses, loss],
      validationLosses: [...validationLosses, validationLoss],
      best: better ? { epoch, loss: validationLoss, parameters: trainer.parameters() } : point.best,
    };
    if (snapshots?.isDue({ step: stepsMade(), epoch, endOfEpoch: true })) await keep();
  };

  try {
    while (point.epoch <= params.epochs && point.epoch - 1 - point.best.epoch < params.patience)
      await finishEpoch(
        shuffled(training.count / training.group, createRandom(deriveSeed(seed, `epoch ${point.epoch}`))),
      );
    const { best, losses, validationLosses } = point;
    const evaluation = await evaluate(run, best.parameters);
    const history = { bestEpoch: best.epoch, stepsPerEpoch, losses, validationLosses };
    return { parameters: best.parameters, evaluation, history };
  } catch (error) {
    if (signal.aborted) await keep();
    throw error;
  }
}

/** The network on all validation windows. */
async function evaluate(run: Run, parameters: Float32Array): Promise<Evaluation> {
  const { task, validation, evaluator } = run;
  const fill = batchFiller(run, validation);
  const opened = await evaluator();
  return opened.run(parameters, {
    examples: validation,
    signal: task.signal,
    batch: (from) => fill(undefined, from),
  });
}

/** Examples of one bar that stay together. Throws `UserError` for a model of several symbols that is given one. */
function groupOf({ together }: InputLayout, symbols: readonly PairSymbol[]): number {
  if (!together) return 1;
  if (symbols.length > 1) return symbols.length;
  throw new UserError(`The model reads several symbols together, only ${symbols.join(', ')} was given.`, {
    hint: 'Put at least two symbols into market.symbols, or leave the model out.',
  });
}

function meanLoss(network: DeepNetwork, head: Head, balance: ClassBalance): Loss {
  return (pass, { targets, weights, mixTargets, mixShares, ...inputs }) => {
    const { output } = network.forward(pass, inputs);
    const own = head.rowLosses(output, targets, balance);
    const losses = mixTargets
      ? tf.add(
          tf.mul(own, mixShares),
          tf.mul(head.rowLosses(output, mixTargets, balance), tf.sub(1, mixShares)),
        )
      : own;
    if (weights === undefined) return tf.mean(losses);
    return tf.div(tf.sum(tf.mul(losses, weights)), tf.maximum(tf.sum(weights), 1));
  };
}
