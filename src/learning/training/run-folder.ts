import { mkdir, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { errorCode, explainDiskError, makeFolder } from '../../data/files.ts';
import { requireNoLinks } from '../../data/plain-file.ts';
import { DEFAULT_SOURCES } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { parseBarLength } from '../../core/market/bar-length.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import { ForecastScore } from '../validation/score.ts';
import { damagedJson, readSealed, type Sealed } from './sealed-json.ts';

export const PLAN_FILE = 'run.json';
export const RESULT_FILE = 'complete.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const epochMs = z.int();
/** A folder name of its own: it cannot lead out of its run. */
const modelId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);

export const InputSources = z.strictObject({
  benchmark: z.string().transform(parseSymbol),
  derivatives: z.string(),
  otherExchange: z.string(),
  otherDerivatives: z.string(),
  textScorer: z.string().default(DEFAULT_SOURCES.textScorer),
});

/** What a run was asked to do. Written before anything is trained; resuming does the rest of exactly this. */
export const RunPlan = z.strictObject({
  version: z.literal(2),
  createdAt: z.iso.datetime(),
  mode: z.enum(['quick', 'full']),
  seed: z.int(),
  /** How often each model that draws random numbers is trained, from another seed each time. */
  seeds: z.int().min(1).default(1),
  exchange: z.string().min(1),
  symbols: z.array(z.string().transform(parseSymbol)).min(1),
  timeframe: z.string().transform(parseTimeframe),
  /** Which markets the features that need other inputs look at. */
  sources: InputSources.default(DEFAULT_SOURCES),
  /** What of those was used, and what was not there when the run was planned. */
  inputs: z
    .array(z.strictObject({ input: z.string(), place: z.string(), rows: z.int(), sha256 }))
    .default([]),
  absentGroups: z.array(z.string()).default([]),
  /** Bars of other lengths that are read beside. */
  lengths: z.array(z.string().transform(parseBarLength)).readonly().default([]),
  /** First bar of the data, where features and forecasts start; the bars end before `untilMs`. */
  sinceMs: epochMs,
  untilMs: epochMs,
  trainUntilMs: epochMs,
  validateUntilMs: epochMs,
  synthetic: z.boolean(),
  dataFingerprint: sha256,
  feeBps: z.number(),
  slippageBps: z.number(),
  models: z.array(z.strictObject({ id: modelId, params: z.unknown() })).min(1),
  /** The run that it goes on from, or is adapted from, and SHA-256 of the manifests of the models it begins with. */
  from: z.strictObject({ run: z.string(), manifests: z.record(z.string(), sha256) }).optional(),
  /** The user's own files that these models, and the features that they read, come from. */
  plugins: z
    .array(z.strictObject({ path: z.string(), sha256, provides: z.array(z.string()).readonly() }))
    .readonly()
    .default([]),
  /** Of the user's own features among those, by name. */
  featureParameters: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});
export type RunPlan = z.output<typeof RunPlan>;

/** How a run ended. A run without this file is not complete: it was stopped and can be resumed. */
export const RunResult = z.strictObject({
  version: z.literal(2),
  completedAt: z.iso.datetime(),
  /** SHA-256 of the plan that was carried out. */
  planSha256: sha256,
  models: z.array(modelId).min(1),
  /** SHA-256 of the manifest of every model, and of those of its other seeds: `gru`, `gru-seed-2`. */
  manifests: z.record(z.string(), sha256),
  skipped: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  ensemble: z.strictObject({ members: z.array(modelId), metrics: ForecastScore }),
  baselines: z.record(z.string(), ForecastScore),
  /** Why a model has no skill to vote with (validation/no-skill.ts), by name as in `manifests`; absent in older runs. */
  noSkill: z.record(z.string(), z.string()).optional(),
  /** Of a run of several seeds: the scores of every model that has more than one, and of the ensemble, seed by seed. */
  seeds: z.record(z.string(), z.array(ForecastScore)).optional(),
});
export type RunResult = z.output<typeof RunResult>;

export interface RunFolder {
  readonly runId: string;
  readonly path: string;
  readonly plan: RunPlan;
  /** Of `run.json`; every manifest of the run names it. */
  readonly planSha256: string;
  /** `undefined` until the run is complete. */
  readonly result: RunResult | undefined;
}

export interface RunSurvey {
  /** Oldest first. */
  readonly runs: readonly RunFolder[];
  /** Folders of runs whose plan or result cannot be read, by name. */
  readonly damaged: readonly { readonly runId: string; readonly reason: string }[];
}

