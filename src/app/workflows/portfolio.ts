import { createHash } from 'node:crypto';
import { formatDay } from '../../core/foundation/time.ts';
import { comparePortfolios, EQUAL_WEIGHT, type PortfolioComparison } from '../../lab/portfolio/assess.ts';
import { marketOf } from '../../lab/portfolio/market.ts';
import { weightInstability } from '../../lab/portfolio/stability.ts';
import {
  type Decision,
  holdOne,
  type PortfolioRun,
  type PortfolioStrategy,
  tableOf,
  walkForward,
  type WalkForwardTask,
} from '../../lab/portfolio/walk-forward.ts';
import { coarsen } from '../../lab/backtest/coarse-returns.ts';
import { marketName, recordTrials, type Trial } from '../../lab/backtest/trials.ts';
import { summariseTrials } from '../../lab/backtest/trial-summary.ts';
import { barReturns } from '../../core/evaluation/returns.ts';
import { sharpeSample } from '../../core/evaluation/sharpe-test.ts';
import { invariant, UserError } from '../../core/foundation/errors.ts';
import type { Candles } from '../../core/market/candles.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import { requireOneQuote } from '../../core/market/symbols.ts';
import type { Timeframe } from '../../core/market/timeframe.ts';
import { type AllocationSettings, allocators } from '../../core/portfolio/allocator.ts';
import { type Limits, requireFeasible } from '../../core/portfolio/limits.ts';
import type { SolveLinear } from '../../core/portfolio/linear.ts';
import { joinRenamed, type Member, returnWindow, type ReturnWindow } from '../../core/portfolio/universe.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';
import { giveWay, inTurns } from '../../data/turns.ts';
import type { Store } from '../../data/store/store.ts';

export interface PortfolioMarket {
  readonly exchange: string;
  readonly timeframe: Timeframe;
  readonly members: readonly Member[];
  readonly market: AlignedMarket;
  readonly synthetic: boolean;
  /** SHA-256 of the datasets behind it. */
  readonly fingerprint: string;
  /** Members without stored candles, renames that were joined or could not be. */
  readonly notes: readonly string[];
}

/**
 * The stored candles of a universe on one clock. A rename is joined where both series are stored. Throws `UserError` when a
 * symbol that was named has no candles; of the default universe those without are left out by name.
 */
export async function loadPortfolioMarket(
  store: Store,
  request: {
    readonly exchange: string;
    readonly timeframe: Timeframe;
    readonly members: readonly Member[];
    /** Whether the user named the members. */
    readonly named: boolean;
    readonly untilMs: number | undefined;
  },
): Promise<PortfolioMarket> {
  const { exchange, timeframe, named, untilMs } = request;
  requireOneQuote(request.members.map(({ symbol }) => symbol));
  const range = untilMs === undefined ? {} : { untilMs };
  const notes: string[] = [];
  const absent: PairSymbol[] = [];
  const loaded: { member: Member; candles: Candles; synthetic: boolean; sha: string }[] = [];
  for (const member of request.members) {
    const key = { exchange, symbol: member.symbol, timeframe };
    const manifest = await store.manifest(key);
    if (manifest === undefined && !named) {
      absent.push(member.symbol);
      continue;
    }
    // An absent dataset is an error of the store, which says how to fetch it.
    let candles = await store.read(key, range);
    const { renamed } = member;
    if (renamed !== undefined) {
      const old = { exchange, symbol: renamed.from, timeframe };
      if ((await store.manifest(old)) === undefined) {
        notes.push(
          `${member.symbol} was ${renamed.from}, of which no candles are stored: it starts with its own first candle.`,
        );
      } else {
        candles = joinRenamed(await store.read(old, range), candles, renamed);
        notes.push(`${member.symbol} continues ${renamed.from} from ${formatDay(renamed.atMs)} on.`);
      }
    }
    loaded.push({ member, candles, synthetic: manifest?.synthetic === true, sha: manifest?.sha256 ?? '' });
  }
  if (loaded.every(({ candles }) => candles.time.length === 0))
    throw new UserError(`The store holds no ${timeframe} candles of ${exchange} for this universe.`, {
      hint: `Fetch them: crypto-trader fetch --exchange ${exchange} --timeframe ${timeframe} --since 2023-01-01 --symbols ${request.members.map(({ symbol }) => symbol).join(',')}`,
    });
  if (absent.length > 0)
    notes.push(`Left out, since no ${timeframe} candles are stored: ${absent.join(', ')}.`);
  const members = loaded.map(({ member }) => member);
  return {
    exchange,
    timeframe,
    members,
    market: marketOf(
      members,
      loaded.map(({ candles }) => candles),
      timeframe,
    ),
    synthetic: loaded.some(({ synthetic }) => synthetic),
    fingerprint: createHash('sha256')
      .update(loaded.map(({ sha }) => sha).join('\n'))
      .digest('hex'),
    notes,
  };
}

/** What weights are chosen on now: the newest window of the market. Throws `UserError` when no member has all of it. */
export function newestWindow(
  { members, market }: PortfolioMarket,
  windowBars: number,
): ReturnWindow & { readonly row: number } {
  const row = market.time.length - 1;
  const window = returnWindow(tableOf({ members, market }), row, windowBars, members);
  if (window.assets.length > 0) return { ...window, row };
  const why = window.excluded.map(({ symbol, reason }) => `${symbol}: ${reason}`).join('; ');
  throw new UserError(`No symbol has the ${windowBars} returns that weights are chosen on (${why}).`, {
    hint: 'Fetch more history, or ask for fewer with --window.',
  });
}

