import { availableParallelism } from 'node:os';
import { adamw } from '../../engine/optimizers.ts';
import { isAccelerated } from '../../engine/devices.ts';
import { createParallelTrainer } from '../../engine/parallel/trainer.ts';
import { createTrainer, type Trainer } from '../../engine/trainer.ts';
import { parameterCount } from '../../engine/weights.ts';
import type { Scaler } from '../../../core/dataset/scaler.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createRandom, deriveSeed, shuffle } from '../../../core/foundation/random.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import type { ExplanationPart } from '../../../core/forecast/explanation.ts';
import type { FitTask } from '../../../core/forecast/model.ts';
import { type Architecture, type Calibration, type DeepNetwork, networkSizes } from './architecture.ts';
import { initialParameters } from '../../engine/weights.ts';
import { meanLoss, trainEpochs, transferReport } from './epochs.ts';
import { createEvaluator, type Evaluator } from './evaluate.ts';
import { batchFiller } from './batches.ts';
import { fisherDiagonal } from '../continual/fisher.ts';
import { type Anchor, elastic, noAnchor, withPath } from '../continual/elastic.ts';
import { createCurriculum } from './curriculum.ts';
import { isFinished, type KeptWeights, loadWeights, scalersOf } from './kept-weights.ts';
import { type Rehearsal, rehearsal } from './rehearsal.ts';
import { classBalance, oversampled } from './class-balance.ts';
import { type Examples, findExamples, sampleOf, thinned, trainingEndMs, windowCount } from './examples.ts';
import {
  batchSpec,
  fitScalers,
  type InputLayout,
  type PanelShape,
  seriesInputs,
  shapeOf,
  withWholeBranches,
} from './inputs.ts';
import type { DeepParams } from './params.ts';

/** A trained network, and all that is needed to use it. */
export interface Trained {
  readonly network: DeepNetwork;
  readonly layout: InputLayout;
  /** Of the panel it was trained on. */
  readonly panel: PanelShape;
  /** Those that forecast. */
  readonly parameters: Float32Array;
  /** What a later fit goes on from: the same, but for a network that was trained to adapt. */
  readonly kept: KeptWeights;
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
  const from = task.warm !== undefined && isFinished(task.warm) ? task.warm : undefined;
  const head = architecture.head(params);
  const { horizonBars, width } = head.targets;
  const untilMs = trainingEndMs(panel, horizonBars, task.trainUntilMs);

