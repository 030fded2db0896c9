import { bootstrapMean, type Interval } from '../../core/evaluation/bootstrap.ts';
import { type Fold, walkForwardFolds } from '../../core/dataset/splits.ts';
import { barLengthsOf } from '../../core/forecast/model.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { mean } from '../../core/foundation/moments.ts';
import { createRandom, deriveSeed } from '../../core/foundation/random.ts';
import { barOpen, type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import { inTurns } from '../../data/turns.ts';
import { ruleId } from '../../lab/backtest/rule-id.ts';
import { marketName, recordTrials } from '../../lab/backtest/trials.ts';
import type { ObjectiveName, SpanFigures } from '../../lab/tuning/objective.ts';
import { createPipelineMeter, featuresToLoad, type PipelineMeter } from '../../lab/tuning/pipeline.ts';
import { ALONE, type Candidates, type Pipeline, pipelineOf } from '../../lab/tuning/pipeline-space.ts';
import { search, summedReturns } from '../../lab/tuning/search.ts';
import type { Dimension, Params, Space, Value } from '../../lab/tuning/space.ts';
import { isLost, type Study } from '../../lab/tuning/study.ts';
import type { KeptTrial } from '../../lab/tuning/study-journal.ts';
import {
  judgeSteps,
  returnsOfTrial,
  type SearchBaseline,
  type StudyVerdict,
} from '../../lab/tuning/verdict.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { chooseStrategy } from '../../core/strategy/registry.ts';
import type { AutoTask } from './automl-task.ts';
import { absentOf } from './features.ts';
import { bestTrial, FIRST_FOLD, type TuneSurroundings } from './tune.ts';

type Started = 'testFromMs' | 'untilMs' | 'dataFingerprints' | 'synthetic';

/** Everything a worker needs to measure whole pipelines. */
export interface AutoBench {
  readonly task: AutoTask;
  readonly folds: readonly Fold[];
  /** From the first bar to the test bars: what the last fit sees. */
  readonly final: Fold;
  readonly meter: PipelineMeter;
  readonly panels: readonly LoadedPanel[];
  /** Length of a step of returns. */
  readonly stepMs: number;
  pipelineOf(params: Params): Pipeline;
  measure(params: Params, fold: Fold, signal: AbortSignal): Promise<SpanFigures>;
  /** All symbols held alike, at the same costs. */
  hold(fold: Fold, signal: AbortSignal): Promise<SpanFigures>;
}

/** What a task names, found. Throws `UserError` for what there is not. */
export const candidatesOf = (
  {
    models,
    strategies,
    ...task
  }: Pick<AutoTask, 'models' | 'strategies' | 'ensembles' | 'features' | 'timeframes'>,
  registry: Registry,
): Candidates => ({
  ...task,
  models: models.map((id) => registry.findModel(id)),
  strategies: strategies.map((id) => registry.findStrategy(id)),
});

/**
 * The stored candles of a task in every timeframe of the space, cut into folds at the same times. Throws `UserError` when there are
 * none, or others than the study began with.
 */
export async function openAutoBench(
  task: Omit<AutoTask, Started> & Partial<AutoTask>,
  { testPct, seed }: { readonly testPct: number; readonly seed: number },
  { registry, store, rules, acceptImplausible, signal }: TuneSurroundings,
): Promise<AutoBench> {
  if (JSON.stringify(rules) !== task.rules)
    throw new UserError('The settings under trading are not those that the study began with.', {
      hint: 'Set them back, or start another study: its trials would not compare.',
    });
  const { exchange, symbols, sources, timeframes, sinceMs, own, mode } = task;
  const market = { store, exchange, symbols, sources, catalogue: registry.features };
  const panels = new Map<Timeframe, LoadedPanel>();
  for (const timeframe of timeframes) {
    const absent = new Set((await absentOf({ ...market, timeframe })).flatMap((one) => one.features));
    const stored = registry.features.map(({ name }) => name).filter((name) => !absent.has(name));
    const panel = await loadPanel(store, {
      ...market,
      timeframe,
      sinceMs,
      ...(task.untilMs !== undefined && { untilMs: task.untilMs }),
      featureNames: featuresToLoad({ registry, mode, own }, task.models, task.features, stored),
      lengths: barLengthsOf(
        task.models.map((id) => {
          const model = registry.findModel(id);
          return { model, params: modelParams(model, mode, own.models[id] ?? {}) };
        }),
      ),
      signal,
    });
    refuseWrong(panel.doubts, acceptImplausible);
    const before = task.dataFingerprints?.[timeframe];
    if (before !== undefined && before !== panel.fingerprint)
      throw new UserError(`The stored ${timeframe} candles are not those that the study began with.`, {
        hint: 'Its trials would not compare. Start another study, or restore the data: crypto-trader data verify.',
      });
    panels.set(timeframe, panel);
  }
  const all = [...panels.values()];
  const longest = timeframes.reduce((a, b) => (TIMEFRAME_MS[b] > TIMEFRAME_MS[a] ? b : a));
  const stepMs = TIMEFRAME_MS[longest];
  // Bars that every timeframe has, whole ones of the longest.
  const firstMs = Math.max(...all.map((panel) => panel.firstTimeMs));
  const fromMs = barOpen(firstMs + stepMs - 1, longest);
  const untilMs = task.untilMs ?? barOpen(Math.min(...all.map((panel) => panel.untilMs)), longest);
  const testFromMs = task.testFromMs ?? barOpen(untilMs - ((untilMs - fromMs) * testPct) / 100, longest);
  const embargoMs = task.embargoBars * stepMs;
  const folds = walkForwardFolds({ fromMs, untilMs: testFromMs }, longest, {
    folds: task.folds,
    firstTestMs: barOpen(fromMs + FIRST_FOLD * (testFromMs - fromMs), longest),
    embargoMs,
  });
  const meter = createPipelineMeter({
    registry,
    panels,
    mode,
    own,
    validationPct: task.validationPct,
    seed,
    rules,
    stepMs,
  });
  const fallback = { timeframe: timeframes[0], features: task.features[0] };
  const pipeline = (params: Params): Pipeline => pipelineOf(params, fallback);
  return {
    task: {
      ...task,
      testFromMs,
      untilMs,
      dataFingerprints: Object.fromEntries(all.map((panel) => [panel.timeframe, panel.fingerprint])),
      synthetic: all.some(({ synthetic }) => synthetic),
    },
    folds,
    final: { train: { fromMs, untilMs: testFromMs - embargoMs }, test: { fromMs: testFromMs, untilMs } },
    meter,
    panels: all,
    stepMs,
    pipelineOf: pipeline,
    measure: (params, fold, stop) => meter.measure(pipeline(params), fold, stop),
    hold: (fold, stop) =>
      meter.measure(
        {
          timeframe: longest,
          model: 'buy-and-hold',
          features: 'own',
          ensemble: ALONE,
          partners: [],
          strategy: 'own',
          modelParams: {},
          strategyParams: {},
        },
        fold,
        stop,
      ),
  };
}

/**
 * What every pipeline is compared with, to be tried first: each model as it is without a search, and all of them with equal weights.
 * Parameters that are searched have the values of the settings.
 */
export function untunedTrials(
  task: Pick<AutoTask, 'models' | 'strategies' | 'ensembles' | 'features' | 'timeframes' | 'own' | 'mode'>,
  space: Space,
  registry: Registry,
): readonly Params[] {
  const [strategy] = task.strategies;
  const ownStrategy = chooseStrategy(strategy, task.own.strategies[strategy] ?? {}, registry.strategies);
  const trial = (id: string, ensemble: string): Params => {
    const model = registry.findModel(id);
    const wanted: Readonly<Record<string, unknown>> = {
      timeframe: task.timeframes[0],
      model: id,
      features: task.features[0],
      ensemble,
      strategy,
      ...Object.fromEntries(task.models.map((other) => [`with.${other}`, true])),
      ...prefixed(`models.${id}`, modelParams(model, task.mode, task.own.models[id] ?? {})),
      ...prefixed(`strategies.${strategy}`, ownStrategy.params),
    };
    const params: Record<string, Value> = {};
    for (const [name, dimension] of Object.entries(space)) {
      const { when = {} } = dimension;
      const value = withinChoices(dimension, wanted[name]);
      if (typeof value !== 'number' && typeof value !== 'string' && typeof value !== 'boolean') continue;
      if (Object.entries(when).every(([other, values]) => values.includes(params[other])))
        params[name] = value;
    }
    return params;
  };
  const all = [
    ...task.models.map((id) => trial(id, ALONE)),
    ...(task.models.length > 1 && task.ensembles.includes('equal') ? [trial(task.models[0], 'equal')] : []),
  ];
  // What a file has fixed makes some of them the same.
  return [...new Map(all.map((params) => [JSON.stringify(params), params])).values()];
}

/** What a file has fixed to something else is that. */
const withinChoices = (dimension: Dimension, value: unknown): unknown =>
  dimension.kind === 'categorical' && !dimension.choices.some((choice) => choice === value)
    ? dimension.choices[0]
    : value;

const prefixed = (prefix: string, values: unknown): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]: [string, unknown]) => [`${prefix}.${name}`, value]),
  );

