import { join } from 'node:path';
import { withRulesOf } from '../../core/trading/presets.ts';
import { openStore } from '../../data/store/store.ts';
import type { ForecastSource } from '../../lab/backtest/sources.ts';
import { trainedForecasts } from '../../lab/backtest/trained-source.ts';
import { walkForwardForecasts } from '../../lab/backtest/walk-forward-source.ts';
import type { TrialSummary } from '../../lab/backtest/trial-summary.ts';
import { runInUse } from '../../learning/training/active-run.ts';
import { TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { requireInverseCosts } from '../config/account.ts';
import { configuredInstruments, executionRules, latencyBars, riskRules } from '../config/execution.ts';
import { backtest, type TradedForecasts, withMembers } from '../workflows/backtest.ts';
import { type BacktestRequest, settingsDocument } from './backtest-request.ts';
import type { CommandContext } from './command.ts';
import { type GivenQueue, giveFolds } from './give-pieces.ts';
import { lateProgress } from './late-progress.ts';
import { walkForwardLines } from './walk-forward-text.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { openFoldCache } from '../../learning/validation/fold-cache.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import type { Registry } from '../../learning/models/registry.ts';

export interface FinishedBacktest extends TradedForecasts {
  /** What identifies each model's weights, whatever strategy decides on what they say. */
  readonly weights: ForecastSource['weights'];
  readonly request: BacktestRequest;
  /** The request, as JSON, with what its defaults turned out to be. */
  readonly settings: object;
}

/** A command with the models and strategies of its project. */
type BacktestContext = CommandContext & {
  readonly registry: Registry;
  readonly queue?: GivenQueue | undefined;
};

/**
 * Forecasts, trades and judges. A new backtest enters the ledger of trials, and takes folds that were fitted before; one
 * that is run `again` is given the trials that it was judged against, and fits all of them.
 */
export async function runBacktest(
  context: BacktestContext,
  request: BacktestRequest,
  again?: { readonly trials: TrialSummary },
): Promise<FinishedBacktest> {
  const { config, signal, registry } = context;
  const { trading, exits, seed, forecasts } = request;
  requireInverseCosts(trading);
  const run = forecasts.kind === 'trained' ? await runInUse(config.checkpointDir, forecasts.run) : undefined;
  const deciding = chooseStrategy(request.strategy, request.strategyParams, registry.strategies);
  const forecast = await forecastsFor(context, request, { fresh: again !== undefined });
  const foreign =
    request.rulesOf === undefined
      ? []
      : [
          `Orders fill as in ${request.rulesOf} (--rules-of), for comparison, not as sessions here would fill them.`,
        ];
  const found = withMembers(
    { ...forecast, warnings: [...forecast.warnings, ...foreign] },
    trading.members,
    trading.delistingHaircutPct,
  );
  const symbols = found.panel.series.map(({ symbol }) => symbol);
  const own = executionRules({ trading, exits }, symbols.length);
  const traded = await backtest({
    store: openStore(config.dataDir),
    dataDir: config.dataDir,
    found,
    runId: run?.runId,
    deciding,
    rules: request.rulesOf === undefined ? own : withRulesOf(request.rulesOf, own),
    instruments: configuredInstruments(trading, symbols),
    risk: riskRules(request.risk),
    sleeves: request.sleeves,
    strategies: registry.strategies,
    detail: request.detail,
    account: trading.account,
    derivatives: request.derivatives,
    latencyBars: latencyBars(trading, TIMEFRAME_MS[found.panel.timeframe]),
    cashRatePct: request.cashRatePct,
    seed,
    by: forecasts.kind === 'walk-forward' ? 'walk-forward' : 'backtest',
    again,
    signal,
  });
  const settings = settingsDocument(request, traded.source, run, config.checkpointDir);
  return { ...traded, weights: found.weights, request, settings };
}

async function forecastsFor(
  context: BacktestContext,
  request: BacktestRequest,
  { fresh }: { readonly fresh: boolean },
): Promise<ForecastSource> {
  const { config, out, signal, registry } = context;
  const { forecasts } = request;
  const common = {
    registry,
    store: openStore(config.dataDir),
    fromMs: request.fromMs,
    untilMs: request.untilMs,
    models: request.models,
    acceptImplausible: request.acceptImplausible,
    ensemble: chooseEnsemble(request.ensemble, request.ensembleParams),
  };
  if (forecasts.kind === 'trained') {
    const progress = lateProgress(out, 'forecasts');
    try {
      return await trainedForecasts(config.checkpointDir, {
        ...common,
        ...forecasts.market,
        runId: forecasts.run,
        seeds: forecasts.seeds,
        onMember: progress.update,
        signal,
      });
    } finally {
      progress.stop();
    }
  }
  const progress = out.progress();
  let task: ReturnType<typeof progress.task> | undefined;
  const { queue } = context;
  const cache = openFoldCache(join(config.dataDir, 'folds'));
  try {
    return await walkForwardForecasts({
      ...common,
      ...forecasts,
      seed: request.seed,
      signal,
      // To prove that a result comes out again, it is made again.
      ...(!fresh && { cache }),
      ...(queue && {
        elsewhere: (folds, panel) =>
          giveFolds(context, queue, { request, walk: forecasts, panel, folds, cache }),
      }),
      onCost: (cost) => walkForwardLines(cost).forEach((line) => out.notice(line)),
      onFold: (done, total, modelId) => {
        task ??= progress.task('walk-forward', total);
        task.update(done, modelId);
      },
    });
  } finally {
    progress.stop();
  }
}
