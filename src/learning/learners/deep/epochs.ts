import { transferOf } from '../../../core/evaluation/transfer.ts';
import { REGIMES } from '../../../core/evaluation/breakdown.ts';
import type { FitProgress, FitTask } from '../../../core/forecast/model.ts';
import { tf } from '../../engine/tf.ts';
import type { Loss, Trainer } from '../../engine/trainer.ts';
import { type Anchor, anchoredAt } from '../continual/elastic.ts';
import type { ClassBalance, DeepNetwork, Head } from './architecture.ts';
import { batchFiller } from './batches.ts';
import type { Curriculum } from './curriculum.ts';
import type { Evaluation, Evaluator } from './evaluate.ts';
import { chosen, type Examples, windowCount } from './examples.ts';
import type { InputLayout, SeriesInputs } from './inputs.ts';
import type { KeptWeights } from './kept-weights.ts';
import type { DeepParams } from './params.ts';
import { rateOf } from './rate-params.ts';
import type { Rehearsal } from './rehearsal.ts';
import { saveTraining, startTraining } from './snapshot.ts';

/** A training under way. */
export interface Run {
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
  readonly curriculum: Curriculum;
  /** Of the finished fit that this one goes on from. */
  readonly before: KeptWeights | undefined;
}

/**
 * Epoch by epoch until the validation loss stops falling; gives the weights of its best epoch. Goes on from the
 * snapshot of the task, if it has one, and leaves one behind when it is aborted.
 */
export async function trainEpochs(run: Run, anchor: (() => Promise<Anchor>) | undefined) {
  const { task, trainer, network, curriculum } = run;
  const { params, signal, snapshots } = task;
  const { windowsPerStep } = curriculum;
  const windows = Math.min(params.windowsPerEpoch ?? curriculum.windows, curriculum.windows);
  const stepsPerEpoch = Math.max(1, Math.floor(windows / windowsPerStep));
  const steps = stepsPerEpoch * params.epochs;
  const rateAt = rateOf(params, steps);
  const rate = (step: number): number => rateAt(step, point.validationLosses);
  let point = startTraining(network, trainer, {
    resume: snapshots?.from,
    warm: run.before?.parameters ?? task.warm,
  });
  if (anchor && snapshots?.from === undefined) trainer.restore(anchoredAt(trainer.state(), await anchor()));
  let trained = { steps: 0, ms: 0 };
  const stepsMade = (): number => (point.epoch - 1) * stepsPerEpoch + point.stepsDone;
  const progress = (): FitProgress => ({
    step: stepsMade(),
    steps,
    ...(trained.ms > 0 && { samplesPerSecond: (trained.steps * windowsPerStep) / (trained.ms / 1000) }),
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
      const feeds = curriculum.feeds(order, { ofEpoch: stepsDone, ofAll: stepsMade() });
      const result = await trainer.step(feeds, rate(stepsMade()));
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
    const { loss: validationLoss } = await evaluate(run, await curriculum.finish(trainer.parameters()));
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
      await finishEpoch(curriculum.order(point.epoch));
    const { best, losses, validationLosses } = point;
    const parameters = await curriculum.finish(best.parameters);
    const evaluation = await evaluate(run, parameters);
    const history = { bestEpoch: best.epoch, stepsPerEpoch, losses, validationLosses };
    return { parameters, learned: best.parameters, evaluation, history };
  } catch (error) {
    if (signal.aborted) await keep();
    throw error;
  }
}

/** The network on all validation windows, or on others. */
async function evaluate(run: Run, parameters: Float32Array, examples = run.validation): Promise<Evaluation> {
  const { task, evaluator } = run;
  const fill = batchFiller(run, examples);
  const opened = await evaluator();
  return opened.run(parameters, { examples, signal: task.signal, batch: (from) => fill(undefined, from) });
}

/**
 * The accuracy matrix of Lopez-Paz & Ranzato 2017 with losses in place of accuracies: the mean loss of remembered windows, regime by
 * regime, and of the validation windows, which are new, under weights that have learned nothing, those before and those after.
 * Backward transfer is by how much the loss of known regimes has fallen on average; forward transfer by how much lower the loss of the
 * new windows was before they were learned than that of a network that knows nothing.
 */
export async function transferReport(
  run: Run,
  { memory }: Rehearsal,
  weights: { readonly untrained: Float32Array; readonly before: Float32Array; readonly after: Float32Array },
) {
  const measure = async (examples: Examples) => ({
    lossUntrained: (await evaluate(run, weights.untrained, examples)).loss,
    lossBefore: (await evaluate(run, weights.before, examples)).loss,
    lossAfter: (await evaluate(run, weights.after, examples)).loss,
    windows: windowCount(examples),
  });
  const regimes: Record<string, Awaited<ReturnType<typeof measure>>> = {};
  for (const [number, groups] of memory.held().entries())
    if (groups.length > 0) regimes[REGIMES[number]] = await measure(chosen(run.training, groups));
  const validation = await measure(run.validation);
  const known = Object.values(regimes);
  /** A score is a loss with its sign turned: of what was known, and of what is new. */
  const scores = (loss: 'lossUntrained' | 'lossBefore' | 'lossAfter'): readonly number[] => [
    -known.reduce((sum, one) => sum + one[loss], 0) / known.length,
    -validation[loss],
  ];
  const { backward, forward } = transferOf(
    [scores('lossBefore'), scores('lossAfter')],
    scores('lossUntrained'),
  );
  return { regimes, validation, backwardTransfer: backward, forwardTransfer: forward };
}

/** The mean over rows, and over the targets that mixed windows are judged by. */
export function meanLoss(network: DeepNetwork, head: Head, balance: ClassBalance): Loss {
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