/** Milliseconds in which somebody worked on the study's trials; those of workers that ended are not known. */
export function usedMs(trials: readonly KeptTrial[]): number {
  const spans = trials
    .flatMap((trial) =>
      trial.endedAt === undefined || isLost(trial)
        ? []
        : [[Date.parse(trial.startedAt), Date.parse(trial.endedAt)] as const],
    )
    .toSorted((a, b) => a[0] - b[0]);
  let [used, until] = [0, -Infinity];
  for (const [from, end] of spans) {
    used += Math.max(0, end - Math.max(from, until));
    until = Math.max(until, end);
  }
  return used;
}

interface AutoLimits {
  readonly budgetMs: number | undefined;
  readonly trials: number | undefined;
}

/**
 * Works on the study until its time or its trials are used up, and counts each trial in the project's ledger. The trial that is
 * in work when time is up is left as it is: whoever goes on does it again. Throws `signal.reason` when aborted.
 */
export async function runAutoTrials(
  study: Study,
  bench: AutoBench,
  task: AutoLimits & {
    readonly trialsFile: string;
    readonly rules: ExecutionRules;
    readonly signal: AbortSignal;
    readonly onTrial: (trial: KeptTrial) => void;
    /** Lets others measure, up to so many trials; default: this process does. */
    readonly give?: (
      trials: number,
      signal: AbortSignal,
      onTrial: (trial: KeptTrial) => void,
    ) => Promise<void>;
  },
): Promise<{ readonly outOfTime: boolean }> {
  const { budgetMs, trials = Infinity } = task;
  const over = new AbortController();
  const left = budgetMs === undefined ? undefined : budgetMs - usedMs(study.trials());
  if (left !== undefined && left <= 0) return { outOfTime: true };
  const timer = left === undefined ? undefined : setTimeout(() => over.abort(), Math.min(left, 2 ** 31 - 1));
  const signal = AbortSignal.any([task.signal, over.signal]);
  try {
    if (task.give !== undefined) await task.give(trials, signal, task.onTrial);
    else
      await search({
        study,
        trials,
        folds: bench.folds.length,
        objectives: study.settings.objectives as ObjectiveName[],
        minFills: bench.task.minFills,
        measure: (params, fold) => bench.measure(params, bench.folds[fold], signal),
        signal,
        onTrial: task.onTrial,
      });
    return { outOfTime: false };
  } catch (error) {
    if (task.signal.aborted || !over.signal.aborted) throw error;
    return { outOfTime: true };
  } finally {
    clearTimeout(timer);
    await countPipelines(study.trials(), bench, task);
  }
}

