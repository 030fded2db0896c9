import { UserError } from '../../core/foundation/errors.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { ruleId } from '../../lab/backtest/rule-id.ts';
import { marketName, recordTrials, type Trial } from '../../lab/backtest/trials.ts';
import { planRun, type TrainingSettings } from '../../learning/training/plan.ts';
import { findRun, listRuns, type RunFolder } from '../../learning/training/run-folder.ts';
import { placeOfSnapshot } from '../../learning/training/snapshots.ts';
import {
  finishRun,
  type FinishedRun,
  startRun,
  type TrainingSurroundings,
} from '../../learning/training/train.ts';

/** A new run, or one that was stopped: the newest that is not complete, unless a run or one of its snapshots is named. */
export type TrainRequest =
  | { readonly kind: 'new'; readonly settings: TrainingSettings; readonly name?: string | undefined }
  | { readonly kind: 'resume'; readonly run?: string | undefined };

/**
 * Trains what a run lacks, and enters the comparison on its validation bars into the ledger of everything that was tried.
 * `onStart`: the run is on disk and can be resumed from here on; what it has trained is kept. Throws `UserError`, and `signal.reason` when aborted.
 */
export async function train(
  request: TrainRequest,
  surroundings: TrainingSurroundings & {
    readonly trialsFile: string;
    /** What decisions on so many symbols trade by: part of what was tried. */
    readonly rules: (symbols: number) => ExecutionRules;
    readonly onStart?: (run: RunFolder, surroundings: TrainingSurroundings) => void | Promise<void>;
  },
): Promise<FinishedRun> {
  const { store, checkpointDir } = surroundings;
  const place =
    request.kind === 'resume' && request.run !== undefined ? await placeOfSnapshot(request.run) : undefined;
  const run =
    request.kind === 'resume'
      ? await runToResume(checkpointDir, place?.runPath ?? request.run)
      : await startRun(await planRun(store, request.settings), surroundings, request.name);
  await surroundings.onStart?.(run, surroundings);
  const finished = await finishRun(run, surroundings, place);
  await countComparison(finished, surroundings);
  return finished;
}

/** Comparing models on the validation bars is a trial of each, and of the ensemble of several. */
async function countComparison(
  { plan, members, result }: FinishedRun,
  of: { readonly trialsFile: string; readonly rules: (symbols: number) => ExecutionRules },
): Promise<void> {
  const rules = of.rules(plan.symbols.length);
  const weights = Object.fromEntries(members.map(({ id, manifest }) => [id, manifest.weightHash]));
  const learned = members.filter(({ model }) => model.kind !== 'baseline');
  const market = marketName(plan.exchange, plan.timeframe, plan.symbols);
  const trial = (strategy: string, own: unknown): Trial => ({
    time: new Date().toISOString(),
    id: ruleId(strategy, own, rules),
    market,
    strategy,
    by: 'validation',
  });
  await recordTrials(of.trialsFile, market, [
    ...learned.map(({ id }) => trial(id, weights[id])),
    ...(result.ensemble.members.length > 1 ? [trial('ensemble', weights)] : []),
  ]);
}

async function runToResume(checkpointDir: string, name: string | undefined): Promise<RunFolder> {
  if (name !== undefined) return findRun(checkpointDir, name);
  const runs = await listRuns(checkpointDir);
  const unfinished = runs.findLast(({ result }) => result === undefined);
  if (unfinished !== undefined) return unfinished;
  if (runs.length > 0) {
    throw new UserError('Every training run is complete: there is nothing to resume.', {
      hint: 'Name a run to train again what was removed from it: --run <name>. Start another: --mode quick.',
    });
  }
  throw new UserError(`There is no training run in "${checkpointDir}" to resume.`, {
    hint: 'Start one: crypto-trader train --mode quick',
  });
}
