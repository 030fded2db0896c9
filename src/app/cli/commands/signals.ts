import { z } from 'zod';
import type { Command } from 'commander';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { doubtLines } from '../../../data/plausibility.ts';
import { openStore } from '../../../data/store/store.ts';
import { endedSeries, type Panel } from '../../../core/dataset/panel.ts';
import { endText } from '../../../core/market/history-end.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import {
  forecastAll,
  loadTrained,
  loadTrainedPanel,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
} from '../../../learning/training/checkpoints.ts';
import { markedName, votersOf } from '../../../learning/ensemble/voters.ts';
import { signalOf, signalsText } from '../../workflows/signals.ts';
import { projectRegistry } from '../project-plugins.ts';
import { command, type CommandContext, list } from '../command.ts';
import { doubtDocument } from '../dataset-document.ts';
import { explanationText } from '../explanation-text.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  refuseLive,
  RUN_OPTION,
  runNamed,
  untrainedText,
  wantedMarket,
} from '../run-options.ts';
import { less } from '../table.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  models: z.string().transform(list).optional(),
  explain: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader signals
  $ crypto-trader signals --models boosted-trees --json
  $ crypto-trader signals --models boosted-trees --explain
  $ crypto-trader signals --run btc-only --symbols BTC/USDT
  $ crypto-trader signals --until 2026-02-13                as they were at the end of that day`;

export function register(program: Command): void {
  const group = program
    .command('signals')
    .description('what every model and the ensemble want now, on the newest stored bar; trades nothing')
    .option('--models <list>', 'only these models (the ensemble is then of these)');
  addRunOption(group);
  addMarketOptions(group, ['exchange', 'symbols', 'timeframe', 'until'], {
    symbols: 'only these pairs of the run',
    until: 'as of the last bar of this date, or before this time (UTC; default: the newest bar)',
  })
    .option('--explain', 'what each forecast rests on, for the models that can say')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => signals(context, Options.parse(options)), { logs: false }));
}

async function signals(context: CommandContext, options: Options): Promise<void> {
  const { config, out } = context;
  refuseLive(config);
  const runId = runNamed(options);
  const trained = await loadTrained(config.checkpointDir, {
    registry: await projectRegistry(context),
    ...(options.models && { models: options.models }),
    ...(runId !== undefined && { runId }),
  });
  const wanted = wantedMarket(context, options);
  requireSameMarket(trained, wanted);
  for (const note of trained.notes) out.notice(note);
  const { symbols, untrained } = symbolsOfRun(trained, wanted.symbols);
  const panel = await loadTrainedPanel(
    openStore(config.dataDir),
    trained,
    options.until === undefined ? {} : { untilMs: options.until },
  );
  const newestBarMs = Math.min(...panel.series.map(({ candles }) => candles.time[candles.time.length - 1]));
  const { members, ensemble } = await forecastAll(trained, panel, { sinceMs: newestBarMs });

  // A bar that is not the newest says nothing about the next open.
  const ended = endedSeries(panel);
  const isSaid = (symbol: PairSymbol): boolean =>
    symbols.includes(symbol) && !ended.some((one) => one.symbol === symbol);
  const speakers = [...members, { id: 'ensemble', noSkill: undefined, forecasts: ensemble }];
  const rows = panel.series.flatMap((series, s) =>
    isSaid(series.symbol)
      ? speakers.map(({ id, noSkill, forecasts }) => ({
          ...signalOf(id, series, forecasts[s], trained.timeframe),
          noSkill,
        }))
      : [],
  );
  const explanations = options.explain
    ? (await explain(trained, panel)).filter(({ symbol }) => isSaid(symbol))
    : undefined;
  const { allowShort } = config.trading;
  const ageMs = Date.now() - panel.untilMs;
  const stale = ageMs > TIMEFRAME_MS[trained.timeframe];
  out.document({
    runId: trained.runId,
    exchange: trained.exchange,
    timeframe: trained.timeframe,
    synthetic: panel.synthetic,
    dataAgeSeconds: Math.max(0, Math.round(ageMs / 1000)),
    stale,
    untrainedSymbols: untrained,
    signals: rows,
    implausible: panel.doubts.flatMap(doubtDocument),
    withoutSignal: ended.map(({ symbol, lastTimeMs, barsBehind }) => ({
      symbol,
      lastBarTime: formatTime(lastTimeMs),
      barsBehind,
    })),
    explanations,
  });
  if (panel.synthetic) out.print('These candles are SYNTHETIC: the signals say nothing about any market.');
  out.table(
    [
      'symbol',
      'model',
      'action',
      'position',
      less('confidence', 3),
      less('horizon', 2),
      less('expected return %', 1),
    ],
    rows.map(({ symbol, model, noSkill, action, position, confidence, horizon, expectedReturnPct }) => {
      const keptFlat = !allowShort && position !== undefined && position < 0;
      return [
        symbol,
        markedName(model, noSkill),
        keptFlat ? 'flat (short)' : action,
        (keptFlat ? 0 : position)?.toFixed(2) ?? '-',
        confidence?.toFixed(2) ?? '-',
        horizon,
        expectedReturnPct?.toFixed(3) ?? '-',
      ];
    }),
  );
  out.print(
    `\nDecided at the close of the bar that ended ${formatMinute(panel.untilMs)}, for the next open. Models: ${trained.runId}.`,
  );
  for (const line of doubtLines(panel.doubts)) out.print(`WARNING: ${line}.`);
  for (const one of ended) out.print(`No signal for ${endText(one)}.`);
  for (const { model, symbol, parts } of explanations ?? [])
    for (const part of parts) out.print(`\n${model}, ${symbol}: ${explanationText(part)}`);
  if (untrained.length > 0) out.print(untrainedText(trained.runId, untrained));
  const voters = new Set(votersOf(trained.members).map(({ id }) => id));
  out.print(signalsText(rows, { voters, allowShort }));
  if (options.until !== undefined) return;
  out.print(
    stale
      ? `That was ${age(ageMs)} ago. Next: crypto-trader fetch, for signals on current candles.`
      : 'Next: crypto-trader paper trades the ensemble on paper.',
  );
}

/** What the models that can say so base their forecasts of the newest bar on. */
async function explain({ members }: TrainedSet, panel: Panel) {
  const explained = await Promise.all(
    members.map(async ({ model, fitted }) =>
      ((await fitted.explain?.(panel)) ?? []).map((parts, s) => ({
        model: model.id,
        symbol: panel.series[s].symbol,
        parts,
      })),
    ),
  );
  return explained.flat();
}

function age(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 2) return `${Math.round(hours * 60)} minutes`;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}
