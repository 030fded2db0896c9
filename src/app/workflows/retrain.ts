import { join } from 'node:path';
import { UserError } from '../../core/foundation/errors.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { dieboldMariano, losesMore, type TestResult } from '../../core/evaluation/forecast-comparison.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { runBacktest } from '../../core/trading/run.ts';
import { tradeCostsFrom } from '../../core/trading/trade-cost.ts';
import type { Strategy } from '../../core/strategy/strategy.ts';
import { withLock } from '../../data/lock.ts';
import { decide } from '../../lab/backtest/decide.ts';
import { trainedForecasts } from '../../lab/backtest/trained-source.ts';
import { marketOf } from '../../lab/backtest/strategies.ts';
import type { EnsembleChoice } from '../../learning/ensemble/combine.ts';
import { activateRun, runInUse } from '../../learning/training/active-run.ts';
import { loadTrained } from '../../learning/training/checkpoints.ts';
import type { TrainingSettings } from '../../learning/training/plan.ts';
import { findRun, type RunFolder } from '../../learning/training/run-folder.ts';
import type { TrainingSurroundings } from '../../learning/training/train.ts';
import type { WatchedStream } from '../../learning/validation/drift.ts';
import { train } from './train.ts';

/** By what champion and challenger trade against each other. */
export interface Contest {
  readonly strategy: Strategy;
  readonly params: unknown;
  readonly ensemble: EnsembleChoice;
  readonly rules: (symbols: number) => ExecutionRules;
  readonly risk: RiskRules | undefined;
  readonly instruments: (symbols: RunFolder['plan']['symbols']) => readonly Instrument[];
}

export interface RetrainRequest extends TrainingSurroundings {
  readonly contest: Contest;
  readonly trialsFile: string;
  /** What of a plan the settings say today. */
  readonly shares: Pick<TrainingSettings, 'validationPct' | 'testPct' | 'costs' | 'acceptImplausible'>;
  /** Nothing is trained while the active run is younger; `undefined`: at any age. */
  readonly olderThanMs: number | undefined;
  /** Alarms that nobody has retrained for: with any, a young run is retrained too; without, only one that is old enough. */
  readonly alarms?: ((champion: RunFolder) => Promise<readonly DriftAlarm[]>) | undefined;
  readonly now: () => number;
}

/** A model that has left where it was validated. */
export interface DriftAlarm {
  readonly model: string;
  readonly symbol: PairSymbol;
  readonly timeMs: number;
}

/**
 * The alarms of a run's models behind its validation and behind the data of every later run of the same market: what a retraining has
 * seen is no reason for the next, also when the run that came of it was worse.
 */
export function unansweredAlarms(
  streams: readonly WatchedStream[],
  champion: Pick<RunFolder, 'runId' | 'plan'>,
  runs: readonly Pick<RunFolder, 'runId' | 'plan'>[],
): readonly DriftAlarm[] {
  const { exchange, timeframe, validateUntilMs } = champion.plan;
  const tried = runs.filter(
    ({ runId, plan }) =>
      runId !== champion.runId && plan.exchange === exchange && plan.timeframe === timeframe,
  );
  const sinceMs = Math.max(validateUntilMs, ...tried.map(({ plan }) => plan.untilMs));
  return streams.flatMap(({ model, symbol, alarms }) =>
    alarms.filter(({ timeMs }) => timeMs > sinceMs).map(({ timeMs }) => ({ model, symbol, timeMs })),
  );
}

/** How two runs did on the same bars, which neither was fitted on. */
export interface Comparison {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly bars: number;
  readonly championReturnPct: number;
  readonly challengerReturnPct: number;
  /** Of the losses (net log returns, bar by bar, negative); positive: the challenger loses more. `undefined`: they do not differ. */
  readonly test: TestResult | undefined;
}

export type Retrained =
  | { readonly kind: 'young'; readonly champion: string; readonly ageMs: number }
  | { readonly kind: 'steady'; readonly champion: string; readonly ageMs: number }
  | { readonly kind: 'nothing-new'; readonly champion: string; readonly untilMs: number }
  | ({
      readonly kind: 'promoted' | 'kept';
      readonly champion: string;
      readonly challenger: string;
    } & Comparison);

/** A challenger that is worse with at most this chance of it being luck stays where it is. */
const WORSE_AT = 0.05;
/** Fewer bars than this say nothing about either. */
const LEAST_BARS = 30;

/**
 * Trains what the active run is made of on the bars that are stored now, lets both trade the newest bars that neither has been fitted
 * on, and makes the new one active unless it is worse by a Diebold-Mariano test of their net returns (one-sided, 5 %). One at a
 * time. Killed at any moment, the active run is the old or the new one, and `train --mode resume` finishes what was begun.
 */
