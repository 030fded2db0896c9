import type { Command } from 'commander';
import { z } from 'zod';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { evaluateTexts } from '../../workflows/evaluate-texts.ts';
import { command, type CommandContext, integer, list } from '../command.ts';
import { earningLine } from '../kept-text.ts';
import { runStep } from '../run-step.ts';

/** `text evaluate`: what texts add, from fetching them to two backtests. */
export function addEvaluateCommand(text: Command): void {
  text
    .command('evaluate')
    .description(
      'fetch and score everything, train late fusion with a branch of texts, and backtest it without and with them',
    )
    .option('--scorer <id>', 'whose scores (default: features.textScorer)')
    .option('--features <list>', 'features of texts that the branch reads', 'news_decayed,news_intensity')
    .option('--beside <list>', 'bar lengths to fetch beside market.timeframe', '5m,1d')
    .option('--folds <count>', 'folds of the two backtests, the network refitted before each', '5')
    .option('--strategy <id>', 'what trades its forecasts', 'own')
    .option('--stored', 'fetch nothing: use what is stored')
    .addHelpText(
      'after',
      `
Examples:
  $ crypto-trader text evaluate
  $ crypto-trader text evaluate --stored --scorer finbert-6a1b --folds 8

Every step is a command that it prints, and that can be run alone. Only texts count that were known at a bar's close: those that
this first fetches are known from now on, so let "text fetch" run from cron for some weeks before, or import an archive.`,
    )
    .action(command(async (context, options) => evaluate(context, EvaluateOptions.parse(options))));
}

const EvaluateOptions = z.object({
  scorer: z.string().optional(),
  features: z.string(),
  beside: z.string(),
  folds: z.string(),
  strategy: z.string(),
  stored: z.boolean().default(false),
});

async function evaluate(context: CommandContext, options: z.infer<typeof EvaluateOptions>): Promise<void> {
  const { config, out, globals } = context;
  const { market, features } = config;
  const found = await evaluateTexts(
    {
      timeframe: market.timeframe,
      beside: list(options.beside).map(parseTimeframe),
      stored: options.stored,
      scorer: options.scorer ?? features.textScorer,
      features: list(options.features),
      folds: integer('--folds', options.folds, { least: 1 }),
      strategy: options.strategy,
      nowMs: Date.now(),
      globals,
    },
    (args, mayFail) => runStep(context, args, mayFail),
  );
  out.document({ ...found, earned: found.earned ?? null });
  out.table(
    ['branch', 'weight %'],
    found.branches.map(({ name, weightPct }) => [name, weightPct.toFixed(1)]),
  );
  for (const { name, reason } of found.absent) out.print(`Without ${name}: ${reason}.`);
  out.print(`\na: without texts, ${found.without}\nb: with texts, ${found.with}`);
  out.print(
    found.earned === undefined
      ? 'Result: their bars differ, so no interval says what texts added.'
      : `Result: what texts added is ${earningLine(found.earned)}`,
  );
}