/** Enters what was measured into the ledger of trials, market by market; what stands there already is not entered again. */
async function countPipelines(
  trials: readonly KeptTrial[],
  bench: AutoBench,
  { trialsFile, rules }: { readonly trialsFile: string; readonly rules: ExecutionRules },
): Promise<void> {
  const { exchange, symbols, own } = bench.task;
  const measured = trials.filter(({ state }) => state === 'complete' || state === 'pruned');
  for (const timeframe of bench.task.timeframes) {
    const market = marketName(exchange, timeframe, symbols);
    const here = measured.flatMap(({ params, endedAt }) => {
      const pipeline = bench.pipelineOf(params);
      if (pipeline.timeframe !== timeframe) return [];
      const strategy = [pipeline.model, ...pipeline.partners].join('+');
      const time = endedAt ?? new Date().toISOString();
      const id = ruleId(strategy, { automl: pipeline, own }, rules);
      return [{ time, id, market, strategy, by: 'validation' as const }];
    });
    if (here.length > 0) await recordTrials(trialsFile, market, here);
  }
}

/** One evaluation of what was found against equal weights, on bars that no trial saw. */
export interface AgainstEqualWeights {
  /** Mean difference of returns, in percent a year, with a 95 % interval; `undefined` on too few bars. */
  readonly differencePctPerYear: number;
  readonly interval: Interval | undefined;
  readonly beats: boolean;
}

