import { access, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import {
  errorCode,
  explainDiskError,
  makeFolder,
  syncFolder,
  writeDurably,
  writeFileAtomic,
} from '../files.ts';
import { sha256 } from './fingerprint.ts';
import { MANIFEST_FILE, manifestText, readManifestAs } from './manifest.ts';

/** What a commit needs to know of a manifest: the files that belong to it. */
const Committed = z.looseObject({
  parts: z.array(z.looseObject({ file: z.string().regex(/^[\d-]+\.parquet$/), sha256: z.string() })),
});
interface Committed {
  readonly parts: readonly { readonly file: string; readonly sha256: string }[];
}

/**
 * Several files change as one. The new months are written beside the old ones and flushed; then the new
 * manifest is put down as `manifest.next.json`: from that moment the change has happened, because whoever
 * comes next can finish it (`recover`). Then the months and the manifest are renamed into place.
 * A kill before leaves the old state, a kill after the new one. The caller holds the dataset's lock.
 */
export async function commit(
  folder: string,
  manifest: Committed,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  try {
    makeFolder(folder);
    for (const [file, bytes] of files) await writeDurably(join(folder, `${file}.tmp`), bytes);
    await writeFileAtomic(join(folder, NEXT_MANIFEST), manifestText(manifest));
  } catch (error) {
    for (const file of files.keys()) await rm(join(folder, `${file}.tmp`), { force: true });
    throw explainDiskError(error, folder);
  }
  await finish(folder, manifest);
}

/** Whether a change was cut short, or is under way, in `folder`. */
export async function isUnfinished(folder: string): Promise<boolean> {
  return access(join(folder, NEXT_MANIFEST)).then(
    () => true,
    () => false,
  );
}

/** Ends what a killed process left: finishes a decided change, drops an undecided one. Needs the lock. */
export async function recover(folder: string): Promise<void> {
  const next = await readManifestAs(Committed, join(folder, NEXT_MANIFEST));
  if (next !== undefined) await finish(folder, next);
  for (const name of await readdir(folder).catch(absentIsEmpty)) {
    if (/\.(parquet|json)\.tmp$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

const NEXT_MANIFEST = 'manifest.next.json';

async function finish(folder: string, next: Committed): Promise<void> {
  for (const part of next.parts) {
    const temporary = join(folder, `${part.file}.tmp`);
    const bytes = await readFile(temporary).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (bytes === undefined) continue;
    if (sha256(bytes) !== part.sha256) {
      throw new UserError(`"${temporary}" does not hold what was written: the disk may be failing.`, {
        hint: `Move "${folder}" away and fetch its data again.`,
      });
    }
    await rename(temporary, join(folder, part.file));
  }
  await syncFolder(folder);
  await rename(join(folder, NEXT_MANIFEST), join(folder, MANIFEST_FILE));
  await syncFolder(folder);
}

function absentIsEmpty(error: unknown): string[] {
  if (errorCode(error) === 'ENOENT') return [];
  throw error;
}
