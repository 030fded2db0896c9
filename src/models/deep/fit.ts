import { adamw } from '../../engine/optimizers.ts';
import { createTrainer, type Loss, type Trainer } from '../../engine/trainer.ts';
import { cosineWithWarmUp } from '../../engine/schedules.ts';
import { tf } from '../../engine/tf.ts';
import { fitScaler, type Scaler } from '../../dataset/scaler.ts';
import { createRandom, deriveSeed } from '../../foundation/random.ts';
import type { PairSymbol } from '../../market/symbol.ts';
import type { ExplanationPart } from '../explanation.ts';
import type { FitProgress, FitTask } from '../model.ts';
import type {
  Architecture,
  Calibration,
  ClassBalance,
  DeepNetwork,
  Head,
  NetworkSizes,
} from './architecture.ts';
import { createEvaluator, type Evaluation, type Evaluator } from './evaluate.ts';
import { type Examples, findExamples, shuffled, thinned, trainingEndMs } from './examples.ts';
import { batchSpec, seriesInputs, type SeriesInputs, windowBatch } from './inputs.ts';
import type { DeepParams } from './params.ts';
import { saveTraining, startTraining } from './snapshot.ts';

/** A trained network, and all that is needed to use it. */
export interface Trained {
  readonly network: DeepNetwork;
  readonly sizes: NetworkSizes;
  readonly parameters: Float32Array;
  readonly symbols: readonly PairSymbol[];
  readonly scaler: Scaler;
  readonly calibration: Calibration;
  readonly report: Readonly<Record<string, unknown>>;
  /** Over the validation windows, of a network that can tell. */
  readonly explanation?: readonly ExplanationPart[];
}

/**
 * Trains one network on the windows of all symbols together: AdamW with clipped gradients, warm-up and cosine
 * decay, early stopping on the validation loss, the best epoch's weights kept. The same seed gives the same
 * weights, however often it was left and gone on with. Throws `UserError` when there are too few windows or training diverges.
 */
export async function fitDeep<Params extends DeepParams>(
  architecture: Architecture<Params>,
  task: FitTask<Params>,
): Promise<Trained> {
  const { panel, params, seed } = task;
  const { lookBack, batchSize } = params;
  const head = architecture.head(params);
  const horizonBars = Math.max(...head.horizons);
  const untilMs = trainingEndMs(panel, horizonBars, task.trainUntilMs);

  const symbols = panel.series.map(({ symbol }) => symbol);
  const scaler = trainingScaler(task, untilMs);
  const inputs = seriesInputs(panel, { symbols, scaler, lookBack });
  const { horizons } = head;
  const training = findExamples(panel, inputs, { horizons, fromMs: -Infinity, untilMs, least: batchSize });
  const later = findExamples(panel, inputs, { horizons, fromMs: untilMs, untilMs: Infinity, least: 1 });
  const validation = thinned(later, params.validationWindows);

  const sizes: NetworkSizes = {
    lookBack,
    features: scaler.means.length,
    futureBars: architecture.futureBars(params),
    symbols: symbols.length,
    outputs: head.outputs,
  };
  const network = architecture.network(params, sizes);
  const balance = classBalance(training);
  const spec = {
    ...batchSpec(batchSize, sizes),
    targets: { shape: [batchSize, horizons.length], type: 'float32' as const },
  };
  const evaluator = await createEvaluator({ network, head, balance, batch: spec });
  const trainer = await createTrainer({
    network,
    loss: meanLoss(network, head, balance),
    optimizer: adamw({ weightDecay: params.weightDecay }),
    batch: spec,
    seed: deriveSeed(seed, 'weights'),
    clipNorm: params.clipNorm,
  });
  const run = { task, network, sizes, inputs, training, validation, evaluator, trainer };
  try {
    const { parameters, evaluation, history } = await trainEpochs(run);
    const sample = { count: validation.count, outputs: evaluation.outputs, targets: validation.targets };
    const calibration = head.calibrate(sample);
    const report = {
      parameters: parameters.length,
      trainingWindows: training.count,
      validationWindows: validation.count,
      ...history,
      validation: head.scores(sample, calibration),
      ...(Object.keys(calibration).length > 0 && { calibration }),
    };
    const explanation = architecture.explain?.(params, evaluation.explanation);
    return {
      network,
      sizes,
      parameters,
      symbols,
      scaler,
      calibration,
      report,
      ...(explanation && { explanation }),
    };
  } finally {
    await trainer.dispose();
    await evaluator.dispose();
  }
}

