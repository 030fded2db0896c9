import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Allocation, AllocationSettings, AllocationTask } from '../../core/portfolio/allocator.ts';
import { UserError } from '../../core/foundation/errors.ts';
import { type ReturnColumns, sampleCovariance } from '../../core/portfolio/covariance.ts';
import type { Limits } from '../../core/portfolio/limits.ts';
import type { SolveLinear } from '../../core/portfolio/linear.ts';
import { type Member, type PriceTable, returnWindow } from '../../core/portfolio/universe.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { AlignedMarket } from '../../core/trading/align.ts';
import { createPortfolio, equity, type Portfolio } from '../../core/trading/portfolio.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';
import { advance, setTarget } from '../../core/trading/step.ts';

/** When weights are chosen again: every so many bars, or when holdings have drifted from them by a share of the capital. */
export type Rebalance =
  { readonly kind: 'every'; readonly bars: number } | { readonly kind: 'drift'; readonly share: number };

/** An allocator's task at a bar, and where in the market that is: what learners look at beyond returns. */
export interface Decision extends AllocationTask {
  readonly row: number;
  /** Indices of the market's symbols; `symbols`, `returns` and `current` are in this order. */
  readonly assets: readonly number[];
}

/** What chooses weights: every `Allocator` is one, and so is one that has to wait for a network. */
export interface PortfolioStrategy {
  readonly id: string;
  /** `undefined`: nothing is traded, what is held stays. */
  allocate(decision: Decision): Allocation | undefined | Promise<Allocation | undefined>;
}

export interface WalkForwardTask {
  readonly members: readonly Member[];
  /** One series a member, in their order. */
  readonly market: AlignedMarket;
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  /** Returns that weights are chosen on. */
  readonly windowBars: number;
  readonly rebalance: Rebalance;
  /** The first decision is made at the first bar from here that has a whole window. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Limits of those members that can be held. */
  readonly limitsFor: (assets: readonly number[]) => Limits;
  readonly settings: AllocationSettings;
  readonly solveLinear: SolveLinear;
  /** Expected returns a bar at the close of the bar that opened at `timeMs`; without it those of the window. */
  readonly expectedAt?:
    ((timeMs: number, returns: ReturnColumns, symbols: readonly string[]) => Float64Array) | undefined;
  readonly signal?: AbortSignal;
  readonly onRebalance?: (done: number) => void;
}

export interface PortfolioRun {
  readonly id: string;
  /** Opens of the bars after the first decision. */
  readonly time: Float64Array;
  /** At each of these bars' closes, after costs. */
  readonly equity: Float64Array;
  readonly initialBalance: number;
  /** Weights that were held at each close, one column a member; the rest is cash. */
  readonly weights: readonly Float64Array[];
  readonly rebalances: readonly RebalanceRecord[];
  readonly feesQuote: number;
  readonly slippageQuote: number;
  /** Fees and slippage up to each bar. */
  readonly costsQuote: Float64Array;
  readonly delisted: readonly { readonly symbol: string; readonly time: number; readonly price: number }[];
}

