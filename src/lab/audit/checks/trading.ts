import { lowerBound } from '../../../core/market/candles.ts';
import { formatMinute } from '../../../core/foundation/time.ts';
import type { Fill, Trade } from '../../../core/trading/events.ts';
import type { ExecutionRules } from '../../../core/trading/rules.ts';
import { type BacktestRun, runBacktest } from '../../../core/trading/run.ts';
import { failed, type Outcome, passed, skipped, warned } from '../finding.ts';
import { noisyCandles } from '../markets.ts';
import type { Traded } from '../traded.ts';

/** A decision at a close must be filled at the open of the next bar, at the price that it has there. */
export async function fills({ run, setting, targets }: Traded): Promise<Outcome> {
  const honest = runBacktest({ ...setting, targets });
  const differs = honest.equity.findIndex((worth, row) => worth !== run.equity[row]);
  if (differs >= 0)
    return failed(
      `At ${formatMinute(setting.market.time[differs])} the account is worth ${run.equity[differs].toFixed(2)}, and ${honest.equity[differs].toFixed(2)} when each decision at a close is filled at the next open: the result was traded otherwise.`,
    );
  const { market, instruments } = setting;
  for (const fill of run.fills) {
    const s = instruments.findIndex(({ symbol }) => symbol === fill.symbol);
    const row = lowerBound(market.time, fill.time);
    const candles = market.candles[s];
    const step = instruments[s].priceTick;
    const at = `The ${fill.side} of ${fill.symbol} at ${formatMinute(fill.time)}`;
    if (fill.cause === 'target') {
      // What slippage cost is said with the fill: without it the price must be the open.
      const slipped = fill.slippageQuote / fill.baseAmount;
      const reference = fill.price - (fill.side === 'buy' ? slipped : -slipped);
      if (Math.abs(reference - candles.open[row]) > step + 1e-9 * reference)
        return failed(
          `${at} has the price ${fill.price}, the bar opened at ${candles.open[row]}: it was not filled at the open after the decision.`,
        );
      if (row === 0 || !decidedBefore(targets[s], row))
        return failed(`${at} has no decision at a close before it.`);
    } else if (fill.cause !== 'delisted' && outside(fill, candles.low[row], candles.high[row], step))
      return failed(`${at} has the price ${fill.price}, outside its bar.`);
  }
  return run.fills.length === 0
    ? skipped('Nothing was traded.')
    : passed('Every decision fills at the open of the next bar.', `${run.fills.length} fills`);
}

/** Somebody wanted something at the close of an earlier bar. */
const decidedBefore = (column: Float64Array, row: number): boolean => {
  for (let earlier = row - 1; earlier >= 0; earlier--) if (!Number.isNaN(column[earlier])) return true;
  return false;
};

function outside(
  { price, side, slippageQuote, baseAmount }: Fill,
  low: number,
  high: number,
  step: number,
): boolean {
  const slipped = slippageQuote / baseAmount;
  const reference = price - (side === 'buy' ? slipped : -slipped);
  return reference < low - step - 1e-9 * low || reference > high + step + 1e-9 * high;
}

/** The same decisions a bar later: an edge that vanishes, or grows, is one of the bar in between. */
export async function lag(traded: Traded): Promise<Outcome> {
  return whenProfitable(traded, 'A bar later', () => {
    const before = returnPct(traded.run, traded.setting.rules);
    const late = traded.again({ targets: traded.targets.map((column) => delayed(column, 1)) });
    const after = returnPct(late, traded.setting.rules);
    const text = `Decided one bar later it returns ${after.toFixed(1)} %, as it is ${before.toFixed(1)} %.`;
    const figure = `${(after - before).toFixed(1)} points`;
    if (after < before / 3) return warned(`${text} The edge is in the bar of the decision.`, figure);
    return after > 2 * before ? warned(`${text} Being late should not pay.`, figure) : passed(text, figure);
  });
}

/** Costs, slippage and delay as they are on a bad day. */
export async function stress(traded: Traded): Promise<Outcome> {
  return whenProfitable(traded, 'Under stress', () => {
    const { rules } = traded.setting;
    const at = (changes: Partial<ExecutionRules>, bars = 0): number =>
      returnPct(
        traded.again({
          rules: { ...rules, ...changes },
          targets: traded.targets.map((column) => delayed(column, bars)),
        }),
        rules,
      );
    const cases = [
      ['double costs', at({ feeBps: 2 * rules.feeBps, slippageBps: 2 * rules.slippageBps })],
      ['five times the slippage', at({ slippageBps: 5 * rules.slippageBps })],
      ['three bars late', at({}, 3)],
      ['1 % of the volume at most', at({ maxVolumeSharePct: 1 })],
    ] as const;
    const text = `Returns ${cases.map(([name, value]) => `${value.toFixed(1)} % with ${name}`).join(', ')}.`;
    const lost = cases.filter(([, value]) => value <= 0);
    return lost.length === 0 ? passed(text) : warned(text, `${lost.length} of ${cases.length} lose`);
  });
}

