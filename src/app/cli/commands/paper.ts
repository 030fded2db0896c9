import { Argument, type Command } from 'commander';
import { z } from 'zod';
import { formatMinute } from '../../../core/foundation/time.ts';
import { openExchange } from '../../../data/exchange/client.ts';
import { leanHeap } from '../../../data/lean-heap.ts';
import { openStore } from '../../../data/store/store.ts';
import type { BarRecord } from '../../../desk/paper/record.ts';
import type { Cycle } from '../../../desk/paper/run.ts';
import { createHeartbeat, type Heartbeat } from '../../../desk/session/heartbeat.ts';
import { isSessionName, sessionFolder } from '../../../desk/paper/sessions.ts';
import type { Registry } from '../../../learning/models/registry.ts';
import { loadTrained } from '../../../learning/training/checkpoints.ts';
import { configuredInstruments, pollIntervalMs, riskRules, spotRules } from '../../config/execution.ts';
import { watchPaperAlerts } from '../../workflows/alerts.ts';
import { openPaper, type PaperRequest } from '../../workflows/paper.ts';
import { command, type CommandContext, decimal, integer, refuseIgnored } from '../command.ts';
import { UsageError } from '../exit.ts';
import { openNotices } from '../notices.ts';
import { explain, listOrders } from '../paper-explain.ts';
import { parity } from '../paper-parity.ts';
import { openPortfolio, PORTFOLIO_PAPER_OPTIONS } from '../paper-portfolio.ts';
import { QueryOptions, showDecisions, showOrders, showTrades } from '../paper-queries.ts';
import { conclude, introduce, reportBar, reportCycles, sayOpening } from '../paper-report.ts';
import { control, showStatus, verify } from '../paper-sessions.ts';
import { paperDocument } from '../paper-text.ts';
import { projectPlugins } from '../project-plugins.ts';
import { answerTelegram } from '../telegram-desk.ts';
import {
  addMarketOptions,
  addRunOption,
  MARKET_OPTIONS,
  refuseLive,
  requireRange,
  RUN_OPTION,
  runNamed,
  wantedMarket,
} from '../run-options.ts';
import { ENSEMBLE_HELP, ensembleSetting, STRATEGY_HELP, strategySetting } from '../strategy-setting.ts';

const Options = z.object({
  ...RUN_OPTION,
  ...MARKET_OPTIONS,
  /** `false`: --no-exchange. */
  exchange: z.union([z.literal(false), MARKET_OPTIONS.exchange]),
  intervalSeconds: z.string().optional(),
  maxCycles: z.string().optional(),
  fresh: z.boolean().default(false),
  followActive: z.boolean().optional(),
  name: z.string().optional(),
  strategy: z.string().optional(),
  ensemble: z.string().optional(),
  ...PORTFOLIO_PAPER_OPTIONS,
});
type Options = z.output<typeof Options>;

