import { z } from 'zod';
import { formatMinute } from '../../core/foundation/time.ts';
import { importanceOf } from '../../lab/tuning/importance.ts';
import { fromLoss, type ObjectiveName } from '../../lab/tuning/objective.ts';
import type { Study } from '../../lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../lab/tuning/study-journal.ts';
import type { StudyVerdict } from '../../lab/tuning/verdict.ts';
import type { StudyEnd, TuneTask } from '../workflows/tune.ts';
import type { CommandContext } from './command.ts';
import { valueText } from './report-text.ts';

/** One trial on one line. */
export function trialText(
  { number, state, values, params }: KeptTrial,
  { objectives }: StudySettings,
): string {
  const name = objectives[0] as ObjectiveName;
  const result = state === 'complete' ? `${name} ${fromLoss(name, values[0]).toFixed(3)}` : state;
  return `trial ${number}: ${result} with ${valueText(params)}`;
}

/** What a finished search prints. */
export function printStudy(context: CommandContext, study: Study, task: TuneTask, end: StudyEnd): void {
  const { out } = context;
  const { settings } = study;
  const objectives = settings.objectives as ObjectiveName[];
  const { best: winner, verdict, test } = end;
  const trials = study.trials();
  out.document({
    study: settings.name,
    model: task.model,
    synthetic: task.synthetic,
    trials: trials.length,
    complete: verdict.trials,
    best: { trial: winner.number, params: winner.params, values: valuesOf(winner, objectives) },
    front:
      objectives.length > 1 ? end.front.map(({ number, params }) => ({ trial: number, params })) : undefined,
    importance: importanceOf(settings.space, trials),
    verdict,
    test: Object.fromEntries(
      Object.entries(test).map(([name, { figures, fills }]) => [name, { ...figures, fills }]),
    ),
    found: end.found,
    reasons: end.reasons,
  });
  if (task.synthetic) out.print('These candles are SYNTHETIC: what was found says nothing about any market.');
  const untuned = trials.find(({ number, state }) => number === 0 && state === 'complete');
  out.table(
    ['', ...objectives, 'fills', 'parameters'],
    [...(untuned ? [untuned] : []), winner].map((trial) => [
      trial === winner ? `best (trial ${trial.number})` : 'untuned',
      ...objectives.map((name) => valuesOf(trial, objectives)[name].toFixed(3)),
      String(fillsOf(trial)),
      valueText(trial.params),
    ]),
  );
  for (const line of importanceLines(importanceOf(settings.space, trials))) out.print(`\n${line}`);
  out.print(
    `\nThe bars that no trial saw, ${formatMinute(task.testFromMs)} .. ${formatMinute(task.untilMs)}, after costs:`,
  );
  out.table(
    ['', 'net return %', 'Sharpe', 'max drawdown %', 'fills'],
    (['best', 'untuned', 'hold'] as const).map((name) => {
      const { figures, fills } = test[name];
      return [
        name,
        figures['net-return']?.toFixed(1) ?? '-',
        figures.sharpe?.toFixed(2) ?? '-',
        figures.drawdown?.toFixed(1) ?? '-',
        String(fills),
      ];
    }),
  );
  out.print(`\n${luckText(verdict)}`);
  out.print(
    end.found
      ? `Found: better than luck and than the untuned parameters. Next: crypto-trader tune apply ${settings.name}`
      : `Nothing found: ${end.reasons.join('; ')}.`,
  );
}

/** What luck alone would have found. */
export function luckText(verdict: StudyVerdict): string {
  const share = (value: number | undefined): string =>
    value === undefined ? '-' : `${Math.round(100 * value)} %`;
  const parts = [
    `${verdict.trials + verdict.pruned} trials (${verdict.effectiveTrials} different bets)`,
    ...(verdict.luckySharpe === undefined
      ? []
      : [
          `the best of as many trials shows a Sharpe ratio of ${verdict.luckySharpe.toFixed(1)} by luck alone`,
        ]),
    `deflated Sharpe ratio ${share(verdict.deflatedSharpe)}`,
    `probability of overfitting ${share(verdict.overfitting)}`,
    ...(verdict.spaPValue === undefined
      ? []
      : [
          `Hansen's test against ${verdict.spaBaseline}, the hardest to beat: p ${verdict.spaPValue.toFixed(2)}`,
        ]),
  ];
  return `${parts.join('; ')}.`;
}

/** A trial's figures in the sense of their names. */
export const valuesOf = (
  { values }: KeptTrial,
  objectives: readonly ObjectiveName[],
): Record<ObjectiveName, number> =>
  Object.fromEntries(objectives.map((name, i) => [name, fromLoss(name, values[i])])) as Record<
    ObjectiveName,
    number
  >;

export const fillsOf = ({ details }: KeptTrial): number =>
  z.object({ fills: z.number() }).parse(details).fills;

/** What the differences between trials are due to, in one line, or none where nothing is known. Shares that round to nothing are left out. */
export function importanceLines(
  importance: Readonly<Record<string, number>>,
  nameOf = (parameter: string): string => parameter,
): readonly string[] {
  const shares = Object.entries(importance)
    .filter(([, share]) => share >= 0.005)
    .map(([parameter, share]) => `${nameOf(parameter)} ${Math.round(100 * share)} %`);
  return shares.length === 0 ? [] : [`What mattered: ${shares.join(', ')}.`];
}
