import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { syncFolder, writeDurably } from '../../data/files.ts';
import { readPlainFile } from '../../data/plain-file.ts';
import { sha256 } from '../../data/store/fingerprint.ts';
import type { UserError } from '../../core/foundation/errors.ts';
import type { Artifact } from '../../core/forecast/model.ts';
import { seal } from './sealed-json.ts';

export const MANIFEST_FILE = 'manifest.json';
const JSON_FILE = 'model.json';

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** No separator and no leading dot: a manifest cannot point outside its folder. */
const FileName = z.string().regex(/^[\w-][\w.-]*$/);

/** No file of a model comes near this, and no model has so many. */
const MOST_FILE_BYTES = 2 ** 30;
const MOST_FILES = 256;

/** SHA-256 of each file of an artifact. */
export const FileHashes = z
  .record(FileName, Sha256)
  .refine((files) => Object.keys(files).length <= MOST_FILES, `more than ${MOST_FILES} files`);
type FileHashes = z.output<typeof FileHashes>;

/** Writes an artifact and its manifest in one step: after a crash the folder is whole or not there. */
export async function writeArtifact<Manifest extends object>(
  folder: string,
  artifact: Artifact,
  manifestOf: (files: FileHashes) => Manifest,
): Promise<{ readonly manifest: Manifest; readonly manifestSha256: string }> {
  const contents = artifactFiles(artifact);
  const manifest = manifestOf(fileHashes(contents));
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  for (const [name, bytes] of contents) await writeDurably(join(temporary, name), bytes);
  const { text, sha256: manifestSha256 } = seal(manifest);
  await writeDurably(join(temporary, MANIFEST_FILE), text);
  await syncFolder(temporary);
  await rename(temporary, folder);
  await syncFolder(dirname(folder));
  return { manifest, manifestSha256 };
}

/** Reads an artifact back; every file is checked against its hash. Throws `UserError` when something is damaged. */
export async function readArtifact(
  folder: string,
  files: FileHashes,
  damaged: (what: string) => UserError,
): Promise<Artifact> {
  const contents = new Map<string, Uint8Array>();
  for (const [name, expected] of Object.entries(files)) {
    const bytes = await readPlainFile(join(folder, name), MOST_FILE_BYTES);
    if (bytes === undefined) throw damaged(`"${name}" is missing`);
    if (sha256(bytes) !== expected) throw damaged(`"${name}" does not match its SHA-256`);
    contents.set(name, bytes);
  }
  const json = contents.get(JSON_FILE);
  if (json === undefined) throw damaged(`it lists no "${JSON_FILE}"`);
  contents.delete(JSON_FILE);
  return { json: parse(json, damaged), blobs: Object.fromEntries(contents) };
}

/** Its hash may be right and its text none: then whoever made the manifest made that too. */
function parse(json: Uint8Array, damaged: (what: string) => UserError): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch (error) {
    throw damaged(`"${JSON_FILE}" is no JSON (${error instanceof Error ? error.message.slice(0, 100) : ''})`);
  }
}

/** Hash of a fitted model's weights, whatever else its manifest says. */
export const artifactHash = (artifact: Artifact): string => weightHash(fileHashes(artifactFiles(artifact)));

/** SHA-256 over the names and hashes of the files. */
export const weightHash = (files: FileHashes): string =>
  sha256(
    new TextEncoder().encode(
      Object.keys(files)
        .toSorted()
        .map((name) => `${name} ${files[name]}\n`)
        .join(''),
    ),
  );

const artifactFiles = (artifact: Artifact): ReadonlyMap<string, Uint8Array> =>
  new Map([
    [JSON_FILE, new TextEncoder().encode(`${JSON.stringify(artifact.json)}\n`)],
    ...Object.entries(artifact.blobs).map(([name, bytes]) => [FileName.parse(name), bytes] as const),
  ]);

const fileHashes = (contents: ReadonlyMap<string, Uint8Array>): FileHashes =>
  Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256(bytes)] as const));
