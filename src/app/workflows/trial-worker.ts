import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { answerOf, Unanswered } from '../../data/answer.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { jsonIn } from '../../data/json.ts';
import { withLock } from '../../data/lock.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { programHash } from '../../data/program-hash.ts';
import { programVersion } from '../../data/program-version.ts';
import { datasetFolder, MANIFEST_FILE, parseManifest } from '../../data/store/manifest.ts';
import { openStore } from '../../data/store/store.ts';
import { takeJobs } from '../../lab/queue/queue.ts';
import type { ObjectiveName, SpanFigures } from '../../lab/tuning/objective.ts';
import { workOnTrial } from '../../lab/tuning/search.ts';
import type { Params } from '../../lab/tuning/space.ts';
import { StudySettings } from '../../lab/tuning/study-journal.ts';
import { openAutoBench } from './automl.ts';
import { autoTaskOf, isAutoStudy } from './automl-task.ts';
import { OfferedTrial, StepAnswer, StudyOffer, TrialJob } from './trial-protocol.ts';
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
  readonly onReady: (about: { readonly study: string; readonly queue: string }) => void;
  readonly onTrial: (number: number, seconds: number) => void;
  readonly onProblem: (message: string) => void;
}

const PATIENCE_MS = 60_000;
/** A coordinator that starts again is waited for. */
const TRIES = 5;

/**
 * Measures trials of a study that is somewhere else, until told to stop: takes the settings and the data by their hashes, checks that the
 * program is the same to the byte, and reports fold by fold. Throws `UserError` where it may not work: another program, another
 * token, settings under trading that differ.
 */
export async function workForStudy(
  task: WorkerTask,
): Promise<{ readonly trials: number; readonly ended: 'drained' | 'silence' }> {
  const { signal } = task;
  const name = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const ask = connection(task);
  const offer = await ask('study', StudyOffer, { mostBytes: 256 * 2 ** 20 });
  if (offer.code !== programHash())
    throw new UserError(
      `The coordinator runs another program: version ${offer.program} with other files than this version ${programVersion()}.`,
      { hint: 'Install the same version on both machines.' },
    );
  const settings = StudySettings.parse(offer.settings);
  const store = await fetchStore(offer, task);
  const bench = await benchOf(settings, { ...task, store });
  task.onReady({ study: settings.name, queue: offer.queue });
  let done = 0;
  const workOn = async (data: unknown): Promise<void> => {
    const { number } = TrialJob.parse(data);
    const startedMs = Date.now();
    const trial = await ask(`trials/${number}`, OfferedTrial).catch((error: unknown) => {
      // It ended elsewhere while the job waited.
      if (error instanceof Gone) return undefined;
      throw error;
    });
    if (trial === undefined) return;
    try {
      await workOnTrial(trial, {
        study: {
          report: (_, step, value) =>
            ask(`trials/${number}/steps`, StepAnswer, {
              body: { worker: name, step, value: Number.isFinite(value) ? value : null },
            }),
          tell: async (_, outcome) => {
            await ask(`trials/${number}/end`, undefined, { body: { worker: name, ...outcome } });
          },
        },
        folds: bench.folds,
        objectives: settings.objectives as ObjectiveName[],
        minFills: bench.minFills,
        measure: bench.measure,
        signal,
      });
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      return;
    }
    done++;
    task.onTrial(number, (Date.now() - startedMs) / 1000);
  };
  const worker = await takeJobs(task.queueUrl, offer.queue, workOn, {
    atOnce: 1,
    onError: (error) => task.onProblem(error.message),
  });
  const ended = await untilEnd(ask, task.drain);
  await worker.drain();
  return { trials: done, ended };
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

interface WorkBench {
  readonly folds: number;
  readonly minFills: number;
  readonly measure: (params: Params, fold: number) => Promise<SpanFigures>;
}

async function benchOf(
  settings: StudySettings,
  { rulesFor, ...surroundings }: Omit<WorkerTask, 'dataDir'> & Pick<TuneSurroundings, 'store'>,
): Promise<WorkBench> {
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

/** The trial is not wanted any more. */
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
            hint: 'Is it an address of `crypto-trader tune --queue` of the same version?',
          });
        const parsed = schema?.safeParse(jsonIn(text));
        if (parsed === undefined || parsed.success) return parsed?.data as z.output<S>;
        throw new UserError(`${coordinator} does not answer like a coordinator.`, {
          hint: 'Give the address that `crypto-trader tune --queue` printed.',
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
        hint: 'Is `crypto-trader tune --queue ...` running there, and does its --listen address reach here?',
      })
    : error;

/** The data as a store of their own. Workers of one project share it: one fetches while the others wait. */
async function fetchStore(offer: StudyOffer, task: WorkerTask) {
  const all = createHash('sha256');
  for (const text of offer.manifests) all.update(text);
  const root = join(task.dataDir, 'worker', all.digest('hex').slice(0, 16));
  const lock = { waitMs: FETCH_MS, purpose: 'fetching the data of a search' };
  await withLock(`${root}.lock`, lock, () => fetchData(root, offer, task));
  return openStore(root);
}

const FETCH_MS = 3_600_000;

/** Fetches the files that are not there yet, each checked against its hash. */
async function fetchData(
  root: string,
  offer: StudyOffer,
  { signal, coordinator, token }: WorkerTask,
): Promise<void> {
  for (const text of offer.manifests) {
    const manifest = parseManifest(text);
    const folder = datasetFolder(root, manifest);
    await mkdir(folder, { recursive: true });
    for (const { file, sha256 } of manifest.parts) {
      const path = join(folder, file);
      const before = await readPlainFile(path, MOST_PART_BYTES);
      if (before !== undefined && hashOf(before) === sha256) continue;
      const bytes = await fetchPart(`${coordinator}/parts/${sha256}`, { token, signal });
      if (hashOf(bytes) !== sha256)
        throw new UserError(`The coordinator sent other bytes than ${file} has.`, {
          hint: 'Check the data there: crypto-trader data verify.',
        });
      await writeFileAtomic(path, bytes);
    }
    await writeFileAtomic(join(folder, MANIFEST_FILE), text);
  }
}

const MOST_PART_BYTES = 2 ** 30;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function fetchPart(
  url: string,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(10 * PATIENCE_MS)]),
  });
  if (!response.ok || response.body === null)
    throw new UserError(`The coordinator answered a data file with status ${response.status}.`, {
      hint: 'Check the data there: crypto-trader data verify.',
    });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MOST_PART_BYTES)
      throw new UserError('The coordinator sends a data file of more than 1 GiB.', {
        hint: 'Check the data there: crypto-trader data verify.',
      });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
