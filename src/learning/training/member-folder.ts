import { join } from 'node:path';
import { z } from 'zod';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { type Panel, selectFeatures } from '../../core/dataset/panel.ts';
import { UserError } from '../../core/foundation/errors.ts';
import type { Artifact, FittedModel, Model } from '../../core/forecast/model.ts';
import { builtIn, type Registry } from '../models/registry.ts';
import {
  FileHashes,
  MANIFEST_FILE,
  readArtifact,
  Sha256,
  weightHash,
  writeArtifact,
} from './artifact-folder.ts';
import { requireOwnFolder, type RunFolder } from './run-folder.ts';
import { readSealed } from './sealed-json.ts';
import { AbsentInputs } from './journal.ts';
import { ForecastScore } from '../validation/score.ts';

/** What was trained, on what, with which result. */
export const MemberManifest = z.strictObject({
  version: z.literal(2),
  /** SHA-256 of the plan of its run: run.json and manifest cannot be of two runs. */
  planSha256: Sha256,
  model: z.string().min(1),
  params: z.unknown(),
  seed: z.int(),
  features: z.array(z.string()),
  /** What the model is made for and was trained without. */
  absent: AbsentInputs.optional(),
  exchange: z.string(),
  symbols: z.array(z.string()),
  timeframe: z.string(),
  synthetic: z.boolean(),
  /** SHA-256 of the candles: see load-panel.ts. */
  dataFingerprint: Sha256,
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
  files: FileHashes,
  /** SHA-256 over the names and hashes of `files`: equal for equal weights. */
  weightHash: Sha256,
});
export type MemberManifest = z.output<typeof MemberManifest>;

/** A trained model on disk, read and checked. */
export interface StoredMember {
  readonly id: string;
  readonly model: Model;
  readonly manifest: MemberManifest;
  readonly manifestSha256: string;
  readonly folder: string;
  /** Why it does not vote, as its run found when it ended: see ensemble/voters.ts. */
  readonly noSkill?: string | undefined;
  /** Makes it ready to forecast, which takes longer than all the rest. Throws `UserError` where it does not fit its model. */
  readonly open: () => Promise<FittedModel>;
}

export interface TrainedMember extends Omit<StoredMember, 'open'> {
  /** Picks the features that the model was trained with out of any panel that has them. */
  readonly fitted: FittedModel;
}

export async function openMember({ open, ...member }: StoredMember): Promise<TrainedMember> {
  return { ...member, fitted: await open() };
}

/** Writes a trained model in one step: after a crash its folder is whole or not there. */
export async function saveMember(
  folder: string,
  artifact: Artifact,
  about: Omit<MemberManifest, 'version' | 'files' | 'weightHash'>,
): Promise<{ readonly manifest: MemberManifest; readonly manifestSha256: string }> {
  return writeArtifact(folder, artifact, (files) => ({
    version: 2,
    ...about,
    files,
    weightHash: weightHash(files),
  }));
}

/**
 * Reads a trained model of `run` back; `undefined` when there is none. Every file is checked against its hash first, and
 * the manifest against the plan of the run. Throws `UserError` when something is damaged or belongs elsewhere, or when
 * the model has changed since it was trained.
 */
export async function loadMember(
  ...asked: Parameters<typeof readMember>
): Promise<TrainedMember | undefined> {
  const stored = await readMember(...asked);
  return stored && openMember(stored);
}

/** The same, the model still to be opened. */
export async function readMember(
  folder: string,
  { run, registry = builtIn }: { readonly run?: RunFolder; readonly registry?: Registry } = {},
): Promise<StoredMember | undefined> {
  if (run !== undefined) await requireOwnFolder(run, folder);
  const sealed = await readSealed(join(folder, MANIFEST_FILE), MemberManifest);
  if (sealed === undefined) return undefined;
  const { value: manifest, sha256: manifestSha256 } = sealed;
  if (run !== undefined) requireSameRun(folder, manifest, run);
  const model = registry.findModel(manifest.model);
  requireSameArchitecture(folder, model, manifest);
  const artifact = await readArtifact(folder, manifest.files, (what) => damaged(folder, what));
  if (weightHash(manifest.files) !== manifest.weightHash) throw damaged(folder, 'its weight hash is wrong');
  const open = async (): Promise<FittedModel> => {
    try {
      return withFeatures(await model.load(artifact), manifest.features);
    } catch (error) {
      const why = error instanceof z.ZodError ? issueLines(error).join('; ') : String(error);
      throw new UserError(`The checkpoint "${folder}" does not fit the model "${model.id}": ${why}`, {
        hint: 'It was made by another version of the program. Train again.',
        cause: error,
      });
    }
  };
  return { id: model.id, model, manifest, manifestSha256, folder, open };
}

/** The same model, taking the columns `names` out of whatever panel it is given. */
export function withFeatures(fitted: FittedModel, names: readonly string[]): FittedModel {
  const { report, absent, explanation, explain, follow } = fitted;
  return {
    report,
    ...(absent && { absent }),
    ...(explanation && { explanation }),
    ...(explain && { explain: (panel: Panel) => explain(selectFeatures(panel, names)) }),
    forecast: (panel, wanted) => fitted.forecast(selectFeatures(panel, names), wanted),
    ...(follow && {
      follow: (from?: unknown) => {
        const follower = follow(from);
        return {
          ...follower,
          forecast: (panel: Panel, sinceMs: number) =>
            follower.forecast(selectFeatures(panel, names), sinceMs),
        };
      },
    }),
    save: () => fitted.save(),
    dispose: () => fitted.dispose?.(),
  };
}

/** What the manifest repeats of the plan must be what the plan says; the hash alone would not say what differs. */
function requireSameRun(
  folder: string,
  manifest: MemberManifest,
  { runId, plan, planSha256 }: RunFolder,
): void {
  const differs = (
    ['exchange', 'timeframe', 'synthetic', 'dataFingerprint', 'trainUntilMs', 'validateUntilMs'] as const
  ).find((key) => manifest[key] !== plan[key]);
  const symbols = manifest.symbols.join(' ') === plan.symbols.join(' ') ? undefined : 'symbols';
  const what = differs ?? symbols ?? (manifest.planSha256 === planSha256 ? undefined : 'plan');
  if (what === undefined) return;
  throw new UserError(`The checkpoint "${folder}" is not of the run "${runId}": its ${what} is another.`, {
    hint: 'Put the folder back where it came from, or train again.',
  });
}

function requireSameArchitecture(folder: string, model: Model, manifest: MemberManifest): void {
  const params = model.params.safeParse(manifest.params);
  const changed = params.success
    ? JSON.stringify(model.features(params.data)) !== JSON.stringify(manifest.features) &&
      `it reads other features now than the ${manifest.features.length} it was trained with`
    : issueLines(params.error).join('; ');
  if (changed === false) return;
  throw new UserError(`The checkpoint "${folder}" is of another "${model.id}": ${changed}`, {
    hint: 'Train again, or use the version of the program that trained it.',
  });
}

const damaged = (folder: string, what: string): UserError =>
  new UserError(`The checkpoint "${folder}" is damaged: ${what}.`, {
    hint: 'Delete that folder and run `crypto-trader train --mode resume` to train this model again.',
  });
