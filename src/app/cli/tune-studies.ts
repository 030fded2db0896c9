import type { Command } from 'commander';
import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { writeFileAtomic } from '../../data/files.ts';
import { importanceOf } from '../../lab/tuning/importance.ts';
import { fromLoss, OBJECTIVES, type ObjectiveName } from '../../lab/tuning/objective.ts';
import { ALONE, type Pipeline } from '../../lab/tuning/pipeline-space.ts';
import { openStudy } from '../../lab/tuning/study.ts';
import type { KeptTrial, StudySettings } from '../../lab/tuning/study-journal.ts';
import { renderStudyReport } from '../report/study-report.ts';
import { autoTaskOf, isAutoStudy } from '../workflows/automl-task.ts';
import { bestTrial, listStudies, taskOf, tunedModel } from '../workflows/tune.ts';
import { command, type CommandContext } from './command.ts';
import { UsageError } from './exit.ts';
import { valueText } from './report-text.ts';
import { fillsOf, importanceLines, valuesOf } from './tune-text.ts';

/** Adds what looks at studies: `tune list`, `show`, `best`, `apply`, `export`. */
export function addStudies(group: Command): void {
  group
    .command('list')
    .description('the studies of this project')
    .action(command(async (context) => listAll(context), { logs: false }));
  group
    .command('show')
    .argument('<study>')
    .option(
      '--report <file>',
      'an .html file: history, parallel coordinates, slices, contour, timeline and more',
    )
    .description('trials, the importance of parameters, and whether every suggestion can be made again')
    .action(command(async (context, options, name) => show(context, name, options), { logs: false }));
  group
    .command('best')
    .argument('<study>')
    .description('the parameters of the best trial')
    .action(command(async (context, _options, name) => best(context, name), { logs: false }));
  group
    .command('apply')
    .argument('<study>')
    .option('--out <file>', 'write them there instead of printing them')
    .description('the best parameters as lines for config.yaml')
    .action(command(async (context, options, name) => apply(context, name, options), { logs: false }));
  group
    .command('export')
    .argument('<study>')
    .requiredOption('--out <file>', 'a .csv or .json file')
    .description('every trial as a table')
    .action(command(async (context, options, name) => exportTrials(context, name, options)));
}

/** A study's name is that of its folder. Throws `UsageError`. */
export function assertStudyName(name: string): void {
  if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name))
    throw new UsageError(
      `"${name}" cannot be the name of a study: letters, digits, dots, dashes, underscores.`,
    );
}

/** The folder of a study. Throws `UserError` with those that there are. */
export async function folderOf({ config }: CommandContext, name: string): Promise<string> {
  const studies = await listStudies(config.tuningDir);
  const found = studies.find((study) => study.name === name);
  if (found !== undefined) return found.folder;
  throw new UserError(`There is no study "${name}".`, {
    hint:
      studies.length === 0
        ? 'Start one: crypto-trader tune --model boosted-trees'
        : `There are: ${studies.map((study) => study.name).join(', ')}.`,
  });
}

/** What a list says of a study. */
async function rowOf(folder: string, settings: StudySettings) {
  const study = await openStudy(folder);
  await study.refresh();
  const trials = study.trials();
  const complete = trials.filter(({ state, violation }) => state === 'complete' && violation === 0);
  return {
    settings,
    model: isAutoStudy(settings) ? autoTaskOf(settings).models.join('|') : taskOf(settings).model,
    trials: trials.length,
    best: complete.length > 0 ? bestTrial(trials) : undefined,
  };
}

