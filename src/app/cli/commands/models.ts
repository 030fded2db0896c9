import { join } from 'node:path';
import { z } from 'zod';
import type { Command } from 'commander';
import { parseSymbol } from '../../../core/market/symbol.ts';
import { parseTimeframe } from '../../../core/market/timeframe.ts';
import { formatDay, formatMinute } from '../../../core/foundation/time.ts';
import { writeFileAtomic } from '../../../data/files.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Model } from '../../../core/forecast/model.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { loadMember, type TrainedMember } from '../../../learning/training/member-folder.ts';
import { modelParams } from '../../../learning/training/plan.ts';
import type { ForecastScore } from '../../../learning/validation/score.ts';
import { activateRun, activeRunId, rollbackRun, runInUse } from '../../../learning/training/active-run.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { findRun, listRuns, type RunFolder, surveyRuns } from '../../../learning/training/run-folder.ts';
import { deletedRuns, deleteRun, restoreRun, trashFolder } from '../../../learning/training/trash.ts';
import { listSessions, runOfSession } from '../../../desk/paper/sessions.ts';
import type { Config } from '../../config/schema.ts';
import { describeRun } from '../../workflows/runs.ts';
import { projectRegistry } from '../project-plugins.ts';
import { command, type CommandContext } from '../command.ts';
import { explanationText } from '../explanation-text.ts';
import { reportText, valueText } from '../report-text.ts';
import { addRunOption, RUN_OPTION, runNamed } from '../run-options.ts';
import { defaultSubcommand } from '../subcommands.ts';
import { addAdapt } from './models-adapt.ts';
import { addCompare } from './models-compare.ts';
import { addDrift } from './models-drift.ts';
import { less, prose } from '../table.ts';

const Options = z.object({ ...RUN_OPTION, out: z.string().optional() });
type Options = z.output<typeof Options> & { readonly registry: Registry };

const EXAMPLES = `
Examples:
  $ crypto-trader models list
  $ crypto-trader models show boosted-trees
  $ crypto-trader models compare btc-only all     what differs, and how each model did
  $ crypto-trader models drift                    do they still stand where they were validated?
  $ crypto-trader models adapt --since 14d        networks, in seconds, to the newest bars
  $ crypto-trader models activate btc-only        signals, backtest and paper use it from now on
  $ crypto-trader models rollback                 back to the run that was active before
  $ crypto-trader models delete btc-only          into the trash; models restore undoes it
  $ crypto-trader models export <model> --out model.onnx`;

export function register(program: Command): void {
  const group = program.command('models').addHelpText('after', EXAMPLES);

  defaultSubcommand(group, 'list')
    .description('every model and every training run')
    .action(command(async (context) => listModels(context), { logs: false }));

  const show = group
    .command('show')
    .argument('<model>')
    .description('one model: its parameters, and what it learned');
  addRunOption(
    show,
    'a training run: its name or its folder (default: the active one, else the newest with this model)',
  ).action(
    command(async (context, options, id) => {
      const registry = await projectRegistry(context);
      return showModel(context, await modelNamed(context, registry, id), {
        ...Options.parse(options),
        registry,
      });
    }),
  );

  addCompare(group);
  addDrift(group);
  addAdapt(group);

  group
    .command('activate')
    .argument('<run>')
    .description('make a run the one that signals, backtest and paper use; every file of it is checked first')
    .action(command(async (context, _options, run) => activate(context, run)));

  group
    .command('rollback')
    .description('make the run active that was active before')
    .action(command(async (context) => rollback(context)));

  group
    .command('delete')
    .argument('<run>')
    .description('move a run that is not active into the trash')
    .action(command(async (context, _options, run) => remove(context, run)));

  group
    .command('restore')
    .argument('<run>')
    .description('bring a deleted run back')
    .action(command(async (context, _options, run) => restore(context, run)));

  const exporting = group
    .command('export')
    .argument('<model>')
    .description('the ONNX file of a trained model that has one');
  addRunOption(exporting)
    .option('--out <file>', 'where to write it (default: <model>.onnx)')
    .action(
      command(async (context, options, id) => {
        const registry = await projectRegistry(context);
        return exportModel(context, await modelNamed(context, registry, id), {
          ...Options.parse(options),
          registry,
        });
      }),
    );
}

