import { createRandom, deriveSeed, type Random } from '../../../core/foundation/random.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { createExecutor } from '../../engine/executor.ts';
import type { BatchSpec, Feeds } from '../../engine/program.ts';
import type { Loss } from '../../engine/trainer.ts';
import { projectedLoss } from '../continual/gem.ts';
import { adaptationProgram, metaTraining } from '../continual/meta.ts';
import type { DeepNetwork } from './architecture.ts';
import { batchFiller, type BatchSource, trainingBatch, trainingFiller } from './batches.ts';
import { type Examples, shuffled } from './examples.ts';
import type { DeepParams } from './params.ts';
import { freshOrder, type Rehearsal, regimeNumbers } from './rehearsal.ts';
import type { Panel } from '../../../core/dataset/panel.ts';

/** What a network is shown, step by step, and by which loss it learns. */
export interface Curriculum {
  readonly loss: Loss;
  readonly batch: BatchSpec;
  /** Of one epoch, and of one step of it. */
  readonly windows: number;
  readonly windowsPerStep: number;
  /** Examples of an epoch, or groups of them, in the order in which they come. */
  order(epoch: number): Int32Array;
  /** `step`: of the epoch and of all, counted from 0. */
  feeds(order: Int32Array, step: { readonly ofEpoch: number; readonly ofAll: number }): Feeds;
  /** The parameters that forecast, from those that learn. */
  finish(parameters: Float32Array): Promise<Float32Array>;
  dispose(): Promise<void>;
}

export interface CurriculumTask {
  readonly source: BatchSource & { readonly task: { readonly panel: Panel; readonly params: DeepParams } };
  readonly network: DeepNetwork;
  readonly loss: Loss;
  readonly spec: BatchSpec;
  readonly training: Examples;
  /** Present when the network goes on from an earlier fit and is not to forget it. */
  readonly rehearsal: Rehearsal | undefined;
  readonly horizonBars: number;
  readonly untilMs: number;
}

/** All windows in random order; the new ones alone with what keeps the old ones known; or tasks of few windows each. */
export async function createCurriculum(task: CurriculumTask): Promise<Curriculum> {
  const { params } = task.source.task;
  if (params.meta !== 'none') return tasksOfRegimes(task);
  return task.rehearsal === undefined ? allWindows(task) : newWindows(task, task.rehearsal);
}

const plain = {
  finish: async (parameters: Float32Array): Promise<Float32Array> => parameters,
  dispose: async (): Promise<void> => {},
};

function allWindows({ source, loss, spec, training }: CurriculumTask): Curriculum {
  const fill = trainingFiller(source, training);
  const { batchSize, task } = source;
  return {
    ...plain,
    loss,
    batch: trainingBatch(spec, task.params),
    windows: training.count,
    windowsPerStep: batchSize,
    order: (epoch) => shuffled(training.count / training.group, createRandom(epochSeed(task, epoch))),
    feeds: (order, { ofEpoch, ofAll }) => fill(order, ofEpoch * batchSize, ofAll),
  };
}

const epochSeed = ({ seed }: BatchSource['task'], epoch: number): number =>
  deriveSeed(seed, `epoch ${epoch}`);

function newWindows(task: CurriculumTask, rehearsal: Rehearsal): Curriculum {
  const { source, network, loss, spec, training } = task;
  const { batchSize, task: of } = source;
  const { continual } = of.params;
  const { group } = training;
  const groups = batchSize / group;
  const half = continual === 'replay' && groups > 1;
  const fill = trainingFiller(source, training);
  const batch = trainingBatch(spec, of.params);
  const projects = continual === 'a-gem';
  const remember = batchFiller(source, training);
  return {
    ...plain,
    ...(projects ? projectedLoss(network, loss, batch) : { loss, batch }),
    windows: rehearsal.fresh.length * group * (half ? 2 : 1),
    windowsPerStep: batchSize,
    order: (epoch) => freshOrder(rehearsal, { groups, half, seed: epochSeed(of, epoch) }),
    feeds(order, { ofEpoch, ofAll }) {
      const own = fill(order, ofEpoch * batchSize, ofAll);
      if (!projects) return own;
      const memory = remember(rehearsal.memory.draw(groups), 0);
      return { ...own, ...prefixed('memory.', memory) };
    },
  };
}

/**
 * Tasks of meta-training: spans of one symbol in one market regime. The support of a task is `supportWindows` windows side by
 * side, its query as many behind them, the first of which opens when the last label of the support is known.
 */
