import { join } from 'node:path';
import { type Command } from 'commander';
import { z } from 'zod';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { tradeCostsFrom } from '../../../core/trading/trade-cost.ts';
import { requireWritable, writeFileAtomic } from '../../../data/files.ts';
import { openStore } from '../../../data/store/store.ts';
import { audit as runAudit, type AuditOptions, CHECKS } from '../../../lab/audit/audit.ts';
import type { Finding } from '../../../lab/audit/finding.ts';
import { walkForwardForecasts } from '../../../lab/backtest/walk-forward-source.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { openFoldCache } from '../../../learning/validation/fold-cache.ts';
import { configuredInstruments, spotRules } from '../../config/execution.ts';
import { auditFolds, isAudited } from '../../workflows/audit-folds.ts';
import { auditedRun, auditSubject } from '../../workflows/audit-subject.ts';
import { keepAudit } from '../../workflows/kept-audits.ts';
import { command, type CommandContext, decimal, integer, list, oneOf, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import { projectRegistry } from '../project-plugins.ts';
import { addMarketOptions, MARKET_OPTIONS, marketSettings } from '../run-options.ts';
import { lateProgress } from '../late-progress.ts';
import { STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';

const Options = z.object({
  until: MARKET_OPTIONS.until,
  models: z.string().transform(list).optional(),
  checks: z.string().transform(list).optional(),
  fitSeconds: z.string().default('30'),
  strategy: z.string().optional(),
  html: z.string().optional(),
  walkForward: z.boolean().default(false),
  folds: z.string().default('5'),
  embargoBars: z.string().default('24'),
  window: z.string().default('expanding'),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader audit                                 the active run
  $ crypto-trader audit btc-only --html audit.html
  $ crypto-trader audit --checks features,forecasts,fills
  $ crypto-trader audit --fit-seconds 600               fit large networks again too
  $ crypto-trader audit --walk-forward --folds 12       every fold of \`backtest --walk-forward --folds 12\`

Checks: ${Object.keys(CHECKS).join(', ')}.
A check that fails ends with exit code 3. "warned": the result is right, and fragile.`;

export function register(program: Command): void {
  const group = program
    .command('audit')
    .argument('[run]', 'the training run: its name or its folder (default: the active one)');
  addMarketOptions(group, ['until'], {
    until: 'test up to the end of this date, or before this time (UTC; default: the last bar)',
  })
    .option('--models <list>', 'only these models of the run')
    .option('--checks <list>', 'only these checks')
    .option(
      '--fit-seconds <number>',
      'models whose training took longer are not trained again, and named',
      '30',
    )
    .option('--strategy <id>', STRATEGY_HELP)
    .option('--walk-forward', 'audit the folds of `backtest --walk-forward`: models fitted in seconds')
    .option('--folds <count>', 'folds of --walk-forward', '5')
    .option('--embargo-bars <count>', 'bars left free between training and fold', '24')
    .option('--window <kind>', 'what each fold is trained on: expanding or rolling', 'expanding')
    .option('--html <file>', 'write the findings as one HTML file')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options, run) => audit(context, Options.parse(options), run)));
}

async function audit(context: CommandContext, options: Options, runId: string | undefined): Promise<void> {
  const checks = options.checks?.map((name) => oneOf('--checks', name, Object.keys(CHECKS)));
  const mostFitSeconds = decimal('--fit-seconds', options.fitSeconds, { least: 0 });
  if (options.walkForward && (runId ?? '') !== '')
    throw new UsageError('--walk-forward is about no training run: leave the run out.');
  if (!options.walkForward)
    refuseIgnored(context, ['--folds', '--embargo-bars', '--window'], 'without --walk-forward');
  if (options.html !== undefined) await requireWritable(options.html);
  const registry = await projectRegistry(context);
  const how = { ...options, checks, mostFitSeconds };
  await (options.walkForward ? auditWalk(context, registry, how) : auditRun(context, registry, how, runId));
}

type How = Omit<Options, 'checks'> & {
  readonly checks: readonly string[] | undefined;
  readonly mostFitSeconds: number;
};

async function auditRun(
  context: CommandContext,
  registry: Registry,
  options: How,
  runId: string | undefined,
): Promise<void> {
  const { config, out, seed, signal } = context;
  const { checks, mostFitSeconds } = options;
  const trained = await loadTrained(config.checkpointDir, {
    registry,
    ...(runId !== undefined && runId !== '' && { runId }),
    ...(options.models && { models: options.models }),
  });
  for (const note of trained.notes) out.notice(note);
  const { strategy, params } = strategySetting(context, options.strategy, registry);
  const rules = spotRules(config, trained.symbols.length, 'audit');
  const subject = await auditSubject(auditedRun(trained), {
    store: openStore(config.dataDir),
    untilMs: options.until,
    terms: { strategy, params, cost: tradeCostsFrom(rules), allowShort: rules.allowShort },
    rules,
    instruments: configuredInstruments(config.trading, trained.symbols),
    seed,
    trialsFile: join(config.dataDir, 'trials.jsonl'),
    signal,
  });
  const about = `${trained.symbols.join(', ')} ${trained.timeframe} on ${trained.exchange}: fitted on labels up to ${formatMinute(trained.trainUntilMs)}, tested on bars from ${formatMinute(trained.validateUntilMs)}, decided by ${strategy.id}.`;
  out.print(`Audit of ${trained.runId}. ${about}\n`);
  const findings = await shown(out, (watch) =>
    runAudit(subject, { ...(checks && { checks }), mostFitSeconds, ...watch }),
  );
  if (checks === undefined && options.models === undefined)
    await keepAudit(config.dataDir, {
      runId: trained.runId,
      time: new Date().toISOString(),
      strategy: strategy.id,
      weights: Object.fromEntries(trained.members.map(({ id, manifest }) => [id, manifest.weightHash])),
      findings,
    });
  await conclude(context, options, { name: trained.runId, about, strategy: strategy.id, findings });
}

/** The folds are those of `backtest --walk-forward` with these options, kept ones included: what they hold is tried too. */
async function auditWalk(context: CommandContext, registry: Registry, options: How): Promise<void> {
  const { config, out, seed, signal } = context;
  const { checks, mostFitSeconds } = options;
  const folds = integer('--folds', options.folds, { least: 1 });
  const embargoBars = integer('--embargo-bars', options.embargoBars, { least: 0 });
  const window = oneOf('--window', options.window, ['expanding', 'rolling']);
  const market = { ...marketSettings(context, {}), sinceMs: config.market.since };
  const { strategy, params } = strategySetting(context, options.strategy, registry);
  const rules = spotRules(config, market.symbols.length, 'audit');
  const common = {
    ...market,
    registry,
    params: config.models,
    sources: config.features,
    validationPct: config.training.validationPct,
    store: openStore(config.dataDir),
    untilMs: options.until,
    seed,
    signal,
  };
  const walking = lateProgress(out, 'walk-forward');
  const source = await walkForwardForecasts({
    ...common,
    fromMs: undefined,
    models: options.models,
    acceptImplausible: config.market.acceptImplausible,
    folds,
    embargoBars,
    window,
    cache: openFoldCache(join(config.dataDir, 'folds')),
    onFold: walking.update,
  }).finally(walking.stop);
  const { members, folds: plan = [] } = source;
  const tried = members.filter(({ id }) => registry.models.some((one) => one.id === id && isAudited(one)));
  const left = members.filter(
    (one) => !tried.includes(one) && registry.models.some(({ id }) => id === one.id),
  );
  if (tried.length === 0)
    throw new UserError('No model of this walk-forward is fitted again by the audit.', {
      hint: 'Networks and agents go on from fold to fold: `crypto-trader audit <run>` audits a training run of them.',
    });
  const name = `walk-forward, ${plan.length} folds`;
  const about = `${market.symbols.join(', ')} ${market.timeframe} on ${market.exchange}: ${tried.map(({ id }) => id).join(', ')}, ${window} window, ${formatMinute(plan[0].test.fromMs)} .. ${formatMinute(plan[plan.length - 1].test.untilMs)}, decided by ${strategy.id}.${left.length === 0 ? '' : ` Not fitted again: ${left.map(({ id }) => id).join(', ')}.`}`;
  out.print(`Audit of a ${name}. ${about}\n`);
  const findings = await shown(out, (watch) =>
    auditFolds(
      {
        ...common,
        source: { members, folds: plan },
        terms: { strategy, params, cost: tradeCostsFrom(rules), allowShort: rules.allowShort },
        rules,
        instruments: configuredInstruments(config.trading, market.symbols),
        trialsFile: join(config.dataDir, 'trials.jsonl'),
      },
      { ...(checks && { checks }), mostFitSeconds, ...watch },
    ),
  );
  await conclude(context, options, { name, about, strategy: strategy.id, findings });
}

/** Runs an audit and prints each finding when it is made. */
async function shown(
  out: CommandContext['out'],
  run: (watch: Required<Pick<AuditOptions, 'onFinding' | 'onProgress'>>) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const progress = lateProgress(out, 'audit');
  return run({
    onFinding: (finding) => {
      progress.stop();
      print(out, finding);
    },
    onProgress: progress.update,
  }).finally(progress.stop);
}

async function conclude(
  { out }: CommandContext,
  options: How,
  audited: {
    readonly name: string;
    readonly about: string;
    readonly strategy: string;
    readonly findings: readonly Finding[];
  },
): Promise<void> {
  const { name, about, strategy, findings } = audited;
  if (options.html !== undefined) {
    const { renderAudit } = await import('../../report/audit-report.ts');
    await writeFileAtomic(options.html, renderAudit(name, findings, about));
    out.print(`\nReport: ${options.html}`);
  }
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((one) => one.verdict === verdict).length;
  out.print(
    `\n${count('passed')} passed, ${count('failed')} failed, ${count('warned')} warned, ${count('skipped')} skipped.`,
  );
  out.document({
    runId: name,
    strategy,
    failed: count('failed'),
    findings: findings.map(({ figure = null, ...finding }) => ({
      ...finding,
      asks: CHECKS[finding.check].asks,
      figure,
    })),
  });
  const failed = findings.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  // The document says what failed: a second one, of the error, would make the output no JSON.
  if (failed.length > 0 && out.json) process.exitCode = 3;
  else if (failed.length > 0) throw new CheckFailed(`The audit proves it wrong: ${failed.join(', ')}.`);
}

function print(out: CommandContext['out'], { check, verdict, figure, text }: Finding): void {
  out.print(`${verdict.padEnd(8)}${check}${figure === undefined ? '' : ` (${figure})`}: ${text}`);
}