/** Throws `UserError` that says what a name is that is no model's, but a run's. */
async function modelNamed({ config }: CommandContext, registry: Registry, id: string): Promise<Model> {
  const runs = await listRuns(config.checkpointDir);
  const run = runs.find(({ runId }) => runId === id);
  if (run === undefined || registry.models.some((model) => model.id === id)) return registry.findModel(id);
  throw new UserError(`"${id}" is a training run, not a model.`, {
    hint: `Name one of its models: crypto-trader models show ${run.plan.models[0].id} --run ${id}`,
  });
}

async function listModels(context: CommandContext): Promise<void> {
  const { config, out } = context;
  const { models, plugins } = await projectRegistry(context);
  const fileOf = (id: string): string | undefined =>
    plugins.find(({ provides }) => provides.includes(id))?.path;
  const { runs, damaged } = await surveyRuns(config.checkpointDir);
  const active = await activeRunId(config.checkpointDir);
  const deleted = await deletedRuns(config.checkpointDir);
  const trained = (id: string): RunFolder | undefined =>
    runs.findLast(({ result }) => result?.models.includes(id));
  out.document({
    models: models.map(({ id, kind, summary, source }) => ({
      id,
      kind,
      summary,
      source,
      plugin: fileOf(id),
      newestRunId: trained(id)?.runId,
    })),
    runs: runs.map((run) => describeRun(run, active)),
    damagedRuns: damaged,
    deletedRuns: deleted,
  });
  out.table(
    ['model', less('kind'), prose('what it does'), less('newest run', 2)],
    models.map((model) => [model.id, model.kind, model.summary, trained(model.id)?.runId ?? '-']),
  );
  for (const { runId, reason } of damaged) out.print(`\n${runId} cannot be used. ${reason}`);
  if (runs.length === 0) return out.print('\nNothing is trained yet: crypto-trader train --mode quick');
  out.print();
  out.table(
    [
      'run',
      'state',
      prose('market'),
      less('trained until', 5),
      less('validated until', 3),
      less('models', 4),
      less('hit rate %', 2),
      'net return %',
      less('hold %', 1),
    ],
    runs.map(({ runId, plan, result }) => [
      runId,
      [
        runId === active ? 'active' : '',
        result === undefined ? 'not complete' : '',
        plan.synthetic ? 'SYNTHETIC' : '',
      ]
        .join(' ')
        .trim(),
      `${plan.exchange} ${plan.symbols.join(' ')} ${plan.timeframe}`,
      formatDay(plan.trainUntilMs),
      formatDay(plan.validateUntilMs),
      modelCount(result),
      result?.ensemble.metrics.directionalAccuracyPct?.toFixed(1) ?? '-',
      result?.ensemble.metrics.netReturnPct.toFixed(1) ?? '-',
      result?.baselines['buy-and-hold']?.netReturnPct.toFixed(1) ?? '-',
    ]),
  );
  out.print(
    "\nHit rate and net return: the ensemble on the run's own validation bars, beside buy and hold on the same bars. Runs compare only where those bars are the same.",
  );
  if (deleted.length > 0)
    out.print(`Deleted: ${deleted.join(', ')}. Bring back with: crypto-trader models restore <run>`);
  out.print(conclusion(runs, active));
}

/** How many models a run has; of those, how many do not vote. */
function modelCount(result: RunFolder['result']): string {
  if (result === undefined) return '-';
  const silent = result.models.filter((id) => result.noSkill?.[id] !== undefined).length;
  return silent === 0 ? String(result.models.length) : `${result.models.length} (${silent} no skill)`;
}

/** What is used, and what to do next. */
function conclusion(runs: readonly RunFolder[], active: string | undefined): string {
  const complete = runs.filter(({ result }) => result !== undefined).map(({ runId }) => runId);
  const used = active ?? (complete.length === 1 ? complete[0] : undefined);
  if (complete.length === 0) return 'No run is complete. Next: crypto-trader train --mode resume';
  if (used === undefined) return 'No run is active. Next: crypto-trader models activate <run>';
  return `signals, backtest and paper use ${used}. Another: crypto-trader models activate <run>, or --run <run> for one command.`;
}

