import { join } from 'node:path';
import { type Command } from 'commander';
import { z } from 'zod';
import { CheckFailed } from '../../../core/foundation/errors.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { tradeCostsFrom } from '../../../core/trading/trade-cost.ts';
import { requireWritable, writeFileAtomic } from '../../../data/files.ts';
import { openStore } from '../../../data/store/store.ts';
import { audit as runAudit, CHECKS } from '../../../lab/audit/audit.ts';
import type { Finding } from '../../../lab/audit/finding.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { configuredInstruments, spotRules } from '../../config/execution.ts';
import { auditedRun, auditSubject } from '../../workflows/audit-subject.ts';
import { keepAudit } from '../../workflows/kept-audits.ts';
import { command, type CommandContext, decimal, list, oneOf } from '../command.ts';
import { projectRegistry } from '../project-plugins.ts';
import { addMarketOptions, MARKET_OPTIONS } from '../run-options.ts';
import { lateProgress } from '../late-progress.ts';
import { STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';

const Options = z.object({
  until: MARKET_OPTIONS.until,
  models: z.string().transform(list).optional(),
  checks: z.string().transform(list).optional(),
  fitSeconds: z.string().default('30'),
  strategy: z.string().optional(),
  html: z.string().optional(),
});
type Options = z.output<typeof Options>;

const EXAMPLES = `
Examples:
  $ crypto-trader audit                                 the active run
  $ crypto-trader audit btc-only --html audit.html
  $ crypto-trader audit --checks features,forecasts,fills
  $ crypto-trader audit --fit-seconds 600               fit large networks again too

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
    .option('--html <file>', 'write the findings as one HTML file')
    .addHelpText('after', EXAMPLES)
    .action(command(async (context, options, run) => audit(context, Options.parse(options), run)));
}

async function audit(context: CommandContext, options: Options, runId: string | undefined): Promise<void> {
  const { config, out, seed, signal } = context;
  const checks = options.checks?.map((name) => oneOf('--checks', name, Object.keys(CHECKS)));
  const mostFitSeconds = decimal('--fit-seconds', options.fitSeconds, { least: 0 });
  if (options.html !== undefined) await requireWritable(options.html);
  const registry = await projectRegistry(context);
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
  const progress = lateProgress(out, 'audit');
  const findings = await runAudit(subject, {
    ...(checks && { checks }),
    mostFitSeconds,
    onFinding: (finding) => {
      progress.stop();
      print(out, finding);
    },
    onProgress: progress.update,
  }).finally(progress.stop);
  if (checks === undefined && options.models === undefined)
    await keepAudit(config.dataDir, {
      runId: trained.runId,
      time: new Date().toISOString(),
      strategy: strategy.id,
      weights: Object.fromEntries(trained.members.map(({ id, manifest }) => [id, manifest.weightHash])),
      findings,
    });
  if (options.html !== undefined) {
    const { renderAudit } = await import('../../report/audit-report.ts');
    await writeFileAtomic(options.html, renderAudit(trained.runId, findings, about));
    out.print(`\nReport: ${options.html}`);
  }
  const count = (verdict: Finding['verdict']): number =>
    findings.filter((one) => one.verdict === verdict).length;
  out.print(
    `\n${count('passed')} passed, ${count('failed')} failed, ${count('warned')} warned, ${count('skipped')} skipped.`,
  );
  out.document({
    runId: trained.runId,
    strategy: strategy.id,
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