export interface RebalanceRecord {
  /** Open of the bar at whose close it was decided. */
  readonly time: number;
  /** Of all members; zeros for those that could not be held. */
  readonly weights: Float64Array;
  /** Sum of absolute changes of weights, 2 when everything was exchanged. */
  readonly turnover: number;
  readonly excluded: readonly { readonly symbol: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

/** The row of the first decision. Throws `UserError` when no member has a whole window before `untilMs`. */
function firstDecision(
  task: Pick<WalkForwardTask, 'members' | 'market' | 'windowBars' | 'fromMs' | 'untilMs'>,
): number {
  const { market, windowBars, fromMs, untilMs } = task;
  const table = tableOf(task);
  for (let row = windowBars; row < market.time.length && market.time[row] < untilMs; row++) {
    if (market.time[row] < fromMs) continue;
    if (returnWindow(table, row, windowBars, task.members).assets.length > 0) return row;
  }
  throw new UserError(
    `No symbol has ${windowBars + 1} daily candles in a row before a first decision in this range.`,
    { hint: 'Fetch more history, start later with --since, or shorten --window.' },
  );
}

/**
 * One strategy through history: at the close of a bar it sees returns up to that bar, its weights trade at the next bar's open
 * through the execution core with its fees, slippage and steps, and drift until they are chosen again.
 */
export async function walkForward(task: WalkForwardTask, strategy: PortfolioStrategy): Promise<PortfolioRun> {
  const { market, members, rules, rebalance } = task;
  const start = firstDecision(task);
  let end = start + 1;
  while (end < market.time.length && market.time[end] < task.untilMs) end++;
  const rows = end - start - 1;
  const portfolio = createPortfolio(task.instruments, rules);
  const worth = new Float64Array(rows);
  const costsQuote = new Float64Array(rows);
  const weights = members.map(() => new Float64Array(rows));
  const rebalances: RebalanceRecord[] = [];
  const delisted: { symbol: string; time: number; price: number }[] = [];
  let target: Float64Array | undefined;
  let last = start;
  for (let row = start; row < end; row++) {
    for (const event of advance(portfolio, market, row))
      if (event.kind === 'fill' && event.cause === 'delisted')
        delisted.push({ symbol: event.symbol, time: event.time, price: event.price });
    const capital = equity(portfolio);
    const held = heldWeights(portfolio, capital);
    if (row > start) {
      const at = row - start - 1;
      worth[at] = capital;
      costsQuote[at] = portfolio.feesQuote + portfolio.slippageQuote;
      for (const [i, column] of weights.entries()) column[at] = held[i];
    }
    const due =
      row === start ||
      (rebalance.kind === 'every'
        ? row - last >= rebalance.bars
        : isDrifted(target, held, rebalance.share)) ||
      leavesNow(task, row, held);
    if (!due || row === end - 1) continue;
    await yieldToEventLoop();
    task.signal?.throwIfAborted();
    last = row;
    const record = await chosenWeights(task, strategy, row, held);
    if (record === undefined) continue;
    target = record.weights;
    rebalances.push(record);
    for (const [i, weight] of record.weights.entries()) setTarget(portfolio, i, weight);
    task.onRebalance?.(rebalances.length);
  }
  return {
    id: strategy.id,
    time: market.time.slice(start + 1, end),
    equity: worth,
    initialBalance: rules.initialBalance,
    weights,
    rebalances,
    feesQuote: portfolio.feesQuote,
    slippageQuote: portfolio.slippageQuote,
    costsQuote,
    delisted,
  };
}

/** What weights are chosen from at one bar. */
type Choosing = Pick<
  WalkForwardTask,
  'members' | 'market' | 'windowBars' | 'limitsFor' | 'settings' | 'solveLinear' | 'expectedAt'
>;

/**
 * The weights of all members at the close of `row`, while `held` are those of now. `undefined` when nothing is to be traded, or can
 * be: what is held is then left to the delisting rules.
 */
export async function chosenWeights(
  task: Choosing,
  strategy: PortfolioStrategy,
  row: number,
  held: Float64Array,
): Promise<RebalanceRecord | undefined> {
  const table = tableOf(task);
  const { assets, returns, excluded } = returnWindow(table, row, task.windowBars, task.members);
  if (assets.length === 0) return undefined;
  const symbols = assets.map((i) => table.symbols[i]);
  const allocation = await strategy.allocate({
    row,
    assets,
    symbols,
    returns,
    limits: task.limitsFor(assets),
    current: Float64Array.from(assets, (i) => held[i]),
    settings: task.settings,
    solveLinear: task.solveLinear,
    expected: task.expectedAt?.(table.time[row], returns, symbols),
  });
  if (allocation === undefined) return undefined;
  const all = new Float64Array(held.length);
  for (const [at, i] of assets.entries()) all[i] = allocation.weights[at];
  return {
    time: table.time[row],
    weights: all,
    turnover: all.reduce((sum, weight, i) => sum + Math.abs(weight - held[i]), 0),
    excluded,
    notes: allocation.notes,
  };
}

function heldWeights(portfolio: Portfolio, capital: number): Float64Array {
  const { amount, mark } = portfolio.columns;
  return amount.map((base, i) => (base === 0 || !(capital > 0) ? 0 : (base * mark[i]) / capital));
}

const isDrifted = (target: Float64Array | undefined, held: Float64Array, share: number): boolean =>
  target !== undefined && target.reduce((sum, weight, i) => sum + Math.abs(weight - held[i]), 0) / 2 > share;

/** A member that is held and whose dated end is the next bar. */
function leavesNow({ members, market }: WalkForwardTask, row: number, held: Float64Array): boolean {
  const next = row + 1 < market.time.length ? market.time[row + 1] : Infinity;
  return members.some(
    ({ delistedMs }, i) =>
      delistedMs !== undefined && held[i] !== 0 && market.time[row] < delistedMs && next >= delistedMs,
  );
}

export const tableOf = ({ members, market }: Pick<WalkForwardTask, 'members' | 'market'>): PriceTable => ({
  symbols: members.map(({ symbol }) => symbol),
  time: market.time,
  closes: market.candles.map(({ close }) => close),
});

/** All of the capital in one member from the first decision on, never traded again: hold bitcoin. */
export const holdOne = (id: string, asset: number): PortfolioStrategy => {
  let chosen = false;
  return {
    id,
    allocate({ assets, returns }) {
      if (chosen) return undefined;
      chosen = true;
      return {
        weights: Float64Array.from(assets, (i) => (i === asset ? 1 : 0)),
        covariance: sampleCovariance(returns),
        expected: undefined,
        notes: [],
        kkt: undefined,
      };
    },
  };
};