  const symbols = panel.series.map(({ symbol }) => symbol);
  const shape = shapeOf(panel);
  const layout = withWholeBranches(panel, architecture.inputs(params, shape), untilMs);
  const group = groupOf(layout, symbols);
  const batchSize = group * Math.max(1, Math.round(params.batchSize / group));
  const scalers = from ? scalersOf(from, symbols) : fitScalers(panel, layout, untilMs);
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
  const loss = meanLoss(network, head, balance);
  const before = from && loadWeights(network, from);
  const remembers = params.continual !== 'none' && task.warm !== undefined && task.warmUntilMs !== undefined;
  const source = { task: { ...task, params }, layout, batchSize, inputs };
  const old = remembers
    ? rehearsal(panel, training, {
        inputs,
        horizonBars,
        warmUntilMs: task.warmUntilMs ?? untilMs,
        untilMs,
        capacity: Math.max(1, Math.floor(params.memory / group)),
        seed,
      })
    : undefined;
  const curriculum = await createCurriculum({
    ...{ source, network, loss, spec, training, rehearsal: old, horizonBars, untilMs },
  });
  const springs = params.continual === 'si' || (params.continual === 'ewc' && old !== undefined);
  const descent = adamw({ weightDecay: params.weightDecay });
  const step = {
    network,
    loss: curriculum.loss,
    optimizer: springs
      ? elastic(descent, { strength: params.importanceWeight, clipNorm: params.clipNorm })
      : descent,
    batch: curriculum.batch,
    seed: deriveSeed(seed, 'weights'),
    clipNorm: params.clipNorm,
    microBatches: params.accumulate,
  };
  requireDivided(params, { group, batchSize });
  const workers = isAccelerated()
    ? 1
    : workersOf(params, { group, batchSize, multiplyAdds: multiplyAddsOf(network, layout, batchSize) });
  const trainer = await (workers > 1 ? createParallelTrainer({ ...step, workers }) : createTrainer(step));
  const run = { ...source, network, training, validation, evaluator, trainer, curriculum, before };
  /** What holds the weights while they learn new bars. */
  const anchor = async (): Promise<Anchor> => {
    const { parameters } = trainer.state();
    if (params.continual !== 'ewc' || old === undefined)
      return { anchor: parameters, importance: importanceOf(before, parameters, old) };
    const fill = batchFiller({ ...source, batchSize: group }, training);
    const remembered = shuffle(
      Int32Array.from(old.memory.held().flat()),
      createRandom(deriveSeed(seed, 'fisher')),
    );
    const sample = remembered.subarray(0, FISHER_WINDOWS);
    const importance = await fisherDiagonal({ network, loss, batch: { ...spec } }, parameters, {
      count: sample.length,
      rows: group,
      row: (i) => fill(sample.subarray(i, i + 1), 0),
      signal: task.signal,
    });
    return { anchor: parameters, importance };
  };
  try {
    const { parameters, learned, evaluation, history } = await trainEpochs(run, springs ? anchor : undefined);
    const kept = {
      parameters: learned,
      ...(params.continual === 'si' && {
        importance: withPath({ ...trainer.state(), parameters: learned }, begunAt(trainer)).importance,
      }),
    };
    const transfer =
      old &&
      before &&
      (await transferReport(run, old, {
        untrained: initialParameters(network.parameters, step.seed),
        before: before.parameters,
        after: parameters,
      }));
    const sample = sampleOf(validation, evaluation.outputs);
    const calibration = head.calibrate(sample);
    const report = {
      parameters: parameters.length,
      trainingWindows: windowCount(training),
      ...(training.synthetic && { syntheticWindows: training.count - training.synthetic.real }),
      validationWindows: windowCount(validation),
      ...(old && { newWindows: old.fresh.length, rememberedWindows: old.memory.held().flat().length }),
      ...history,
      ...(transfer && { transfer }),
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
      kept,
      symbols,
      scalers,
      calibration,
      report,
      ...(explanation && { explanation }),
    };
  } finally {
    await trainer.dispose();
    await curriculum.dispose();
    await opened?.dispose();
  }
}

/** Windows by which the Fisher information is measured. */
const FISHER_WINDOWS = 300;

/** Synaptic Intelligence: what the earlier fit kept count of. Throws `UserError` when it did not. */
function importanceOf(
  before: KeptWeights | undefined,
  parameters: Float32Array,
  old: Rehearsal | undefined,
): Float32Array {
  if (old === undefined) return noAnchor(parameters).importance;
  if (before?.importance !== undefined) return before.importance;
  throw new UserError('The run to go on from kept no count of which weights mattered.', {
    hint: 'Train it with models.<id>.continual: si too, or go on with replay or ewc.',
  });
}

/** Where the springs were fastened: the parameters that training began with. */
const begunAt = (trainer: Trainer): Float32Array => trainer.state().slots['anchor'];

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

/** Whether the loss of a step is more than a mean over rows, so that the rows cannot be divided. */
const isWhole = ({ meta, continual }: DeepParams): boolean => meta !== 'none' || continual === 'a-gem';

/** Threads that share a step. Throws `UserError` when several are asked for symbols that stand together. */
function workersOf(
  params: DeepParams,
  {
    group,
    batchSize,
    multiplyAdds,
  }: { readonly group: number; readonly batchSize: number; readonly multiplyAdds: number },
): number {
  const { workers, accumulate } = params;
  if (isWhole(params)) return 1;
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
  params: DeepParams,
  { group, batchSize }: { readonly group: number; readonly batchSize: number },
): void {
  const { accumulate, workers = 1, mixup } = params;
  if (isWhole(params) && accumulate > 1)
    throw new UserError('accumulate was asked for together with meta-training or a-gem.', {
      hint: 'Leave it at 1: the windows of a step belong together there.',
    });
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

/** Examples of one bar that stay together. Throws `UserError` for a model of several symbols that is given one. */
function groupOf({ together }: InputLayout, symbols: readonly PairSymbol[]): number {
  if (!together) return 1;
  if (symbols.length > 1) return symbols.length;
  throw new UserError(`The model reads several symbols together, only ${symbols.join(', ')} was given.`, {
    hint: 'Put at least two symbols into market.symbols, or leave the model out.',
  });
}