async function listAll({ config, out }: CommandContext): Promise<void> {
  const studies = await listStudies(config.tuningDir);
  const rows: Awaited<ReturnType<typeof rowOf>>[] = [];
  const damaged: { readonly name: string; readonly why: string }[] = [];
  for (const { name, folder, settings } of studies) {
    try {
      if ('damaged' in settings) damaged.push({ name, why: settings.damaged });
      else rows.push(await rowOf(folder, settings));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      damaged.push({ name, why: error.message });
    }
  }
  out.document({
    studies: rows.map(({ settings, model, trials, best: winner }) => ({
      name: settings.name,
      createdAt: settings.createdAt,
      model,
      sampler: settings.sampler,
      objectives: settings.objectives,
      trials,
      best: winner && {
        trial: winner.number,
        values: valuesOf(winner, settings.objectives as ObjectiveName[]),
      },
    })),
    damaged,
  });
  for (const { name, why } of damaged) out.print(`${name} is DAMAGED: ${why}`);
  if (studies.length === 0)
    return out.print('There is no study yet: crypto-trader tune --model boosted-trees');
  out.table(
    ['study', 'model', 'objective', 'sampler', 'trials', 'best'],
    rows.map(({ settings, model, trials, best: winner }) => {
      const name = settings.objectives[0] as ObjectiveName;
      return [
        settings.name,
        model,
        settings.objectives.join(', '),
        settings.sampler,
        String(trials),
        winner === undefined ? '-' : fromLoss(name, winner.values[0]).toFixed(3),
      ];
    }),
  );
}

async function show(
  context: CommandContext,
  name: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { out } = context;
  const report = z.string().optional().parse(options['report']);
  if (report !== undefined && !/\.html?$/.test(report))
    throw new UsageError(`--report cannot be "${report}": expected a name that ends with .html.`);
  const study = await openStudy(await folderOf(context, name));
  await study.refresh();
  const { settings } = study;
  const trials = study.trials();
  const objectives = settings.objectives as ObjectiveName[];
  const wrong = await study.verify();
  const importance = importanceOf(settings.space, trials);
  if (report !== undefined) {
    const page = { settings, trials, importance, notReproduced: wrong };
    await writeFileAtomic(report, renderStudyReport(page));
  }
  out.document({ settings, trials, importance, notReproduced: wrong, report });
  const ranked = trials
    .filter(({ state }) => state === 'complete')
    .toSorted((a, b) => Number(a.violation > 0) - Number(b.violation > 0) || a.values[0] - b.values[0]);
  out.table(
    ['trial', ...objectives, 'fills', 'parameters'],
    ranked
      .slice(0, 15)
      .map((trial) => [
        String(trial.number),
        ...objectives.map((objective) => valuesOf(trial, objectives)[objective].toFixed(3)),
        `${fillsOf(trial)}${trial.violation > 0 ? ' (too few)' : ''}`,
        valueText(trial.params),
      ]),
  );
  const count = (state: KeptTrial['state']): number => trials.filter((trial) => trial.state === state).length;
  out.print(
    `\n${trials.length} trials: ${count('complete')} complete, ${count('pruned')} pruned, ${count('failed')} failed, ${count('running')} running.`,
  );
  for (const { number, reason } of trials.filter(({ state }) => state === 'failed').slice(0, 5))
    out.print(`Trial ${number} failed: ${reason}`);
  for (const line of importanceLines(importance)) out.print(line);
  out.print(
    `Objective: ${objectives.map((objective) => OBJECTIVES[objective].text).join('; ')}, mean over ${settings.steps} folds.`,
  );
  out.print(
    wrong.length === 0
      ? 'Every suggestion was made again from the journal, and is the same.'
      : `Trials ${wrong.join(', ')} do not follow from the journal: it was changed, or another version of the program made them.`,
  );
  if (report !== undefined) out.print(`The report is in ${report}.`);
}

async function best(context: CommandContext, name: string): Promise<void> {
  const study = await openStudy(await folderOf(context, name));
  await study.refresh();
  const winner = bestTrial(study.trials());
  const objectives = study.settings.objectives as ObjectiveName[];
  context.out.document({ trial: winner.number, params: winner.params, values: valuesOf(winner, objectives) });
  context.out.print(`Trial ${winner.number}: ${valueText(valuesOf(winner, objectives))}`);
  for (const [parameter, value] of Object.entries(winner.params))
    context.out.print(`  ${parameter}: ${value}`);
}

