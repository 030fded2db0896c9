import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import type { EndedHistory } from '../../core/market/history-end.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import { balanceWarning } from '../../core/trading/balance-warning.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { Log } from '../../core/foundation/log.ts';
import type { ExchangeClient } from '../../data/exchange/client.ts';
import type { Store } from '../../data/store/store.ts';
import { createHints } from '../../desk/session/hints.ts';
import { readControl } from '../../desk/paper/controls.ts';
import { termsOf } from '../../desk/paper/outlook.ts';
import type { BarFeed, Said } from '../../desk/paper/feed.ts';
import { type BarRecord, ensembleOf, PORTFOLIO, strategyOf } from '../../desk/paper/record.ts';
import { type Cycle, runPaper, type RunSummary } from '../../desk/paper/run.ts';
import type { PaperSession } from '../../desk/paper/session.ts';
import { chooseEnsemble } from '../../learning/ensemble/registry.ts';
import { allSeedsOf } from '../../learning/ensemble/voters.ts';
import {
  ensembleOfSession,
  isSessionName,
  runOfSession,
  sessionFolder,
  symbolsOfSession,
} from '../../desk/paper/sessions.ts';
import { defaultName, openSession } from '../../desk/paper/slot.ts';
import { activeRunId } from '../../learning/training/active-run.ts';
import {
  requireSameMarket,
  symbolsOfRun,
  type TrainedSet,
  type WantedMarket,
} from '../../learning/training/checkpoints.ts';
import { findRun } from '../../learning/training/run-folder.ts';
import { followActive } from './follow-active.ts';
import { listenForBars } from './listen-for-bars.ts';
import { keepSaid } from './prediction-log.ts';
import { endedPairs, openLiveFeed, openStoredFeed } from './paper-feed.ts';

/** What decides, or combines, with its parameters; `isSet`: somebody chose it, else a session keeps its own. */
interface Chosen {
  readonly id: string;
  readonly params: unknown;
  readonly isSet: boolean;
}

/** Stored bars that training has not seen, or bars as they close on an exchange. */
export type PaperBars =
  | { readonly kind: 'stored'; readonly since?: number | undefined; readonly until?: number | undefined }
  | {
      readonly kind: 'exchange';
      /** A client with `streams` is listened to: a bar that closes is asked for as soon as the exchange tells it. */
      readonly open: (id: string) => Promise<ExchangeClient>;
    };

