import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { allocatorData } from '../../learning/allocators/data.ts';
import {
  allocatorArtifact,
  readAllocator,
  type SavedAllocator,
  stepsOf,
} from '../../learning/allocators/checkpoint.ts';
import { openLearned } from '../../learning/allocators/forward.ts';
import { learn } from '../../learning/allocators/learner.ts';
import type { LearnerState } from '../../learning/allocators/state.ts';
import type { LearnedId, LearnerParams } from '../../learning/allocators/params.ts';
import {
  FileHashes,
  MANIFEST_FILE,
  readArtifact,
  writeArtifact,
} from '../../learning/training/artifact-folder.ts';
import { weightHash } from '../../learning/engine/weights.ts';
import { readSealed } from '../../learning/training/sealed-json.ts';
import { learnedAllocation } from '../../lab/portfolio/learned.ts';
import { type PortfolioStrategy, tableOf } from '../../lab/portfolio/walk-forward.ts';
import type { PortfolioMarket } from './portfolio.ts';

export { stepsOf };

const Manifest = z.strictObject({
  format: z.literal('allocator-1'),
  files: FileHashes,
  sha256: z.string().optional(),
});

/** `checkpoints/allocators/<name>/step-<n>`: the newest whole one counts. */
const folderOf = (checkpointDir: string, name: string): string => join(checkpointDir, 'allocators', name);

/** Throws `UserError` for a name that would leave its folder. */
export function requireAllocatorName(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) return;
  throw new UserError(`An allocator cannot be called "${name}".`, {
    hint: 'Use letters, digits, dots, dashes and underscores, 64 at most.',
  });
}

/** A trained allocator, or one in training, checked against its hashes; `undefined` when there is none of that name. */
export async function loadAllocator(
  checkpointDir: string,
  name: string,
): Promise<SavedAllocator | undefined> {
  requireAllocatorName(name);
  const folder = folderOf(checkpointDir, name);
  if (!existsSync(folder)) return undefined;
  const [newest] = await stepsIn(folder);
  if (newest === undefined) return undefined;
  const own = join(folder, `step-${newest}`);
  const damaged = (what: string): UserError =>
    new UserError(`The checkpoint "${own}" is damaged: ${what}.`, {
      hint: 'Move it away: the one before it is used then, or train again.',
    });
  const sealed = await readSealed(join(own, MANIFEST_FILE), Manifest);
  if (sealed === undefined) throw damaged('it has no manifest');
  return readAllocator(await readArtifact(own, sealed.value.files, damaged));
}

async function stepsIn(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder);
  return names
    .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a);
}

export interface AllocatorTraining {
  readonly checkpointDir: string;
  readonly name: string;
  readonly id: LearnedId;
  readonly source: PortfolioMarket;
  readonly params: LearnerParams;
  readonly seed: number;
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly onStep: (done: number, total: number, loss: number) => void;
}

/** Trained so many steps, kept as a checkpoint every fifty of them and at the end; the one before goes when the next is whole. */
export async function trainAllocator(
  task: AllocatorTraining,
): Promise<SavedAllocator & { readonly folder: string; readonly weightHash: string }> {
  const { checkpointDir, name, id, source, params, seed } = task;
  const before = await loadAllocator(checkpointDir, name);
  if (before !== undefined && !task.resume)
    throw new UserError(`There is an allocator "${name}" already, ${stepsOf(before)} steps old.`, {
      hint: 'Go on with it by --resume, or call the new one otherwise with --name.',
    });
  const symbols = source.members.map(({ symbol }) => symbol);
  if (
    before !== undefined &&
    (before.id !== id || before.seed !== seed || before.symbols.join() !== symbols.join())
  )
    throw new UserError(
      `The allocator "${name}" is "${before.id}" with seed ${before.seed} over ${before.symbols.join(', ')}.`,
      {
        hint: 'Resume it with the same --allocator, --seed and symbols, or call the new one otherwise with --name.',
      },
    );
  const table = tableOf(source);
  const lastRow = table.time.length - 1;
  const data = allocatorData(table.symbols, table.time, table.closes);
  const folder = folderOf(checkpointDir, name);
  const own = before === undefined ? params : { ...before.params, steps: params.steps };
  const saved = (state: LearnerState): SavedAllocator => ({
    id,
    symbols,
    trainedUntilMs: table.time[lastRow],
    seed,
    params: own,
    state,
  });
  let kept = before && stepsOf(before);
  const keep = async (state: LearnerState): Promise<void> => {
    const step = stepsOf({ id, state });
    if (step === kept) return;
    await writeArtifact(join(folder, `step-${step}`), allocatorArtifact(saved(state)), (files) => ({
      format: 'allocator-1',
      files,
    }));
    if (kept !== undefined) await rm(join(folder, `step-${kept}`), { recursive: true, force: true });
    kept = step;
  };
  const state = await learn(id, {
    data,
    lastRow,
    params: own,
    seed,
    from: before?.state,
    signal: task.signal,
    onStep: async (done, loss, current) => {
      task.onStep(done, own.steps, loss);
      if (done % 50 === 0) await keep(current());
    },
  });
  await keep(state);
  return {
    ...saved(state),
    folder: join(folder, `step-${stepsOf({ id, state })}`),
    weightHash: weightHash(state.train.parameters),
  };
}

/** A checkpoint as a strategy. */
export async function openTrained(
  saved: SavedAllocator,
  source: PortfolioMarket,
): Promise<PortfolioStrategy> {
  const learned = await openLearned(saved.id, saved.symbols, saved.params, saved.state);
  return { id: saved.id, allocate: (decision) => learnedAllocation(learned, source, decision) };
}