/** A few trades, or days, that made everything were perhaps the only ones. */
export async function bestTrades(traded: Traded): Promise<Outcome> {
  return whenProfitable(traded, 'Without the best', () => {
    const { trades } = traded.run;
    if (trades.length < 10) return skipped(`${trades.length} closed trades are too few.`);
    const profits = trades.map(({ profitQuote }: Trade) => profitQuote).sort((a, b) => b - a);
    const total = sum(profits);
    const dropped = Math.max(1, Math.round(profits.length / 20));
    const rest = total - sum(profits.slice(0, dropped));
    const days = dailyReturns(traded).sort((a, b) => b - a);
    const without = days.slice(Math.max(1, Math.round(days.length / 100)));
    const restPct = 100 * (without.reduce((worth, value) => worth * (1 + value), 1) - 1);
    const text = `Without its ${dropped} best trades it makes ${rest.toFixed(0)} instead of ${total.toFixed(0)}; without its best day in a hundred ${restPct.toFixed(1)} %.`;
    return rest > 0 && restPct > 0 ? passed(text) : warned(text);
  });
}

/** A result of one quarter is a result of one quarter. */
export async function subPeriods(traded: Traded): Promise<Outcome> {
  return whenProfitable(traded, 'Period by period', () => {
    const { equity } = traded.run;
    const parts = 4;
    const returns = Array.from({ length: parts }, (_, k) => {
      const from = Math.floor((k * equity.length) / parts) - 1;
      const until = Math.floor(((k + 1) * equity.length) / parts) - 1;
      const before = from < 0 ? traded.setting.rules.initialBalance : equity[from];
      return 100 * (equity[until] / before - 1);
    });
    const losing = returns.filter((value) => value <= 0).length;
    const text = `Quarter by quarter of the test bars: ${returns.map((value) => `${value.toFixed(1)} %`).join(', ')}.`;
    return losing <= 1 ? passed(text) : warned(text, `${losing} of ${parts} lose`);
  });
}

/** Prices that could as well have been: a tenth of each bar's range beside the close. */
export async function noise(traded: Traded): Promise<Outcome> {
  const noisy = await traded.forecastOn(noisyCandles(traded.subject.panel, traded.setting.seed));
  let [same, both] = [0, 0];
  traded.targets.forEach((column, s) =>
    column.forEach((wanted, row) => {
      if (Number.isNaN(wanted) || Number.isNaN(noisy[s][row])) return;
      both++;
      if (Math.sign(wanted) === Math.sign(noisy[s][row])) same++;
    }),
  );
  if (both === 0) return skipped('Nothing is decided.');
  const share = (100 * same) / both;
  const before = returnPct(traded.run, traded.setting.rules);
  const after = returnPct(traded.again({ targets: noisy }), traded.setting.rules);
  const text = `With noise on the prices ${share.toFixed(0)} % of the decisions keep their direction; the return is ${after.toFixed(1)} % instead of ${before.toFixed(1)} %.`;
  return share < 70 || (before > 0 && after <= 0) ? warned(text) : passed(text, `${share.toFixed(0)} %`);
}

/** How much capital it carries before its own orders are the market. */
export async function capacity(traded: Traded): Promise<Outcome> {
  return whenProfitable(traded, 'With more capital', () => {
    const { rules } = traded.setting;
    const at = (factor: number): number => {
      const initialBalance = rules.initialBalance * factor;
      const changed = { ...rules, initialBalance, maxVolumeSharePct: 1 };
      return returnPct(traded.again({ rules: changed }), changed);
    };
    const factors = [1, 10, 100, 1000];
    const returns = factors.map(at);
    const text = `At 1 % of each bar's volume: ${factors.map((factor, i) => `${(rules.initialBalance * factor).toLocaleString('en-US')} returns ${returns[i].toFixed(1)} %`).join(', ')}.`;
    return returns[0] < returnPct(traded.run, rules) / 2 ? warned(text) : passed(text);
  });
}

/** Only of a result that says it earns something is there anything to doubt. */
function whenProfitable(traded: Traded, what: string, check: () => Outcome): Outcome {
  const total = returnPct(traded.run, traded.setting.rules);
  if (traded.run.fills.length === 0) return skipped('Nothing was traded.');
  return total > 0
    ? check()
    : skipped(`${what}: it loses (${total.toFixed(1)} %), so there is no edge to try.`);
}

const returnPct = ({ equity }: BacktestRun, { initialBalance }: ExecutionRules): number =>
  100 * (equity[equity.length - 1] / initialBalance - 1);

function delayed(column: Float64Array, bars: number): Float64Array {
  const late = new Float64Array(column.length).fill(NaN);
  late.set(column.subarray(0, column.length - bars), bars);
  return late;
}

function dailyReturns({ run, setting }: Traded): number[] {
  const perDay = Math.max(1, Math.round(86_400_000 / setting.market.barMs));
  const days: number[] = [];
  let before = setting.rules.initialBalance;
  for (let row = perDay - 1; row < run.equity.length; row += perDay) {
    days.push(run.equity[row] / before - 1);
    before = run.equity[row];
  }
  return days;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