const HELP = `
Each poll of the exchange is one cycle. What is decided at a bar's close is filled at the open of the next bar, and
is shown as waiting until that bar has closed. Stopped in any way, the same command resumes where it was; bars that
closed in between are processed in order, but nothing is ordered on them.
With --no-exchange, each cycle is one stored bar that training has not seen: a replay of the past, not the market now.
A session keeps the training run it was started with until --run names another, or until another becomes active with
--follow-active (retrain and models activate|rollback change which one is). Sessions of different names run side
by side. pause, resume and flatten hold until the next such command, also over restarts.
With --portfolio, weights of all pairs are chosen together, on bars of 1d unless --timeframe says otherwise; resume a session with
the same command. Its weights are of the whole capital: trading.maxPositionPct and the exits of single positions do not apply.

Examples:
  $ crypto-trader paper                          every 60 seconds, until Ctrl-C
  $ crypto-trader paper --max-cycles 3 --json
  $ crypto-trader paper --no-exchange --fresh    a new session over the stored bars
  $ crypto-trader paper --name ridge --run ridge-2   a second session, with another run
  $ crypto-trader paper --portfolio hrp --rebalance 1w   a portfolio of daily bars, by no model
  $ crypto-trader paper flatten                  from another terminal
  $ crypto-trader paper trades --symbols BTC/USDT --since 2026-01-01
  $ crypto-trader paper decisions --models gru,ensemble --last 5
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
    .option(
      '--interval-seconds <seconds>',
      'longest pause between cycles (default: paper.intervalSeconds, paper.intervalSecondsOf)',
    )
    .option('--max-cycles <number>', 'stop after N cycles')
    .option('--fresh', 'archive the current session and start another')
    .option(
      '--follow-active',
      'let a run that becomes active take over between two bars (default: paper.followActive)',
    )
    .option('--strategy <id>', STRATEGY_HELP)
    .option('--ensemble <id>', ENSEMBLE_HELP)
    .option('--portfolio <strategy>', 'hold a portfolio of the pairs instead, as `portfolio optimise` would')
    .option('--allocator <name>', 'with --portfolio deep, rl or ppo: the name it was trained under')
    .option('--window <bars>', 'with --portfolio: returns that weights are chosen on (default: 180)')
    .option('--covariance <name>', 'with --portfolio: estimator (default: ledoit-wolf)')
    .option(
      '--rebalance <when>',
      'with --portfolio: 1d, 1w (Mondays), 2w, 1M (30 days) or threshold (default: 1w)',
    )
    .option('--drift <percent>', 'with --portfolio --rebalance threshold: capital out of place (default: 10)')
    .option('--max <percent>', 'with --portfolio: largest weight of every pair')
    .addHelpText('after', HELP)
    .action(command(async (context, options) => paper(context, Options.parse(options))));
  addSubcommands(group);
}

type Handler = (
  context: CommandContext,
  options: SubOptions,
  argument: string | undefined,
  all: Readonly<Record<string, unknown>>,
) => Promise<void>;

function addSubcommands(group: Command): void {
  const add = (usage: string, description: string, run: Handler, { logs = false } = {}): Command =>
    group
      .command(usage)
      .description(description)
      .option('--name <name>', 'the session, when there are several')
      .action(
        command(
          async (context, options, argument) =>
            run(context, SubOptions.parse(alone(usage, options)), argument, options),
          { logs },
        ),
      );
  add('status', 'every session: process, last bar, equity, positions', (context, { name, check }) =>
    showStatus(context, name, check),
  ).option('--check', 'exit code 3 when one that follows an exchange stands still, for supervisors');
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
  const queries = [
    ['orders', 'fills and rejections, the newest last', showOrders],
    ['trades', 'closed trades, the newest last', showTrades],
    ['decisions', 'what each model said and the strategy (ensemble) wanted, bar by bar', showDecisions],
  ] as const;
  for (const [word, description, show] of queries) {
    const query = add(word, description, (context, _, __, options) =>
      show(context, QueryOptions.parse(options)),
    )
      .option('--symbols <list>', 'only these pairs')
      .option('--since <time>', 'from this bar on (UTC)')
      .option('--until <time>', 'up to the end of this date, or before this time (UTC)')
      .option('--last <count>', 'the newest N of them', '20');
    if (word === 'decisions') query.option('--models <list>', 'only these; ensemble is one of them');
  }
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
  check: z.boolean().default(false),
  run: z.string().optional(),
});
type SubOptions = z.output<typeof SubOptions>;

const RANGE = [
  ['symbols', '--symbols'],
  ['since', '--since'],
  ['until', '--until'],
] as const;

/** Options of the session itself mean nothing to a subcommand, and are not silently dropped. */
function alone(usage: string, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isQuery = ['orders', 'trades', 'decisions'].includes(usage);
  const foreign = [
    ['intervalSeconds', '--interval-seconds'],
    ['maxCycles', '--max-cycles'],
    ['fresh', '--fresh'],
    ['followActive', '--follow-active'],
    ['strategy', '--strategy'],
    ['timeframe', '--timeframe'],
    ...(isQuery ? [] : RANGE),
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

const ONLY_PORTFOLIO = ['--allocator', '--window', '--covariance', '--rebalance', '--drift', '--max'];

async function paper(context: CommandContext, options: Options): Promise<void> {
  const { config, out, log, signal } = context;
  const asked = pauseAsked(options);
  const maxCycles =
    options.maxCycles === undefined ? undefined : integer('--max-cycles', options.maxCycles, { least: 1 });
  refuseLive(config);
  requireRange(options);
  const { registry, channels } = await projectPlugins(context);
  const request = readRequest(context, options, registry);
  const { portfolio } = options;
  if (portfolio === undefined) refuseIgnored(context, ONLY_PORTFOLIO, 'without --portfolio');
  else refuseIgnored(context, ['--run', '--strategy', '--ensemble', '--follow-active'], 'with --portfolio');
  const opened =
    portfolio === undefined
      ? await openPaper(request, sayOpening(out))
      : await openPortfolio(context, { ...options, portfolio }, request);
  const { name, session } = opened;
  // A replay of stored bars ends, and is to be quick.
  if (session.session.feed === 'exchange') leanHeap();
  const intervalMs = asked ?? pollIntervalMs(config, session.session.timeframe);
  const notices = openNotices(config, process.env, { title: `paper ${name}`, log, own: channels });
  const say = (line: string): void => {
    out.print(line);
    log.info({}, line);
    notices.say('session', line);
  };
  const telegram = answerTelegram(config, process.env, { log, now: Date.now });
  const cycles = reportCycles(context, notices);
  const heartbeat = createHeartbeat(sessionFolder(config.dataDir, name), {
    standing: () => ({
      lastBarMs: session.last?.timeMs,
      equity: session.account.equity(),
      positions: session.account.positions().length,
      unprotected: [],
    }),
    now: Date.now,
    log,
  });
  const alerts = watchPaperAlerts({
    dataDir: config.dataDir,
    name,
    session: session.session,
    store: openStore(config.dataDir),
    show: (line) => {
      out.print(line);
      log.info({}, line);
    },
    tell: (text, settled) => notices.alert(text, settled),
    log,
  });
  try {
    if (session.last !== undefined)
      refuseIgnored(
        context,
        ['--since'],
        `in a session that exists: it resumes after ${formatMinute(session.last.timeMs)}; --fresh starts another`,
      );
    introduce(context, opened);
    notices.say(
      'session',
      `Session ${session.session.sessionId} runs with the models of ${opened.trained.runId}.`,
    );
    const records: BarRecord[] = [];
    const summary = await opened.run({
      intervalMs,
      maxCycles,
      onBar: (record, silent) => {
        if (out.json) records.push(record);
        reportBar(context, session, { record, silent });
        notices.bar(record);
        alerts.bar(record);
      },
      onCycle: (cycle) => {
        cycles(cycle);
        heartbeat.beat(signOf(cycle.feed, intervalMs));
        alerts.tick(Date.now());
      },
      onRunChange: (runId) =>
        say(`From the next bar on the models of ${runId} decide, which are active now.`),
      onRunRefused: (runId, why) =>
        say(`${runId} is active now, and cannot take over: ${why.message} ${why.hint}`),
      onEnd: (ended) => {
        log.info({ ...ended, equity: session.account.equity() }, 'paper session stopped');
        conclude(context, session, ended);
        notices.say('session', `Session ended; equity ${session.account.equity().toFixed(2)}.`);
      },
    });
    signal.throwIfAborted();
    out.document(paperDocument(session, summary, records));
  } catch (error) {
    if (!signal.aborted)
      notices.say('session', `Session FAILED: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    await heartbeat.stop();
    await telegram.close();
    await alerts.settled();
    await notices.close();
    // What was delivered just now is no longer waiting.
    await alerts.settled();
    await opened.close();
    for (const { fitted } of opened.trained.members) fitted.dispose?.();
  }
}