/** A session to be opened, or to go on. */
export interface PaperRequest {
  readonly store: Store;
  readonly dataDir: string;
  readonly checkpointDir: string;
  readonly bars: PaperBars;
  /** Default: of exchange, timeframe and bars. */
  readonly name?: string | undefined;
  /** The run to trade with from now on; default: that of the session, else the active one. */
  readonly run?: string | undefined;
  /** Loads a run, `undefined` the active one, with one model as it came out of every seed where the ensemble is that. Who loads it disposes of it. */
  readonly load: (run: string | undefined, allSeedsOf: string | undefined) => Promise<TrainedSet>;
  /** A run that becomes active takes over between two bars; else a session keeps its own until `run` names another. Default: no. */
  readonly followActive?: boolean;
  /** Archive the current session and start another. */
  readonly fresh: boolean;
  readonly wanted: WantedMarket;
  /** What names the session where no run does. */
  readonly market: { readonly exchange: string; readonly timeframe: Timeframe };
  readonly strategy: Chosen;
  readonly ensemble: Chosen;
  readonly rules: (symbols: number) => ExecutionRules;
  readonly risk: RiskRules | undefined;
  /** Steps and least values of orders where no exchange is asked. */
  readonly instruments: (symbols: readonly PairSymbol[]) => readonly Instrument[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** What is worth saying while a session is opened. */
export type OpeningEvent =
  | { readonly kind: 'note'; readonly text: string }
  /** A later training does not replace the models of a session by itself. */
  | { readonly kind: 'run-kept'; readonly runId: string; readonly activeRunId: string }
  | { readonly kind: 'run-changed'; readonly from: string; readonly to: string }
  | { readonly kind: 'untrained'; readonly runId: string; readonly symbols: readonly PairSymbol[] };

/** A pair that lacks its second bar in a row while others have theirs: delisted, halted, or without a trade. */
export interface SilentPair {
  readonly symbol: PairSymbol;
  readonly lastTimeMs: number;
  readonly isHeld: boolean;
}

export interface PaperRun {
  readonly intervalMs: number;
  /** Polls after which it ends; default: none. */
  readonly maxCycles?: number | undefined;
  /** A bar was processed and is on disk. */
  readonly onBar: (record: BarRecord, silent: readonly SilentPair[]) => void;
  readonly onCycle?: (cycle: Cycle) => void;
  /** Only where the active run is followed: it decides from the next bar on; or it cannot, and the session keeps what it has. */
  readonly onRunChange?: (runId: string) => void;
  readonly onRunRefused?: (runId: string, why: UserError) => void;
  /** Bars have ended, or somebody wanted to stop. */
  readonly onEnd?: (summary: RunSummary) => void;
}

type Deciders = Pick<TrainedSet, 'runId' | 'members'>;

/** An open session: nobody else can run it until it is closed. */
export interface OpenPaper {
  readonly name: string;
  /** What decides now: a run with its models, or an allocator, which has none to dispose of. */
  readonly trained: Deciders;
  readonly session: PaperSession;
  /** First stored bar of a new session over stored bars. */
  readonly sinceMs: number;
  /** Why orders of this account may be too small to be made. */
  readonly smallBalance: string | undefined;
  /** Pairs whose stored bars end before those of the others: no signal and no trade there. */
  readonly ended: readonly EndedHistory[];
  /**
   * Trades until the bars end or the signal aborts, which is no error: the bar that was being processed is finished. Throws
   * `UserError` when the exchange never answered, or when the ledger turns out to be damaged.
   */
  run(options: PaperRun): Promise<RunSummary>;
  close(): Promise<void>;
}

/**
 * Opens the session of that name, or starts it, with the models that were named, else those it traded with last, else the
 * active ones. Throws `UserError` when another process runs it, when it was started under other terms, or when its
 * ledger is damaged.
 */
export async function openPaper(
  request: PaperRequest,
  onEvent: (event: OpeningEvent) => void,
): Promise<OpenPaper> {
  const { store, dataDir, fresh, signal } = request;
  const bars = openedOnce(request.bars);
  const { name, trained, loadAnother } = await chooseRun(request, onEvent);
  requireSameMarket(trained, request.wanted);
  const kept = fresh ? undefined : await symbolsOfSession(dataDir, name);
  const asked = request.wanted.symbols ?? (kept && { list: kept, named: true });
  const { symbols, untrained } = symbolsOfRun(trained, asked);
  if (untrained.length > 0) onEvent({ kind: 'untrained', runId: trained.runId, symbols: untrained });
  const feed = await openFeed({ ...request, bars }, trained, symbols);
  const session = await openSession(
    dataDir,
    name,
    {
      feed: bars.kind,
      runId: trained.runId,
      risk: request.risk,
      exchange: trained.exchange,
      timeframe: trained.timeframe,
      symbols,
      synthetic: trained.synthetic,
      rules: request.rules(symbols.length),
      strategy: { id: request.strategy.id, params: asRecord(request.strategy.params) },
      ensemble: { id: request.ensemble.id, params: asRecord(request.ensemble.params) },
    },
    {
      fresh,
      keeps: { strategy: !request.strategy.isSet, ensemble: !request.ensemble.isSet },
      nowMs: Date.now(),
      instruments: feed.instruments,
    },
  );
  let onChange: (runId: string) => void = () => {};
  let onRefused: (runId: string, why: UserError) => void = () => {};
  return openRunning({
    name,
    dataDir,
    log: request.log,
    signal,
    session,
    open() {
      const of = { trained, feed: feed.createFeed(termsOf(session.session, trained)) };
      const followed = followActive(of, {
        active: async () => (request.followActive === true ? activeRunId(request.checkpointDir) : undefined),
        open: async (runId) => {
          const next = await loadAnother(runId);
          requireSameMarket(next, { exchange: trained.exchange, timeframe: trained.timeframe });
          const same = symbolsOfRun(next, { list: symbols, named: true });
          if (same.symbols.join() !== symbols.join())
            throw new UserError(`The run "${runId}" has the pairs in another order.`, {
              hint: 'Train it on the same pairs.',
            });
          const { createFeed } = await openFeed({ ...request, bars }, next, symbols);
          return { trained: next, feed: createFeed(termsOf(session.session, next)) };
        },
        onChange: (runId) => onChange(runId),
        onRefused: (runId, why) => onRefused(runId, why),
      });
      return { feed: followed, deciders: () => followed.trained };
    },
    onRun(told) {
      onChange = told.onRunChange ?? onChange;
      onRefused = told.onRunRefused ?? onRefused;
    },
    sinceMs: Math.max(
      (bars.kind === 'stored' ? bars.since : undefined) ?? -Infinity,
      trained.validateUntilMs,
    ),
    listensTo: bars.kind === 'exchange' ? await bars.open(trained.exchange) : undefined,
    ended: () => endedPairs(store, { ...trained, symbols }),
    keep: async ({ runId, timeMs, processedAtMs }, said) => {
      const { exchange, timeframe, synthetic } = trained;
      const by = { strategy: strategyOf(session.session).id, ensemble: ensembleOf(session.session).id };
      const given = { runId, exchange, timeframe, synthetic, givenAtMs: processedAtMs, ...by };
      // A session is worth more than the record of what was predicted in it: its ledger goes on.
      await keepSaid(dataDir, given, timeMs, said).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        request.log.warn({ timeMs }, `predictions are not on record: ${error.message}`);
      });
    },
  });
}

