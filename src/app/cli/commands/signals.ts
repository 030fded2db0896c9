import { z } from 'zod';
import type { Command } from 'commander';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { doubtLines } from '../../../data/plausibility.ts';
import { openStore } from '../../../data/store/store.ts';
import { endText } from '../../../core/market/history-end.ts';
import { readTrained, type TrainedSet } from '../../../learning/training/checkpoints.ts';
import { allSeedsOf, markedName } from '../../../learning/ensemble/voters.ts';
import { executionRules } from '../../config/execution.ts';
import { type GivenSignals, giveSignals } from '../../workflows/give-signals.ts';
import type { Signal } from '../../workflows/signals.ts';
import { ENSEMBLE_HELP, ensembleSetting, STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';
import { projectRegistry } from '../project-plugins.ts';
import { command, type CommandContext, list } from '../command.ts';
import { doubtDocument } from '../dataset-document.ts';
import { explanationText } from '../explanation-text.ts';
import { lateProgress } from '../late-progress.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  RUN_OPTION,
  runNamed,
  untrainedText,
  wantedMarket,
} from '../run-options.ts';
import { less } from '../table.ts';
import { addKeptSignals } from './signals-kept.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  models: z.string().transform(list).optional(),
  strategy: z.string().optional(),
  ensemble: z.string().optional(),
  explain: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader signals
  $ crypto-trader signals report                            how those given so far have turned out
  $ crypto-trader signals --models boosted-trees --json
  $ crypto-trader signals --models boosted-trees --explain
  $ crypto-trader signals --run btc-only --symbols BTC/USDT
  $ crypto-trader signals --until 2026-02-13                as they were at the end of that day`;

export function register(program: Command): void {
  const group = program
    .command('signals')
    .option('--models <list>', 'only these models (the ensemble is then of these)');
  addKeptSignals(group);
  addRunOption(group);
  addMarketOptions(group, ['exchange', 'symbols', 'timeframe', 'until'], {
    symbols: 'only these pairs of the run',
    until: 'as of the last bar of this date, or before this time (UTC; default: the newest bar)',
  })
    .option('--strategy <id>', STRATEGY_HELP)
    .option('--ensemble <id>', ENSEMBLE_HELP)
    .option('--explain', 'who the ensemble is made of, and what the forecasts rest on, where models can say')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => signals(context, Options.parse(options)), { logs: false }));
}

async function signals(context: CommandContext, options: Options): Promise<void> {
  const { config, out, signal } = context;
  const runId = runNamed(options);
  const registry = await projectRegistry(context);
  const ensemble = ensembleSetting(context, options.ensemble);
  const trained = await readTrained(config.checkpointDir, {
    registry,
    allSeedsOf: allSeedsOf(ensemble.method),
    ...(options.models && { models: options.models }),
    ...(runId !== undefined && { runId }),
  });
  for (const note of trained.notes) out.notice(note);
  const { strategy, params } = strategySetting(context, options.strategy, registry);
  const rules = executionRules(config, trained.symbols.length);
  const progress = lateProgress(out, 'forecasts');
  const given = await giveSignals({
    store: openStore(config.dataDir),
    dataDir: config.dataDir,
    trained,
    wanted: wantedMarket(context, options),
    terms: { strategy, params, ensemble, rules, onMember: progress.update, signal },
    untilMs: options.until,
    explain: options.explain,
  }).finally(progress.stop);
  if (given.notKept !== undefined) out.notice(`These signals are NOT on record: ${given.notKept}`);
  document(context, trained, { given, strategy: strategy.id, ensemble: ensemble.method.id });
  print(context, options, { trained, given, strategy: strategy.id });
}

function document(
  { out }: CommandContext,
  trained: TrainedSet<unknown>,
  by: { readonly given: GivenSignals; readonly strategy: string; readonly ensemble: string },
): void {
  const { market, signals: rows, leftOut, ended, untrained, explanations, ageMs, isStale } = by.given;
  out.document({
    runId: trained.runId,
    exchange: trained.exchange,
    timeframe: trained.timeframe,
    synthetic: market.synthetic,
    dataAgeSeconds: Math.max(0, Math.round(ageMs / 1000)),
    stale: isStale,
    untrainedSymbols: untrained,
    strategy: by.strategy,
    ensemble: by.ensemble,
    leftOut,
    signals: rows,
    implausible: market.doubts.flatMap(doubtDocument),
    withoutSignal: ended.map(({ symbol, lastTimeMs, barsBehind }) => ({
      symbol,
      lastBarTime: formatTime(lastTimeMs),
      barsBehind,
    })),
    explanations,
  });
}

function print(
  { out }: CommandContext,
  options: Options,
  {
    trained,
    given,
    strategy,
  }: { readonly trained: TrainedSet<unknown>; readonly given: GivenSignals; readonly strategy: string },
): void {
  const { market, signals: rows, leftOut, ended, untrained, explanations, ageMs, isStale } = given;
  if (market.synthetic) out.print('These candles are SYNTHETIC: the signals say nothing about any market.');
  out.table(
    [
      'symbol',
      'model',
      'wants',
      less('states', 3),
      less('sure', 4),
      'up %',
      less('return bp', 1),
      less('over', 2),
    ],
    rows.map((row) => [
      row.symbol,
      markedName(row.model, row.noSkill),
      row.position === undefined ? '-' : `${row.action} ${percentText(row.position)}`,
      row.statedPosition?.toFixed(2) ?? '-',
      row.confidence?.toFixed(2) ?? '-',
      row.probabilityUp === undefined ? '-' : (100 * row.probabilityUp).toFixed(0),
      row.expectedReturnPct === undefined ? '-' : (100 * row.expectedReturnPct).toFixed(1),
      row.horizon,
    ]),
  );
  for (const { model, reason } of leftOut) out.print(`No vote: ${model}, ${reason}.`);
  out.print(
    `\nDecided by ${strategy} at the close of the bar that ended ${formatMinute(market.untilMs)}, for the next open; a trade costs ${rows[0]?.costBps.toFixed(0) ?? '-'} bp there and back. Models: ${trained.runId}.`,
  );
  for (const line of doubtLines(market.doubts)) out.print(`WARNING: ${line}.`);
  for (const one of ended) out.print(`No signal for ${endText(one)}.`);
  for (const { model, symbol, parts } of explanations ?? [])
    for (const part of parts) out.print(`\n${model}, ${symbol}: ${explanationText(part)}`);
  if (untrained.length > 0) out.print(untrainedText(trained.runId, untrained));
  out.print('');
  for (const row of rows.filter(({ model }) => model === 'ensemble')) {
    out.print(`${row.symbol}: ${row.sentence}${sizeText(row)}.`);
    if (options.explain) for (const line of contributionLines(row)) out.print(line);
  }
  if (options.until !== undefined) return;
  out.print(
    isStale
      ? `That was ${age(ageMs)} ago. Next: crypto-trader fetch, for signals on current candles.`
      : 'Next: crypto-trader paper trades the ensemble on paper.',
  );
}

const percentText = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** `; 33.3 % of equity, stop 2 %, target 4 %`, when there is a position to hold. */
function sizeText({ position, sizePct, stopPct, targetPct }: Signal): string {
  if (position === undefined || position === 0 || sizePct === undefined) return '';
  const stop = stopPct === undefined ? '' : `, stop ${stopPct} %`;
  return `; ${sizePct.toFixed(1)} % of equity${stop}${targetPct === undefined ? '' : `, target ${targetPct} %`}`;
}

/** Who the ensemble's word is made of, the heaviest first. */
const contributionLines = ({ contributions = [] }: Signal): readonly string[] =>
  contributions.map(
    ({ model, sharePct, position, confidence }) =>
      `  ${model.padEnd(18)} ${sharePct.toFixed(0).padStart(3)} %  ${position === undefined ? 'no opinion' : `position ${position.toFixed(2)}, sure ${confidence?.toFixed(2) ?? '-'}`}`,
  );

function age(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 2) return `${Math.round(hours * 60)} minutes`;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}
