import { UserError } from '../../core/foundation/errors.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import type { Log } from '../../core/foundation/log.ts';
import { lowerBound } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { type Timeframe, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { AllocationSettings } from '../../core/portfolio/allocator.ts';
import type { Limits } from '../../core/portfolio/limits.ts';
import type { SolveLinear } from '../../core/portfolio/linear.ts';
import type { Member } from '../../core/portfolio/universe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import type { Store } from '../../data/store/store.ts';
import { type Account, openAccount } from '../../desk/paper/account.ts';
import { barAt } from '../../desk/paper/bar.ts';
import { type BarWatch, createBarWatch } from '../../desk/paper/bar-watch.ts';
import type { BarFeed, Last } from '../../desk/paper/feed.ts';
import { PORTFOLIO } from '../../desk/paper/record.ts';
import type { PaperSession } from '../../desk/paper/session.ts';
import { runOfSession, symbolsOfSession } from '../../desk/paper/sessions.ts';
import { openSession } from '../../desk/paper/slot.ts';
import type { Decision } from '../../desk/paper/step.ts';
import { chosenWeights, type PortfolioStrategy, type Rebalance } from '../../lab/portfolio/walk-forward.ts';
import { endedPairs, exchangeInstruments } from './paper-feed.ts';
import { type OpenPaper, openRunning, type PaperBars } from './paper.ts';
import { loadPortfolioMarket, type PortfolioMarket } from './portfolio.ts';

/** A paper session that holds a portfolio: no forecasts of single pairs, weights of all of them together. */
export interface PortfolioPaperRequest {
  readonly store: Store;
  readonly dataDir: string;
  readonly bars: PaperBars;
  /** Default: of exchange, timeframe and bars. */
  readonly name?: string | undefined;
  readonly fresh: boolean;
  readonly exchange: string;
  readonly timeframe: Timeframe;
  /** What may be held; where nobody `named` it, a session that exists keeps its own. */
  readonly members: readonly Member[];
  readonly named: boolean;
  /** How weights are chosen, as the ledger keeps it: a session goes on under the same terms only. */
  readonly terms: Readonly<Record<string, unknown>>;
  readonly allocator: string;
  readonly windowBars: number;
  readonly rebalance: Rebalance;
  /** Throws `UserError` for one that was trained on later bars than those of `source`. */
  readonly strategyFor: (source: PortfolioMarket) => Promise<PortfolioStrategy>;
  readonly limitsFor: (assets: readonly number[]) => Limits;
  readonly settings: AllocationSettings;
  readonly solveLinear: SolveLinear;
  readonly rules: ExecutionRules;
  readonly risk: RiskRules | undefined;
  readonly instruments: (symbols: readonly PairSymbol[]) => readonly Instrument[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Mondays, 0:00 UTC: weeks are counted from here, whenever a session began. */
const FIRST_MONDAY_MS = 4 * 86_400_000;

/** Opens the session of that name, or starts it. Throws `UserError` as `openPaper` does. */
export async function openPortfolioPaper(
  request: PortfolioPaperRequest,
  onNote: (text: string) => void,
): Promise<OpenPaper> {
  const { store, dataDir, bars, fresh, exchange, timeframe, log, signal } = request;
  const name = request.name ?? `${exchange}-${timeframe}-portfolio${bars.kind === 'stored' ? '-stored' : ''}`;
  const before = fresh ? undefined : await runOfSession(dataDir, name);
  if (before !== undefined && !before.startsWith(`${PORTFOLIO} `))
    throw new UserError(`The paper session "${name}" trades by the models of "${before}".`, {
      hint: 'Give the portfolio another --name, or archive that session with --fresh.',
    });
  const kept = before === undefined || request.named ? undefined : await symbolsOfSession(dataDir, name);
  const members = kept?.map((symbol) => memberOf(symbol, request.members)) ?? request.members;
  const market = { exchange, timeframe, members, named: request.named || kept !== undefined };
  const load = (untilMs: number | undefined, of = market) => loadPortfolioMarket(store, { ...of, untilMs });
  const source = await load(undefined);
  for (const note of source.notes) onNote(note);
  if (source.synthetic && bars.kind === 'exchange')
    throw new UserError('The stored candles are synthetic.', {
      hint: 'No exchange continues those: use --no-exchange, or fetch real candles.',
    });
  const symbols = source.members.map(({ symbol }) => symbol);
  const sure = { exchange, timeframe, members: source.members, named: true };
  const configured = request.instruments(symbols);
  const client = bars.kind === 'exchange' ? await bars.open(exchange) : undefined;
  const runId = `${PORTFOLIO} ${request.allocator}`;
  const session = await openSession(
    dataDir,
    name,
    {
      feed: bars.kind,
      exchange,
      timeframe,
      symbols,
      synthetic: source.synthetic,
      rules: request.rules,
      risk: request.risk,
      runId,
      strategy: { id: PORTFOLIO, params: request.terms },
      ensemble: { id: 'equal', params: {} },
    },
    {
      fresh,
      keeps: { strategy: false, ensemble: true },
      nowMs: Date.now(),
      instruments: async () =>
        client === undefined ? configured : exchangeInstruments(client, configured, signal),
    },
  );
  const decider = createDecider({ ...request, runId, session, load: (untilMs) => load(untilMs, sure) });
  const since = bars.kind === 'stored' ? (bars.since ?? firstWindow(source, request.windowBars)) : 0;
  const feed =
    client === undefined
      ? storedBars(source, decider, since, bars.kind === 'stored' ? bars.until : undefined)
      : exchangeBars(
          createBarWatch({
            store,
            exchange,
            timeframe,
            symbols,
            sinceMs: source.market.time[0],
            source: client,
            log,
            now: Date.now,
          }),
          decider,
          (untilMs) => load(untilMs, sure),
        );
  return openRunning({
    name,
    dataDir,
    log,
    signal,
    session,
    listensTo: client,
    open: () => ({ feed, deciders: () => ({ runId, members: [] }) }),
    sinceMs: since,
    ended: async () => endedPairs(store, { exchange, symbols, timeframe }),
  });
}

const memberOf = (symbol: PairSymbol, members: readonly Member[]): Member =>
  members.find((one) => one.symbol === symbol) ?? { symbol };

/** Open of the first bar by whose close somebody has a whole window. */
function firstWindow({ market: { time } }: PortfolioMarket, windowBars: number): number {
  if (time.length > windowBars) return time[windowBars];
  throw new UserError(
    `There are ${time.length} stored bars, and weights are chosen on ${windowBars} returns.`,
    {
      hint: 'Fetch more history, or shorten --window.',
    },
  );
}

interface Decider {
  /** Moves `account` over the bar of `row`, and says what is decided at its close. */
  decide(
    source: PortfolioMarket,
    row: number,
    account: Account,
    last: Last | undefined,
    placed: 'placed' | 'missed',
  ): Promise<Decision>;
  /** A copy of the session's account: what is held at a close is known before the bar is on record. */
  account(): Account;
}

function createDecider(
  request: PortfolioPaperRequest & {
    readonly runId: string;
    readonly session: PaperSession;
    readonly load: (untilMs: number) => Promise<PortfolioMarket>;
  },
): Decider {
  const { runId, session, rebalance, allocator, load } = request;
  const step = TIMEFRAME_MS[request.timeframe];
  const period = (timeMs: number, bars: number): number =>
    Math.floor((timeMs + step - FIRST_MONDAY_MS) / (bars * step));
  const isDue = (timeMs: number, last: Last | undefined, held: Float64Array): boolean => {
    const wanted = last?.wanted;
    if (last === undefined || wanted === undefined || wanted.every((one) => one === null)) return true;
    if (rebalance.kind === 'every')
      return period(timeMs, rebalance.bars) !== period(last.timeMs, rebalance.bars);
    return (
      held.reduce((sum, weight, i) => sum + Math.abs(weight - (wanted[i] ?? 0)), 0) / 2 > rebalance.share
    );
  };
  return {
    account: () =>
      openAccount(session.session, {
        portfolio: session.account.snapshot(),
        risk: session.account.riskState(),
      }),
    async decide({ market }, row, account, last, placed) {
      account.see(barAt(market, row));
      const { amount, mark } = account.portfolio.columns;
      const capital = account.equity();
      const held = amount.map((base, i) => (base === 0 || !(capital > 0) ? 0 : (base * mark[i]) / capital));
      const none = session.session.instruments.map(() => null);
      const before = last?.wanted ?? none;
      const nothing = { runId, decision: placed, targets: none, models: {}, wanted: [...before] };
      if (!isDue(market.time[row], last, held)) return nothing;
      // Read up to this close: nothing that decides can look further.
      const known = await load(market.time[row] + step);
      const strategy = await request.strategyFor(known);
      const chosen = await chosenWeights(
        { ...request, ...known },
        strategy,
        known.market.time.length - 1,
        held,
      );
      if (chosen === undefined) return nothing;
      for (const note of chosen.notes) request.log.info({ allocator }, note);
      const weights = [...chosen.weights];
      return {
        runId,
        decision: placed,
        targets: weights,
        wanted: weights,
        models: { [allocator]: weights.map((weight): [number, number] => [weight, 1]) },
      };
    },
  };
}

/** Stored bars from `sinceMs` on, one a look. */
function storedBars(source: PortfolioMarket, decider: Decider, sinceMs: number, untilMs = Infinity): BarFeed {
  const { market } = source;
  const end = lowerBound(market.time, untilMs);
  return {
    async look(last, signal) {
      signal.throwIfAborted();
      const row = lowerBound(market.time, last === undefined ? sinceMs : last.timeMs + 1);
      if (row >= end && last === undefined)
        throw new UserError(`The store has no bars from ${formatMinute(sinceMs)} on.`, {
          hint: 'Fetch newer candles, or begin earlier with --since.',
        });
      if (row >= end) return { bars: [], ended: true };
      const decision = await decider.decide(source, row, decider.account(), last, 'placed');
      return { bars: [{ bar: barAt(market, row), decision }], ended: row === end - 1 };
    },
  };
}

/** Bars as they close on the exchange; what is decided on those that were missed is ordered with the newest. */
function exchangeBars(
  watch: BarWatch,
  decider: Decider,
  load: (untilMs: number) => Promise<PortfolioMarket>,
): BarFeed {
  return {
    async look(last, signal) {
      const ready = await watch.ready(last?.timeMs, signal);
      if (ready === undefined) return { bars: [], ended: false };
      const source = await load(ready.readyMs);
      const { time, barMs } = source.market;
      const bars: { bar: ReturnType<typeof barAt>; decision: Decision }[] = [];
      const account = decider.account();
      let before = last;
      for (
        let row = last === undefined ? time.length - 1 : lowerBound(time, last.timeMs + 1);
        row < time.length;
        row++
      ) {
        const placed = ready.nowMs - (time[row] + barMs) < barMs ? 'placed' : 'missed';
        const decision = await decider.decide(source, row, account, before, placed);
        bars.push({ bar: barAt(source.market, row), decision });
        before = { timeMs: time[row], wanted: decision.wanted };
      }
      return { bars, ended: false };
    },
  };
}
