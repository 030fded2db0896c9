import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { duration } from '../../core/foundation/duration.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import { openExchange } from '../../data/exchange/client.ts';
import { openVenue } from '../../data/exchange/open-venue.ts';
import { leanHeap } from '../../data/lean-heap.ts';
import { openStore } from '../../data/store/store.ts';
import { readTextFile } from '../../data/text-file.ts';
import { LONGEST_PAUSE_MS } from '../../desk/live/pause.ts';
import { unprotected } from '../../desk/live/protect.ts';
import { ARRIVES_WITHIN_MS, type Standing } from '../../desk/live/reconcile.ts';
import { runLive } from '../../desk/live/run.ts';
import { readControl } from '../../desk/paper/controls.ts';
import { termsOf } from '../../desk/paper/outlook.ts';
import { createHeartbeat } from '../../desk/session/heartbeat.ts';
import { createHints } from '../../desk/session/hints.ts';
import { activeRunId } from '../../learning/training/active-run.ts';
import {
  loadTrained,
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
} from '../../learning/training/checkpoints.ts';
import { configuredInstruments, marketRules, pollIntervalMs, riskRules } from '../config/execution.ts';
import {
  accountOf,
  liveFolder,
  type LiveTerms,
  openLive,
  requireSafeKey,
  requireTradable,
  termsHash,
} from '../workflows/live.ts';
import { watchLiveAlerts } from '../workflows/alerts.ts';
import { followActive } from '../workflows/follow-active.ts';
import { listenForBars } from '../workflows/listen-for-bars.ts';
import { openLiveFeed } from '../workflows/paper-feed.ts';
import type { CommandContext } from './command.ts';
import { credentialsFrom } from './credentials.ts';
import { barText, confirmationOf, entryText, termsLines } from './live-text.ts';
import { openNotices } from './notices.ts';
import { projectPlugins } from './project-plugins.ts';
import { answerTelegram } from './telegram-desk.ts';
import { untrainedText, wantedMarket } from './run-options.ts';
import { ensembleSetting, strategySetting } from './strategy-setting.ts';

export interface StartOptions {
  readonly name?: string | undefined;
  readonly run?: string | undefined;
  readonly confirmed?: string | undefined;
  readonly maxCycles: number | undefined;
}

const CLOCK_TOLERANCE_MS = 5_000;
/** What a poll itself may take: requests that wait for their time-out, one after another. */
const POLL_TAKES_MS = 120_000;

/** Parameters as a ledger keeps them. */
const asRecord = (params: unknown) => z.record(z.string(), z.unknown()).parse(params);

/** Everything that decides what would be traded, before anything is asked of the exchange. */
export async function liveTerms(context: CommandContext, options: Pick<StartOptions, 'run'>) {
  const { config, out } = context;
  const { id: exchange, sandbox } = config.exchange;
  const credentials = credentialsFrom(process.env, exchange);
  const { registry, channels } = await projectPlugins(context);
  const wanted = wantedMarket(context, {});
  const { run } = options;
  const trained = await loadTrained(config.checkpointDir, {
    ...(run !== undefined && { runId: run }),
    registry,
  });
  for (const note of trained.notes) out.notice(note);
  requireSameMarket(trained, { ...wanted, exchange });
  const { symbols, untrained } = symbolsOfRun(trained, wanted.symbols);
  if (untrained.length > 0) out.print(untrainedText(trained.runId, untrained));
  const strategy = strategySetting(context, undefined, registry);
  const ensemble = ensembleSetting(context, undefined);
  const terms: LiveTerms = {
    exchange,
    sandbox,
    host: config.exchange.baseUrl,
    account: accountOf(exchange, credentials.apiKey),
    timeframe: trained.timeframe,
    symbols,
    rules: marketRules(config, symbols.length),
    risk: riskRules(config.risk),
    execution: { collarPct: config.execution.collarPct, restMs: 1000 * config.execution.restSeconds },
    strategy: { id: strategy.strategy.id, params: asRecord(strategy.params) },
    ensemble: { id: ensemble.method.id, params: asRecord(ensemble.params) },
  };
  requireTradable(terms);
  return { terms, trained, credentials, channels, registry };
}