async function activate({ config, out }: CommandContext, name: string): Promise<void> {
  const run = await findRun(config.checkpointDir, name);
  const { before } = await activateRun(config.checkpointDir, run, async () => {
    const trained = await loadTrained(config.checkpointDir, { runId: name });
    for (const { fitted } of trained.members) fitted.dispose?.();
  });
  out.document({ active: run.runId, before });
  out.print(
    before === run.runId
      ? `${run.runId} is active already.`
      : `${run.runId} is active: signals, backtest and paper use it.${before === undefined ? '' : ` Before: ${before}; crypto-trader models rollback goes back.`}`,
  );
}

async function rollback({ config, out }: CommandContext): Promise<void> {
  const { from, to } = await rollbackRun(config.checkpointDir);
  out.document({ active: to, before: from });
  out.print(`${to} is active again, instead of ${from}.`);
}

async function remove({ config, out }: CommandContext, name: string): Promise<void> {
  await requireNoSession(config, await findRun(config.checkpointDir, name));
  const { runId } = await deleteRun(config.checkpointDir, name);
  out.document({ deleted: runId, trash: trashFolder(config.checkpointDir) });
  out.print(
    `${runId} is in ${trashFolder(config.checkpointDir)}. Undo: crypto-trader models restore ${runId}. Remove that folder to free the space.`,
  );
}

/** A session keeps its run until it is told another; without it, it could not be resumed. */
async function requireNoSession({ dataDir }: Config, { runId }: RunFolder): Promise<void> {
  for (const session of await listSessions(dataDir)) {
    if ((await runOfSession(dataDir, session)) !== runId) continue;
    throw new UserError(`The paper session "${session}" uses the run "${runId}".`, {
      hint: `Give it another run first: crypto-trader paper --name ${session} --run <run>; or archive it with --fresh.`,
    });
  }
}

async function restore({ config, out }: CommandContext, runId: string): Promise<void> {
  await restoreRun(config.checkpointDir, runId);
  out.document({ restored: runId });
  out.print(`${runId} is back. It is not active: crypto-trader models activate ${runId}`);
}

async function showModel({ config, out }: CommandContext, model: Model, options: Options): Promise<void> {
  const schema = ParamsSchema.parse(z.toJSONSchema(model.params, { io: 'input', unrepresentable: 'any' }));
  const effective = z
    .record(z.string(), z.unknown())
    .parse(modelParams(model, 'full', config.models[model.id] ?? {}));
  const member = await memberToShow(config.checkpointDir, model, options);
  const network = await networkOf(config, model, effective, member);
  out.document({
    id: model.id,
    kind: model.kind,
    summary: model.summary,
    source: model.source,
    params: effective,
    quickParams: model.quickParams,
    paramsSchema: schema,
    features: model.features(effective),
    network,
    checkpoint: member && {
      folder: member.folder,
      ...member.manifest,
      noSkill: member.noSkill,
      report: member.fitted.report,
      explanation: member.fitted.explanation,
    },
  });
  out.print(`${model.id} (${model.kind}): ${model.summary}\nSource: ${model.source}\n`);
  out.table(
    ['parameter', prose('value'), less('quick'), prose('meaning')],
    Object.entries(schema.properties).map(([name, { description }]) => [
      name,
      valueText(effective[name]),
      model.quickParams?.[name] === undefined ? '' : valueText(model.quickParams[name]),
      description ?? '',
    ]),
  );
  out.print(`\nFeatures: ${model.features(effective).join(', ') || 'none'}`);
  if (network !== undefined) {
    const { parameters, layers } = network;
    out.print(`\nNetwork, ${parameters.toLocaleString('en')} parameters, layer by layer for one window:`);
    out.table(
      ['layer', 'kind', 'takes', 'gives', 'parameters'],
      layers
        .filter(({ depth }) => depth === 0)
        .map((layer) => [
          layer.name,
          layer.kind,
          layer.inputs.map(shapeText).join(', '),
          layer.outputs.map(shapeText).join(', '),
          layer.parameters.toLocaleString('en'),
        ]),
    );
  }
  if (member === undefined) return out.print('\nNot trained yet: crypto-trader train --mode quick');
  const { manifest } = member;
  const { metrics } = manifest;
  out.print(`
Checkpoint ${member.folder}
  trained      ${manifest.trainedAt}, seed ${manifest.seed}, ${manifest.seconds.toFixed(1)} s
  candles      ${manifest.exchange} ${manifest.symbols.join(' ')} ${manifest.timeframe}${manifest.synthetic ? ' SYNTHETIC' : ''}, until ${formatMinute(manifest.trainUntilMs)}
  weights      ${manifest.weightHash}
  validation   ${validationText(metrics)}
${member.noSkill === undefined ? '' : `  no skill     ${member.noSkill}; it does not vote in the ensemble\n`}${(manifest.absent ?? []).map(({ name, reason }) => `  without      ${name}: ${reason}\n`).join('')}  buy and hold ${manifest.baselines['buy-and-hold']?.netReturnPct.toFixed(1) ?? '-'} % on the same bars

Learned:
${reportText(member.fitted.report)}`);
  for (const part of member.fitted.explanation ?? []) out.print(`\n${explanationText(part)}`);
}

