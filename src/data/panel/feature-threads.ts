import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FeatureColumn, FeatureTable } from '../../core/dataset/panel.ts';
import { catalogue, findFeatures, roundedSteps } from '../../core/features/catalogue.ts';
import type { Feature } from '../../core/features/feature.ts';
import type { FeatureInputs } from '../../core/features/inputs.ts';
import { invariant } from '../../core/foundation/errors.ts';
import type { Candles } from '../../core/market/candles.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { inTurns } from '../turns.ts';

/** Features of one series that are computed together, and their places in what was asked for. */
interface Piece {
  readonly s: number;
  readonly names: readonly string[];
  readonly places: readonly number[];
}

/** What a thread is given: candles in shared memory, and the pieces that it takes from, one after the other. */
export interface FeatureTask {
  readonly timeframe: Timeframe;
  readonly candles: readonly Candles[];
  /** Features in single precision. */
  readonly single: ReadonlySet<string>;
  readonly pieces: readonly Piece[];
  /** One number in shared memory: how many pieces have been taken. */
  readonly taken: Int32Array;
}

/** What a thread answers: the columns of the piece at `p`. */
export interface ComputedPiece {
  readonly p: number;
  readonly columns: readonly FeatureColumn[];
}

interface Columns {
  readonly candles: Candles;
  readonly inputs: FeatureInputs;
}

/** From so many values on a thread saves more than its start takes: see docs/decisions/0009-features-and-classical-models.md. */
const VALUES_FOR_THREADS = 40_000_000;

const NONE: ReadonlySet<string> = new Set();

/** What takes longest is begun first, so that all threads end at about the same time. */
const COSTLIEST = ['momentum', 'advanced', 'volume', 'volatility', 'price', 'regime', 'time', 'patterns'];

/**
 * The features of `roundedSteps` for each of several series: where they are many on all cores, whole groups at a time, the
 * same bits. A user's own features and those that read other inputs are computed on the thread that asks. Throws
 * `signal.reason` when aborted.
 */
export async function computeColumns(
  names: readonly string[],
  series: readonly Columns[],
  {
    timeframe,
    known,
    single = NONE,
    signal,
    threads = availableParallelism(),
    valuesForThreads = VALUES_FOR_THREADS,
  }: {
    readonly timeframe: Timeframe;
    readonly known: readonly Feature[];
    readonly single?: ReadonlySet<string> | undefined;
    readonly signal?: AbortSignal | undefined;
    readonly threads?: number;
    readonly valuesForThreads?: number;
  },
): Promise<readonly FeatureTable[]> {
  const here = async (s: number, some: readonly string[], by?: AbortSignal): Promise<FeatureTable> =>
    inTurns(roundedSteps(some, single, { ...series[s], timeframe, known }), by);
  const { shared, own } = piecesOf(findFeatures(names, known), series.length);
  const values = shared.reduce(
    (sum, { s, places }) => sum + places.length * series[s].candles.time.length,
    0,
  );
  const helpers = Math.min(threads, shared.length) - 1;
  if (helpers < 1 || values < valuesForThreads) {
    const tables: FeatureTable[] = [];
    for (const s of series.keys()) tables.push(await here(s, names, signal));
    return tables;
  }

  const tables = series.map(() => new Array<FeatureColumn>(names.length));
  let missing = shared.length + own.length;
  const put = ({ s, places }: Piece, columns: readonly FeatureColumn[]): void => {
    places.forEach((place, i) => (tables[s][place] = columns[i]));
    missing--;
  };
  const task: FeatureTask = {
    timeframe,
    candles: series.map(({ candles }) => inSharedMemory(candles)),
    single,
    pieces: shared,
    taken: new Int32Array(new SharedArrayBuffer(4)),
  };
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const compute = async (piece: Piece): Promise<void> =>
    put(piece, (await here(piece.s, piece.names, stop)).columns);
  const work = async (): Promise<void> => {
    for (const piece of own) await compute(piece);
    for (let p = take(task); p < shared.length; p = take(task)) await compute(shared[p]);
  };
  const workers = Array.from({ length: helpers }, () => startThread(task));
  try {
    const answers = workers.map((worker) =>
      answersOf(worker, stop, ({ p, columns }) => put(shared[p], columns)),
    );
    await Promise.all([work(), ...answers]);
  } finally {
    over.abort();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  invariant(missing === 0, 'every feature has been computed by one of the threads');
  return tables.map((columns) => ({ names: [...names], columns }));
}

/** The place of the next piece that no thread has taken; behind the last when there is none. */
export const take = ({ taken }: FeatureTask): number => Atomics.add(taken, 0, 1);

/** Pieces that any thread can compute, the costliest first, and those that only the thread that asks can. */
function piecesOf(
  features: readonly Feature[],
  series: number,
): { readonly shared: readonly Piece[]; readonly own: readonly Piece[] } {
  const crosses = new Set(catalogue.filter(({ needs }) => needs.length === 0));
  const pieceOf = (s: number, belongs: (feature: Feature) => boolean): Piece => {
    const places = [...features.keys()].filter((f) => belongs(features[f]));
    return { s, places, names: places.map((f) => features[f].name) };
  };
  const every = Array.from({ length: series }, (_, s) => s);
  const some = ({ places }: Piece): boolean => places.length > 0;
  const groups = [...new Set(features.map(({ group }) => group))].toSorted(
    (a, b) => COSTLIEST.indexOf(a) - COSTLIEST.indexOf(b),
  );
  return {
    shared: groups
      .flatMap((group) =>
        every.map((s) => pieceOf(s, (feature) => crosses.has(feature) && feature.group === group)),
      )
      .filter(some),
    own: every.map((s) => pieceOf(s, (feature) => !crosses.has(feature))).filter(some),
  };
}

function inSharedMemory({ time, open, high, low, close, volume }: Candles): Candles {
  const copy = (values: Float64Array): Float64Array => {
    const shared = new Float64Array(new SharedArrayBuffer(values.byteLength));
    shared.set(values);
    return shared;
  };
  return {
    time: copy(time),
    open: copy(open),
    high: copy(high),
    low: copy(low),
    close: copy(close),
    volume: copy(volume),
  };
}

/** Threads run compiled code, in one file: modules one by one take as long as all the rest of a start. */
function startThread(task: FeatureTask): Worker {
  const here = import.meta.url;
  const dist = here.endsWith('.js') ? '../..' : '../../../dist';
  return new Worker(new URL(`${dist}/start/feature-worker.mjs`, here), {
    workerData: task,
    name: 'features',
  });
}

/** Hands on what the thread answers, until it has nothing more to say. */
async function answersOf(
  worker: Worker,
  stop: AbortSignal,
  onPiece: (piece: ComputedPiece) => void,
): Promise<void> {
  stop.addEventListener('abort', () => void worker.terminate(), { once: true });
  worker.on('message', onPiece);
  const code = await new Promise<number>((resolve, reject) => worker.on('error', reject).on('exit', resolve));
  stop.throwIfAborted();
  if (code !== 0) throw new Error(`A thread that computes features ended with code ${code}.`);
}
