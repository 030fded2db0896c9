import { formatDay, formatTime } from '../../core/foundation/time.ts';
import { spread, spreadText } from '../../core/evaluation/spread.ts';
import { trainingLogFile } from '../../learning/training/journal.ts';
import type { RunResult } from '../../learning/training/run-folder.ts';
import type { ForecastScore } from '../../learning/validation/score.ts';
import { votersOf } from '../../learning/ensemble/voters.ts';
import { testFold, type TestFoldScore } from '../../learning/training/test-fold.ts';
import type { FinishedRun } from '../../learning/training/train.ts';
import { trainingConclusion } from './conclusions.ts';
import type { Output } from './output.ts';
import { less } from './table.ts';

/** What a finished run says: the score of every model on the validation bars, and what was left out. */
export function printRun(
  out: Output,
  finished: FinishedRun,
  logDir: string,
  testFolds?: Readonly<Record<string, TestFoldScore>>,
): void {
  const { runId, path, plan, result, members, kept, active, datasets } = finished;
  for (const { symbol, gaps } of datasets) {
    if (gaps.length > 0)
      out.print(
        `${symbol}: ${missingBars(gaps)} missing bars in ${gaps.length} gaps; no label reaches across them.`,
      );
  }
  if (plan.synthetic) out.print('These candles are SYNTHETIC: the figures say nothing about any market.');
  out.print(
    `\nTrained on ${formatDay(plan.sinceMs)} .. ${formatDay(plan.trainUntilMs)}, measured on ${formatDay(plan.trainUntilMs)} .. ${formatDay(plan.validateUntilMs)} (validation). The bars after that are for backtests.\n`,
  );
  const flattered = votersOf(members).some(({ model }) => model.usesValidation === true);
  out.table(
    ['model', 'status', less('seconds', 2), less('samples'), 'hit rate % (95 % CI)', 'IC', 'net return %'],
    [
      ...members.map(({ id, model, manifest, noSkill }) => [
        model.usesValidation === true ? `${id} *` : id,
        noSkill === undefined ? (kept.includes(id) ? 'kept' : 'trained') : 'no skill',
        manifest.seconds.toFixed(1),
        ...scoreCells(manifest.metrics),
      ]),
      [
        flattered ? 'ensemble *' : 'ensemble',
        memberCount(result),
        '',
        ...scoreCells(result.ensemble.metrics),
      ],
      ...Object.entries(result.baselines)
        .filter(([id]) => !result.models.includes(id))
        .map(([id, score]) => [id, 'baseline', '', ...scoreCells(score)]),
      ...result.skipped.map(({ id }) => [id, 'skipped', '', '', '', '', '']),
    ],
  );
  printSeeds(out, plan.seeds, result, members);
  if (testFolds !== undefined) printTestFolds(out, finished, testFolds);
  for (const { id, fitted } of members)
    for (const { name, reason } of fitted.absent ?? [])
      out.print(`${id} goes without ${name}: ${sentence(reason)}`);
  for (const line of noSkillLines(members)) out.print(line);
  for (const { id, reason } of result.skipped) out.print(`${id} was skipped: ${sentence(reason)}`);
  out.print(
    `\nNet return: spot, long only, ${plan.feeBps} bp fee and ${plan.slippageBps} bp slippage per side, equal capital for each symbol.
Hit rate: against the return from the next open over the model's own horizon.${flattered ? `\n${FLATTERED}${testFolds === undefined ? ' `train --test-fold` does so inside training.' : ''}` : ''}
Run ${runId} is in ${path}, its progress in ${trainingLogFile(logDir, runId)}.`,
  );
  out.print(trainingConclusion(finished));
  out.print(
    active
      ? `It is active: signals, backtest and paper use it.\nNext: crypto-trader backtest`
      : `It is not active: another run is used until you promote it.
Next: crypto-trader backtest --run ${runId}, then crypto-trader models activate ${runId}`,
  );
}

const FLATTERED =
  '* The same bars served early stopping, entry thresholds or calibration of this model, so its figures flatter. `crypto-trader backtest` measures it on bars that nothing has seen.';

/** The same models fitted on earlier bars, where nothing of the fit saw what they are judged on. */
function printTestFolds(
  out: Output,
  { plan, members }: FinishedRun,
  scores: Readonly<Record<string, TestFoldScore>>,
): void {
  const { train, test } = testFold(plan).fold;
  if (Object.keys(scores).length === 0)
    return out.print('\nNo figure above flatters: none of these models looked at the validation bars.');
  out.print(
    `\nTest fold: fitted once more on ${formatDay(train.fromMs)} .. ${formatDay(train.untilMs)}, measured on ${formatDay(test.fromMs)} .. ${formatDay(test.untilMs)}, which that fit has not seen; validation beside it.\n`,
  );
  out.table(
    [
      'model',
      less('samples'),
      'hit rate % (95 % CI)',
      'IC',
      'net return %',
      'IC validation',
      'net validation %',
    ],
    Object.entries(scores).map(([id, found]) => {
      const cells = 'score' in found ? scoreCells(found.score) : ['', sentence(found.reason), '', ''];
      const shown = members.find((member) => member.id === id);
      return [id, ...cells, ...(shown === undefined ? [] : scoreCells(shown.manifest.metrics).slice(2))];
    }),
  );
}

