import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { configuredInstruments, spotRules, riskRules } from '../../config/execution.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import { TIMEFRAME_MS } from '../../../core/market/timeframe.ts';
import { openExchange } from '../../../data/exchange/client.ts';
import { endText } from '../../../core/market/history-end.ts';
import { openStore } from '../../../data/store/store.ts';
import { UserError } from '../../../core/foundation/errors.ts';
import { termsOf } from '../../../desk/paper/outlook.ts';
import { ENSEMBLE_HELP, ensembleSetting, STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';
import { type BarRecord, strategyOf } from '../../../desk/paper/record.ts';
import { type Cycle, runPaper, type RunSummary } from '../../../desk/paper/run.ts';
import type { PaperSession } from '../../../desk/paper/session.ts';
import { readControl } from '../../../desk/paper/controls.ts';
import { runOfSession, sessionFolder, symbolsOfSession } from '../../../desk/paper/sessions.ts';
import { defaultName, openSession } from '../../../desk/paper/slot.ts';
import {
  loadTrained,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
  type WantedMarket,
} from '../../../learning/training/checkpoints.ts';
import { findRun } from '../../../learning/training/run-folder.ts';
import { balanceWarning } from '../../../core/trading/balance-warning.ts';
import type { PairSymbol } from '../../../core/market/symbol.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  refuseLive,
  requireRange,
  RUN_OPTION,
  runNamed,
  untrainedText,
  wantedMarket,
} from '../run-options.ts';
import { activeRunId } from '../../../learning/training/active-run.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { endedPairs, openLiveFeed, openStoredFeed, type PaperFeed } from '../../workflows/paper-feed.ts';
import { projectPlugins } from '../project-plugins.ts';
import { command, type CommandContext, decimal, integer, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import { openNotices, type SessionNotices } from '../notices.ts';
import { explain, listOrders } from '../paper-explain.ts';
import { parity } from '../paper-parity.ts';
import { control, showStatus, verify } from '../paper-sessions.ts';

import {
  eventText,
  paperDocument,
  positionRows,
  reasonLines,
  POSITION_HEAD,
  ruinText,
  waiting,
  verdictText,
} from '../paper-text.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  /** `false`: --no-exchange. */
  exchange: z.union([z.literal(false), MARKET_OPTIONS.exchange]),
  intervalSeconds: z.string().optional(),
  maxCycles: z.string().optional(),
  fresh: z.boolean().default(false),
  name: z.string().optional(),
  strategy: z.string().optional(),
  ensemble: z.string().optional(),
});
type Options = z.output<typeof Options>;

const HELP = `
Each poll of the exchange is one cycle. What is decided at a bar's close is filled at the open of the next bar, and
is shown as waiting until that bar has closed. Stopped in any way, the same command resumes where it was; bars that
closed in between are processed in order, but nothing is ordered on them.
With --no-exchange, each cycle is one stored bar that training has not seen: a replay of the past, not the market now.
A session keeps the training run it was started with until --run names another. Sessions of different names run side
by side. pause, resume and flatten hold until the next such command, also over restarts.

Examples:
  $ crypto-trader paper                          every 60 seconds, until Ctrl-C
  $ crypto-trader paper --max-cycles 3 --json
  $ crypto-trader paper --no-exchange --fresh    a new session over the stored bars
  $ crypto-trader paper --name ridge --run ridge-2   a second session, with another run
  $ crypto-trader paper flatten                  from another terminal
  $ crypto-trader paper explain 17`;