export async function retrain(request: RetrainRequest): Promise<Retrained> {
  const { checkpointDir, store, registry, now } = request;
  const lock = { waitMs: 0, purpose: 'retraining' };
  return withLock(join(checkpointDir, '.retrain.lock'), lock, async () => {
    const champion = await runInUse(checkpointDir);
    const { plan, runId } = champion;
    const ageMs = now() - Date.parse(plan.createdAt);
    const { olderThanMs, alarms } = request;
    const isYoung = ageMs < (olderThanMs ?? (alarms === undefined ? 0 : Infinity));
    if (isYoung && alarms === undefined) return { kind: 'young', champion: runId, ageMs };
    const stored = await Promise.all(
      plan.symbols.map((symbol) =>
        store.manifest({ exchange: plan.exchange, timeframe: plan.timeframe, symbol }),
      ),
    );
    const newestMs = Math.max(...stored.map((manifest) => manifest?.lastTimeMs ?? -Infinity));
    if (newestMs < plan.untilMs) return { kind: 'nothing-new', champion: runId, untilMs: plan.untilMs };
    if (isYoung && (await alarms?.(champion))?.length === 0)
      return { kind: 'steady', champion: runId, ageMs };
    const finished = await train(
      {
        kind: 'new',
        settings: {
          ...request.shares,
          ...(registry !== undefined && { registry }),
          mode: plan.mode,
          seed: plan.seed,
          seeds: plan.seeds,
          exchange: plan.exchange,
          symbols: plan.symbols,
          timeframe: plan.timeframe,
          sinceMs: plan.sinceMs,
          approach: 'both',
          models: plan.models.map(({ id }) => id),
          params: Object.fromEntries(plan.models.map(({ id, params }) => [id, asParams(params)])),
          sources: plan.sources,
          allowSynthetic: plan.synthetic,
        },
      },
      { ...request, rules: request.contest.rules },
    );
    for (const { fitted } of finished.members) fitted.dispose?.();
    const challenger = await findRun(checkpointDir, finished.runId);
    const comparison = await compare(champion, challenger, request);
    const named = { champion: runId, challenger: challenger.runId, ...comparison };
    if (losesMore(comparison.test, WORSE_AT)) return { kind: 'kept', ...named };
    await activateRun(checkpointDir, challenger, async () => {
      const trained = await loadTrained(checkpointDir, {
        runId: challenger.runId,
        ...(registry && { registry }),
      });
      for (const { fitted } of trained.members) fitted.dispose?.();
    });
    return { kind: 'promoted', ...named };
  });
}

/** Both on the bars behind what the younger one was validated on. */
async function compare(
  champion: RunFolder,
  challenger: RunFolder,
  request: Pick<RetrainRequest, 'checkpointDir' | 'store' | 'registry' | 'contest' | 'shares'>,
): Promise<Comparison> {
  const fromMs = Math.max(champion.plan.validateUntilMs, challenger.plan.validateUntilMs);
  const curves: { readonly time: Float64Array; readonly equity: Float64Array; readonly balance: number }[] =
    [];
  for (const { runId } of [champion, challenger]) {
    const { checkpointDir, store, registry, contest } = request;
    const found = await trainedForecasts(checkpointDir, {
      store,
      ...(registry !== undefined && { registry }),
      ...(request.shares.acceptImplausible && { acceptImplausible: request.shares.acceptImplausible }),
      fromMs,
      untilMs: challenger.plan.untilMs,
      models: undefined,
      runId,
      seeds: false,
      exchange: undefined,
      timeframe: undefined,
      ensemble: contest.ensemble,
    });
    const symbols = found.panel.series.map(({ symbol }) => symbol);
    const rules = contest.rules(symbols.length);
    const { allowShort } = rules;
    const { strategy, params } = contest;
    const { source } = decide(found, { strategy, params, cost: tradeCostsFrom(rules), allowShort });
    const { market, targetsOf } = marketOf(source.panel, source.range);
    const targets = targetsOf(source.ensemble);
    const instruments = contest.instruments(symbols);
    const { time, equity } = runBacktest({ market, targets, instruments, rules, risk: contest.risk });
    curves.push({ time, equity, balance: rules.initialBalance });
  }
  const [before, after] = curves;
  const bars = before.equity.length;
  if (bars < LEAST_BARS)
    throw new UserError(
      `Only ${bars} bars since ${formatMinute(fromMs)} were in nobody's training: too few to tell the runs apart (${LEAST_BARS}).`,
      { hint: 'Raise training.testPct, or retrain later. The active run stays as it is.' },
    );
  const losses = curves.map(({ equity, balance }) =>
    equity.map((value, row) => Math.log((row === 0 ? balance : equity[row - 1]) / value)),
  );
  const changePct = ({ equity, balance }: (typeof curves)[number]): number =>
    100 * (equity[equity.length - 1] / balance - 1);
  return {
    fromMs,
    untilMs: challenger.plan.untilMs,
    bars,
    championReturnPct: changePct(before),
    challengerReturnPct: changePct(after),
    test: dieboldMariano(losses[1], losses[0]),
  };
}

const asParams = (params: unknown): Readonly<Record<string, unknown>> =>
  typeof params === 'object' && params !== null ? { ...params } : {};
