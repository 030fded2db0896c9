import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Fold, walkForwardFolds } from '../../core/dataset/splits.ts';
import { barLengthsOf, type Model } from '../../core/forecast/model.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { issueLines } from '../../core/foundation/plain-issues.ts';
import { barOpen, parseTimeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { parseSymbol } from '../../core/market/symbol.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { type LoadedPanel, loadPanel } from '../../data/panel/load-panel.ts';
import { errorCode } from '../../data/files.ts';
import { refuseWrong } from '../../data/plausibility.ts';
import type { Store } from '../../data/store/store.ts';
import { ruleId } from '../../lab/backtest/rule-id.ts';
import { marketName, recordTrials } from '../../lab/backtest/trials.ts';
import { measureFold, type ObjectiveName, type SpanFigures } from '../../lab/tuning/objective.ts';
import { paretoFront } from '../../lab/tuning/pareto.ts';
import { pipelineOf } from '../../lab/tuning/pipeline-space.ts';
import { search, TrialDetails } from '../../lab/tuning/search.ts';
import type { Params } from '../../lab/tuning/space.ts';
import { type Study, studySettings } from '../../lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../lab/tuning/study-journal.ts';
import { judgeStudy, type StudyVerdict } from '../../lab/tuning/verdict.ts';
import type { Registry } from '../../learning/models/registry.ts';
import { modelParams } from '../../learning/training/plan.ts';
import { InputSources } from '../../learning/training/run-folder.ts';
import { autoTaskOf, isAutoStudy } from './automl-task.ts';

const values = z.record(z.string(), z.unknown());

/** What trials of a study are measured on; written into it when it starts. Times are epoch ms UTC. */
export const TuneTask = z.strictObject({
  model: z.string(),
  mode: z.enum(['quick', 'full']),
  /** Parameters that are not searched: of config.yaml, and those that the space fixes. */
  own: values,
  exchange: z.string(),
  symbols: z.array(z.string().transform(parseSymbol)),
  timeframe: z.string().transform(parseTimeframe),
  sources: InputSources,
  sinceMs: z.number(),
  /** Bars from here on are for the one evaluation at the end. */
  testFromMs: z.number(),
  untilMs: z.number(),
  folds: z.int().min(1),
  embargoBars: z.int().min(0),
  validationPct: z.number(),
  minFills: z.int().min(0),
  /** Execution rules, costs included, as they were: `JSON.stringify` of them. */
  rules: z.string(),
  dataFingerprint: z.string(),
  synthetic: z.boolean(),
});
export type TuneTask = z.output<typeof TuneTask>;

export interface TuneSurroundings {
  readonly registry: Registry;
  readonly store: Store;
  readonly rules: ExecutionRules;
  readonly acceptImplausible: Parameters<typeof refuseWrong>[1];
  readonly signal: AbortSignal;
}

/** Everything a worker needs to measure trials. */
export interface Bench {
  readonly task: TuneTask;
  readonly model: Model;
  readonly panel: LoadedPanel;
  readonly folds: readonly Fold[];
  /** From the first bar to the test bars: what the last fit sees. */
  readonly final: Fold;
  /** Parameters of a trial as the model takes them. Throws `UserError` for what it refuses. */
  paramsOf(params: Params): unknown;
  measure(params: Params, fold: Fold): Promise<SpanFigures>;
}

/** The stored candles of a task, cut into folds. Throws `UserError` when there are none, or others than the study began with. */
export async function openBench(
  task: Omit<TuneTask, 'testFromMs' | 'untilMs' | 'dataFingerprint' | 'synthetic'> & Partial<TuneTask>,
  { testPct, seed }: { readonly testPct: number; readonly seed: number },
  { registry, store, rules, acceptImplausible, signal }: TuneSurroundings,
): Promise<Bench> {
  const model = registry.findModel(task.model);
  const paramsOf = (params: Params): unknown => modelParams(model, task.mode, { ...task.own, ...params });
  if (JSON.stringify(rules) !== task.rules)
    throw new UserError('The settings under trading are not those that the study began with.', {
      hint: 'Set them back, or start another study: its trials would not compare.',
    });
  const panel = await loadPanel(store, {
    exchange: task.exchange,
    symbols: task.symbols,
    timeframe: task.timeframe,
    sinceMs: task.sinceMs,
    ...(task.untilMs !== undefined && { untilMs: task.untilMs }),
    catalogue: registry.features,
    featureNames: model.features(paramsOf({})),
    lengths: barLengthsOf([{ model, params: paramsOf({}) }]),
    sources: task.sources,
    signal,
  });
  refuseWrong(panel.doubts, acceptImplausible);
  if (task.dataFingerprint !== undefined && panel.fingerprint !== task.dataFingerprint)
    throw new UserError('The stored candles are not those that the study began with.', {
      hint: 'Its trials would not compare. Start another study, or restore the data: crypto-trader data verify.',
    });
  const span = { fromMs: panel.firstTimeMs, untilMs: panel.untilMs };
  const testFromMs =
    task.testFromMs ?? barOpen(span.untilMs - ((span.untilMs - span.fromMs) * testPct) / 100, task.timeframe);
  const embargoMs = task.embargoBars * TIMEFRAME_MS[task.timeframe];
  const searched = { fromMs: span.fromMs, untilMs: testFromMs };
  const folds = walkForwardFolds(searched, task.timeframe, {
    folds: task.folds,
    firstTestMs: barOpen(span.fromMs + FIRST_FOLD * (testFromMs - span.fromMs), task.timeframe),
    embargoMs,
  });
  const { untilMs, ...known } = { ...task, testFromMs, untilMs: span.untilMs };
  return {
    task: { ...known, untilMs, dataFingerprint: panel.fingerprint, synthetic: panel.synthetic },
    model,
    panel,
    folds,
    final: {
      train: { fromMs: span.fromMs, untilMs: testFromMs - embargoMs },
      test: { fromMs: testFromMs, untilMs },
    },
    paramsOf,
    measure: (params, fold) =>
      measureFold({ model, params: paramsOf(params) }, fold, {
        panel,
        validationPct: task.validationPct,
        seed,
        rules,
        signal,
      }),
  };
}

/** Where the first fold's test bars begin: the share of the searched bars that is never tested on. */
export const FIRST_FOLD = 0.4;

interface TrialLedger {
  readonly trialsFile: string;
  readonly rules: ExecutionRules;
}

/** Works on the study until it has its trials, and counts each of them in the project's ledger of trials. */
export async function runTrials(
  study: Study,
  bench: Bench,
  task: TrialLedger & {
    readonly trials: number;
    readonly signal: AbortSignal;
    readonly onTrial: (trial: KeptTrial) => void;
  },
): Promise<void> {
  try {
    await search({
      study,
      trials: task.trials,
      folds: bench.folds.length,
      objectives: study.settings.objectives as ObjectiveName[],
      minFills: bench.task.minFills,
      measure: (params, fold) => bench.measure(params, bench.folds[fold]),
      signal: task.signal,
      onTrial: task.onTrial,
    });
  } finally {
    await countTrials(study.trials(), bench, task);
  }
}

/**
 * Enters what was measured into the ledger of trials, all of the study: a process that was killed has told it nothing. What stands there is
 * not entered again.
 */
export async function countTrials(
  trials: readonly KeptTrial[],
  bench: Bench,
  { trialsFile, rules }: TrialLedger,
): Promise<void> {
  const { exchange, timeframe, symbols, model } = bench.task;
  const market = marketName(exchange, timeframe, symbols);
  const measured = trials.filter(({ state }) => state === 'complete' || state === 'pruned');
  await recordTrials(
    trialsFile,
    market,
    measured.map(({ params, endedAt }) => ({
      time: endedAt ?? new Date().toISOString(),
      id: ruleId(model, { tuned: bench.paramsOf(params) }, rules),
      market,
      strategy: model,
      by: 'validation' as const,
    })),
  );
}

export interface StudyEnd {
  readonly best: KeptTrial;
  /** Trials that no other beats in every objective. */
  readonly front: readonly KeptTrial[];
  readonly verdict: StudyVerdict;
  /** On the test bars, each fitted on all bars before them. */
  readonly test: { readonly best: SpanFigures; readonly untuned: SpanFigures; readonly hold: SpanFigures };
  /** Whether the best is worth more than luck and than the untuned parameters, on bars that no trial saw. */
  readonly found: boolean;
  /** Why not, in words. */
  readonly reasons: readonly string[];
}

/** The best trial, or why there is none to speak of: a `UserError`. */
export function bestTrial(trials: readonly KeptTrial[]): KeptTrial {
  const complete = trials.filter(({ state }) => state === 'complete');
  const feasible = complete.filter(({ violation }) => violation === 0);
  if (feasible.length > 0)
    return feasible.reduce((best, one) => (one.values[0] < best.values[0] ? one : best));
  throw new UserError(
    complete.length === 0
      ? 'No trial was measured to its end.'
      : `None of ${complete.length} trials traded often enough to be judged.`,
    { hint: 'Go on with more trials, or lower --min-trades.' },
  );
}

/** What the best trial of a study makes of its model. Throws `UserError` where there is none. */
export async function tunedModel(study: Study) {
  await study.refresh();
  const trials = study.trials();
  const { number, params, details } = bestTrial(trials);
  const found = { trial: number, trials: trials.length };
  if (isAutoStudy(study.settings)) {
    const { mode, own, timeframes, features } = autoTaskOf(study.settings);
    const pipeline = pipelineOf(params, { timeframe: timeframes[0], features: features[0] });
    const chosen = TrialDetails.parse(details).features;
    return {
      ...found,
      model: pipeline.model,
      mode,
      params: { ...pipeline.modelParams, ...(chosen && { features: chosen }) },
      own: own.models[pipeline.model] ?? {},
      pipeline,
    };
  }
  const { model, mode, own } = taskOf(study.settings);
  return {
    ...found,
    model,
    mode,
    /** Searched. */
    params,
    /** In force in every trial, but not searched. */
    own,
    /** Of a search over whole pipelines: everything else that was chosen. */
    pipeline: undefined,
  };
}

/** The one look at the test bars, with what the search itself says about luck. */
export async function concludeStudy(
  study: Study,
  bench: Bench,
  { registry, rules, signal }: Pick<TuneSurroundings, 'registry' | 'rules' | 'signal'>,
): Promise<StudyEnd> {
  const { settings } = study;
  const trials = study.trials();
  const best = bestTrial(trials);
  const hold = registry.findModel('buy-and-hold');
  const test = {
    best: await bench.measure(best.params, bench.final),
    untuned: await bench.measure({}, bench.final),
    hold: await measureFold({ model: hold, params: modelParams(hold, bench.task.mode, {}) }, bench.final, {
      panel: bench.panel,
      validationPct: bench.task.validationPct,
      seed: settings.seed,
      rules,
      signal,
    }),
  };
  const barsPerYear = (365 * 86_400_000) / TIMEFRAME_MS[bench.task.timeframe];
  const verdict = judgeStudy(trials, best, { barsPerYear, seed: settings.seed });
  const [won, before] = [test.best, test.untuned].map(({ figures }) => figures['net-return'] ?? 0);
  const reasons = [
    ...((verdict.deflatedSharpe ?? 0) < 0.95
      ? ['its Sharpe ratio is what luck shows in as many trials']
      : []),
    ...(won <= 0 ? ['it earned nothing on the test bars'] : []),
    ...(won <= before ? ['the untuned parameters did as well there'] : []),
  ];
  return {
    best,
    front: paretoFront(trials) as readonly KeptTrial[],
    verdict,
    test,
    found: reasons.length === 0,
    reasons,
  };
}

/** A study of a project. One that is damaged names itself and hides no other. */
export interface KnownStudy {
  readonly name: string;
  readonly folder: string;
  readonly settings: StudySettings | { readonly damaged: string };
}

/** The studies of a project: damaged ones, then the others, oldest first. */
export async function listStudies(tuningDir: string): Promise<readonly KnownStudy[]> {
  const entries = await readdir(tuningDir, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
  const found = await Promise.all(
    names.toSorted().map(async (name): Promise<readonly KnownStudy[]> => {
      const folder = join(tuningDir, name);
      try {
        const settings = await studySettings(folder);
        return settings === undefined ? [] : [{ name, folder, settings }];
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return [{ name, folder, settings: { damaged: error.message } }];
      }
    }),
  );
  const since = ({ settings }: KnownStudy): string => ('damaged' in settings ? '' : settings.createdAt);
  return found.flat().sort((a, b) => since(a).localeCompare(since(b)));
}

/** The task of a study, as it was written into it. Throws `UserError` when it is none of this version's. */
export function taskOf(settings: StudySettings): TuneTask {
  if (isAutoStudy(settings))
    throw new UserError(`The study "${settings.name}" searches whole pipelines.`, {
      hint: `Resume it: crypto-trader automl --study ${settings.name}`,
    });
  const task = TuneTask.safeParse(settings.task);
  if (task.success) return task.data;
  throw new UserError(
    `The study "${settings.name}" is of another version: ${issueLines(task.error).join('; ')}.`,
    {
      hint: 'Start another: crypto-trader tune --model boosted-trees',
    },
  );
}