export function register(program: Command): void {
  const group = program
    .command('paper')
    .option('--name <name>', 'the session, when there are several (default: <exchange>-<timeframe>)');
  addRunOption(group, 'the training run to trade with, from now on: its name or its folder');
  addMarketOptions(group, ['exchange', 'symbols', 'timeframe', 'since', 'until'], {
    symbols: 'only these pairs of the run (default: market.symbols, else all)',
    since:
      'with --no-exchange: first bar of a new session (UTC; default: the first that training has not seen)',
    until: 'with --no-exchange: up to the end of this date, or before this time (UTC; default: the last bar)',
  })
    .option('--no-exchange', 'run over the stored candles, asking no exchange')
    .option('--interval-seconds <seconds>', 'pause between cycles (default: paper.intervalSeconds)')
    .option('--max-cycles <number>', 'stop after N cycles')
    .option('--fresh', 'archive the current session and start another')
    .option('--strategy <id>', STRATEGY_HELP)
    .option('--ensemble <id>', ENSEMBLE_HELP)
    .addHelpText('after', HELP)
    .action(command(async (context, options) => paper(context, Options.parse(options))));
  addSubcommands(group);
}

type Handler = (context: CommandContext, options: SubOptions, argument: string | undefined) => Promise<void>;

function addSubcommands(group: Command): void {
  const add = (usage: string, description: string, run: Handler, { logs = false } = {}): Command =>
    group
      .command(usage)
      .description(description)
      .option('--name <name>', 'the session, when there are several')
      .action(
        command(
          async (context, options, argument) =>
            run(context, SubOptions.parse(alone(usage, options)), argument),
          { logs },
        ),
      );
  add('status', 'every session: process, last bar, equity, positions', (context, { name }) =>
    showStatus(context, name),
  );
  add('verify', 'check every hash, and put every bar through the trading core again', (context, { name }) =>
    verify(context, name),
  );
  add('explain', 'why an order was made; without a number: the newest orders', (context, { name }, order) =>
    order === undefined || order === '' ? listOrders(context, name) : explain(context, order, name),
  ).addArgument(new Argument('[order]', 'its number').default('', 'lists the newest'));
  add('parity', 'the same bars through the backtest, trade by trade', (context, options) =>
    parity(context, options),
  )
    .option('--run <name>', 'the training run to compare with (default: that of the last bar)')
    .option('--configured-steps', 'round orders by the settings, not by the rules of the exchange');
  const modes = [
    ['pause', 'pause', 'order nothing until `resume`; positions stay, with their stops'],
    ['resume', 'trade', 'order again after `pause` or `flatten`'],
    ['flatten', 'flatten', 'close everything at the next open, then order nothing until `resume`'],
  ] as const;
  for (const [word, mode, description] of modes)
    add(word, description, (context, { name }) => control(context, mode, name), { logs: true });
}

const SubOptions = z.object({
  name: z.string().optional(),
  configuredSteps: z.boolean().default(false),
  run: z.string().optional(),
});
type SubOptions = z.output<typeof SubOptions>;

/** Options of the session itself mean nothing to a subcommand, and are not silently dropped. */
function alone(usage: string, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const foreign = [
    ['intervalSeconds', '--interval-seconds'],
    ['maxCycles', '--max-cycles'],
    ['fresh', '--fresh'],
    ['strategy', '--strategy'],
    ['symbols', '--symbols'],
    ['timeframe', '--timeframe'],
    ['since', '--since'],
    ['until', '--until'],
    ['checkpoint', '--checkpoint'],
    ['ensemble', '--ensemble'],
    ...(usage === 'parity' ? [] : [['run', '--run'] as const]),
  ] as const;
  const found = foreign.find(([key]) => options[key] !== undefined);
  if (found !== undefined)
    throw new UsageError(`${found[1]} does nothing with "paper ${usage.split(' ')[0]}".`);
  if (options['exchange'] !== undefined)
    throw new UsageError(
      `--${options['exchange'] === false ? 'no-exchange' : 'exchange'} does nothing here. Name the session instead: --name <name>.`,
    );
  return options;
}

