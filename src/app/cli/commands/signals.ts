import { z } from 'zod';
import type { Command } from 'commander';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { doubtLines } from '../../../data/plausibility.ts';
import { openStore } from '../../../data/store/store.ts';
import { endedSeries, type Panel, type Series } from '../../../core/dataset/panel.ts';
import { endText } from '../../../core/market/history-end.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import type { Forecast } from '../../../core/forecast/model.ts';
import {
  forecastAll,
  loadTrained,
  loadTrainedPanel,
  requireSameMarket,
  type TrainedSet,
} from '../../../learning/training/checkpoints.ts';
import { command, type CommandContext, list } from '../command.ts';
import { doubtDocument } from '../dataset-document.ts';
import { explanationText } from '../explanation-text.ts';

const Options = z.object({
  models: z.string().transform(list).optional(),
  checkpoint: z.string().optional(),
  explain: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader signals
  $ crypto-trader signals --models boosted-trees --json
  $ crypto-trader signals --models boosted-trees --explain
  $ crypto-trader signals --checkpoint checkpoints/2026-02-13T08-30-00Z-full`;

export function register(program: Command): void {
  program
    .command('signals')
    .description('what every model and the ensemble want now, on the newest stored bar; trades nothing')
    .option('--models <list>', 'only these models (the ensemble is then of these)')
    .option('--checkpoint <run>', 'a training run: its id or its folder (default: the newest)')
    .option('--explain', 'what each forecast rests on, for the models that can say')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options) => signals(context, Options.parse(options)), { logs: false }));
}

async function signals({ config, out }: CommandContext, options: Options): Promise<void> {
  const trained = await loadTrained(config.checkpointDir, {
    ...(options.models && { models: options.models }),
    ...(options.checkpoint !== undefined && { runId: options.checkpoint }),
  });
  requireSameMarket(trained, { exchange: config.exchange.id, timeframe: config.market.timeframe });
  const panel = await loadTrainedPanel(openStore(config.dataDir), trained);
  const newestBarMs = Math.min(...panel.series.map(({ candles }) => candles.time[candles.time.length - 1]));
  const { members, ensemble } = await forecastAll(trained, panel, { sinceMs: newestBarMs });

  // A bar that is not the newest says nothing about the next open.
  const ended = endedSeries(panel);
  const isOver = (symbol: string): boolean => ended.some((one) => one.symbol === symbol);
  const speakers = [...members, { id: 'ensemble', forecasts: ensemble }];
  const rows = panel.series.flatMap((series, s) =>
    isOver(series.symbol)
      ? []
      : speakers.map(({ id, forecasts }) => signalOf(id, series, forecasts[s], trained.timeframe)),
  );
  const explanations = options.explain
    ? (await explain(trained, panel)).filter(({ symbol }) => !isOver(symbol))
    : undefined;
  const ageMs = Date.now() - panel.untilMs;
  const stale = ageMs > TIMEFRAME_MS[trained.timeframe];
  out.document({
    runId: trained.runId,
    exchange: trained.exchange,
    timeframe: trained.timeframe,
    synthetic: panel.synthetic,
    dataAgeSeconds: Math.max(0, Math.round(ageMs / 1000)),
    stale,
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
    ['symbol', 'model', 'action', 'position', 'confidence', 'horizon', 'expected return %'],
    rows.map((row) => [
      row.symbol,
      row.model,
      row.action,
      row.position?.toFixed(2) ?? '-',
      row.confidence?.toFixed(2) ?? '-',
      row.horizon,
      row.expectedReturnPct?.toFixed(3) ?? '-',
    ]),
  );
  out.print(
    `\nDecided at the close of the bar that ended ${formatMinute(panel.untilMs)}, for the next open. Models: ${trained.runId}.`,
  );
  for (const line of doubtLines(panel.doubts)) out.print(`WARNING: ${line}.`);
  for (const one of ended) out.print(`No signal for ${endText(one)}.`);
  for (const { model, symbol, parts } of explanations ?? [])
    for (const part of parts) out.print(`\n${model}, ${symbol}: ${explanationText(part)}`);
  if (stale)
    out.print(`That was ${age(ageMs)} ago: run \`crypto-trader fetch\` for signals on current candles.`);
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

/** The forecast of a series' newest bar. What is not stated is left out. */
function signalOf(model: string, { symbol, candles }: Series, forecast: Forecast, timeframe: Timeframe) {
  const row = candles.time.length - 1;
  const at = (column: Float64Array | undefined): number | undefined =>
    column === undefined || Number.isNaN(column[row]) ? undefined : column[row];
  const position = at(forecast.position);
  const expectedReturn = at(forecast.expectedReturn);
  const { quantiles } = forecast;
  return {
    symbol,
    /** When the decision could first be made: the close of the bar. */
    time: formatTime(candles.time[row] + TIMEFRAME_MS[timeframe]),
    model,
    action: actionOf(position),
    position,
    strength: position === undefined ? undefined : Math.abs(position),
    confidence: at(forecast.confidence),
    horizon: `${forecast.horizonBars} x ${timeframe}`,
    horizonBars: forecast.horizonBars,
    probabilityUp: at(forecast.probabilityUp),
    expectedReturnPct: expectedReturn === undefined ? undefined : 100 * expectedReturn,
    quantiles: quantiles?.columns.map((column, i) => ({
      level: quantiles.levels[i],
      returnPct: 100 * column[row],
    })),
  };
}

/** `hold`: the model has no opinion on this bar, what is held stays. */
function actionOf(position: number | undefined): 'buy' | 'sell' | 'flat' | 'hold' {
  if (position === undefined) return 'hold';
  if (position === 0) return 'flat';
  return position > 0 ? 'buy' : 'sell';
}

function age(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours < 2) return `${Math.round(hours * 60)} minutes`;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}
