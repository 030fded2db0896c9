import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { answerOf, Unanswered } from '../../data/answer.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import { jsonIn } from '../../data/json.ts';
import { withLock } from '../../data/lock.ts';
import type { ObjectStore } from '../../data/object-store.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { programHash } from '../../data/program-hash.ts';
import { programVersion } from '../../data/program-version.ts';
import { datasetFolder, MANIFEST_FILE, parseManifest } from '../../data/store/manifest.ts';
import { openStore } from '../../data/store/store.ts';
import { planWalkForward } from '../../lab/backtest/walk-forward-source.ts';
import { takeJobs } from '../../lab/queue/queue.ts';
import type { ObjectiveName, SpanFigures } from '../../lab/tuning/objective.ts';
import { workOnTrial } from '../../lab/tuning/search.ts';
import type { Params } from '../../lab/tuning/space.ts';
import { StudySettings } from '../../lab/tuning/study-journal.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import { findRun } from '../../learning/training/run-folder.ts';
import { openPieces } from '../../learning/training/train.ts';
import { type FoldCache, openFoldCache, unpackWarm } from '../../learning/validation/fold-cache.ts';
import { openFolds } from '../../learning/validation/walk-forward.ts';
import { openAutoBench } from './automl.ts';
import { autoTaskOf, isAutoStudy } from './automl-task.ts';
import { thisMachine } from './piece-coordinator.ts';
import {
  type FoldSettings,
  Job,
  Offer,
  OfferedTrial,
  type PieceReport,
  StepAnswer,
} from './work-protocol.ts';
import { openBench, taskOf, type TuneSurroundings } from './tune.ts';

interface WorkerTask extends Omit<TuneSurroundings, 'store' | 'rules'> {
  /** Execution rules of this project for so many symbols. */
  readonly rulesFor: (symbols: number) => TuneSurroundings['rules'];
  readonly queueUrl: string;
  /** Address of the process that gives the trials. */
  readonly coordinator: string;
  readonly token: string;
  /** Data that came from the coordinator are kept below it. */
  readonly dataDir: string;
  /** Aborted: finish the trial in hand, take no more. */
  readonly drain: AbortSignal;
  /** Where data can be fetched by their hash, before the coordinator is asked. */
  readonly objects?: ObjectStore | undefined;
  /** What is worked on, in words. */
  readonly onReady: (work: string) => void;
  readonly onDone: (piece: string, seconds: number) => void;
  readonly onProblem: (message: string) => void;
}

const PATIENCE_MS = 60_000;
/** A coordinator that starts again is waited for. */
const TRIES = 5;

/**
 * Does the work of a coordinator that is somewhere else, until told to stop: trials of a study, folds of a walk-forward, models of a training run. Takes
 * settings and data by their hashes, and checks that the program is the same to the byte. Throws `UserError` where it may not
 * work: another program, another token, settings under trading that differ.
 */
export async function work(task: WorkerTask): Promise<{
  readonly kind: Offer['work']['kind'];
  readonly done: number;
  readonly ended: 'drained' | 'silence';
}> {
  const worker = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const ask = connection(task);
  const offer = await ask('offer', Offer, { mostBytes: 256 * 2 ** 20 });
  if (offer.code !== programHash())
    throw new UserError(
      `The coordinator runs another program: version ${offer.program} with other files than this version ${programVersion()}.`,
      { hint: 'Install the same version on both machines.' },
    );
  const store = await fetchStore(offer, task);
  const bench = await benchOf(offer.work, { task: { ...task, store }, ask, worker });
  task.onReady(bench.name);
  let done = 0;
  const workOn = async (data: unknown): Promise<void> => {
    const { id } = Job.parse(data);
    const startedMs = Date.now();
    try {
      await bench.work(id);
    } catch (error) {
      // It ended elsewhere while the job waited.
      if (error instanceof Gone) return;
      throw error;
    }
    done++;
    task.onDone(bench.called(id), (Date.now() - startedMs) / 1000);
  };
  const jobs = await takeJobs(task.queueUrl, offer.queue, workOn, {
    atOnce: 1,
    onError: (error) => task.onProblem(error.message),
  });
  const ended = await untilEnd(ask, task.drain);
  await jobs.drain();
  return { kind: offer.work.kind, done, ended };
}