async function paper(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const pauseMs = intervalMs(context, options);
  const maxCycles =
    options.maxCycles === undefined ? undefined : integer('--max-cycles', options.maxCycles, { least: 1 });
  refuseLive(config);
  requireRange(options);
  const source = options.exchange === false ? 'stored' : 'exchange';
  if (source === 'exchange') refuseIgnored(context, ['--since', '--until'], 'without --no-exchange');
  const { registry, channels } = await projectPlugins(context);
  const wanted = wantedMarket(context, { ...options, exchange: options.exchange || undefined });
  const { name, trained } = await chooseRun(context, options, { wanted, source, registry });
  requireSameMarket(trained, wanted);
  const kept = options.fresh ? undefined : await symbolsOfSession(config.dataDir, name);
  const asked = wanted.symbols ?? (kept && { list: kept, named: true });
  const { symbols, untrained } = symbolsOfRun(trained, asked);
  if (untrained.length > 0) out.print(untrainedText(trained.runId, untrained));
  const { strategy, params, isSet } = strategySetting(context, options.strategy, registry);
  const weighing = ensembleSetting(context, options.ensemble);
  const { createFeed, instruments } = await openFeed(context, { trained, symbols, options });
  const session = await openSession(
    config.dataDir,
    name,
    {
      feed: source,
      runId: trained.runId,
      risk: riskRules(config.risk),
      exchange: trained.exchange,
      timeframe: trained.timeframe,
      symbols,
      synthetic: trained.synthetic,
      rules: spotRules(config, symbols.length, 'paper'),
      strategy: { id: strategy.id, params: asRecord(params) },
      ensemble: { id: weighing.method.id, params: asRecord(weighing.params) },
    },
    {
      fresh: options.fresh,
      keeps: { strategy: !isSet, ensemble: !weighing.isSet },
      nowMs: Date.now(),
      instruments,
    },
  );
  const notices = openNotices(config, process.env, { title: `paper ${name}`, log, own: channels });
  try {
    if (session.last !== undefined)
      refuseIgnored(
        context,
        ['--since'],
        `in a session that exists: it resumes after ${formatMinute(session.last.timeMs)}; --fresh starts another`,
      );
    introduce(context, session, {
      trained,
      sinceMs: Math.max(options.since ?? -Infinity, trained.validateUntilMs),
    });
    const { instruments: traded, rules } = session.session;
    const small = balanceWarning(traded, rules.initialBalance);
    const ends = (await endedPairs(openStore(config.dataDir), { ...trained, symbols })).map(
      (ended) => `${endText(ended)}; no signal and no trade there.`,
    );
    for (const line of [...(small === undefined ? [] : [small]), ...ends]) {
      out.print(line);
      log.warn({}, line);
    }
    notices.say('session', `Session ${session.session.sessionId} runs with the models of ${trained.runId}.`);
    const records: BarRecord[] = [];
    const summary = await runPaper(session, createFeed(termsOf(session.session, trained)), {
      intervalMs: pauseMs,
      maxCycles,
      signal,
      now: Date.now,
      control: () => readControl(sessionFolder(config.dataDir, name)),
      onBar: (record) => {
        if (out.json) records.push(record);
        reportBar(context, session, record);
        notices.bar(record);
      },
      onCycle: reportCycles(context, notices),
    });
    log.info({ ...summary, equity: session.account.equity() }, 'paper session stopped');
    conclude(context, session, summary);
    notices.say('session', `Session ended; equity ${session.account.equity().toFixed(2)}.`);
    signal.throwIfAborted();
    // A short run must not end before the whole of a long ledger was checked.
    await session.checked;
    if (summary.feed.kind === 'stale' && summary.freshCycles === 0) {
      throw new UserError(`The exchange never answered: ${summary.feed.reason}`, {
        hint: 'Check the network, or run without --max-cycles to wait until it answers. The session is kept.',
      });
    }
    out.document(paperDocument(session, summary, records));
  } catch (error) {
    if (!signal.aborted)
      notices.say('session', `Session FAILED: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    await Promise.all([session.close(), notices.close()]);
    for (const { fitted } of trained.members) fitted.dispose?.();
  }
}

/** Parameters as a ledger keeps them. */
const asRecord = (params: unknown) => z.record(z.string(), z.unknown()).parse(params);

/**
 * The session's name and the models it trades with: those that were named, else those it traded with last, else the
 * newest run. A later training never replaces them by itself.
 */
async function chooseRun(
  context: CommandContext,
  options: Options,
  about: {
    readonly wanted: WantedMarket;
    readonly source: 'exchange' | 'stored';
    readonly registry: Registry;
  },
): Promise<{ readonly name: string; readonly trained: TrainedSet }> {
  const { config, out } = context;
  const { wanted, source, registry } = about;
  const named = runNamed(options);
  const active = await activeRunId(config.checkpointDir);
  const run = named ?? active;
  const plan = run === undefined ? undefined : (await findRun(config.checkpointDir, run)).plan;
  const name =
    options.name ??
    defaultName({
      exchange: wanted.exchange ?? plan?.exchange ?? config.exchange.id,
      timeframe: wanted.timeframe ?? plan?.timeframe ?? config.market.timeframe,
      feed: source,
    });
  if (!/^(?!archive$)[a-z0-9][a-z0-9._-]{0,63}$/i.test(name))
    throw new UsageError(
      `--name cannot be "${name}": use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first.`,
    );
  const kept = options.fresh ? undefined : await runOfSession(config.dataDir, name);
  const trained = await loadTrained(config.checkpointDir, { ...runIdOf(named ?? kept), registry });
  for (const note of trained.notes) out.notice(note);
  if (kept !== undefined && named === undefined) {
    if (active !== undefined && active !== kept)
      out.print(
        `The session keeps its training run ${kept}; the active one is ${active}. To trade with that: paper --run ${active}`,
      );
  } else if (kept !== undefined && kept !== trained.runId)
    out.print(`The session changes from the training run ${kept} to ${trained.runId}.`);
  return { name, trained };
}

const runIdOf = (runId: string | undefined): { readonly runId?: string } =>
  runId === undefined ? {} : { runId };

/** Stored bars follow one another at once unless a pause is asked for. */
function intervalMs({ config }: CommandContext, { intervalSeconds, exchange }: Options): number {
  if (intervalSeconds !== undefined)
    return 1000 * decimal('--interval-seconds', intervalSeconds, { least: 0 });
  return exchange === false ? 0 : 1000 * config.paper.intervalSeconds;
}

async function openFeed(
  { config, log, signal }: CommandContext,
  {
    trained,
    symbols,
    options,
  }: { readonly trained: TrainedSet; readonly symbols: readonly PairSymbol[]; readonly options: Options },
): Promise<PaperFeed> {
  const configured = configuredInstruments(config.trading, symbols);
  const traded = { store: openStore(config.dataDir), trained, symbols, configured };
  if (options.exchange === false) return openStoredFeed(traded, options);
  const { baseUrl } = config.exchange;
  const { timeoutMs, retries } = config.fetch;
  const open = () => openExchange({ id: trained.exchange, baseUrl, timeoutMs, retries, log });
  return openLiveFeed(traded, { open, log, signal });
}

function introduce(
  { out, log }: CommandContext,
  { session, last, recovery }: PaperSession,
  { trained, sinceMs }: { readonly trained: TrainedSet; readonly sinceMs: number },
) {
  const { sessionId, synthetic } = session;
  log.info({ sessionId, runId: trained.runId, ...recovery }, 'paper session');
  if (synthetic) out.print('SYNTHETIC candles: results say nothing about any market.');
  if (session.feed === 'stored')
    out.print(
      `A replay of stored bars from ${formatMinute(sinceMs)} on, which training has not seen: the past, not the market now.`,
    );
  out.print(
    last === undefined
      ? `Paper session ${sessionId}, new; models of ${trained.runId}; decided by ${strategyOf(session).id}.`
      : `Paper session ${sessionId}, resumed after the bar of ${formatMinute(last.timeMs)}; ${recovery.barsReplayed} bars of the ledger replayed; models of ${trained.runId}; decided by ${strategyOf(session).id}.`,
  );
  if (recovery.tornBytes > 0) {
    out.print(
      `The last line of the ledger was cut off by a crash (${recovery.tornBytes} bytes): its bar is processed again.`,
    );
    log.warn({ tornBytes: recovery.tornBytes }, 'a torn last line of the ledger was dropped');
  }
}

const NOT_PLACED: Readonly<Record<Exclude<BarRecord['decision'], 'placed'>, string>> = {
  missed: 'missed: nothing ordered',
  paused: 'paused: nothing ordered',
  flattened: 'flattened: everything is closed at the next open',
};

/** Bars of an exchange are news; of stored bars only those on which something happened. */
function reportBar(
  { out, log }: CommandContext,
  { session, account }: PaperSession,
  record: BarRecord,
): void {
  const happened = record.events.map(eventText);
  const placed = waiting(session, account);
  const missed = record.decision === 'placed' ? [] : [NOT_PLACED[record.decision]];
  const verdicts = (record.verdicts ?? []).map(verdictText);
  for (const event of record.events) log.info({ ...event }, eventText(event));
  for (const verdict of record.verdicts ?? []) log.info({ ...verdict }, verdictText(verdict));
  const silent = fallenSilent({ session, account }, record);
  for (const line of silent) log.warn({ timeMs: record.timeMs }, line);
  if (session.feed === 'stored' && happened.length + silent.length + verdicts.length === 0) return;
  const news = [...happened, ...silent, ...missed, ...verdicts, ...placed].join('; ');
  const change = 100 * (record.equity / session.rules.initialBalance - 1);
  out.print(
    `${formatMinute(record.timeMs)}  equity ${record.equity.toFixed(2)} (${change >= 0 ? '+' : ''}${change.toFixed(2)} %)${news === '' ? '' : `  ${news}`}`,
  );
}

/** Pairs that lack their second bar in a row while others have theirs: delisted, halted, or without a trade. */
function fallenSilent(
  { session, account }: Pick<PaperSession, 'session' | 'account'>,
  { timeMs }: BarRecord,
): readonly string[] {
  const { barTime, amount } = account.portfolio.columns;
  const { delistedAfterMs } = session.rules;
  const step = TIMEFRAME_MS[session.timeframe];
  const kept =
    delistedAfterMs === undefined ? 'stays' : `is sold at it after ${delistedAfterMs / 3_600_000} hours`;
  return session.instruments.flatMap(({ symbol }, s) =>
    timeMs - barTime[s] === 2 * step
      ? [
          `${symbol} has had no bar since ${formatMinute(barTime[s])}: no signal and no trade${amount[s] === 0 ? '' : `; what is held is marked at its last close and ${kept}`}`,
        ]
      : [],
  );
}

/** Says when the feed is lost and when it is back, once. */
function reportCycles({ out, log }: CommandContext, notices: SessionNotices): (cycle: Cycle) => void {
  let lost = false;
  return ({ number, bars, feed }) => {
    log.debug({ number, bars, feed }, 'paper cycle');
    if (feed.kind === 'stale') {
      const retry = `trying again in ${Math.round(feed.retryInMs / 1000)} s`;
      log.warn({ ...feed }, `feed is stale: ${feed.reason}`);
      if (!lost) notices.say('feed', `Feed is STALE: ${feed.reason}`);
      if (!lost) out.print(`Feed is STALE since ${formatMinute(feed.sinceMs)}: ${feed.reason} (${retry})`);
    } else if (lost) {
      log.info({ number }, 'feed is back');
      out.print('Feed is back.');
      notices.say('feed', 'Feed is back.');
    }
    lost = feed.kind === 'stale';
  };
}

function conclude(
  { out }: CommandContext,
  session: PaperSession,
  { cycles, barsProcessed }: RunSummary,
): void {
  const { last, account } = session;
  out.print(
    `\n${cycles} cycles, ${barsProcessed} bars processed${last === undefined ? '' : `, the last of ${formatMinute(last.timeMs)}`}; equity ${account.equity().toFixed(2)}.`,
  );
  const rows = positionRows(account);
  if (rows.length === 0) out.print('No open position.');
  else out.table(POSITION_HEAD, rows);
  for (const line of waiting(session.session, account)) out.print(line);
  if (last !== undefined) for (const line of reasonLines(session.session, last)) out.print(line);
  const ruin = ruinText(account);
  if (ruin !== undefined) out.print(ruin);
}
