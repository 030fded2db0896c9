import { join } from 'node:path';
import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Cron } from 'croner';
import { z } from 'zod';
import { duration } from '../../../core/foundation/duration.ts';
import { CheckFailed, UserError } from '../../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../../core/foundation/time.ts';
import { SPOT_RULES } from '../../../core/trading/rules.ts';
import { openStore } from '../../../data/store/store.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { runInUse } from '../../../learning/training/active-run.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { completeRuns, type RunFolder } from '../../../learning/training/run-folder.ts';
import { configuredInstruments, executionRules, riskRules } from '../../config/execution.ts';
import { driftOf } from '../../workflows/drift.ts';
import { fetchCandles } from '../../workflows/fetch.ts';
import {
  type DriftAlarm,
  type Retrained,
  retrain,
  type RetrainRequest,
  unansweredAlarms,
} from '../../workflows/retrain.ts';
import { command, type CommandContext } from '../command.ts';
import { UsageError } from '../exit.ts';
import { openNotices } from '../notices.ts';
import { projectPlugins } from '../project-plugins.ts';
import { ensembleSetting, strategySetting } from '../strategy-setting.ts';
import { showProgress } from '../training-progress.ts';

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

const Options = z.object({
  every: z.string().optional(),
  ifOlderThan: z
    .string()
    .transform((text) => {
      const [, amount, unit] = /^(\d+(?:\.\d+)?)([hdw])$/.exec(text) ?? [];
      if (unit === 'h' || unit === 'd' || unit === 'w') return Number(amount) * UNIT_MS[unit];
      throw new UsageError(
        `--if-older-than cannot be "${text}": expected hours, days or weeks: 12h, 7d, 2w.`,
      );
    })
    .optional(),
  ifDrifted: z.boolean().default(false),
  fetch: z.boolean().default(false),
});
type Options = z.output<typeof Options>;

const HELP = `
Trains the models of the active run again on what is stored now, lets both trade the newest bars that neither was fitted on,
and makes the new run active unless it is worse (Diebold-Mariano test of net returns, one-sided, 5 %). Back: models rollback.
A live session takes the new run between two bars, a paper session with paper.followActive too; others keep theirs until --run.

Examples:
  $ crypto-trader retrain --if-older-than 7d --fetch      from cron or a systemd timer
  $ crypto-trader retrain --every "0 3 * * *" --if-drifted --fetch    looks daily, trains when models have drifted
  $ crypto-trader retrain --every "0 3 * * 0" --fetch     stays, and retrains on Sundays at 3:00 UTC

Exit codes: 0 promoted, or nothing to do; 3 the new run is worse, and the old one stays.`;

export function register(program: Command): void {
  program
    .command('retrain')
    .option('--every <cron>', 'stay and retrain at these times (UTC): minute hour day month weekday')
    .option('--if-older-than <age>', 'do nothing while the active run is younger: 12h, 7d, 2w')
    .option(
      '--if-drifted',
      'do nothing while no model has raised an alarm (models drift) that no training has seen; with --if-older-than: or is old',
    )
    .option('--fetch', 'bring the candles up to date first')
    .addHelpText('after', HELP)
    .action(command(async (context, options) => run(context, Options.parse(options)), { awake: true }));
}

async function run(context: CommandContext, options: Options): Promise<void> {
  // Whatever trades on this machine goes first.
  setPriority(constants.priority.PRIORITY_LOW);
  if (options.every === undefined) {
    const result = await once(context, options);
    context.out.document(documentOf(result));
    if (result.kind === 'kept')
      throw new CheckFailed(`The new run ${result.challenger} is worse; ${result.champion} stays active.`);
    return;
  }
  await repeatedly(context, options, scheduleOf(options.every));
}