const LOOK_MS = 5000;
/** So many looks without an answer: the search is over, or its machine is gone. */
const MOST_SILENT = 6;

/** Resolves when told to drain, or when the coordinator has been silent for long. */
async function untilEnd(
  ask: ReturnType<typeof connection>,
  drain: AbortSignal,
): Promise<'drained' | 'silence'> {
  for (let silent = 0; silent < MOST_SILENT;) {
    await sleep(LOOK_MS, undefined, { signal: drain }).catch(() => {});
    if (drain.aborted) return 'drained';
    const lives = await ask('alive', undefined, { tries: 1 }).then(
      () => true,
      () => false,
    );
    silent = lives ? 0 : silent + 1;
  }
  return 'silence';
}

/** What a worker does with one job. Throws `Gone` when it is not wanted any more. */
interface WorkBench {
  readonly name: string;
  /** A job in words. */
  called(id: string): string;
  work(id: string): Promise<void>;
}

interface BenchTask {
  readonly task: WorkerTask & Pick<TuneSurroundings, 'store'>;
  readonly ask: ReturnType<typeof connection>;
  readonly worker: string;
}

function benchOf(work: Offer['work'], of: BenchTask): Promise<WorkBench> {
  switch (work.kind) {
    case 'trials':
      return trialBench(StudySettings.parse(work.settings), of);
    case 'folds':
      return foldBench(work.settings, of);
    case 'models':
      return modelBench(work, of);
  }
}

async function trialBench(settings: StudySettings, { task, ask, worker }: BenchTask): Promise<WorkBench> {
  const bench = await measuring(settings, task);
  return {
    name: `study ${settings.name}`,
    called: (id) => `trial ${id}`,
    async work(id) {
      const trial = await ask(`trials/${id}`, OfferedTrial);
      await workOnTrial(trial, {
        study: {
          report: (_, step, value) =>
            ask(`trials/${id}/steps`, StepAnswer, {
              body: { worker, step, value: Number.isFinite(value) ? value : null },
            }),
          tell: async (_, outcome) => {
            await ask(`trials/${id}/end`, undefined, { body: { worker, ...outcome } });
          },
        },
        folds: bench.folds,
        objectives: settings.objectives as ObjectiveName[],
        minFills: bench.minFills,
        measure: bench.measure,
        signal: task.signal,
      });
    },
  };
}

interface Measuring {
  readonly folds: number;
  readonly minFills: number;
  readonly measure: (params: Params, fold: number) => Promise<SpanFigures>;
}

async function measuring(
  settings: StudySettings,
  { rulesFor, ...surroundings }: Omit<WorkerTask, 'dataDir'> & Pick<TuneSurroundings, 'store'>,
): Promise<Measuring> {
  const about = { testPct: 0, seed: settings.seed };
  const { signal } = surroundings;
  if (isAutoStudy(settings)) {
    const task = autoTaskOf(settings);
    const rules = rulesFor(task.symbols.length);
    const bench = await openAutoBench(task, about, { ...surroundings, rules });
    return {
      folds: bench.folds.length,
      minFills: task.minFills,
      measure: (params, fold) => bench.measure(params, bench.folds[fold], signal),
    };
  }
  const task = taskOf(settings);
  const rules = rulesFor(task.symbols.length);
  const bench = await openBench(task, about, { ...surroundings, rules });
  return {
    folds: bench.folds.length,
    minFills: task.minFills,
    measure: (params, fold) => bench.measure(params, bench.folds[fold]),
  };
}

