import { join } from 'node:path';
import { z } from 'zod';
import type { Command } from 'commander';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { writeFileAtomic } from '../../../data/files.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import type { Model } from '../../../core/forecast/model.ts';
import { findModel, models } from '../../../learning/models/registry.ts';
import { loadMember, type TrainedMember } from '../../../learning/training/member-folder.ts';
import { modelParams } from '../../../learning/training/plan.ts';
import type { ForecastScore } from '../../../learning/validation/score.ts';
import { findRun, listRuns, newestRun, type RunFolder } from '../../../learning/training/run-folder.ts';
import { command, type CommandContext } from '../command.ts';
import { explanationText } from '../explanation-text.ts';
import { reportText, valueText, wrapped } from '../report-text.ts';
import { defaultSubcommand } from '../subcommands.ts';

const Options = z.object({ checkpoint: z.string().optional(), out: z.string().optional() });
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader models list
  $ crypto-trader models show boosted-trees
  $ crypto-trader models export <model> --out model.onnx`;

export function register(program: Command): void {
  const group = program
    .command('models')
    .description('the models, their parameters, what was trained and how it did')
    .addHelpText('after', EXAMPLES);

  defaultSubcommand(group, 'list')
    .description('every model and every training run')
    .action(command(async (context) => listModels(context), { logs: false }));

  group
    .command('show')
    .argument('<model>')
    .description('one model: its parameters, and what its newest checkpoint learned')
    .option(
      '--checkpoint <run>',
      'a training run: its id or its folder (default: the newest with this model)',
    )
    .action(
      command(async (context, options, id) => showModel(context, findModel(id), Options.parse(options))),
    );

  group
    .command('export')
    .argument('<model>')
    .description('the ONNX file of a trained model that has one')
    .option('--checkpoint <run>', 'a training run: its id or its folder (default: the newest)')
    .option('--out <file>', 'where to write it (default: <model>.onnx)')
    .action(
      command(async (context, options, id) => exportModel(context, findModel(id), Options.parse(options))),
    );
}

async function listModels({ config, out }: CommandContext): Promise<void> {
  const runs = await listRuns(config.checkpointDir);
  const trained = (id: string): RunFolder | undefined =>
    runs.findLast(({ result }) => result?.models.includes(id));
  out.document({
    models: models.map(({ id, kind, summary, source }) => ({
      id,
      kind,
      summary,
      source,
      newestRunId: trained(id)?.runId,
    })),
    runs: runs.map(({ runId, path, plan, result }) => ({
      runId,
      checkpoint: path,
      mode: plan.mode,
      seed: plan.seed,
      exchange: plan.exchange,
      symbols: plan.symbols,
      timeframe: plan.timeframe,
      synthetic: plan.synthetic,
      trainUntil: formatTime(plan.trainUntilMs),
      validateUntil: formatTime(plan.validateUntilMs),
      complete: result !== undefined,
      models: result?.models,
      ensemble: result?.ensemble,
    })),
  });
  out.table(
    ['model', 'kind', 'what it does', 'newest run'],
    models.map((model) => [model.id, model.kind, model.summary, trained(model.id)?.runId ?? '-']),
  );
  if (runs.length === 0) return out.print('\nNothing is trained yet: crypto-trader train --mode quick');
  out.print();
  out.table(
    ['run', 'market', 'validated until', 'models', ''],
    runs.map(({ runId, plan, result }) => [
      runId,
      `${plan.exchange} ${plan.symbols.join(' ')} ${plan.timeframe}`,
      formatTime(plan.validateUntilMs).slice(0, 10),
      String(result?.models.length ?? '-'),
      [result === undefined ? 'not complete' : '', plan.synthetic ? 'SYNTHETIC' : ''].join(' ').trim(),
    ]),
  );
}

async function showModel({ config, out }: CommandContext, model: Model, options: Options): Promise<void> {
  const schema = ParamsSchema.parse(z.toJSONSchema(model.params, { io: 'input', unrepresentable: 'any' }));
  const effective = z
    .record(z.string(), z.unknown())
    .parse(modelParams(model, 'full', config.models[model.id] ?? {}));
  const member = await newestMember(config.checkpointDir, model, options.checkpoint);
  out.document({
    id: model.id,
    kind: model.kind,
    summary: model.summary,
    source: model.source,
    params: effective,
    quickParams: model.quickParams,
    paramsSchema: schema,
    features: model.features(effective),
    checkpoint: member && {
      folder: member.folder,
      ...member.manifest,
      report: member.fitted.report,
      explanation: member.fitted.explanation,
    },
  });
  out.print(`${model.id} (${model.kind}): ${model.summary}\nSource: ${model.source}\n`);
  out.table(
    ['parameter', 'value', 'quick', 'meaning'],
    Object.entries(schema.properties).map(([name, { description }]) => [
      name,
      valueText(effective[name]),
      model.quickParams?.[name] === undefined ? '' : valueText(model.quickParams[name]),
      description ?? '',
    ]),
  );
  out.print(`\n${wrapped(`Features: ${model.features(effective).join(', ') || 'none'}`)}`);
  if (member === undefined) return out.print('\nNot trained yet: crypto-trader train --mode quick');
  const { manifest } = member;
  const { metrics } = manifest;
  out.print(`
Checkpoint ${member.folder}
  trained      ${manifest.trainedAt}, seed ${manifest.seed}, ${manifest.seconds.toFixed(1)} s
  candles      ${manifest.exchange} ${manifest.symbols.join(' ')} ${manifest.timeframe}${manifest.synthetic ? ' SYNTHETIC' : ''}, until ${formatMinute(manifest.trainUntilMs)}
  weights      ${manifest.weightHash}
  validation   ${validationText(metrics)}
${(manifest.absent ?? []).map(({ name, reason }) => `  without      ${name}: ${reason}\n`).join('')}  buy and hold ${manifest.baselines['buy-and-hold']?.netReturnPct.toFixed(1) ?? '-'} % on the same bars

Learned:
${reportText(member.fitted.report)}`);
  for (const part of member.fitted.explanation ?? []) out.print(`\n${explanationText(part)}`);
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
      : `${samples} samples${unmoved === 0 ? '' : ` (${unmoved} bars that did not move are left out)`}, direction right ${right.toFixed(1)} % (${interval.map((bound) => bound.toFixed(1)).join(' .. ')})`;
  return `${direction}, net return ${score.netReturnPct.toFixed(1)} % at ${score.feeBps} + ${score.slippageBps} bp a side`;
}

const ParamsSchema = z.object({
  properties: z.record(z.string(), z.object({ description: z.string().optional() })).default({}),
});

async function newestMember(
  checkpointDir: string,
  model: Model,
  checkpoint: string | undefined,
): Promise<TrainedMember | undefined> {
  if (checkpoint !== undefined)
    return loadMember(join((await findRun(checkpointDir, checkpoint)).path, model.id));
  for (const run of (await listRuns(checkpointDir)).toReversed()) {
    const member = await loadMember(join(run.path, model.id));
    if (member !== undefined) return member;
  }
  return undefined;
}

async function exportModel({ config, out }: CommandContext, model: Model, options: Options): Promise<void> {
  const run =
    options.checkpoint === undefined
      ? await newestRun(config.checkpointDir)
      : await findRun(config.checkpointDir, options.checkpoint);
  const member = await loadMember(join(run.path, model.id));
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
