import { formatMinute } from '../../core/foundation/time.ts';
import { importanceOf } from '../../lab/tuning/importance.ts';
import type { ObjectiveName, SpanFigures } from '../../lab/tuning/objective.ts';
import { ALONE, type Pipeline } from '../../lab/tuning/pipeline-space.ts';
import type { Study } from '../../lab/tuning/study.ts';
import type { AgainstEqualWeights, AutoEnd } from '../workflows/automl.ts';
import type { AutoTask } from '../workflows/automl-task.ts';
import type { CommandContext } from './command.ts';
import { valueText } from './report-text.ts';
import { fillsOf, importanceLines, luckText, valuesOf } from './tune-text.ts';

/** What a finished search over whole pipelines prints. */
export function printAuto(
  context: CommandContext,
  study: Study,
  task: AutoTask,
  end: AutoEnd & { readonly outOfTime: boolean },
): void {
  const { out } = context;
  const { settings } = study;
  const objectives = settings.objectives as ObjectiveName[];
  const trials = study.trials();
  const { best, untuned, pipeline, verdict, test } = end;
  const importance = importanceOf(settings.space, trials);
  const rows = [
    { name: 'best', figures: test.best },
    { name: 'best untuned model', figures: test.untuned },
    { name: 'all models with equal weights', figures: test.equalModels },
    { name: 'all symbols held alike', figures: test.hold },
  ].flatMap(({ name, figures }) => (figures === undefined ? [] : [{ name, figures }]));
  out.document({
    study: settings.name,
    synthetic: task.synthetic,
    outOfTime: end.outOfTime,
    trials: trials.length,
    complete: verdict.trials,
    pruned: verdict.pruned,
    best: { trial: best.number, params: best.params, pipeline, values: valuesOf(best, objectives) },
    untuned: untuned && { trial: untuned.number, values: valuesOf(untuned, objectives) },
    importance,
    verdict,
    test: rows.map(({ name, figures }) => ({ name, ...figures.figures, fills: figures.fills })),
    againstSymbolsHeldAlike: end.equalSymbols,
    againstModelsWithEqualWeights: end.equalModels,
    found: end.found,
    reasons: end.reasons,
  });
  if (task.synthetic) out.print('These candles are SYNTHETIC: what was found says nothing about any market.');
  out.print(`Best of ${trials.length} trials, number ${best.number}: ${pipelineText(pipeline)}`);
  out.table(
    ['on the folds', ...objectives, 'fills'],
    [...(untuned ? [untuned] : []), best].map((trial) => [
      trial === best ? `best (trial ${trial.number})` : `untuned: ${String(trial.params['model'])}`,
      ...objectives.map((name) => valuesOf(trial, objectives)[name].toFixed(3)),
      String(fillsOf(trial)),
    ]),
  );
  for (const line of importanceLines(importance, shortName)) out.print(`\n${line}`);
  out.print(
    `\nThe bars that no trial saw, ${formatMinute(task.testFromMs)} .. ${formatMinute(task.untilMs)}, after costs:`,
  );
  out.table(
    ['', 'net return %', 'Sharpe', 'max drawdown %', 'fills'],
    rows.map(({ name, figures }) => [name, ...figureCells(figures)]),
  );
  out.print(`\n${luckText(verdict)}`);
  out.print(equalText('all symbols held alike', end.equalSymbols));
  if (end.equalModels) out.print(equalText('all models with equal weights', end.equalModels));
  out.print(
    end.found
      ? `Found: better than luck and than every baseline. Next: crypto-trader tune apply ${settings.name} --out tuned.yaml`
      : `Nothing found: ${end.reasons.join('; ')}.`,
  );
}

const figureCells = ({ figures, fills }: SpanFigures): readonly string[] => [
  figures['net-return']?.toFixed(1) ?? '-',
  figures.sharpe?.toFixed(2) ?? '-',
  figures.drawdown?.toFixed(1) ?? '-',
  String(fills),
];

/** Whether what was found beats equal weights, in one sentence. */
function equalText(other: string, { beats, differencePctPerYear, interval }: AgainstEqualWeights): string {
  const range =
    interval === undefined
      ? 'too few bars for an interval'
      : `95 % ${interval.low.toFixed(1)} .. ${interval.high.toFixed(1)}`;
  return `On these bars it ${beats ? 'beats' : 'does not beat'} ${other}: ${differencePctPerYear.toFixed(1)} percentage points a year (${range}).`;
}

/** A pipeline on one line, in the order in which it works. */
export function pipelineText(pipeline: Pipeline): string {
  const { timeframe, model, features, ensemble, partners, strategy, modelParams, strategyParams } = pipeline;
  const own = (params: Pipeline['modelParams']): string =>
    Object.keys(params).length === 0 ? '' : ` (${valueText(params)})`;
  return [
    `${timeframe} bars`,
    `${features === 'own' ? 'its own' : features} features`,
    `${model}${own(modelParams)}`,
    ...(ensemble === ALONE ? [] : [`with ${partners.join(' and ')} by ${ensemble}`]),
    `${strategy}${own(strategyParams)}`,
  ].join(', ');
}

const shortName = (name: string): string => name.replace(/^(models|strategies)\./, '');