/** Fits folds into a cache of its own, which also knows the weights that the coordinator has. */
async function foldBench(
  { ensemble, ensembleParams, fromMs, untilMs, models, ...settings }: FoldSettings,
  { task, ask, worker }: BenchTask,
): Promise<WorkBench> {
  const { registry, store, signal, acceptImplausible } = task;
  const own = openFoldCache(join(task.dataDir, 'worker', 'folds'));
  const cache: FoldCache = {
    ...own,
    async findWarm(key) {
      const known = await own.findWarm(key);
      if (known !== undefined) return known;
      const warm = await fetchBytes(`${task.coordinator}/pieces/${key}/warm`, task);
      return warm && unpackWarm(warm);
    },
  };
  const { task: walk } = await planWalkForward({
    ...settings,
    ...{ fromMs, untilMs, models, acceptImplausible, registry, store, cache, signal },
    timeframe: parseTimeframe(settings.timeframe),
    symbols: settings.symbols.map(parseSymbol),
    ensemble: chooseEnsemble(ensemble, ensembleParams),
  });
  const folds = openFolds(walk);
  return {
    name: 'a walk-forward',
    called: (id) => `fold ${id.slice(0, 8)}`,
    work: (id) =>
      reported(id, { task, ask, worker }, async () => {
        if (!own.has(id)) await folds.fit(id);
        const { forecast, warm } = await own.files(id);
        return new Map([['forecast', forecast] as const, ['warm', warm] as const]);
      }),
  };
}