/** Every run below `checkpointDir`. Folders without a plan are not runs; a damaged one does not hide the others. */
export async function surveyRuns(checkpointDir: string): Promise<RunSurvey> {
  const entries = await readdir(checkpointDir, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const runs: RunFolder[] = [];
  const damaged: { runId: string; reason: string }[] = [];
  for (const name of names.toSorted()) {
    try {
      const run = await readRun(join(checkpointDir, name));
      if (run !== undefined) runs.push(run);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damaged.push({ runId: name, reason: error.message });
    }
  }
  return { runs: runs.toSorted((a, b) => a.plan.createdAt.localeCompare(b.plan.createdAt)), damaged };
}

/** The runs below `checkpointDir` that are whole, oldest first. */
export const listRuns = async (checkpointDir: string): Promise<readonly RunFolder[]> =>
  (await surveyRuns(checkpointDir)).runs;

/** The run named by its id or by the path of its folder. Throws `UserError` when it is none, or damaged. */
export async function findRun(checkpointDir: string, name: string): Promise<RunFolder> {
  for (const path of [join(checkpointDir, name), resolve(name)]) {
    const run = await readRun(path);
    if (run !== undefined) return run;
  }
  throw new UserError(`"${name}" is not a training run.`, {
    hint: `Pass the name of a run, or its folder, such as ${join(checkpointDir, '<run>')}; \`crypto-trader models list\` shows them.`,
  });
}

/** The complete runs, oldest first; `UserError` that says what to do when there is none. */
export async function completeRuns(checkpointDir: string): Promise<readonly RunFolder[]> {
  const runs = await listRuns(checkpointDir);
  const complete = runs.filter(({ result }) => result !== undefined);
  if (complete.length > 0) return complete;
  throw new UserError(
    runs.length === 0
      ? `No trained models in "${checkpointDir}".`
      : `The training run "${runs[runs.length - 1].runId}" is not complete, and there is no other.`,
    {
      hint:
        runs.length === 0
          ? 'Train some first: crypto-trader train --mode quick'
          : 'Finish it: crypto-trader train --mode resume',
    },
  );
}

async function readRun(path: string): Promise<RunFolder | undefined> {
  const plan = await readSealed(join(path, PLAN_FILE), RunPlan);
  if (plan === undefined) return undefined;
  const resultFile = join(path, RESULT_FILE);
  const result = await readSealed(resultFile, RunResult);
  if (result !== undefined) requireBelonging(resultFile, result.value, plan);
  return { runId: basename(path), path, plan: plan.value, planSha256: plan.sha256, result: result?.value };
}

/** A result is of its plan and names what was planned: it cannot lead to a folder of another run. */
function requireBelonging(file: string, result: RunResult, plan: Sealed<RunPlan>): void {
  if (result.planSha256 !== plan.sha256) throw damagedJson(file, `it is of another ${PLAN_FILE}`);
  const planned = new Set(plan.value.models.map(({ id }) => id));
  const stranger = [...result.models, ...result.ensemble.members].find((id) => !planned.has(id));
  if (stranger !== undefined)
    throw damagedJson(file, `it names "${stranger}", which the run was not asked for`);
}

/** Throws `UserError` when a link leads to a folder of the run from elsewhere. */
export const requireOwnFolder = (run: RunFolder, folder: string): Promise<void> =>
  requireNoLinks(run.path, folder);

/** Letters, digits and `._-`, no dot in front: a run's name is the name of its folder. */
export function requireRunName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return;
  throw new UserError(`"${name}" cannot be the name of a run.`, {
    hint: 'Use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first: btc-hourly-2.',
  });
}

/**
 * Makes the folder of a new run, `<checkpointDir>/<name>`; without a name it sorts by time:
 * `2026-02-13T08-30-00Z-quick`. Throws `UserError` when the name is taken.
 */
export async function createRunFolder(
  checkpointDir: string,
  plan: RunPlan,
  name?: string,
): Promise<Pick<RunFolder, 'runId' | 'path'>> {
  makeFolder(checkpointDir);
  if (name !== undefined) {
    requireRunName(name);
    const path = join(checkpointDir, name);
    await mkdir(path).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw explainDiskError(error, path);
      throw new UserError(`There is a run "${name}" already.`, {
        hint: 'Choose another --name, or delete that run first: crypto-trader models delete <run>.',
      });
    });
    return { runId: name, path };
  }
  const stem = `${plan.createdAt.slice(0, 19).replaceAll(':', '-')}Z-${plan.mode}`;
  for (let attempt = 1; ; attempt++) {
    const runId = attempt === 1 ? stem : `${stem}-${attempt}`;
    const path = join(checkpointDir, runId);
    try {
      await mkdir(path);
      return { runId, path };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw explainDiskError(error, path);
    }
  }
}