async function tasksOfRegimes(task: CurriculumTask): Promise<Curriculum> {
  const { source, network, loss, spec, training } = task;
  const { params, seed } = source.task;
  const { supportWindows: k, metaTasks, meta, innerRate, innerSteps } = params;
  if (training.group > 1 || meta === 'none')
    throw new UserError('Meta-training was asked for of a model whose symbols stand together.', {
      hint: 'Leave meta at none for this model.',
    });
  const spans = regimeSpans(task);
  const one = Object.fromEntries(
    Object.entries(spec).map(([name, { shape, type }]) => [name, { shape: [k, ...shape.slice(1)], type }]),
  );
  const problem = { network, loss, batch: one };
  const options = { method: meta, innerRate, innerSteps, tasks: metaTasks };
  const rows = metaTasks * k;
  const [support, query] = [0, 1].map(() => batchFiller({ ...source, batchSize: rows }, training));
  const { loss: metaLoss, batch } = metaTraining(problem, options);
  const windowsPerStep = 2 * rows;
  const stepsPerEpoch = Math.max(1, Math.floor(training.count / windowsPerStep));
  const draw = (random: Random): readonly number[] => {
    const { first, length } = spans[Math.floor(random() * spans.length)];
    const begin = first + Math.floor(random() * (length - needed(task) + 1));
    const windows = Array.from({ length: k }, (_, i) => begin + i);
    return [...windows, ...windows.map((window) => window + k + task.horizonBars)];
  };
  const last = batchFiller({ ...source, batchSize: k }, training);
  const executor = await createExecutor(adaptationProgram(problem, options));
  return {
    loss: metaLoss,
    batch,
    windows: training.count,
    windowsPerStep,
    order(epoch) {
      const random = createRandom(epochSeed({ ...source.task, seed }, epoch));
      return Int32Array.from(Array.from({ length: stepsPerEpoch * metaTasks }, () => draw(random)).flat());
    },
    feeds(order, { ofEpoch }) {
      const own = order.subarray(ofEpoch * windowsPerStep, (ofEpoch + 1) * windowsPerStep);
      const part = (from: number): Int32Array => own.filter((_, i) => Math.floor(i / k) % 2 === from);
      return {
        ...prefixed('support.', support(part(0), 0)),
        ...prefixed('query.', query(part(1), 0)),
      };
    },
    async finish(parameters) {
      const newest = last(newestExamples(training, k), 0);
      const adapted = new Float32Array(parameters.length);
      const results = { 'parameters.next': adapted, losses: new Float32Array(innerSteps + 1) };
      const feeds = { ...prefixed('support.', newest), ...prefixed('query.', newest), parameters };
      await executor.run(feeds, results, () => new Float32Array());
      return adapted;
    },
    dispose: () => executor.release(),
  };
}

/** Windows of a task: support, what its last label hides, query. */
const needed = ({ source, horizonBars }: CurriculumTask): number =>
  2 * source.task.params.supportWindows + horizonBars;

function regimeSpans(task: CurriculumTask): readonly { readonly first: number; readonly length: number }[] {
  const { training, source, untilMs } = task;
  const { series, row, synthetic } = training;
  const regimes = source.task.panel.series.map((one) => regimeNumbers(one, untilMs));
  const spans: { first: number; length: number }[] = [];
  const end = synthetic?.real ?? training.count;
  for (let first = 0; first < end;) {
    let next = first + 1;
    const same = (): boolean =>
      series[next] === series[first] &&
      row[next] === row[next - 1] + 1 &&
      regimes[series[next]][row[next]] === regimes[series[first]][row[first]];
    while (next < end && same()) next++;
    if (next - first >= needed(task)) spans.push({ first, length: next - first });
    first = next;
  }
  if (spans.length > 0) return spans;
  throw new UserError(
    `No market regime lasts for the ${needed(task)} windows of one task of meta-training.`,
    { hint: 'Fetch more history, or lower supportWindows.' },
  );
}

/** The last training windows, as many of each symbol as of the next, in the order of the symbols. */
function newestExamples({ series, count, synthetic }: Examples, wanted: number): Int32Array {
  const real = synthetic?.real ?? count;
  const symbols = series[real - 1] + 1;
  const bySymbol = Array.from({ length: symbols }, (_, s) =>
    Array.from({ length: real }, (_window, i) => i).filter((i) => series[i] === s),
  );
  const taken: number[] = [];
  for (let back = 1; taken.length < wanted; back++)
    for (const own of bySymbol) if (taken.length < wanted) taken.push(own[Math.max(0, own.length - back)]);
  return Int32Array.from(taken);
}

const prefixed = (prefix: string, feeds: Feeds): Feeds =>
  Object.fromEntries(Object.entries(feeds).map(([name, values]) => [prefix + name, values]));
