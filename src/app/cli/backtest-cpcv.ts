import { chooseFolds, combinatorialPaths } from '../../core/dataset/combinatorial.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { barsPerYear, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { loadPanel } from '../../data/panel/load-panel.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import { openStore } from '../../data/store/store.ts';
import { type PathDistribution, pathDistributions } from '../../lab/backtest/combinatorial.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { combinatorial } from '../../learning/validation/combinatorial.ts';
import { configuredInstruments, spotRules } from '../config/execution.ts';
import type { Config } from '../config/schema.ts';
import type { CommandContext } from './command.ts';
import type { marketSettings } from './run-options.ts';

/** What `backtest --cpcv` is asked for. */
interface CpcvRequest extends ReturnType<typeof marketSettings> {
  readonly registry: Registry;
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
  readonly models: readonly string[] | undefined;
  readonly paths: number;
  /** Share of all bars that each fit is trained on. */
  readonly trainPct: number;
  readonly embargoBars: number;
  readonly trading: Config['trading'];
}

/** Combinatorial purged cross-validation: a distribution of Sharpe ratios instead of one number. */
export async function crossValidate(context: CommandContext, request: CpcvRequest): Promise<void> {
  const { config, out, seed, signal } = context;
  const { registry, exchange, timeframe, symbols, sinceMs, untilMs } = request;
  const chosen =
    request.models?.map((id) => registry.findModel(id)) ??
    registry.models.filter(({ kind }) => kind === 'baseline' || kind === 'classical');
  const entries = chosen.map((model) => ({
    model,
    params: modelParams(model, 'quick', config.models[model.id] ?? {}),
  }));
  const panel = await loadPanel(openStore(config.dataDir), {
    exchange,
    timeframe,
    symbols,
    sinceMs,
    ...(untilMs !== undefined && { untilMs }),
    featureNames: [...new Set(entries.flatMap(({ model, params }) => model.features(params)))],
    sources: config.features,
    catalogue: registry.features,
    signal,
  });
  refuseWrong(panel.doubts, config.market.acceptImplausible);
  const rows = Math.round((panel.untilMs - panel.firstTimeMs) / TIMEFRAME_MS[timeframe]);
  const { folds, testFolds } = chooseFolds(rows, {
    trainRows: (rows * request.trainPct) / 100,
    paths: request.paths,
  });
  const count = combinatorialPaths(folds, testFolds);
  out.notice(`${folds} folds, ${testFolds} of them tested at once: ${count} paths.`);
  const progress = out.progress();
  let task: ReturnType<typeof progress.task> | undefined;
  let done = 0;
  const found = await combinatorial({
    panel,
    entries,
    folds,
    testFolds,
    embargoBars: request.embargoBars,
    validationPct: config.training.validationPct,
    seed,
    signal,
    onSplit: (id, _, splits) => {
      task ??= progress.task('cross-validation', splits * entries.length);
      task.update(++done, id);
    },
  }).finally(() => progress.stop());
  const distributions = pathDistributions(panel, found.members, {
    instruments: configuredInstruments(request.trading, symbols),
    rules: spotRules({ trading: request.trading, exits: config.exits }, symbols.length, 'backtest --cpcv'),
    barsPerYear: barsPerYear(timeframe),
    seed,
  });
  if (panel.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  for (const { id, reason } of found.skipped) out.print(`"${id}" is left out: ${reason}`);
  out.print(
    `${symbols.join(', ')} ${timeframe} on ${exchange}, ${formatMinute(panel.firstTimeMs)} .. ${formatMinute(panel.untilMs)}: ${rows} bars, each ${count} times out of sample. Every fit also saw bars after those it is tested on: nobody could have traded this, and it says how much a result varies.\n`,
  );
  out.table(
    ['strategy', 'paths', 'Sharpe, median', 'lowest .. highest', 'below 0 %', 'return %, lowest .. highest'],
    distributions.map(row),
  );
  out.document({
    exchange,
    symbols,
    timeframe,
    bars: rows,
    dataFingerprint: panel.fingerprint,
    synthetic: panel.synthetic,
    seed,
    folds,
    testFolds,
    paths: count,
    skipped: found.skipped,
    strategies: distributions.map(({ sharpes, median, low, high, shareBelowZero, ...one }) => ({
      ...one,
      sharpes: sharpes.map((ratio) => ratio ?? null),
      median: median ?? null,
      low: low ?? null,
      high: high ?? null,
      shareBelowZero: shareBelowZero ?? null,
    })),
  });
}

function row({ name, sharpes, median, low, high, shareBelowZero, totalReturnsPct }: PathDistribution) {
  const figure = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '-';
  return [
    name,
    String(sharpes.length),
    figure(median, 2),
    low === undefined ? 'never traded' : `${figure(low, 2)} .. ${figure(high, 2)}`,
    shareBelowZero === undefined ? '-' : (100 * shareBelowZero).toFixed(0),
    `${Math.min(...totalReturnsPct).toFixed(1)} .. ${Math.max(...totalReturnsPct).toFixed(1)}`,
  ];
}