async function apply(
  context: CommandContext,
  name: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const study = await openStudy(await folderOf(context, name));
  const { model, params, own, trial, trials, pipeline } = await tunedModel(study);
  const line =
    (comment: string) =>
    ([parameter, value]: [string, unknown]) =>
      `    ${parameter}: ${JSON.stringify(value)} # ${comment}`;
  const lines = [
    'models:',
    `  ${model}:`,
    ...Object.entries(params).map(line(`study ${name}, trial ${trial} of ${trials}`)),
    ...Object.entries(own)
      .filter(([parameter]) => !(parameter in params))
      .map(line(`not searched by study ${name}`)),
  ];
  const comment = `study ${name}, trial ${trial} of ${trials}`;
  if (pipeline !== undefined) lines.push(...pipelineLines(pipeline, comment));
  const text = `${lines.join('\n')}\n`;
  const file = z.string().optional().parse(options['out']);
  context.out.document({ model, params: { ...own, ...params }, study: name, trial, pipeline });
  if (file === undefined) return context.out.print(text.trimEnd());
  await writeFileAtomic(file, text);
  if (pipeline !== undefined) {
    const models = [model, ...pipeline.partners].join(',');
    return context.out.print(
      `Written to ${file}. Use it: crypto-trader train --config ${file} --models ${models}`,
    );
  }
  context.out.print(
    `Written to ${file}. Use it: crypto-trader train --config ${file} --models ${model}, or without a file: crypto-trader train --models ${model} --tuned ${name}`,
  );
}

/** What a search over whole pipelines chose beside the model's parameters, as settings. */
function pipelineLines(
  { timeframe, ensemble, strategy, strategyParams }: Pipeline,
  comment: string,
): string[] {
  const params = Object.entries(strategyParams);
  return [
    ...['market:', `  timeframe: ${timeframe} # ${comment}`],
    ...['strategy:', `  name: ${strategy} # ${comment}`],
    ...(params.length === 0
      ? []
      : [
          'strategies:',
          `  ${strategy}:`,
          ...params.map(([key, value]) => `    ${key}: ${value} # ${comment}`),
        ]),
    ...(ensemble === ALONE ? [] : ['ensemble:', `  name: ${ensemble} # ${comment}`]),
  ];
}

async function exportTrials(
  context: CommandContext,
  name: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const file = z.string().parse(options['out']);
  const study = await openStudy(await folderOf(context, name));
  await study.refresh();
  const { settings } = study;
  const objectives = settings.objectives as ObjectiveName[];
  const trials = study.trials();
  if (/\.json$/.test(file)) await writeFileAtomic(file, `${JSON.stringify(trials, undefined, 1)}\n`);
  else if (/\.csv$/.test(file)) {
    const names = Object.keys(settings.space);
    const cell = (value: string | number | boolean | undefined): string =>
      value === undefined ? '' : /[",\n]/.test(String(value)) ? JSON.stringify(value) : String(value);
    const rows = trials.map((trial) =>
      [
        trial.number,
        trial.state,
        ...objectives.map((_, i) =>
          trial.values[i] === undefined ? undefined : fromLoss(objectives[i], trial.values[i]),
        ),
        ...names.map((parameter) => trial.params[parameter]),
        trial.startedAt,
        trial.endedAt,
      ]
        .map(cell)
        .join(','),
    );
    const head = ['trial', 'state', ...objectives, ...names, 'started', 'ended'].join(',');
    await writeFileAtomic(file, `${[head, ...rows].join('\n')}\n`);
  } else throw new UsageError(`--out cannot be "${file}": expected a name that ends with .csv or .json.`);
  context.out.document({ study: name, file, trials: trials.length });
  context.out.print(`${trials.length} trials of ${name} are in ${file}.`);
}