/** A session that has been opened, with what feeds it; closes it again when it cannot be run. */
export async function openRunning(running: {
  readonly name: string;
  readonly dataDir: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly session: PaperSession;
  readonly open: () => { readonly feed: BarFeed; readonly deciders: () => Deciders };
  readonly onRun?: (told: PaperRun) => void;
  readonly sinceMs: number;
  /** The exchange whose messages bring polls forward; default: none. */
  readonly listensTo?: ExchangeClient | undefined;
  readonly ended: () => Promise<readonly EndedHistory[]>;
  /** Puts predictions on record. */
  readonly keep?: (record: BarRecord, said: readonly Said[]) => Promise<void>;
}): Promise<OpenPaper> {
  const { name, dataDir, signal, session, sinceMs } = running;
  try {
    const { feed, deciders } = running.open();
    const { instruments, rules } = session.session;
    return {
      name,
      get trained() {
        return deciders();
      },
      session,
      sinceMs,
      smallBalance: balanceWarning(instruments, rules.initialBalance),
      ended: await running.ended(),
      async run(told) {
        const { onBar, onCycle = () => {}, onEnd = () => {}, intervalMs, maxCycles } = told;
        running.onRun?.(told);
        const hints = createHints();
        const deaf = new AbortController();
        const listening =
          running.listensTo &&
          listenForBars(
            running.listensTo,
            {
              symbols: instruments.map(({ symbol }) => symbol),
              timeframe: session.session.timeframe,
              lastMs: () => session.last?.timeMs,
              hints,
              now: Date.now,
              log: running.log,
            },
            AbortSignal.any([signal, deaf.signal]),
          );
        const summary = await runPaper(session, feed, {
          intervalMs,
          maxCycles,
          signal,
          now: Date.now,
          hints,
          control: () => readControl(sessionFolder(dataDir, name)),
          async onBar(record, said) {
            if (said !== undefined && said.length > 0) await running.keep?.(record, said);
            onBar(record, fallenSilent(session, record));
          },
          onCycle,
        }).finally(async () => {
          deaf.abort();
          await listening;
        });
        onEnd(summary);
        if (signal.aborted) return summary;
        // A short run must not end before the whole of a long ledger was checked.
        await session.checked;
        if (summary.feed.kind === 'stale' && summary.freshCycles === 0) {
          throw new UserError(`The exchange never answered: ${summary.feed.reason}`, {
            hint: 'Check the network, or run without --max-cycles to wait until it answers. The session is kept.',
          });
        }
        return summary;
      },
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** One client for the whole session, whatever run it decides by: each opens sockets and lists of markets of its own. */
function openedOnce(bars: PaperBars): PaperBars {
  if (bars.kind === 'stored') return bars;
  const opened = new Map<string, Promise<ExchangeClient>>();
  return {
    kind: 'exchange',
    open: (id) => {
      const client = opened.get(id) ?? bars.open(id);
      opened.set(id, client);
      return client;
    },
  };
}

/** Parameters as a ledger keeps them. */
const asRecord = (params: unknown) => z.record(z.string(), z.unknown()).parse(params);

async function chooseRun(
  { dataDir, checkpointDir, bars, wanted, market, fresh, run, load, ...request }: PaperRequest,
  onEvent: (event: OpeningEvent) => void,
): Promise<{
  readonly name: string;
  readonly trained: TrainedSet;
  /** Another run, as this one was loaded. */
  readonly loadAnother: (runId: string) => Promise<TrainedSet>;
}> {
  const active = await activeRunId(checkpointDir);
  const chosen = run ?? active;
  const plan = chosen === undefined ? undefined : (await findRun(checkpointDir, chosen)).plan;
  const name =
    request.name ??
    defaultName({
      exchange: wanted.exchange ?? plan?.exchange ?? market.exchange,
      timeframe: wanted.timeframe ?? plan?.timeframe ?? market.timeframe,
      feed: bars.kind,
    });
  if (!isSessionName(name))
    throw new UserError(`A session cannot be called "${name}".`, {
      hint: 'Use up to 64 letters, digits, dots, dashes and underscores, a letter or digit first.',
    });
  const kept = fresh ? undefined : await runOfSession(dataDir, name);
  if (kept?.startsWith(`${PORTFOLIO} `) === true)
    throw new UserError(`The paper session "${name}" holds a portfolio.`, {
      hint: 'Go on with it by `paper --portfolio`, as it was started, or give this one another --name.',
    });
  const before = kept === undefined ? undefined : await ensembleOfSession(dataDir, name);
  const combining = before === undefined || request.ensemble.isSet ? request.ensemble : before;
  const method = chooseEnsemble(combining.id, asRecord(combining.params)).method;
  const trained = await load(run ?? kept, allSeedsOf(method));
  for (const text of trained.notes) onEvent({ kind: 'note', text });
  if (kept !== undefined && run === undefined) {
    if (active !== undefined && active !== kept && request.followActive !== true)
      onEvent({ kind: 'run-kept', runId: kept, activeRunId: active });
  } else if (kept !== undefined && kept !== trained.runId)
    onEvent({ kind: 'run-changed', from: kept, to: trained.runId });
  return { name, trained, loadAnother: (runId) => load(runId, allSeedsOf(method)) };
}

async function openFeed(
  { store, bars, instruments, log, signal }: PaperRequest,
  trained: TrainedSet,
  symbols: readonly PairSymbol[],
) {
  const traded = { store, trained, symbols, configured: instruments(symbols) };
  if (bars.kind === 'stored') return openStoredFeed(traded, bars);
  return openLiveFeed(traded, { open: () => bars.open(trained.exchange), log, signal });
}

function fallenSilent(
  { session, account }: PaperSession,
  { timeMs }: Pick<BarRecord, 'timeMs'>,
): readonly SilentPair[] {
  const { barTime, amount } = account.portfolio.columns;
  const step = TIMEFRAME_MS[session.timeframe];
  return session.instruments.flatMap(({ symbol }, s) =>
    timeMs - barTime[s] === 2 * step ? [{ symbol, lastTimeMs: barTime[s], isHeld: amount[s] !== 0 }] : [],
  );
}