interface Run {
  readonly task: FitTask<DeepParams>;
  readonly network: DeepNetwork;
  readonly sizes: NetworkSizes;
  readonly inputs: readonly SeriesInputs[];
  readonly training: Examples;
  readonly validation: Examples;
  readonly evaluator: Evaluator;
  readonly trainer: Trainer;
}

/**
 * Epoch by epoch until the validation loss stops falling; gives the weights of its best epoch. Goes on from the
 * snapshot of the task, if it has one, and leaves one behind when it is aborted.
 */
async function trainEpochs(run: Run) {
  const { task, training, trainer, network } = run;
  const { params, seed, signal, snapshots } = task;
  const windows = Math.min(params.windowsPerEpoch ?? training.count, training.count);
  const stepsPerEpoch = Math.max(1, Math.floor(windows / params.batchSize));
  const steps = stepsPerEpoch * params.epochs;
  const rate = cosineWithWarmUp(params.learningRate, {
    steps,
    warmUpSteps: Math.max(1, Math.round(0.05 * steps)),
    finalRate: params.learningRate / 100,
  });
  const fill = batchFiller(run, training);
  let point = startTraining(network, trainer, snapshots?.from);
  let trained = { steps: 0, ms: 0 };
  const stepsMade = (): number => (point.epoch - 1) * stepsPerEpoch + point.stepsDone;
  const progress = (): FitProgress => ({
    step: stepsMade(),
    steps,
    ...(trained.ms > 0 && { samplesPerSecond: (trained.steps * params.batchSize) / (trained.ms / 1000) }),
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
      const result = await trainer.step(fill(order, stepsDone * params.batchSize), rate(stepsMade()));
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
      await finishEpoch(shuffled(training.count, createRandom(deriveSeed(seed, `epoch ${point.epoch}`))));
    const { best, losses, validationLosses } = point;
    const evaluation = await evaluate(run, best.parameters);
    const history = { bestEpoch: best.epoch, stepsPerEpoch, losses, validationLosses };
    return { parameters: best.parameters, evaluation, history };
  } catch (error) {
    if (signal.aborted) await keep();
    throw error;
  }
}

/** Fills the feeds of a batch with the examples `order[from]`, `order[from + 1]`, ..., from the start again at the end. */
function batchFiller({ task, sizes, inputs }: Run, examples: Examples) {
  const { batchSize } = task.params;
  const batch = windowBatch(batchSize, sizes, task.panel.timeframe);
  const width = examples.targets.length / examples.count;
  const targets = new Float32Array(batchSize * width);
  const feeds = { ...batch.feeds, targets };
  return (order: Int32Array | undefined, from: number): typeof feeds => {
    for (let slot = 0; slot < batchSize; slot++) {
      const place = (from + slot) % examples.count;
      const example = order?.[place] ?? place;
      batch.fill(slot, inputs[examples.series[example]], examples.row[example]);
      targets.set(examples.targets.subarray(example * width, (example + 1) * width), slot * width);
    }
    return feeds;
  };
}

/** The network on all validation windows. */
async function evaluate(run: Run, parameters: Float32Array): Promise<Evaluation> {
  const { task, validation, evaluator } = run;
  const fill = batchFiller(run, validation);
  return evaluator.run(parameters, {
    count: validation.count,
    signal: task.signal,
    batch: (from) => fill(undefined, from),
  });
}

/** Location and scale of the inputs in the training bars of all symbols together. */
function trainingScaler({ panel }: FitTask<DeepParams>, untilMs: number): Scaler {
  const pooled = panel.series[0].features.columns.map((_, c) =>
    Float64Array.from(
      panel.series.flatMap(({ candles, features }) => [
        ...features.columns[c].subarray(
          0,
          candles.time.findIndex((time) => time >= untilMs),
        ),
      ]),
    ),
  );
  return fitScaler(
    pooled,
    Int32Array.from(pooled[0], (_, row) => row),
  );
}

function classBalance({ count, targets }: Examples): ClassBalance {
  const width = targets.length / count;
  let ups = 0;
  for (let i = 0; i < count; i++) if (targets[i * width] > 0) ups++;
  // One of each added: a class that never occurs must not weigh infinitely.
  return { positiveShare: (ups + 1) / (count + 2) };
}

function meanLoss(network: DeepNetwork, head: Head, balance: ClassBalance): Loss {
  return (pass, { targets, ...inputs }) =>
    tf.mean(head.rowLosses(network.forward(pass, inputs).output, targets, balance));
}