export interface AutoEnd {
  readonly best: KeptTrial;
  readonly pipeline: Pipeline;
  readonly verdict: StudyVerdict;
  /** The best trial among those that nobody searched, and all models with equal weights. */
  readonly untuned: KeptTrial | undefined;
  /** On the test bars, each fitted on all bars before them. */
  readonly test: {
    readonly best: SpanFigures;
    readonly untuned: SpanFigures | undefined;
    readonly equalModels: SpanFigures | undefined;
    readonly hold: SpanFigures;
  };
  readonly equalSymbols: AgainstEqualWeights;
  readonly equalModels: AgainstEqualWeights | undefined;
  readonly found: boolean;
  /** Why not, in words. */
  readonly reasons: readonly string[];
}

/** The one look at the test bars, with what the search itself says about luck. */
export async function concludeAuto(
  study: Study,
  bench: AutoBench,
  { registry, signal }: Pick<TuneSurroundings, 'registry' | 'signal'>,
): Promise<AutoEnd> {
  const trials = study.trials();
  const best = bestTrial(trials);
  const { seed } = study.settings;
  const first = untunedTrials(bench.task, study.settings.space, registry).map((params) =>
    JSON.stringify(params),
  );
  const given = trials.filter(
    ({ state, params }) => state === 'complete' && first.includes(JSON.stringify(params)),
  );
  const isEqual = ({ params }: KeptTrial): boolean => params['ensemble'] === 'equal';
  const equal = given.find(isEqual);
  const untuned = given
    .filter((trial) => !isEqual(trial))
    .reduce<KeptTrial | undefined>(
      (first, one) => (first === undefined || one.values[0] < first.values[0] ? one : first),
      undefined,
    );
  const held: SpanFigures[] = [];
  for (const fold of bench.folds) held.push(await bench.hold(fold, signal));
  const baselines: SearchBaseline[] = [
    { name: 'all symbols held alike', returns: Float64Array.from(summedReturns(held).sums) },
    ...given.flatMap((trial) => {
      const returns = returnsOfTrial(trial)?.sums;
      const name = isEqual(trial)
        ? 'all models with equal weights'
        : `${String(trial.params['model'])} untuned`;
      return returns === undefined ? [] : [{ name, returns }];
    }),
  ];
  const perYear = (365 * 86_400_000) / bench.stepMs;
  const judged = judgeSteps(trials, best, { barsPerYear: perYear, seed, baselines });
  const verdict = await inTurns(judged, signal);
  const ask = (trial: KeptTrial): Promise<SpanFigures> => bench.measure(trial.params, bench.final, signal);
  const test = {
    best: await ask(best),
    untuned: untuned && (await ask(untuned)),
    equalModels: equal && (await ask(equal)),
    hold: await bench.hold(bench.final, signal),
  };
  const against = (other: SpanFigures): AgainstEqualWeights => {
    const difference = test.best.returns.map((value, i) => value - other.returns[i]);
    const found = bootstrapMean(difference, createRandom(deriveSeed(seed, 'equal weights')));
    const scale = 100 * perYear;
    const interval = found && { low: scale * found.low, high: scale * found.high };
    return {
      differencePctPerYear: scale * (mean(difference) ?? NaN),
      interval,
      beats: interval !== undefined && interval.low > 0,
    };
  };
  const net = (figures: SpanFigures | undefined): number => figures?.figures['net-return'] ?? 0;
  const reasons = [
    ...((verdict.deflatedSharpe ?? 0) < 0.95
      ? ['its Sharpe ratio is what luck shows in as many trials']
      : []),
    ...(net(test.best) <= 0 ? ['it earned nothing on the test bars'] : []),
    ...(test.untuned && net(test.best) <= net(test.untuned)
      ? ['the best untuned model did as well there']
      : []),
    ...(net(test.best) <= net(test.hold) ? ['all symbols held alike did as well there'] : []),
  ];
  return {
    best,
    pipeline: bench.pipelineOf(best.params),
    verdict,
    untuned,
    test,
    equalSymbols: against(test.hold),
    equalModels: test.equalModels && against(test.equalModels),
    found: reasons.length === 0,
    reasons,
  };
}
