import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import { FEATURE_CHOICES } from '../../lab/tuning/pipeline-space.ts';
import type { StudySettings } from '../../lab/tuning/study-journal.ts';
import { InputSources } from '../../learning/training/run-folder.ts';

const own = z.record(z.string(), z.record(z.string(), z.unknown()));

/** What the trials of a search over whole pipelines are measured on; written into the study when it starts. Times are epoch ms UTC. */
export const AutoTask = z.strictObject({
  kind: z.literal('automl'),
  mode: z.enum(['quick', 'full']),
  /** Candidates, the first of each what is not searched begins with. */
  models: z.array(z.string()).min(1),
  strategies: z.array(z.string()).min(1),
  ensembles: z.array(z.string()).min(1),
  features: z.array(z.enum(FEATURE_CHOICES)).min(1),
  timeframes: z.array(z.string().transform(parseTimeframe)).min(1),
  /** What config.yaml says of models, strategies and ensembles. */
  own: z.strictObject({ models: own, strategies: own, ensembles: own }),
  exchange: z.string(),
  symbols: z.array(z.string().transform(parseSymbol)),
  sources: InputSources,
  sinceMs: z.number(),
  /** Bars from here on are for the one evaluation at the end. */
  testFromMs: z.number(),
  untilMs: z.number(),
  folds: z.int().min(1),
  embargoBars: z.int().min(0),
  validationPct: z.number(),
  minFills: z.int().min(0),
  /** Time for trials in all runs together; absent: no limit. */
  budgetMs: z.number().optional(),
  /** Trials in all runs together; absent: no limit. */
  trials: z.int().optional(),
  /** Execution rules, costs included, as they were: `JSON.stringify` of them. */
  rules: z.string(),
  /** By timeframe. */
  dataFingerprints: z.record(z.string(), z.string()),
  synthetic: z.boolean(),
});
export type AutoTask = z.output<typeof AutoTask>;

const Kind = z.looseObject({ kind: z.literal('automl') });
export const isAutoStudy = ({ task }: StudySettings): boolean => Kind.safeParse(task).success;

/** The task of a study, as it was written into it. Throws `UserError` when it is none of this version's, or another search's. */
export function autoTaskOf(settings: StudySettings): AutoTask {
  if (!isAutoStudy(settings))
    throw new UserError(`The study "${settings.name}" searches one model.`, {
      hint: `Resume it: crypto-trader tune --study ${settings.name}`,
    });
  const task = AutoTask.safeParse(settings.task);
  if (task.success) return task.data;
  throw new UserError(
    `The study "${settings.name}" is of another version: ${issueLines(task.error).join('; ')}.`,
    { hint: 'Start another: crypto-trader automl --budget 2h' },
  );
}