function scheduleOf(pattern: string): Cron {
  try {
    return new Cron(pattern, { timezone: 'UTC', mode: '5-part', paused: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--every cannot be "${pattern}": ${reason}`);
  }
}

/** What went wrong once is told, and tried again at the next time. */
async function repeatedly(context: CommandContext, options: Options, schedule: Cron): Promise<void> {
  const { config, out, log, signal } = context;
  const { channels } = await projectPlugins(context);
  const notices = openNotices(config, process.env, { title: 'retrain', log, own: channels });
  try {
    for (;;) {
      const next = schedule.nextRun();
      if (next === null) throw new UsageError(`--every "${options.every ?? ''}" has no further time.`);
      out.print(`Next training: ${formatMinute(next.getTime())}.`);
      await until(next.getTime(), signal);
      try {
        const result = await once(context, options);
        notices.say('session', resultText(result));
      } catch (error) {
        if (signal.aborted || !(error instanceof UserError)) throw error;
        log.error({}, error.message);
        out.print(`Retraining failed: ${error.message} ${error.hint}`);
        notices.say('session', `Retraining FAILED: ${error.message}`);
      }
    }
  } finally {
    await notices.close();
  }
}

/** Timers end at 2^31 ms, and a machine that sleeps must wake up to the right time. */
async function until(timeMs: number, signal: AbortSignal): Promise<void> {
  for (let leftMs = timeMs - Date.now(); leftMs > 0; leftMs = timeMs - Date.now())
    await sleep(Math.min(leftMs, 60_000), undefined, { signal }).catch(() => signal.throwIfAborted());
}

async function once(context: CommandContext, options: Options): Promise<Retrained> {
  const { config, out, log, signal } = context;
  const { registry } = await projectPlugins(context);
  if (options.fetch) await bringUpToDate(context);
  const progress = out.progress();
  const show = showProgress((label, total) => progress.task(label, total));
  try {
    const { trading, training, market } = config;
    const request: RetrainRequest = {
      registry,
      store: openStore(config.dataDir),
      checkpointDir: config.checkpointDir,
      logDir: config.logDir,
      trialsFile: join(config.dataDir, 'trials.jsonl'),
      signal,
      snapshots: {
        everyMinutes: training.snapshotMinutes,
        everyEpochs: training.snapshotEpochs,
        kept: training.snapshotsKept,
      },
      onEvent: show,
      shares: {
        validationPct: training.validationPct,
        testPct: training.testPct,
        costs: { feeBps: trading.feeBps, slippageBps: trading.slippageBps ?? SPOT_RULES.slippageBps },
        acceptImplausible: market.acceptImplausible,
      },
      olderThanMs: options.ifOlderThan,
      alarms: options.ifDrifted ? (champion) => alarmsOf(context, registry, champion) : undefined,
      now: Date.now,
      contest: {
        ...strategySetting(context, undefined, registry),
        ensemble: ensembleSetting(context, undefined),
        rules: (symbols) => executionRules(config, symbols),
        risk: riskRules(config.risk),
        instruments: (symbols) => configuredInstruments(trading, symbols),
      },
    };
    const result = await retrain(request);
    progress.stop();
    log.info({ ...result }, 'retrained');
    out.print(resultText(result));
    return result;
  } finally {
    progress.stop();
  }
}

/** Why a run is retrained although it is young; says so. */
async function alarmsOf(
  { config, out }: CommandContext,
  registry: Registry,
  champion: RunFolder,
): Promise<readonly DriftAlarm[]> {
  const { checkpointDir } = config;
  const trained = await loadTrained(checkpointDir, { registry, runId: champion.runId });
  try {
    const { streams } = await driftOf(trained, openStore(config.dataDir), { registry });
    const alarms = unansweredAlarms(streams, champion, await completeRuns(checkpointDir));
    const last = alarms.reduce((newest, { timeMs }) => Math.max(newest, timeMs), -Infinity);
    const models = [...new Set(alarms.map(({ model }) => model))];
    if (alarms.length > 0)
      out.print(`${alarms.length} alarms of ${models.join(', ')}, the last of ${formatMinute(last)}.`);
    return alarms;
  } finally {
    for (const { fitted } of trained.members) fitted.dispose?.();
  }
}

/** The candles of the active run's market, where that is an exchange. */
async function bringUpToDate({ config, log, signal, seed, out }: CommandContext): Promise<void> {
  const { plan } = await runInUse(config.checkpointDir);
  const { concurrency, timeoutMs, retries, yahooUrl } = config.fetch;
  const source = plan.synthetic ? 'synthetic' : plan.exchange === 'yahoo' ? 'yahoo' : 'exchange';
  const { datasets, failed } = await fetchCandles(
    {
      store: openStore(config.dataDir),
      exchange: plan.exchange,
      symbols: plan.symbols,
      timeframe: plan.timeframe,
      sinceMs: plan.sinceMs,
      untilMs: Date.now(),
      signal,
      log,
      from: {
        kind: 'known',
        source,
        baseUrl: config.exchange.baseUrl,
        yahooUrl,
        seed,
        concurrency,
        timeoutMs,
        retries,
      },
      repair: false,
      askGapsAgain: false,
      skipBadBars: false,
    },
    () => undefined,
  );
  const added = datasets.reduce((sum, { addedRows }) => sum + addedRows, 0);
  out.print(`${added} new bars in ${datasets.length} datasets.`);
  for (const { symbol, error } of failed) out.notice(`${symbol} failed: ${error.message}`);
}

function resultText(result: Retrained): string {
  switch (result.kind) {
    case 'young':
      return `Nothing to do: ${result.champion} is ${duration(result.ageMs / 1000)} old.`;
    case 'steady':
      return `Nothing to do: no model of ${result.champion} has drifted since it was validated, or since the last training.`;
    case 'nothing-new':
      return `Nothing to do: no bars have been stored since ${formatMinute(result.untilMs)}, where the data of ${result.champion} ends.`;
    case 'promoted':
    case 'kept': {
      const { champion, challenger, bars, test } = result;
      const returns = `over ${bars} bars from ${formatMinute(result.fromMs)} on it made ${result.challengerReturnPct.toFixed(2)} % after costs, ${champion} ${result.championReturnPct.toFixed(2)} %`;
      const tested =
        test === undefined
          ? 'the two do not differ'
          : `Diebold-Mariano ${test.statistic.toFixed(2)}, two-sided p ${test.pValue.toFixed(3)}; positive: the new one loses more`;
      return result.kind === 'promoted'
        ? `${challenger} is active: ${returns} (${tested}). Back: crypto-trader models rollback`
        : `${champion} stays active, ${challenger} is worse: ${returns} (${tested}).`;
    }
  }
}

const documentOf = (result: Retrained): object =>
  'bars' in result
    ? {
        ...result,
        fromMs: undefined,
        untilMs: undefined,
        from: formatTime(result.fromMs),
        until: formatTime(result.untilMs),
      }
    : result;
