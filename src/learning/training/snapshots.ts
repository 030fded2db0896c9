import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { errorCode, explainDiskError, makeFolder } from '../../data/files.ts';
import { requireNoLinks } from '../../data/plain-file.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Artifact, SnapshotKeeper } from '../../core/forecast/model.ts';
import { FileHashes, MANIFEST_FILE, readArtifact, Sha256, writeArtifact } from './artifact-folder.ts';
import { readSealed } from './sealed-json.ts';

/** When the state of a model in training is kept. None of it changes what is learned. */
export interface SnapshotHabits {
  /** At the latest after this many minutes; 0: after every step. */
  readonly everyMinutes: number;
  /** After every so many epochs. */
  readonly everyEpochs: number;
  /** The newest so many stay. */
  readonly kept: number;
}

/** What a snapshot belongs to: the same task gives the same bits, another one must not go on from it. */
const Task = z.strictObject({
  model: z.string(),
  params: z.unknown(),
  seed: z.int(),
  features: z.array(z.string()),
  dataFingerprint: Sha256,
  trainUntilMs: z.int(),
});
export type SnapshotTask = z.output<typeof Task>;

const SnapshotManifest = z.strictObject({
  version: z.literal(2),
  task: Task,
  /** Where it was computed. */
  device: z.string().default('cpu'),
  step: z.int(),
  epoch: z.int().optional(),
  /** Of training, up to here. */
  seconds: z.number(),
  savedAt: z.iso.datetime(),
  files: FileHashes,
});

export interface FoundSnapshot {
  readonly folder: string;
  readonly step: number;
  readonly seconds: number;
  readonly artifact: Artifact;
}

const STEP = /^step-\d{10}$/;
const nameOf = (step: number): string => `step-${String(step).padStart(10, '0')}`;

/** Where a run keeps the snapshots of one model in training; the folder goes when the model is finished. */
export const snapshotFolder = (runPath: string, member: string): string => join(runPath, 'snapshots', member);

/**
 * The run and the model that the snapshot in the folder `path` belongs to; `undefined` when it is none. A snapshot of
 * a run lies in `<run>/snapshots/<model>/step-<n>`.
 */
export async function placeOfSnapshot(
  path: string,
): Promise<{ readonly runPath: string; readonly member: string; readonly folder: string } | undefined> {
  const folder = resolve(path);
  const parts = folder.split(/[\\/]/);
  const [snapshots, member, step] = parts.slice(-3);
  if (snapshots !== 'snapshots' || !STEP.test(step)) return undefined;
  const manifest = await readSealed(join(folder, MANIFEST_FILE), SnapshotManifest);
  return manifest && { runPath: resolve(folder, '../../..'), member, folder };
}

/**
 * The newest snapshot below `folder`, or the one named. Throws `UserError` when it is damaged, of another task, or, unless it is named, from another
 * device, whose digits differ: a run would be of neither.
 */
export async function findSnapshot(
  folder: string,
  task: SnapshotTask,
  { chosen, device }: { readonly chosen: string | undefined; readonly device: string },
): Promise<FoundSnapshot | undefined> {
  const newest = (await stepsIn(folder)).at(-1);
  const path = chosen ?? (newest && join(folder, newest));
  if (path === undefined) return undefined;
  await requireNoLinks(resolve(folder, '../..'), path);
  const sealed = await readSealed(join(path, MANIFEST_FILE), SnapshotManifest);
  const manifest = sealed?.value;
  if (manifest === undefined) throw damaged(path, 'it has no manifest');
  if (JSON.stringify(manifest.task) !== JSON.stringify(Task.parse(task)))
    throw new UserError(`The snapshot "${path}" is of another training than this run's "${task.model}".`, {
      hint: 'Put it back where it came from, or delete it.',
    });
  if (chosen === undefined && manifest.device !== device)
    throw new UserError(
      `"${task.model}" was trained on ${manifest.device} so far; ${device}, which is used now, gives other digits.`,
      {
        hint: `Set deepLearning.device and deepLearning.precision back, or resume all the same by naming the snapshot: --mode resume --run ${path}`,
      },
    );
  const { step, seconds, files } = manifest;
  return {
    folder: path,
    step,
    seconds,
    artifact: await readArtifact(path, files, (what) => damaged(path, what)),
  };
}

/** Keeps snapshots below `folder` in the rhythm of `habits`; `onKept` hears of each. */
export function snapshotKeeper(
  folder: string,
  task: SnapshotTask,
  options: {
    readonly habits: SnapshotHabits;
    readonly device: string;
    readonly from: FoundSnapshot | undefined;
    readonly onKept: (kept: {
      readonly step: number;
      readonly epoch?: number;
      readonly folder: string;
    }) => void;
  },
): SnapshotKeeper {
  const { habits, device, from, onKept } = options;
  const startedMs = performance.now();
  let keptMs = startedMs;
  return {
    ...(from && { from: from.artifact }),
    isDue: ({ epoch, endOfEpoch }) =>
      performance.now() - keptMs >= 60_000 * habits.everyMinutes ||
      (endOfEpoch === true && epoch !== undefined && epoch % habits.everyEpochs === 0),
    async keep(artifact, at) {
      const path = join(folder, nameOf(at.step));
      makeFolder(folder);
      const steps = await stepsIn(folder);
      if (!steps.includes(nameOf(at.step))) {
        const seconds = (from?.seconds ?? 0) + (performance.now() - startedMs) / 1000;
        await writeArtifact(path, artifact, (files) => ({
          version: 2 as const,
          task,
          device,
          ...at,
          seconds,
          savedAt: new Date().toISOString(),
          files,
        }));
        for (const old of (await stepsIn(folder)).slice(0, -habits.kept))
          await rm(join(folder, old), { recursive: true, force: true });
      }
      keptMs = performance.now();
      onKept({ ...at, folder: path });
    },
  };
}

/** Names of the whole snapshots, oldest first. */
async function stepsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw explainDiskError(error, folder);
  });
  return names.filter((name) => STEP.test(name)).toSorted();
}

const damaged = (path: string, what: string): UserError =>
  new UserError(`The snapshot "${path}" is damaged: ${what}.`, {
    hint: 'Delete that folder and resume: training resumes from the snapshot before it, or from the start.',
  });
