import { join } from 'node:path';
import { balanceWarning } from '../../core/trading/balance-warning.ts';
import { withRulesOf } from '../../core/trading/presets.ts';
import type { Attribution } from '../../core/trading/sleeves.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import { inTurns } from '../../data/turns.ts';
import { openStore } from '../../data/store/store.ts';
import { type Backtest, backtestSteps, type DetailCandles } from '../../lab/backtest/backtest.ts';
import { type Contribution, contributions } from '../../lab/backtest/contributions.ts';
import { decideSteps, type Edges } from '../../lab/backtest/decide.ts';
import type { Provenance } from '../../lab/backtest/document.ts';
import { type ForecastSource, trainedForecasts, walkForwardForecasts } from '../../lab/backtest/sources.ts';
import { attributeSleeves, withSleeves } from '../../lab/backtest/sleeves.ts';
import type { TrialSummary } from '../../lab/backtest/trial-summary.ts';
import { runInUse } from '../../learning/training/active-run.ts';
import { marketOf } from '../../lab/backtest/strategies.ts';
import { type AccountData, loadAccountData } from './account-data.ts';
import { configuredInstruments, executionRules, riskRules } from '../config/execution.ts';
import { auditOf, type KeptAudit } from '../workflows/kept-audits.ts';
import { provenanceOf } from '../workflows/provenance.ts';
import { type BacktestRequest, settingsDocument } from './backtest-request.ts';
import type { CommandContext } from './command.ts';
import { loadDetail } from './intrabar.ts';
import { walkForwardLines } from './walk-forward-text.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import { openFoldCache } from '../../learning/validation/fold-cache.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import type { Registry } from '../../learning/models/registry.ts';

export interface FinishedBacktest {
  readonly source: ForecastSource;
  readonly result: Backtest;
  readonly about: Provenance;
  readonly edges: Edges;
  readonly contributions: readonly Contribution[] | undefined;
  /** Finer candles that stops and targets were looked for in. */
  readonly detail: DetailCandles | undefined;
  /** Who earned what of the wallet that sleeves share. */
  readonly sleeves: Attribution | undefined;
  /** What the last whole audit of the training run found, of these very weights. */
  readonly audit: KeptAudit | undefined;
  /** What a perpetual account was charged and judged by. */
  readonly accountSources: AccountData['sources'];
  /** What identifies each model's weights, whatever strategy decides on what they say. */
  readonly weights: ForecastSource['weights'];
  readonly request: BacktestRequest;
  /** The request, as JSON, with what its defaults turned out to be. */
  readonly settings: object;
}

/** A command with the models and strategies of its project. */
type BacktestContext = CommandContext & { readonly registry: Registry };

/**
 * Forecasts, trades and judges. A new backtest enters the ledger of trials, and takes folds that were fitted before; one
 * that is run `again` is given the trials that it was judged against, and fits all of them.
 */
export async function runBacktest(
  context: BacktestContext,
  request: BacktestRequest,
  again?: { readonly trials: TrialSummary },
): Promise<FinishedBacktest> {
  const { config, signal } = context;
  const { trading, exits, seed } = request;
  const { forecasts } = request;
  const run = forecasts.kind === 'trained' ? await runInUse(config.checkpointDir, forecasts.run) : undefined;
  const { strategy, params } = chooseStrategy(
    request.strategy,
    request.strategyParams,
    context.registry.strategies,
  );
  const found = await forecastsFor(context, request, { fresh: again !== undefined });
  const { panel } = found;
  const symbols = panel.series.map(({ symbol }) => symbol);
  const own = executionRules({ trading, exits }, symbols.length);
  const rules = request.rulesOf === undefined ? own : withRulesOf(request.rulesOf, own);
  const instruments = configuredInstruments(trading, symbols);
  const { allowShort } = rules;
  const terms = { strategy, params, cost: tradeCostsFrom(rules), allowShort };
  const decided = await inTurns(decideSteps(found, terms), signal);
  const { edges } = decided;
  const { source, sleeves } = withSleeves(decided.source, found, request.sleeves, (sleeve) => ({
    ...terms,
    ...chooseStrategy(sleeve.strategy, sleeve.strategyParams, context.registry.strategies),
  }));
  const small = balanceWarning(instruments, rules.initialBalance);
  const warnings = [...source.warnings, ...(small === undefined ? [] : [small])];
  const detail = request.detail && (await loadDetail(openStore(config.dataDir), found, request.detail));
  const risk = riskRules(request.risk);
  const account = await loadAccountData(openStore(config.dataDir), trading.account, {
    market: marketOf(panel, source.range).market,
    symbols,
    timeframe: panel.timeframe,
    derivatives: request.derivatives,
  });
  const result = await inTurns(
    backtestSteps({
      ...source,
      stated: found,
      instruments,
      rules,
      risk,
      seed,
      detail,
      account: account.beside,
      latencyBars: trading.latencyBars,
      cashRatePct: request.cashRatePct,
    }),
    signal,
  );
  const about = await provenanceOf({ ...source, warnings }, result, {
    seed,
    ...again,
    trialsFile: join(config.dataDir, 'trials.jsonl'),
    by: forecasts.kind === 'walk-forward' ? 'walk-forward' : 'backtest',
  });
  const settings = settingsDocument(request, source, run, config.checkpointDir);
  return {
    source: { ...source, warnings },
    result,
    about,
    edges,
    contributions: contributions(found, result, terms),
    detail,
    sleeves: attributeSleeves(source, result, sleeves),
    audit: run && (await auditOf(config.dataDir, run.runId, found.weights)),
    accountSources: account.sources,
    weights: found.weights,
    request,
    settings,
  };
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
  if (forecasts.kind === 'trained')
    return trainedForecasts(config.checkpointDir, {
      ...common,
      ...forecasts.market,
      runId: forecasts.run,
      seeds: forecasts.seeds,
      signal,
    });
  const progress = out.progress();
  let task: ReturnType<typeof progress.task> | undefined;
  try {
    return await walkForwardForecasts({
      ...common,
      ...forecasts,
      seed: request.seed,
      signal,
      // To prove that a result comes out again, it is made again.
      ...(!fresh && { cache: openFoldCache(join(config.dataDir, 'folds')) }),
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
