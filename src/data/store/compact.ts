import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { sha256 } from './fingerprint.ts';
import { PART_FILE, spanOf } from './layout.ts';
import type { DatasetManifest, DatasetPart } from './manifest.ts';
import { encodePart, readPart } from './parts.ts';

/** What a dataset takes on disk, and what of it need not be there. */
export interface Compaction {
  /** Files of months that the manifest names. */
  readonly parts: number;
  readonly rows: number;
  readonly bytes: number;
  /** Months that take less when they are written again, and how much less. */
  readonly rewritten: readonly string[];
  readonly savedBytes: number;
  /** Files that nothing refers to: months that no manifest names, and damaged ones that are stored again. */
  readonly removed: readonly string[];
  readonly removedBytes: number;
}

/** A month is written again when that makes it smaller by a tenth. */
const WORTH_IT = 0.9;

/** Measures the dataset in `folder`; `files` are the months to write again. Changes nothing. */
export async function planCompaction(
  folder: string,
  manifest: DatasetManifest,
): Promise<{
  readonly compaction: Compaction;
  readonly parts: readonly DatasetPart[];
  readonly files: ReadonlyMap<string, Uint8Array>;
}> {
  const files = new Map<string, Uint8Array>();
  const parts: DatasetPart[] = [];
  let [bytes, savedBytes] = [0, 0];
  for (const part of manifest.parts) {
    const { size } = await stat(join(folder, part.file));
    const again = await encodePart(await readPart(folder, manifest, part));
    bytes += size;
    const smaller = again.length <= WORTH_IT * size;
    if (smaller) {
      savedBytes += size - again.length;
      files.set(part.file, again);
    }
    parts.push(smaller ? { ...part, sha256: sha256(again) } : part);
    await yieldToEventLoop();
  }
  const removed = await leftovers(folder, manifest);
  const sizes = await Promise.all(removed.map(async (file) => (await stat(join(folder, file))).size));
  const compaction = {
    parts: manifest.parts.length,
    rows: manifest.rows,
    bytes,
    rewritten: [...files.keys()],
    savedBytes,
    removed,
    removedBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
  return { compaction, parts, files };
}

/** Only what this store makes is looked at: a file of another name is somebody else's. */
async function leftovers(folder: string, { parts }: DatasetManifest): Promise<readonly string[]> {
  // What was damaged stays until it is stored again.
  const named = new Set(parts.map(({ file }) => file));
  return (await readdir(folder)).filter((name) => {
    const file = name.replace(/\.damaged$/, '');
    if (!PART_FILE.test(file)) return false;
    if (file === name) return !named.has(file);
    const { fromMs, untilMs } = spanOf(file);
    return parts.map((part) => spanOf(part.file)).some((by) => by.fromMs <= fromMs && untilMs <= by.untilMs);
  });
}

export async function removeFiles(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(join(folder, file), { force: true });
}

/** Bytes of a bar on disk. */
export const bytesPerBar = ({ bytes, rows }: Pick<Compaction, 'bytes' | 'rows'>): number => bytes / rows;