/** Trains models of a run in a folder of its own, which is that run's as far as it is known here. */
async function modelBench(
  { run: name, files }: Extract<Offer['work'], { kind: 'models' }>,
  { task, ask, worker }: BenchTask,
): Promise<WorkBench> {
  const { registry, store, signal } = task;
  const checkpointDir = join(
    task.dataDir,
    'worker',
    'runs',
    hashOf(Buffer.from(JSON.stringify(files))).slice(0, 16),
  );
  const lock = { waitMs: FETCH_MS, purpose: 'fetching a training run' };
  await withLock(`${checkpointDir}.lock`, lock, async () => {
    for (const { path, sha256 } of files) await fetchFile(join(checkpointDir, path), sha256, task);
  });
  const run = await findRun(checkpointDir, name);
  const logDir = join(checkpointDir, 'logs');
  const pieces = await openPieces(run, { registry, store, checkpointDir, logDir, signal, onEvent: () => {} });
  return {
    name: `training run ${name}`,
    called: (id) => id,
    work: (id) =>
      reported(id, { task, ask, worker }, async (answer) => {
        const trained = await pieces.train(OfferedPiece.parse(answer), thisMachine());
        if ('unfit' in trained) return trained.unfit;
        const names = await readdir(trained.folder);
        return new Map(
          await Promise.all(
            names.map(
              async (file) =>
                [file, await readPlainFile(join(trained.folder, file), MOST_PART_BYTES)] as const,
            ),
          ),
        );
      }),
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const OfferedPiece = z.object({ id: z.string(), seedNumber: z.int().min(1) });

/** Makes a piece and tells what it came to; what its model says against it, a text, is an answer too. */
async function reported(
  id: string,
  { task, ask, worker }: BenchTask,
  make: (answer: unknown) => Promise<ReadonlyMap<string, Uint8Array | undefined> | string>,
): Promise<void> {
  const answer = await ask(`pieces/${id}`, z.looseObject({ piece: z.string() }));
  const report: PieceReport = { worker, machine: thisMachine() };
  const made = await make(answer).catch((error: unknown) => {
    if (!(error instanceof UserError) || task.signal.aborted) throw error;
    return error.message;
  });
  const outcome =
    typeof made === 'string'
      ? { failed: made.slice(0, 2000) }
      : {
          files: Object.fromEntries(
            [...made].flatMap(([name, bytes]) => (bytes ? [[name, base64(bytes)]] : [])),
          ),
        };
  await ask(`pieces/${id}/end`, undefined, { body: { ...report, ...outcome } });
}

/** It is not wanted any more. */
class Gone extends Error {}

/** Questions to the coordinator. A silent one is asked again for a while. */
function connection({ coordinator, token, signal }: WorkerTask) {
  return async <S extends z.ZodType>(
    path: string,
    schema: S | undefined,
    {
      body,
      mostBytes = 2 ** 20,
      tries = TRIES,
    }: { readonly body?: unknown; readonly mostBytes?: number; readonly tries?: number } = {},
  ): Promise<z.output<S>> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, body: text } = await answerOf(`${coordinator}/${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          timeoutMs: PATIENCE_MS,
          mostBytes,
          signal,
        });
        if (status === 410) throw new Gone(path);
        if (status === 401)
          throw new UserError('The coordinator refuses the token.', {
            hint: 'Set WORKER_TOKEN to the same secret on both machines.',
          });
        if (status !== 200)
          throw new UserError(`The coordinator answered ${path} with status ${status}.`, {
            hint: 'Is it the address that a command with --queue of the same version printed?',
          });
        const parsed = schema?.safeParse(jsonIn(text));
        if (parsed === undefined || parsed.success) return parsed?.data as z.output<S>;
        throw new UserError(`${coordinator} does not answer like a coordinator.`, {
          hint: 'Give the address that the command with --queue printed.',
        });
      } catch (error) {
        if (!(error instanceof Unanswered) || attempt >= tries) throw unreachable(error, coordinator);
        await sleep(1000 * attempt, undefined, { signal });
      }
    }
  };
}

const unreachable = (error: unknown, coordinator: string): unknown =>
  error instanceof Unanswered
    ? new UserError(`The coordinator at ${coordinator} gives no answer (${error.message}).`, {
        hint: 'Is a command with --queue running there, and does its --listen address reach here?',
      })
    : error;

/** The data as a store of their own. Workers of one project share it: one fetches while the others wait. */
async function fetchStore(offer: Offer, task: WorkerTask) {
  const all = createHash('sha256');
  for (const text of offer.manifests) all.update(text);
  const root = join(task.dataDir, 'worker', all.digest('hex').slice(0, 16));
  const lock = { waitMs: FETCH_MS, purpose: 'fetching the data of a coordinator' };
  await withLock(`${root}.lock`, lock, () => fetchData(root, offer, task));
  return openStore(root);
}

const FETCH_MS = 3_600_000;

/** Fetches the files that are not there yet, each checked against its hash. */
async function fetchData(root: string, offer: Offer, task: WorkerTask): Promise<void> {
  for (const text of offer.manifests) {
    const manifest = parseManifest(text);
    const folder = datasetFolder(root, manifest);
    await mkdir(folder, { recursive: true });
    for (const { file, sha256 } of manifest.parts) await fetchFile(join(folder, file), sha256, task);
    await writeFileAtomic(join(folder, MANIFEST_FILE), text);
  }
}

const MOST_PART_BYTES = 2 ** 30;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** From the store of objects where it is there, else from the coordinator. */
async function fetchFile(path: string, sha256: string, task: WorkerTask): Promise<void> {
  const before = await readPlainFile(path, MOST_PART_BYTES);
  if (before !== undefined && hashOf(before) === sha256) return;
  const bytes =
    (await task.objects?.get(sha256)) ?? (await fetchBytes(`${task.coordinator}/parts/${sha256}`, task));
  if (bytes === undefined || hashOf(bytes) !== sha256)
    throw new UserError(`The coordinator has not the bytes that ${basename(path)} should have.`, {
      hint: 'Check the data there: crypto-trader data verify.',
    });
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomic(path, bytes);
}

/** `undefined`: there is no such file. */
async function fetchBytes(
  url: string,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(10 * PATIENCE_MS)]),
  });
  if (response.status === 404) return undefined;
  if (!response.ok || response.body === null)
    throw new UserError(`The coordinator answered a file with status ${response.status}.`, {
      hint: 'Check the data there: crypto-trader data verify.',
    });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_PART_BYTES)
      throw new UserError('The coordinator sends a file of more than 1 GiB.', {
        hint: 'Check the data there: crypto-trader data verify.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
