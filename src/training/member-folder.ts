import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode, syncFolder, writeDurably } from '../data/files.ts';
import { sha256 } from '../data/store/fingerprint.ts';
import { type Panel, selectFeatures } from '../dataset/panel.ts';
import { UserError } from '../foundation/errors.ts';
import type { Artifact, FittedModel, Model } from '../models/model.ts';
import { findModel } from '../models/registry.ts';
import { readJson } from './run-folder.ts';
import { ForecastScore } from './score.ts';

const MANIFEST_FILE = 'manifest.json';
const JSON_FILE = 'model.json';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** No separator and no leading dot: a manifest cannot point outside its folder. */
const fileName = z.string().regex(/^[\w-][\w.-]*$/);

/** What was trained, on what, with which result. */
export const MemberManifest = z.strictObject({
  version: z.literal(1),
  model: z.string().min(1),
  params: z.unknown(),
  seed: z.int(),
  features: z.array(z.string()),
  exchange: z.string(),
  symbols: z.array(z.string()),
  timeframe: z.string(),
  synthetic: z.boolean(),
  /** SHA-256 of the candles: see load-panel.ts. */
  dataFingerprint: hash,
  trainUntilMs: z.int(),
  validateUntilMs: z.int(),
  trainedAt: z.iso.datetime(),
  seconds: z.number(),
  steps: z.int(),
  epochs: z.number().optional(),
  samplesPerSecond: z.number().optional(),
  /** On the validation bars. */
  metrics: ForecastScore,
  /** Baselines on the same bars. */
  baselines: z.record(z.string(), ForecastScore),
  /** Version of this program, of Node and of what else computed the weights. */
  versions: z.record(z.string(), z.string()),
  /** SHA-256 of each file of the artifact. */
  files: z.record(fileName, hash),
  /** SHA-256 over the names and hashes of `files`: equal for equal weights. */
  weightHash: hash,
});
export type MemberManifest = z.output<typeof MemberManifest>;

export interface TrainedMember {
  readonly id: string;
  readonly model: Model;
  /** Picks the features that the model was trained with out of any panel that has them. */
  readonly fitted: FittedModel;
  readonly manifest: MemberManifest;
  readonly folder: string;
}

/** Writes a trained model in one step: after a crash its folder is whole or not there. */
export async function saveMember(
  folder: string,
  artifact: Artifact,
  about: Omit<MemberManifest, 'version' | 'files' | 'weightHash'>,
): Promise<MemberManifest> {
  const contents = artifactFiles(artifact);
  const files = fileHashes(contents);
  const manifest: MemberManifest = { version: 1, ...about, files, weightHash: weightHash(files) };
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  for (const [name, bytes] of contents) await writeDurably(join(temporary, name), bytes);
  await writeDurably(join(temporary, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await syncFolder(temporary);
  await rename(temporary, folder);
  await syncFolder(dirname(folder));
  return manifest;
}

/**
 * Reads a trained model back; `undefined` when there is none. Every file is checked against its hash first.
 * Throws `UserError` when something is damaged, or when the model has changed since it was trained.
 */
export async function loadMember(folder: string): Promise<TrainedMember | undefined> {
  const manifest = await readJson(join(folder, MANIFEST_FILE), MemberManifest);
  if (manifest === undefined) return undefined;
  const model = findModel(manifest.model);
  requireSameArchitecture(folder, model, manifest);
  const artifact = await readArtifact(folder, manifest);
  let loaded: FittedModel;
  try {
    loaded = await model.load(artifact);
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new UserError(`The checkpoint "${folder}" does not fit the model "${model.id}": ${why}`, {
      hint: 'It was made by another version of the program. Train again.',
      cause: error,
    });
  }
  return { id: model.id, model, fitted: withFeatures(loaded, manifest.features), manifest, folder };
}

/** The same model, taking the columns `names` out of whatever panel it is given. */
export function withFeatures(fitted: FittedModel, names: readonly string[]): FittedModel {
  const { report, explanation, explain } = fitted;
  return {
    report,
    ...(explanation && { explanation }),
    ...(explain && { explain: (panel: Panel) => explain(selectFeatures(panel, names)) }),
    forecast: (panel, wanted) => fitted.forecast(selectFeatures(panel, names), wanted),
    save: () => fitted.save(),
    dispose: () => fitted.dispose?.(),
  };
}

/** Hash of a fitted model's weights, whatever else its manifest says. */
export function artifactHash(artifact: Artifact): string {
  return weightHash(fileHashes(artifactFiles(artifact)));
}

const artifactFiles = (artifact: Artifact): ReadonlyMap<string, Uint8Array> =>
  new Map([
    [JSON_FILE, new TextEncoder().encode(`${JSON.stringify(artifact.json)}\n`)],
    ...Object.entries(artifact.blobs).map(([name, bytes]) => [fileName.parse(name), bytes] as const),
  ]);

const fileHashes = (contents: ReadonlyMap<string, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...contents].map(([name, bytes]) => [name, sha256(bytes)] as const));

const weightHash = (files: Readonly<Record<string, string>>): string =>
  sha256(
    new TextEncoder().encode(
      Object.keys(files)
        .toSorted()
        .map((name) => `${name} ${files[name]}\n`)
        .join(''),
    ),
  );

async function readArtifact(folder: string, manifest: MemberManifest): Promise<Artifact> {
  const contents = new Map<string, Uint8Array>();
  for (const [name, expected] of Object.entries(manifest.files)) {
    const bytes = await readFile(join(folder, name)).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') throw damaged(folder, `"${name}" is missing`);
      throw error;
    });
    if (sha256(bytes) !== expected) throw damaged(folder, `"${name}" does not match its SHA-256`);
    contents.set(name, bytes);
  }
  if (weightHash(manifest.files) !== manifest.weightHash) throw damaged(folder, 'its weight hash is wrong');
  const json = contents.get(JSON_FILE);
  if (json === undefined) throw damaged(folder, `it lists no "${JSON_FILE}"`);
  contents.delete(JSON_FILE);
  return { json: JSON.parse(new TextDecoder().decode(json)), blobs: Object.fromEntries(contents) };
}

function requireSameArchitecture(folder: string, model: Model, manifest: MemberManifest): void {
  const params = model.params.safeParse(manifest.params);
  const changed = params.success
    ? JSON.stringify(model.features(params.data)) !== JSON.stringify(manifest.features) &&
      `it reads other features now than the ${manifest.features.length} it was trained with`
    : z.prettifyError(params.error);
  if (changed === false) return;
  throw new UserError(`The checkpoint "${folder}" is of another "${model.id}": ${changed}`, {
    hint: 'Train again, or use the version of the program that trained it.',
  });
}

const damaged = (folder: string, what: string): UserError =>
  new UserError(`The checkpoint "${folder}" is damaged: ${what}.`, {
    hint: 'Delete that folder and run `crypto-trader train --mode resume` to train this model again.',
  });
