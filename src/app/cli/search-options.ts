import type { Command } from 'commander';
import { z } from 'zod';
import { PRUNERS, SAMPLERS } from '../../lab/tuning/methods.ts';
import { OBJECTIVE_NAMES } from '../../lab/tuning/objective.ts';
import { type CommandContext, integer, list, oneOf } from './command.ts';
import { UsageError } from './exit.ts';
import { addQueueOptions, QUEUE_OPTIONS } from './queue-options.ts';
import { addMarketOptions, MARKET_OPTIONS, requireRange } from './run-options.ts';

/** Parses what `addSearchOptions` added, besides what is of one command alone. */
export const SEARCH_OPTIONS = {
  ...MARKET_OPTIONS,
  study: z.string().optional(),
  mode: z.string(),
  folds: z.string(),
  objective: z.string(),
  sampler: z.string(),
  pruner: z.string(),
  space: z.string().optional(),
  minTrades: z.string(),
  workers: z.string(),
  ...QUEUE_OPTIONS,
  allowSynthetic: z.boolean().default(false),
};

/** Adds what `tune` and `automl` have in common: what a study measures, how it searches, and who works on it. */
export function addSearchOptions(
  command: Command,
  defaults: Readonly<Record<'folds' | 'sampler' | 'pruner' | 'space', string>>,
): Command {
  command
    .option('--study <name>', 'the study to resume')
    .option('--folds <count>', 'purged folds that a whole trial is measured on', defaults.folds)
    .option(
      '--objective <list>',
      `what to optimise, the first decides: ${OBJECTIVE_NAMES.join(', ')}`,
      'net-return',
    )
    .option('--sampler <name>', SAMPLERS.join(', '), defaults.sampler)
    .option('--pruner <name>', PRUNERS.join(', '), defaults.pruner)
    .option('--space <file>', defaults.space)
    .option('--mode <mode>', 'quick or full: sizes of deep models and agents', 'quick')
    .option('--min-trades <count>', 'fills over all folds below which a trial does not count', '30')
    .option('--workers <count>', 'processes that work on the study together', '1')
    .option('--allow-synthetic', 'search on synthetic candles too');
  addQueueOptions(command, 'trials');
  return addMarketOptions(command, ['exchange', 'symbols', 'since', 'until']);
}

/** What belongs to the start of a study and is known to one that resumes. */
const OF_THE_START = [
  '--name', '--mode', '--folds', '--objective', '--sampler', '--pruner', '--space', '--min-trades', '--exchange',
  '--symbols', '--timeframe', '--since', '--until',
]; // prettier-ignore

/** Throws `UsageError` for options beside `--study` that only a new study takes; `own`: those of one command. */
export function assertResumes(context: CommandContext, own: readonly string[]): void {
  const wrong = [...own, ...OF_THE_START].filter((option) => context.given(option));
  if (wrong.length > 0)
    throw new UsageError(`${wrong.join(', ')} cannot be given with --study: the study knows.`);
}

/** What is asked of a new study, checked. Throws `UsageError`. */
export function searchRequest(options: z.output<z.ZodObject<typeof SEARCH_OPTIONS>>) {
  requireRange(options);
  const objectives = list(options.objective).map((name) => oneOf('--objective', name, OBJECTIVE_NAMES));
  if (objectives.length === 0) throw new UsageError('--objective names nothing to optimise.');
  return {
    mode: oneOf('--mode', options.mode, ['quick', 'full']),
    objectives,
    sampler: oneOf('--sampler', options.sampler, SAMPLERS),
    pruner: oneOf('--pruner', options.pruner, PRUNERS),
    folds: integer('--folds', options.folds, { least: 1 }),
    minFills: integer('--min-trades', options.minTrades, { least: 0 }),
  };
}
