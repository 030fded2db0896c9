import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { syncFolder, writeDurably } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import type { FoldCache } from '../../learning/validation/fold-cache.ts';
import type { openFolds } from '../../learning/validation/walk-forward.ts';
import { readMember } from '../../learning/training/member-folder.ts';
import { findRun, PLAN_FILE, RESULT_FILE, type RunFolder } from '../../learning/training/run-folder.ts';
import { seedFolder, seedName } from '../../learning/training/seeds.ts';
import type { RunPiece } from '../../learning/training/train.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { Bytes, type DeskRequest, giveWork, inTurn, Refused } from './work-desk.ts';
import { type FoldSettings, MOST_PIECE_BYTES, PieceReport } from './work-protocol.ts';

/** What came of pieces of work. */
export interface PieceProgress {
  /** Told of each piece that is done, or why it could not be. */
  readonly onPiece: (piece: string, outcome: { readonly worker: string; readonly failed?: string }) => void;
  /** Told once of each kind of processor that is not this one: bits may differ. */
  readonly onOtherMachine: (machine: string) => void;
}

/** The processor that computes here. */
export const thisMachine = (): string => cpus()[0]?.model ?? process.arch;

/**
 * Has the folds of a walk-forward fitted by workers on any machine; they end in `cache`, under names made of everything that decides on their
 * bits. A fold that begins from the weights of another is given out behind it. What cannot be fitted is left, with the folds behind it.
 */
export async function coordinateFolds(
  task: DeskRequest &
    PieceProgress & {
      readonly folder: string;
      readonly settings: FoldSettings;
      readonly folds: ReturnType<typeof openFolds>;
      readonly cache: FoldCache;
    },
): Promise<void> {
  const { folds, cache } = task;
  const after = new Map(folds.missing().map((one) => [one.key, one.after]));
  const turn = inTurn();
  const given = new Set<string>();
  const tellMachine = onceOnly(task.onOtherMachine);
  await giveWork({
    ...task,
    lock: { folder: task.folder, purpose: 'giving folds of a walk-forward to workers' },
    name: 'folds',
    work: { kind: 'folds', settings: task.settings },
    async next() {
      const found = [...after].find(
        ([key, before]) => !given.has(key) && (before === undefined || cache.has(before)),
      );
      if (found !== undefined) given.add(found[0]);
      return found?.[0];
    },
    async answer({ method, kind, id, what, body }, open) {
      if (kind !== 'pieces') return undefined;
      if (method === 'GET' && what === 'warm') {
        const { warm } = await cache.files(id);
        return warm && new Bytes(warm);
      }
      if (method === 'GET' && what === undefined) return wanted(id, open.has(id));
      if (method !== 'POST' || what !== 'end') return undefined;
      const report = await body(PieceReport, MOST_PIECE_BYTES);
      return turn(async () => {
        if (!open.has(id)) return {};
        const { files, failed, worker, machine } = report;
        if (failed === undefined) {
          const [forecast, warm] = [files?.['forecast'], files?.['warm']].map(decoded);
          const whole = await cache.take(id, { forecast, warm }, after.get(id));
          if (!whole) throw new Refused(400, 'the fold is not whole');
          tellMachine(machine);
        }
        task.onPiece(id, { worker, ...(failed !== undefined && { failed }) });
        open.close(id);
        return {};
      });
    },
  });
}

/**
 * Has the models of a training run trained by workers on any machine, each from each seed; they end in the run's folder. What cannot be
 * trained there is left.
 */
export async function coordinateModels(
  task: DeskRequest &
    PieceProgress & {
      readonly run: RunFolder;
      readonly checkpointDir: string;
      readonly registry: Registry;
      readonly pieces: readonly RunPiece[];
    },
): Promise<void> {
  const { run, pieces, registry } = task;
  const named = new Map(pieces.map((piece) => [seedName(piece.id, piece.seedNumber), piece]));
  const files = await filesOf(task);
  const waiting = [...named.keys()];
  const turn = inTurn();
  const tellMachine = onceOnly(task.onOtherMachine);
  await giveWork({
    ...task,
    lock: { folder: run.path, purpose: 'giving models of this run to workers' },
    name: 'models',
    work: {
      kind: 'models',
      run: run.runId,
      files: files.map(({ place, hash }) => ({ path: place, sha256: hash })),
    },
    files: new Map(files.map(({ path, hash }) => [hash, path])),
    next: async () => waiting.shift(),
    async answer({ method, kind, id, what, body }, open) {
      const piece = named.get(id);
      if (kind !== 'pieces' || piece === undefined) return undefined;
      if (method === 'GET' && what === undefined) return { ...wanted(id, open.has(id)), ...piece };
      if (method !== 'POST' || what !== 'end') return undefined;
      const report = await body(PieceReport, MOST_PIECE_BYTES);
      return turn(async () => {
        if (!open.has(id)) return {};
        const { files: sent = {}, failed, worker, machine } = report;
        if (failed === undefined) {
          const folder = seedFolder(run.path, piece.id, piece.seedNumber);
          await takeMember(folder, sent, (place) => readMember(place, { run, registry }));
          tellMachine(machine);
        }
        task.onPiece(id, { worker, ...(failed !== undefined && { failed }) });
        open.close(id);
        return {};
      });
    },
  });
}

function wanted(id: string, isOpen: boolean): { readonly piece: string } {
  if (!isOpen) throw new Refused(410, `${id} is not wanted any more`);
  return { piece: id };
}

const decoded = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : Buffer.from(text, 'base64');

function onceOnly(tell: (machine: string) => void): (machine: string) => void {
  const told = new Set([thisMachine()]);
  return (machine) => {
    if (told.has(machine)) return;
    told.add(machine);
    tell(machine);
  };
}

/** Puts a model into its folder in one step, when it is whole: every file against its hash. */
async function takeMember(
  folder: string,
  files: Readonly<Record<string, string>>,
  read: (place: string) => Promise<unknown>,
): Promise<void> {
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeDurably(join(temporary, name), Buffer.from(text, 'base64'));
  await syncFolder(temporary);
  const found = await read(temporary).catch(() => undefined);
  if (found === undefined) {
    await rm(temporary, { recursive: true, force: true });
    throw new Refused(400, 'the model is not whole');
  }
  await rename(temporary, folder);
  await syncFolder(dirname(folder));
}

/** The plan of a run, and the models of another that it goes on from. */
async function filesOf({
  run,
  checkpointDir,
}: {
  readonly run: RunFolder;
  readonly checkpointDir: string;
}): Promise<readonly { readonly path: string; readonly place: string; readonly hash: string }[]> {
  const found: { path: string; place: string; hash: string }[] = [];
  const add = async (of: RunFolder, name: string): Promise<void> => {
    const path = join(of.path, name);
    const bytes = await readPlainFile(path, MOST_PIECE_BYTES);
    if (bytes !== undefined) found.push({ path, place: `${of.runId}/${name}`, hash: sha256(bytes) });
  };
  await add(run, PLAN_FILE);
  const { from } = run.plan;
  if (from === undefined) return found;
  const before = await findRun(checkpointDir, from.run);
  for (const name of [PLAN_FILE, RESULT_FILE]) await add(before, name);
  for (const id of Object.keys(from.manifests))
    for (const name of await readdir(join(before.path, id))) await add(before, `${id}/${name}`);
  return found;
}