export async function startLive(context: CommandContext, options: StartOptions): Promise<void> {
  const { config, out, log, signal } = context;
  if (config.exchange.mode !== 'live')
    throw new UserError('exchange.mode is "paper": nothing is traded live.', {
      hint: 'Read docs/live.md first. Then: crypto-trader config set exchange.mode live',
    });
  const { dryRun } = config.execution;
  const { terms, trained, credentials, channels, registry } = await liveTerms(context, options);
  const name = options.name ?? `${terms.exchange}-${terms.timeframe}`;
  const folder = liveFolder(config.dataDir, name);
  for (const line of termsLines(terms, trained.runId)) out.print(line);
  out.print(
    dryRun
      ? 'execution.dryRun is on: orders are planned and NONE is sent.'
      : 'execution.dryRun is off: orders ARE SENT.',
  );
  if (!dryRun) await confirm(context, terms, options.confirmed);

  const { baseUrl } = config.exchange;
  const { timeoutMs, retries } = config.fetch;
  const { exchange: id, sandbox, symbols } = terms;
  const venue = await openVenue({ id, baseUrl, sandbox, timeoutMs, credentials });
  const streams = config.paper.stream ?? baseUrl === undefined;
  const client = await openExchange({ id, baseUrl, timeoutMs, retries, streams, log });
  if ((await requireSafeKey(venue, terms, signal)) === 'not-asked')
    out.print('The playground does not say what the key may do; it holds no money.');
  // Orders are due by the exchange's clock, wherever ours stands.
  const aheadMs = (await client.clockMs(signal)) - Date.now();
  const now = (): number => Date.now() + aheadMs;
  if (Math.abs(aheadMs) > CLOCK_TOLERANCE_MS)
    out.print(
      `This machine's clock is ${duration(Math.abs(aheadMs) / 1000)} ${aheadMs < 0 ? 'ahead of' : 'behind'} the exchange's: synchronise it (NTP).`,
    );
  const configured = configuredInstruments(config.trading, symbols);
  const store = openStore(config.dataDir);
  const feedOf = (by: TrainedSet) =>
    openLiveFeed({ store, trained: by, symbols, configured }, { open: async () => client, log, signal });
  const { createFeed, instruments } = await feedOf(trained);
  const ledger = await openLive(folder, name, terms, {
    venue,
    instruments,
    runId: trained.runId,
    nowMs: now(),
    signal,
  });
  const { state } = ledger;
  leanHeap();
  const notices = openNotices(config, process.env, { title: `live ${name}`, log, own: channels });
  const telegram = answerTelegram(config, process.env, { log, now: Date.now });
  const alerts = watchLiveAlerts({
    dataDir: config.dataDir,
    name,
    session: state.session,
    store,
    show: (line) => {
      out.print(line);
      log.info({}, line);
    },
    tell: (text, settled) => notices.alert(text, settled),
    log,
  });
  const tell = (kind: 'fills' | 'feed' | 'session' | 'risk', line: string): void => {
    out.print(line);
    log.info({}, line);
    notices.say(kind, line);
  };
  const sayFeed = sayOnce(
    (fault: string | undefined) => fault && `Feed is STALE: ${fault}`,
    (line) => tell('feed', line ?? 'Feed is back.'),
  );
  const sayStanding = sayOnce(
    (standing: Standing) => (standing.kind === 'known' ? undefined : `Not known: ${standing.reason}`),
    (line) => tell('session', line ?? 'Ledger and exchange agree.'),
  );
  const intervalMs = pollIntervalMs(config, terms.timeframe);
  const heartbeat = createHeartbeat(folder, {
    standing: () => ({
      lastBarMs: state.last?.timeMs,
      equity: state.account.equity(),
      positions: state.account.positions().length,
      unprotected: [...unprotected(state)],
    }),
    now: Date.now,
    log,
  });
  let feedFault: string | undefined;
  const first = { trained, feed: createFeed(termsOf(state.session, trained)) };
  const followed = followActive(first, {
    // Models that were named are kept.
    active: async () => (options.run === undefined ? activeRunId(config.checkpointDir) : undefined),
    open: async (runId) => {
      const next = await loadTrained(config.checkpointDir, { runId, registry });
      requireSameMarket(next, { exchange: terms.exchange, timeframe: terms.timeframe });
      if (symbolsOfRun(next, { list: symbols, named: true }).symbols.join() !== symbols.join())
        throw new UserError(`The run "${runId}" has the pairs in another order.`, {
          hint: 'Train it on the same pairs.',
        });
      const { createFeed: create } = await feedOf(next);
      return { trained: next, feed: create(termsOf(state.session, next)) };
    },
    onChange: (runId) =>
      tell('session', `From the next bar on the models of ${runId} decide, which are active now.`),
    onRefused: (runId, why) =>
      tell('session', `${runId} is active now, and cannot take over: ${why.message} ${why.hint}`),
  });
  const hints = createHints();
  const deaf = new AbortController();
  // Without orders there is nothing to hear of.
  const listening = dryRun
    ? undefined
    : venue.listen(
        {
          onEvent: () => hints.hear(),
          onFault: sayOnce(
            (fault: string | undefined) =>
              fault && `The account is not heard (${fault}): it is polled, and listened to again.`,
            (line) => {
              out.print(line ?? 'The account is heard again.');
              log.info({}, line ?? 'account heard again');
            },
          ),
        },
        AbortSignal.any([signal, deaf.signal]),
      );
  const listeningForBars = listenForBars(
    client,
    {
      symbols,
      timeframe: terms.timeframe,
      lastMs: () => state.last?.timeMs,
      hints,
      now,
      log,
    },
    AbortSignal.any([signal, deaf.signal]),
  );
  try {
    tell(
      'session',
      `Live session ${state.session.sessionId}${state.last === undefined ? ', new' : `, resumed after the bar of ${formatMinute(state.last.timeMs)}`}; ${state.orders.size} orders on record.`,
    );
    const mode = (await readControl(folder))?.mode ?? 'trade';
    if (mode !== 'trade')
      out.print(
        `It is ${mode === 'pause' ? 'paused: nothing is ordered' : 'flattened: everything is sold, nothing else is ordered'} until \`crypto-trader live resume\`.`,
      );
    if (ledger.tornBytes > 0)
      out.print(`The last line of the ledger was cut off by a crash (${ledger.tornBytes} bytes).`);
    const cycles = await runLive(ledger, followed, {
      venue,
      signal,
      dryRun,
      now,
      arrivesWithinMs: ARRIVES_WITHIN_MS,
      intervalMs,
      pollMs: 1_000,
      hints,
      maxCycles: options.maxCycles,
      control: () => readControl(folder),
      prices: (wanted) => client.lastPrices(wanted, signal),
      onDoubt: sayOnce(
        (line: string | undefined) => line,
        (line) => line !== undefined && tell('feed', line),
      ),
      onBar: (bar) => {
        out.print(barText(bar));
        alerts.bar(bar);
        log.info({ ...bar, candles: undefined, models: undefined }, 'live bar');
      },
      onEntry: (entry) => {
        if (entry.kind === 'bar') return;
        log.info({ ...entry }, 'live entry');
        const line = entryText(entry, state);
        if (line !== undefined) tell(entry.kind === 'halt' ? 'session' : 'fills', line);
      },
      onStanding: (standing) => {
        sayStanding(standing);
        const unknown = standing.kind === 'known' ? feedFault : standing.reason;
        const { halt } = state;
        heartbeat.beat({
          state: halt !== undefined ? 'halted' : unknown === undefined ? 'running' : 'stale',
          reason: halt ?? unknown,
          nextInMs: Math.max(intervalMs, LONGEST_PAUSE_MS) + POLL_TAKES_MS,
        });
      },
      onFeed: (fault) => {
        feedFault = fault;
        sayFeed(fault);
        alerts.tick(now());
      },
    });
    out.print(
      `\n${cycles} cycles; equity ${state.account.equity().toFixed(2)}; ${state.account.positions().length} positions; ${state.orders.size} orders on record${state.halt === undefined ? '' : '; trading is STOPPED'}.`,
    );
    out.document(liveDocument(name, ledger.state));
    notices.say('session', `Session ended; equity ${state.account.equity().toFixed(2)}.`);
    signal.throwIfAborted();
  } catch (error) {
    if (!signal.aborted)
      notices.say('session', `Session FAILED: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    deaf.abort();
    await Promise.all([listening, listeningForBars]);
    await heartbeat.stop();
    await telegram.close();
    await alerts.settled();
    await notices.close();
    // What was delivered just now is no longer waiting.
    await alerts.settled();
    await ledger.close();
    followed.dispose();
  }
}

/** Calls `say` when what `textOf` makes of it changes; what is fine from the start is not worth a word. */
function sayOnce<T>(
  textOf: (value: T) => string | undefined,
  say: (line: string | undefined) => void,
): (value: T) => void {
  let before: string | undefined;
  return (value) => {
    const text = textOf(value);
    if (text !== before) say(text);
    before = text;
  };
}

/** What is known of the session, for programs. */
export const liveDocument = (
  name: string,
  { session, account, orders, last, halt }: Parameters<typeof entryText>[1],
) => ({
  name,
  sessionId: session.sessionId,
  exchange: session.exchange,
  sandbox: session.sandbox,
  account: session.account,
  equity: account.equity(),
  cash: account.portfolio.cash,
  positions: account.positions(),
  lastBarTime: last && formatTime(last.timeMs),
  decision: last?.decision,
  halted: halt,
  orders: [...orders.values()].map(({ intent, state, filledKnown, reason }) => ({
    clientId: intent.clientId,
    time: formatTime(intent.atMs),
    symbol: intent.symbol,
    side: intent.side,
    baseAmount: intent.baseAmount,
    price: intent.price,
    state,
    filled: filledKnown,
    reason,
  })),
});

/** Typed on a terminal, or the terms' hash in a file that a person wrote before. Throws `UserError` without it. */
async function confirm(
  { signal }: CommandContext,
  terms: LiveTerms,
  file: string | undefined,
): Promise<void> {
  if (file !== undefined) {
    const text = readTextFile({ path: file, what: 'the confirmation', largestBytes: 1_000 });
    if (text?.trim() === termsHash(terms)) return;
    throw new UserError(
      text === undefined
        ? `There is no file "${file}" with the hash of the terms.`
        : `The file "${file}" confirms other terms than these.`,
      { hint: `If they are right, write their hash into it: ${termsHash(terms)}` },
    );
  }
  const asked = confirmationOf(terms);
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true)
    throw new UserError('Live trading has to be confirmed, and nobody is there to type.', {
      hint: `Put the hash of the terms, ${termsHash(terms)}, into a file, and name it: --confirmed <file>.`,
    });
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await prompt.question(`To start, type exchange, account and capital: ${asked}\n> `, {
      signal,
    });
    if (typed.trim() === asked) return;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    prompt.close();
  }
  throw new UserError('That is not what was asked for: nothing is traded.', { hint: `Type: ${asked}` });
}