const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** The network of the checkpoint, or what would be built of the settings. */
function networkOf(
  { market }: Config,
  model: Model,
  params: Readonly<Record<string, unknown>>,
  member: Shown | undefined,
) {
  const trained = member === undefined ? params : model.params.parse(member.manifest.params);
  const { timeframe, symbols, lengths } =
    member === undefined
      ? { ...market, lengths: model.barLengths?.(trained) ?? [] }
      : {
          lengths: member.lengths,
          timeframe: parseTimeframe(member.manifest.timeframe),
          symbols: member.manifest.symbols.map(parseSymbol),
        };
  return model.layers?.(trained, { timeframe, symbols, lengths, features: model.features(trained) });
}

/** One line: how often the direction was right, and what following it would have returned. */
function validationText(score: ForecastScore): string {
  const {
    samples,
    unmoved = 0,
    directionalAccuracyPct: right,
    directionalAccuracyIntervalPct: interval,
  } = score;
  const direction =
    right === undefined || interval === undefined
      ? 'no position taken'
      : `${samples} samples${unmoved === 0 ? '' : ` (${unmoved} bars that did not move are left out)`}, hit rate ${right.toFixed(1)} % (${interval.map((bound) => bound.toFixed(1)).join(' .. ')})`;
  return `${direction}, net return ${score.netReturnPct.toFixed(1)} % at ${score.feeBps} + ${score.slippageBps} bp per side`;
}

const ParamsSchema = z.object({
  properties: z.record(z.string(), z.object({ description: z.string().optional() })).default({}),
});

async function memberToShow(
  checkpointDir: string,
  model: Model,
  options: Options,
): Promise<Shown | undefined> {
  const { registry } = options;
  const name = runNamed(options);
  if (name !== undefined) {
    const run = await findRun(checkpointDir, name);
    return memberOf(run, model, registry);
  }
  const active = await activeRunId(checkpointDir);
  const newestFirst = (await listRuns(checkpointDir)).toReversed();
  const activeFirst = newestFirst.toSorted((a, b) => Number(b.runId === active) - Number(a.runId === active));
  for (const run of activeFirst) {
    const member = await memberOf(run, model, registry);
    if (member !== undefined) return member;
  }
  return undefined;
}

/** A model of a run, with what the run found of its skill. */
async function memberOf(run: RunFolder, { id }: Model, registry: Registry): Promise<Shown | undefined> {
  const member = await loadMember(join(run.path, id), { run, registry });
  return member && { ...member, noSkill: run.result?.noSkill?.[id], lengths: run.plan.lengths };
}

/** A trained model, and the bars of other lengths that its run read beside. */
interface Shown extends TrainedMember {
  readonly lengths: RunFolder['plan']['lengths'];
}

async function exportModel({ config, out }: CommandContext, model: Model, options: Options): Promise<void> {
  const run = await runInUse(config.checkpointDir, runNamed(options));
  const member = await loadMember(join(run.path, model.id), { run, registry: options.registry });
  if (member === undefined) {
    throw new UserError(`The training run "${run.runId}" has no model "${model.id}".`, {
      hint: `Train it: crypto-trader train --models ${model.id}`,
    });
  }
  const bytes = member.fitted.save().blobs['model.onnx'];
  if (bytes === undefined) {
    throw new UserError(`The model "${model.id}" has no ONNX form.`, {
      hint: `Its checkpoint is plain data that can be read as it is: ${join(member.folder, 'model.json')}`,
    });
  }
  const file = options.out ?? `${model.id}.onnx`;
  await writeFileAtomic(file, bytes);
  out.document({ model: model.id, runId: run.runId, file, bytes: bytes.length });
  out.print(`Wrote ${file} (${bytes.length} bytes) from ${run.runId}.`);
}
