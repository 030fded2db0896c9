import { mkdir, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import {
  errorCode,
  explainDiskError,
  makeFolder,
  readJson as readJsonFile,
  writeFileAtomic,
} from '../../data/files.ts';
import { DEFAULT_SOURCES } from '../../core/features/inputs.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import { ForecastScore } from '../validation/score.ts';

export const PLAN_FILE = 'run.json';
export const RESULT_FILE = 'complete.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const epochMs = z.int();

const InputSources = z.strictObject({
  benchmark: z.string().transform(parseSymbol),
  derivatives: z.string(),
  otherExchange: z.string(),
  otherDerivatives: z.string(),
});

/** What a run was asked to do. Written before anything is trained; resuming does the rest of exactly this. */
export const RunPlan = z.strictObject({
  version: z.literal(1),
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
  /** First bar of the data, where features and forecasts start; the bars end before `untilMs`. */
  sinceMs: epochMs,
  untilMs: epochMs,
  trainUntilMs: epochMs,
  validateUntilMs: epochMs,
  synthetic: z.boolean(),
  dataFingerprint: sha256,
  feeBps: z.number(),
  slippageBps: z.number(),
  models: z.array(z.strictObject({ id: z.string().min(1), params: z.unknown() })).min(1),
});
export type RunPlan = z.output<typeof RunPlan>;

/** How a run ended. A run without this file is not complete: it was stopped and can be resumed. */
export const RunResult = z.strictObject({
  version: z.literal(1),
  completedAt: z.iso.datetime(),
  models: z.array(z.string()),
  skipped: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  ensemble: z.strictObject({ members: z.array(z.string()), metrics: ForecastScore }),
  baselines: z.record(z.string(), ForecastScore),
  /** Of a run of several seeds: the scores of every model that has more than one, and of the ensemble, seed by seed. */
  seeds: z.record(z.string(), z.array(ForecastScore)).optional(),
});
export type RunResult = z.output<typeof RunResult>;

export interface RunFolder {
  readonly runId: string;
  readonly path: string;
  readonly plan: RunPlan;
  /** `undefined` until the run is complete. */
  readonly result: RunResult | undefined;
}

/** Every run below `checkpointDir`, oldest first. Folders without a plan are not runs. */
export async function listRuns(checkpointDir: string): Promise<readonly RunFolder[]> {
  const entries = await readdir(checkpointDir, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const runs = await Promise.all(names.toSorted().map((name) => readRun(join(checkpointDir, name))));
  return runs
    .filter((run) => run !== undefined)
    .toSorted((a, b) => a.plan.createdAt.localeCompare(b.plan.createdAt));
}

/** The run named by its id or by the path of its folder. */
export async function findRun(checkpointDir: string, name: string): Promise<RunFolder> {
  for (const path of [join(checkpointDir, name), resolve(name)]) {
    const run = await readRun(path);
    if (run !== undefined) return run;
  }
  throw new UserError(`"${name}" is not a training run.`, {
    hint: `Pass the folder of a run, such as ${join(checkpointDir, '<run>')}; \`crypto-trader models list\` shows them.`,
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
  const plan = await readJson(join(path, PLAN_FILE), RunPlan);
  if (plan === undefined) return undefined;
  const result = await readJson(join(path, RESULT_FILE), RunResult);
  return { runId: basename(path), path, plan, result };
}

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
): Promise<RunFolder> {
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
    return { runId: name, path, plan, result: undefined };
  }
  const stem = `${plan.createdAt.slice(0, 19).replaceAll(':', '-')}Z-${plan.mode}`;
  for (let attempt = 1; ; attempt++) {
    const runId = attempt === 1 ? stem : `${stem}-${attempt}`;
    const path = join(checkpointDir, runId);
    try {
      await mkdir(path);
      return { runId, path, plan, result: undefined };
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw explainDiskError(error, path);
    }
  }
}

/** `undefined` when there is no such file; `UserError` when it does not hold what it should. */
export const readJson = <Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> =>
  readJsonFile(path, schema, 'Put it back from a backup, or move its folder away and train again.');

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`);
