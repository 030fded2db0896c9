import { formatMinute } from '../../core/foundation/time.ts';
import { openStore } from '../../data/store/store.ts';
import type { PathDistribution } from '../../lab/backtest/combinatorial.ts';
import { configuredInstruments, spotRules } from '../config/execution.ts';
import type { Config } from '../config/schema.ts';
import { crossValidate, type CrossValidationTask } from '../workflows/cross-validate.ts';
import type { CommandContext } from './command.ts';
import type { marketSettings } from './run-options.ts';

/** What `backtest --cpcv` is asked for. */
interface CpcvRequest
  extends
    ReturnType<typeof marketSettings>,
    Pick<
      CrossValidationTask,
      'registry' | 'sinceMs' | 'untilMs' | 'models' | 'paths' | 'trainPct' | 'embargoBars'
    > {
  readonly trading: Config['trading'];
}

export async function showCrossValidation(context: CommandContext, request: CpcvRequest): Promise<void> {
  const { config, out, seed, signal } = context;
  const { trading, ...asked } = request;
  const { exchange, timeframe, symbols } = request;
  const progress = out.progress();
  let task: ReturnType<typeof progress.task> | undefined;
  const { panel, rows, folds, testFolds, paths, skipped, distributions } = await crossValidate({
    ...asked,
    store: openStore(config.dataDir),
    params: config.models,
    sources: config.features,
    acceptImplausible: config.market.acceptImplausible,
    validationPct: config.training.validationPct,
    instruments: configuredInstruments(trading, symbols),
    rules: spotRules({ trading, exits: config.exits }, symbols.length, 'backtest --cpcv'),
    seed,
    signal,
    onFolds: (cut) =>
      out.notice(`${cut.folds} folds, ${cut.testFolds} of them tested at once: ${cut.paths} paths.`),
    onFit: (done, total, model) => {
      task ??= progress.task('cross-validation', total);
      task.update(done, model);
    },
  }).finally(() => progress.stop());
  if (panel.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  for (const { id, reason } of skipped) out.print(`"${id}" is left out: ${reason}`);
  out.print(
    `${symbols.join(', ')} ${timeframe} on ${exchange}, ${formatMinute(panel.firstTimeMs)} .. ${formatMinute(panel.untilMs)}: ${rows} bars, each ${paths} times out of sample. Every fit also saw bars after those it is tested on: nobody could have traded this, and it says how much a result varies.\n`,
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
    paths,
    skipped,
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
