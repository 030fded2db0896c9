import { UserError } from '../foundation/errors.ts';
import type { Fill, Payment, Rejection, Ruin, Trade, TradingEvent } from './events.ts';
import type { Instrument } from './instrument.ts';
import type { Market } from './market.ts';
import type { OrderRequest } from './orders/order.ts';
import { placeOrders } from './orders/work.ts';
import { createPortfolio, equity, grossExposure, type Portfolio } from './portfolio.ts';
import { canRunQuietly, runQuietly } from './quiet-run.ts';
import type { ExecutionRules } from './rules.ts';
import { createGuard, type Guard } from './risk/guard.ts';
import type { RiskRules } from './risk/rules.ts';
import { advance, stepBar } from './step.ts';

interface BacktestTask {
  readonly market: Market;
  /** Wanted position of each symbol, row by row beside the market's time; NaN: no opinion. */
  readonly targets: readonly Float64Array[];
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  /** Limits above the targets; `undefined`: none. */
  readonly risk?: RiskRules | undefined;
  /** Bars by which a decision fills later than at the next open; default: none. */
  readonly latencyBars?: number | undefined;
  /** Orders placed at the close of each bar, beside the targets. */
  readonly orders?: ((portfolio: Portfolio, row: number) => readonly OrderRequest[]) | undefined;
}

export interface BacktestRun {
  readonly time: Float64Array;
  /** Quote currency, at the close of each bar. */
  readonly equity: Float64Array;
  /** Gross exposure as a share of equity, at the close of each bar. */
  readonly exposure: Float64Array;
  readonly fills: readonly Fill[];
  readonly trades: readonly Trade[];
  readonly rejections: readonly Rejection[];
  readonly payments: readonly Payment[];
  /** When and how the account ended, if it did: nothing happens after it. */
  readonly ruin: Ruin | undefined;
  /** As it stands after the last bar: positions still open are valued at the close, not sold. */
  readonly portfolio: Portfolio;
}

/** Every bar of the market through the one execution core. */
export function runBacktest(task: BacktestTask): BacktestRun {
  const { market, latencyBars = 0 } = task;
  const bars = market.time.length;
  const targets = latencyBars === 0 ? task.targets : task.targets.map((one) => delayed(one, latencyBars));
  const portfolio = createPortfolio(task.instruments, task.rules);
  requireFunding(task);
  const guard = task.risk && createGuard(task.risk, portfolio, market.barMs);
  const equityCurve = new Float64Array(bars);
  const exposure = new Float64Array(bars);
  const fills: Fill[] = [];
  const trades: Trade[] = [];
  const rejections: Rejection[] = [];
  const payments: Payment[] = [];
  let ruin: Ruin | undefined;
  const sort = (events: readonly TradingEvent[]): void => {
    for (const event of events) {
      if (event.kind === 'fill') fills.push(event);
      else if (event.kind === 'trade') trades.push(event);
      else if (event.kind === 'ruin') ruin = event;
      else if (event.kind === 'payment') payments.push(event);
      else rejections.push(event);
    }
  };
  if (guard === undefined && task.orders === undefined && canRunQuietly(portfolio, market))
    runQuietly(portfolio, market, targets, { equity: equityCurve, exposure }, sort);
  else
    for (let row = 0; row < bars; row++) {
      const events =
        guard === undefined
          ? stepBar(portfolio, market, row, targets)
          : stepGuarded(guard, portfolio, market, row, targets);
      if (events.length > 0) sort(events);
      if (task.orders !== undefined) placeOrders(portfolio, task.orders(portfolio, row));
      const worth = equity(portfolio);
      equityCurve[row] = worth;
      exposure[row] = worth > 0 ? grossExposure(portfolio) / worth : 0;
    }
  return {
    time: market.time,
    equity: equityCurve,
    exposure,
    fills,
    trades,
    rejections,
    payments,
    ruin,
    portfolio,
  };
}

/** Decisions as they reach the market so many bars after they were made. */
function delayed(target: Float64Array, bars: number): Float64Array {
  const late = new Float64Array(target.length).fill(NaN);
  if (bars < target.length) late.set(target.subarray(0, target.length - bars), bars);
  return late;
}

/** Funding that is not known is never zero: it has to be there, or waived by name. */
function requireFunding({ market, rules, instruments }: BacktestTask): void {
  const { account } = rules;
  if (account === undefined || account.kind === 'margin' || account.funding === 'waived') return;
  const without = instruments.find((_, s) => market.funding?.[s] === undefined);
  if (without === undefined) return;
  throw new UserError(`The funding rates of ${without.symbol} are not known.`, {
    hint: 'Fetch them with `fetch --series funding`, or waive funding by name: trading.account.funding: waived.',
  });
}

function stepGuarded(
  guard: Guard,
  portfolio: Portfolio,
  market: Market,
  row: number,
  targets: readonly Float64Array[],
): readonly TradingEvent[] {
  guard.before(market, row);
  const events = advance(portfolio, market, row);
  guard.after(market, row, events);
  guard.place(targets.map((column) => (Number.isNaN(column[row]) ? null : column[row])));
  return events;
}
