import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { giveWay } from '../../data/turns.ts';
import { fromLoss, type ObjectiveName, type SpanFigures, toLoss } from './objective.ts';
import type { Params } from './space.ts';
import type { Study } from './study.ts';
import type { KeptTrial } from './study-journal.ts';

/** What is kept of a complete trial beside its values. */
export const TrialDetails = z.object({
  fills: z.int(),
  /** Means over the folds. */
  figures: z.record(z.string(), z.number()),
  /** Net returns over the test bars of all folds, in sums of `width` bars. */
  returns: z.object({ width: z.int(), sums: z.array(z.number()) }),
  /** Features that were chosen for the last fold, where a trial chooses. */
  features: z.array(z.string()).optional(),
});
export type TrialDetails = z.output<typeof TrialDetails>;

/** At most so many numbers are kept of a trial's returns: enough for the tests of the whole study. */
const MOST_SUMS = 1024;

/** How a trial is measured, and who is told. */
export interface TrialWork {
  readonly study: Pick<Study, 'report' | 'tell'>;
  readonly folds: number;
  readonly objectives: readonly ObjectiveName[];
  /** Fills over all folds below which a trial is not feasible. */
  readonly minFills: number;
  /** Fits and measures one fold. */
  readonly measure: (params: Params, fold: number) => Promise<SpanFigures>;
  readonly signal: AbortSignal;
}

export interface SearchTask extends TrialWork {
  readonly study: Study;
  /** Stop when so many trials have been started, those of other workers included. */
  readonly trials: number;
  readonly onTrial: (trial: KeptTrial) => void;
}

/**
 * Works on a study until it has its trials: asks for parameters, measures them fold by fold, and says after each fold how
 * it goes, so that what is hopeless is stopped. Parameters that the model refuses are a failed trial with the reason.
 * Throws `signal.reason` when aborted: the trial in work is then done again by whoever goes on.
 */
export async function search(task: SearchTask): Promise<void> {
  const { study, signal } = task;
  for (;;) {
    await giveWay(signal);
    const trial = await study.ask(task.trials);
    if (trial === undefined) return;
    await workOnTrial(trial, task);
    task.onTrial(study.trials()[trial.number]);
  }
}

/** Measures one trial and tells how it ended; parameters that are refused are a failed trial with the reason. */
export async function workOnTrial(
  trial: Pick<KeptTrial, 'number' | 'params'>,
  task: TrialWork,
): Promise<void> {
  try {
    await measureTrial(trial, task);
  } catch (error) {
    if (!(error instanceof UserError) || task.signal.aborted) throw error;
    const failed = { state: 'failed' as const, values: [], violation: 0, reason: error.message };
    await task.study.tell(trial.number, failed);
  }
}

async function measureTrial(
  { number, params }: Pick<KeptTrial, 'number' | 'params'>,
  task: TrialWork,
): Promise<void> {
  const { study, objectives, folds, signal } = task;
  const done: SpanFigures[] = [];
  const means = (): number[] => objectives.map((name) => meanLoss(name, done));
  for (let fold = 0; fold < folds; fold++) {
    await giveWay(signal);
    done.push(await task.measure(params, fold));
    const own = toLoss(objectives[0], done[fold].figures[objectives[0]]);
    const { prune } = await study.report(number, fold, own);
    if (prune && fold + 1 < folds) {
      await study.tell(number, { state: 'pruned', values: [], violation: 0 });
      return;
    }
  }
  const fills = done.reduce((sum, one) => sum + one.fills, 0);
  const features = done.at(-1)?.features;
  await study.tell(number, {
    state: 'complete',
    values: means(),
    violation: Math.max(0, task.minFills - fills),
    details: {
      fills,
      figures: meanFigures(done),
      returns: summedReturns(done),
      ...(features && { features: [...features] }),
    } satisfies TrialDetails,
  });
}

const meanLoss = (name: ObjectiveName, done: readonly SpanFigures[]): number =>
  done.reduce((sum, { figures }) => sum + toLoss(name, figures[name]), 0) / done.length;

function meanFigures(done: readonly SpanFigures[]): Record<string, number> {
  const names = new Set(done.flatMap(({ figures }) => Object.keys(figures) as ObjectiveName[]));
  return Object.fromEntries(
    [...names]
      .filter((name) => done.every(({ figures }) => figures[name] !== undefined))
      .map((name) => [name, fromLoss(name, meanLoss(name, done))]),
  );
}

/** Returns over all folds as they are kept. */
export function summedReturns(done: readonly SpanFigures[]): TrialDetails['returns'] {
  const all = done.flatMap(({ returns }) => Array.from(returns));
  const width = Math.max(1, Math.ceil(all.length / MOST_SUMS));
  const sums: number[] = [];
  for (let from = 0; from < all.length; from += width) {
    const sum = all.slice(from, from + width).reduce((total, value) => total + value, 0);
    sums.push(Number(sum.toPrecision(7)));
  }
  return { width, sums };
}