/** Who does not vote, and why; or that nobody showed any skill. */
function noSkillLines(members: FinishedRun['members']): readonly string[] {
  const silent = members.filter(({ noSkill }) => noSkill !== undefined);
  if (silent.length === 0) return [];
  const all = votersOf(members).some(({ noSkill }) => noSkill !== undefined);
  const lines = silent.map(({ id, noSkill = '' }) => `${id} has no skill: ${sentence(noSkill)}`);
  return [
    ...lines,
    all
      ? 'No model of this run has skill, so all of them make the ensemble: do not trade on it.'
      : 'Models without skill do not vote in the ensemble.',
  ];
}

const memberCount = ({ ensemble: { members } }: RunResult): string =>
  `${members.length} ${members.length === 1 ? 'member' : 'members'}`;

/** Every figure once more: over the seeds where it depends on chance, as it is where it does not. */
function printSeeds(
  out: Output,
  count: number,
  { seeds, ensemble, baselines, models }: RunResult,
  members: FinishedRun['members'],
): void {
  if (seeds === undefined) return;
  const others = Object.entries(baselines).filter(([id]) => !models.includes(id));
  const single = [
    ...members.map(({ id, manifest }) => [id, manifest.metrics] as const),
    ['ensemble', ensemble.metrics] as const,
    ...others,
  ];
  out.print(
    `\nMean +- standard deviation over ${count} seeds; the first of them stands above and is the one that forecasts:\n`,
  );
  out.table(
    ['model', 'seeds', 'hit rate %', 'IC', 'net return %'],
    single.map(([id, metrics]) => {
      const scores = seeds[id] ?? [metrics];
      const { directionalAccuracyPct, informationCoefficient, netReturnPct } = overSeeds(scores);
      return [
        id,
        scores.length > 1 ? String(scores.length) : 'no chance in it',
        spreadText(directionalAccuracyPct, 1),
        spreadText(informationCoefficient, 3),
        spreadText(netReturnPct, 1),
      ];
    }),
  );
}

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);

const overSeeds = (scores: readonly ForecastScore[]) => ({
  directionalAccuracyPct: spread(scores.map((score) => score.directionalAccuracyPct)),
  informationCoefficient: spread(scores.map((score) => score.informationCoefficient)),
  netReturnPct: spread(scores.map((score) => score.netReturnPct)),
});

const missingBars = (gaps: readonly { readonly bars: number }[]): number =>
  gaps.reduce((total, { bars }) => total + bars, 0);

function scoreCells(score: ForecastScore): readonly string[] {
  const { directionalAccuracyPct: accuracy, directionalAccuracyIntervalPct: interval } = score;
  const unmoved = score.unmoved ?? 0;
  return [
    unmoved === 0 ? String(score.samples) : `${score.samples} + ${unmoved} unmoved`,
    accuracy === undefined || interval === undefined
      ? '-'
      : `${accuracy.toFixed(1)} (${interval.map((bound) => bound.toFixed(1)).join(' .. ')})`,
    score.informationCoefficient?.toFixed(3) ?? '-',
    score.netReturnPct.toFixed(1),
  ];
}

/** `train --json`. */
export function runDocument(
  { runId, plan, result, members, kept, active, path, datasets, projections }: FinishedRun,
  mode: string,
  testFolds?: Readonly<Record<string, TestFoldScore>>,
): object {
  return {
    runId,
    mode,
    seed: plan.seed,
    checkpoint: path,
    active,
    synthetic: plan.synthetic,
    dataFingerprint: plan.dataFingerprint,
    datasets: datasets.map(({ symbol, rows, gaps }) => ({ symbol, rows, missingBars: missingBars(gaps) })),
    firstTime: formatTime(plan.sinceMs),
    trainUntil: formatTime(plan.trainUntilMs),
    validateUntil: formatTime(plan.validateUntilMs),
    projections,
    phases: [
      ...members.map(({ id, model, manifest, folder, fitted, noSkill }) => ({
        model: id,
        phase: model.kind,
        status: kept.includes(id) ? 'kept' : 'trained',
        /** The bars of `metrics` also stopped its training, or set its thresholds or calibration. */
        usedValidation: model.usesValidation === true,
        noSkill,
        epochs: manifest.epochs,
        steps: manifest.steps,
        seconds: manifest.seconds,
        samplesPerSecond: manifest.samplesPerSecond,
        metrics: manifest.metrics,
        testFold: testFolds?.[id],
        baseline: manifest.baselines,
        ...seedsOf(result, id),
        report: fitted.report,
        absent: fitted.absent,
        checkpoint: folder,
        weightHash: manifest.weightHash,
      })),
      {
        model: 'ensemble',
        phase: 'ensemble',
        status: 'combined',
        members: result.ensemble.members,
        metrics: result.ensemble.metrics,
        baseline: result.baselines,
        ...seedsOf(result, 'ensemble'),
      },
      ...result.skipped.map(({ id, reason }) => ({ model: id, status: 'skipped', reason })),
    ],
  };
}

function seedsOf({ seeds }: RunResult, id: string): object {
  const scores = seeds?.[id];
  return scores === undefined ? {} : { seeds: scores, overSeeds: overSeeds(scores) };
}
