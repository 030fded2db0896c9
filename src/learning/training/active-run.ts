import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { withLock } from '../../data/lock.ts';
import { completeRuns, findRun, type RunFolder, surveyRuns } from './run-folder.ts';
import { readSealed, writeSealed } from './sealed-json.ts';

const ACTIVE_FILE = 'active.json';

/** Which runs were active, oldest first; the last one is. */
const ActiveRuns = z.strictObject({
  version: z.literal(1),
  history: z
    .array(z.strictObject({ runId: z.string().min(1), activatedAt: z.iso.datetime() }))
    .min(1)
    .max(1000),
});
type ActiveRuns = z.output<typeof ActiveRuns>;

/**
 * The run that a command uses: the one named (its name, or the path of its folder), else the active one. A project
 * has one active run, and it changes only by `activateRun` and `rollbackRun`: a later training never replaces what
 * forecasts and trades. Where none was ever promoted and there is one complete run only, it is that one. Throws
 * `UserError` that says what to do when there is none, or when there are several to choose from.
 */
export async function runInUse(checkpointDir: string, name?: string): Promise<RunFolder> {
  if (name !== undefined) return findRun(checkpointDir, name);
  const active = await activeRunId(checkpointDir);
  if (active !== undefined) {
    // One that is damaged says so by itself.
    if (existsSync(join(checkpointDir, active))) return findRun(checkpointDir, active);
    throw new UserError(`The active run "${active}" is not in "${checkpointDir}" any more.`, {
      hint: 'Activate another: crypto-trader models activate <run>. `crypto-trader models list` shows them.',
    });
  }
  const complete = await completeRuns(checkpointDir);
  if (complete.length === 1) return complete[0];
  throw new UserError(`${complete.length} runs are complete, and none is active.`, {
    hint: `Choose one: crypto-trader models activate ${complete[complete.length - 1].runId}, or name it with --run.`,
  });
}

/** `undefined` while no run was ever promoted. */
export async function activeRunId(checkpointDir: string): Promise<string | undefined> {
  return (await readActive(checkpointDir))?.history.at(-1)?.runId;
}

/**
 * Makes a complete run of this project the active one, once `check` has found it whole. Returns the run that was active
 * before.
 */
export async function activateRun(
  checkpointDir: string,
  run: RunFolder,
  check: () => Promise<void>,
): Promise<{ readonly before: string | undefined }> {
  if (resolve(run.path) !== resolve(checkpointDir, run.runId)) {
    throw new UserError(`The run "${run.path}" does not lie in "${checkpointDir}".`, {
      hint: 'Copy its folder there first, then activate it by its name.',
    });
  }
  if (run.result === undefined) {
    throw new UserError(`The training run "${run.runId}" is not complete.`, {
      hint: `Finish it: crypto-trader train --mode resume --run ${run.runId}`,
    });
  }
  await check();
  return change(checkpointDir, (history) => {
    const before = history.at(-1)?.runId;
    return before === run.runId ? history : [...history, { runId: run.runId, activatedAt: now() }];
  });
}

/** The first finished run of a project becomes active; `false` when one is already. */
export async function activateFirst(checkpointDir: string, runId: string): Promise<boolean> {
  const { runs, damaged } = await surveyRuns(checkpointDir);
  const complete = [...runs.filter(({ result }) => result !== undefined), ...damaged].map((run) => run.runId);
  let activated = false;
  await change(checkpointDir, (history) => {
    const active = history.at(-1)?.runId;
    const none = active === undefined ? complete.every((one) => one === runId) : !complete.includes(active);
    activated = none;
    return none ? [...history, { runId, activatedAt: now() }] : history;
  });
  return activated;
}

/** Back to the run that was active before this one. Runs that were deleted meanwhile are passed over. */
export async function rollbackRun(
  checkpointDir: string,
): Promise<{ readonly from: string; readonly to: string }> {
  const present = new Set((await completeRuns(checkpointDir)).map(({ runId }) => runId));
  let to = '';
  const { before } = await change(checkpointDir, (history) => {
    const from = history.at(-1)?.runId;
    const last = history.findLastIndex(({ runId }) => runId !== from && present.has(runId));
    if (last < 0) {
      throw new UserError('No other run was active before this one.', {
        hint: 'Choose one: crypto-trader models activate <run>. `crypto-trader models list` shows them.',
      });
    }
    to = history[last].runId;
    return history.slice(0, last + 1);
  });
  return { from: before ?? '', to };
}

const now = (): string => new Date().toISOString();

const readActive = async (checkpointDir: string): Promise<ActiveRuns | undefined> =>
  (await readSealed(join(checkpointDir, ACTIVE_FILE), ActiveRuns))?.value;

/** One change at a time: two trainings that finish together do not both become the first. */
async function change(
  checkpointDir: string,
  next: (history: ActiveRuns['history']) => ActiveRuns['history'],
): Promise<{ readonly before: string | undefined }> {
  const lock = { waitMs: 10_000, purpose: 'changing the active run' };
  return withLock(join(checkpointDir, '.active.lock'), lock, async () => {
    const history = (await readActive(checkpointDir))?.history ?? [];
    const changed = next(history);
    if (changed !== history)
      await writeSealed(join(checkpointDir, ACTIVE_FILE), { version: 1, history: changed.slice(-1000) });
    return { before: history.at(-1)?.runId };
  });
}