export interface PortfolioBacktestTask extends Omit<WalkForwardTask, 'members' | 'market' | 'onRebalance'> {
  readonly source: PortfolioMarket;
  readonly strategies: readonly PortfolioStrategy[];
  readonly barsPerYear: number;
  readonly seed: number;
  /** The ledger of everything that was tried; `undefined`: these alone count. */
  readonly trialsFile: string | undefined;
  /** Runs behind `expectedFor`: with others it is another rule. */
  readonly forecasts?: readonly string[] | undefined;
  readonly onStrategy?: (done: number, total: number, id: string) => void;
}

export interface PortfolioBacktest {
  readonly source: PortfolioMarket;
  readonly comparison: PortfolioComparison;
  readonly task: PortfolioBacktestTask;
}

/** Every strategy through the same days, and beside them equal weights, bitcoin held where it is a member, and cash. */
export async function backtestPortfolios(task: PortfolioBacktestTask): Promise<PortfolioBacktest> {
  const { source, strategies, barsPerYear, seed } = task;
  const { members, market } = source;
  const walk = { ...task, members, market };
  const bitcoin = members.findIndex(({ symbol }) => symbol.startsWith('BTC/'));
  const all = [...strategies, ...(bitcoin >= 0 ? [holdOne(HOLD_BITCOIN, bitcoin)] : [])];
  const runs: PortfolioRun[] = [];
  for (const [done, strategy] of all.entries()) {
    task.onStrategy?.(done, all.length, strategy.id);
    runs.push(await walkForward(walk, strategy));
  }
  task.onStrategy?.(all.length, all.length, '');
  const passive = [HOLD_BITCOIN];
  const tried = runs.filter(({ id }) => id !== EQUAL_WEIGHT && !passive.includes(id));
  const trials = task.trialsFile === undefined ? tried.length : await countTrials(task, tried);
  return { source, task, comparison: comparePortfolios(runs, { barsPerYear, seed, trials, passive }) };
}

const HOLD_BITCOIN = 'hold-btc';

async function countTrials(
  { source, settings, windowBars, rebalance, forecasts, trialsFile }: PortfolioBacktestTask,
  runs: readonly PortfolioRun[],
): Promise<number> {
  const { exchange, timeframe, members, market } = source;
  const name = marketName(
    exchange,
    timeframe,
    members.map(({ symbol }) => symbol),
  );
  const rule = createHash('sha256')
    .update(JSON.stringify({ settings, windowBars, rebalance, forecasts }))
    .digest('hex');
  const trials = runs.map((run): Trial => {
    const returns = barReturns(run.equity, run.initialBalance);
    const sample = sharpeSample(returns);
    return {
      time: new Date().toISOString(),
      id: `portfolio ${run.id} ${rule.slice(0, 12)}`,
      market: name,
      strategy: run.id,
      by: 'walk-forward',
      bars: returns.length,
      ...(sample !== undefined && {
        barSharpe: sample.sharpe,
        returns: coarsen(run.time, returns, market.barMs),
      }),
    };
  });
  const summary = summariseTrials(await recordTrials(trialsFile ?? '', name, trials));
  return summary.count;
}

/**
 * A strategy's answer now, and for an allocator how it would look had other days of the window happened. Throws `UserError` for
 * limits that cannot hold together, `signal.reason` when aborted.
 */
export async function allocateNow(
  source: PortfolioMarket,
  strategy: PortfolioStrategy,
  request: {
    readonly windowBars: number;
    readonly limitsFor: (assets: readonly number[]) => Limits;
    readonly settings: AllocationSettings;
    readonly solveLinear: SolveLinear;
    /** Of all members. */
    readonly held: Float64Array;
    readonly seed: number;
    readonly signal: AbortSignal;
    /** Expected returns a bar instead of the window's, of these assets; `undefined`: the window's. */
    readonly expectedFor?:
      | ((window: ReturnWindow & { readonly row: number }, symbols: readonly string[]) => Float64Array)
      | undefined;
  },
) {
  const window = newestWindow(source, request.windowBars);
  const { assets } = window;
  const limits = request.limitsFor(assets);
  const symbols = assets.map((i) => source.members[i].symbol);
  const current = Float64Array.from(assets, (i) => request.held[i]);
  requireFeasible(limits, symbols, current);
  const task: Decision = {
    row: window.row,
    assets,
    symbols,
    returns: window.returns,
    limits,
    current,
    settings: request.settings,
    solveLinear: request.solveLinear,
    expected: request.expectedFor?.(window, symbols),
  };
  await giveWay(request.signal);
  const allocation = await strategy.allocate(task);
  invariant(allocation !== undefined, 'a strategy that is asked once says what it wants');
  const resampled = allocators.find(({ id }) => id === strategy.id);
  return {
    window,
    task,
    allocation,
    /** `undefined` for a network, which looks at the market itself. */
    instability:
      resampled &&
      (await inTurns(weightInstability(resampled, task, { draws: 20, seed: request.seed }), request.signal)),
  };
}