function readRequest(context: CommandContext, options: Options, registry: Registry): PaperRequest {
  const { config, log, signal } = context;
  const { name, fresh } = options;
  if (name !== undefined && !isSessionName(name))
    throw new UsageError(
      `--name cannot be "${name}": use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first.`,
    );
  const isStored = options.exchange === false;
  if (!isStored) refuseIgnored(context, ['--since', '--until'], 'without --no-exchange');
  // A replay is of one run, and models that were named are kept.
  if (isStored) refuseIgnored(context, ['--follow-active'], 'with --no-exchange');
  const run = runNamed(options);
  if (run !== undefined) refuseIgnored(context, ['--follow-active'], 'with --run');
  const { strategy, ...deciding } = strategySetting(context, options.strategy, registry);
  const { method, ...weighing } = ensembleSetting(context, options.ensemble);
  const { baseUrl } = config.exchange;
  const { timeoutMs, retries } = config.fetch;
  const streams = config.paper.stream ?? baseUrl === undefined;
  return {
    store: openStore(config.dataDir),
    dataDir: config.dataDir,
    checkpointDir: config.checkpointDir,
    bars: isStored
      ? { kind: 'stored', since: options.since, until: options.until }
      : { kind: 'exchange', open: (id) => openExchange({ id, baseUrl, timeoutMs, retries, streams, log }) },
    name,
    run,
    followActive: !isStored && run === undefined && (options.followActive ?? config.paper.followActive),
    load: (runId, allSeedsOf) =>
      loadTrained(config.checkpointDir, { registry, allSeedsOf, ...(runId !== undefined && { runId }) }),
    fresh,
    wanted: wantedMarket(context, { ...options, exchange: options.exchange || undefined }),
    market: { exchange: config.exchange.id, timeframe: config.market.timeframe },
    strategy: { id: strategy.id, ...deciding },
    ensemble: { id: method.id, ...weighing },
    rules: (symbols) => spotRules(config, symbols, 'paper'),
    risk: riskRules(config.risk),
    instruments: (symbols) => configuredInstruments(config.trading, symbols),
    log,
    signal,
  };
}

/** Longest that a machine at work may take for a poll. */
const POLL_TAKES_MS = 60_000;

const signOf = (feed: Cycle['feed'], intervalMs: number): Parameters<Heartbeat['beat']>[0] =>
  feed.kind === 'fresh'
    ? { state: 'running', nextInMs: intervalMs + POLL_TAKES_MS }
    : {
        state: 'stale',
        reason: feed.reason,
        sinceMs: feed.sinceMs,
        nextInMs: feed.retryInMs + POLL_TAKES_MS,
      };

/** Stored bars follow one another at once unless a pause is asked for. */
function pauseAsked({ intervalSeconds, exchange }: Options): number | undefined {
  if (intervalSeconds !== undefined)
    return 1000 * decimal('--interval-seconds', intervalSeconds, { least: 0, most: 86_400 });
  return exchange === false ? 0 : undefined;
}
