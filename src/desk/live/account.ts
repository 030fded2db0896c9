import type { PairSymbol } from '../../core/market/symbol.ts';
import { barOpen, TIMEFRAME_MS } from '../../core/market/timeframe.ts';
import type { TradingEvent } from '../../core/trading/events.ts';
import { roundDown, roundUp } from '../../core/trading/instrument.ts';
import { settle } from '../../core/trading/fill.ts';
import { createPortfolio, equity, type Portfolio } from '../../core/trading/portfolio.ts';
import { createGuard } from '../../core/trading/risk/guard.ts';
import type { Verdict } from '../../core/trading/risk/rules.ts';
import { advance, setTarget } from '../../core/trading/step.ts';
import { type Bar, createRowMarket } from '../paper/bar.ts';
import type { PositionRecord } from '../paper/record.ts';
import type { Execution, LiveSession } from './record.ts';

/**
 * What the session owns of the exchange's account, in the books of the execution core: it starts with the planned capital, and only
 * executions on record move it.
 */
export interface LiveAccount {
  readonly portfolio: Portfolio;
  /** `cause`: of a protective order; a position that one has closed is not entered again before its target was flat. */
  execute(
    side: 'buy' | 'sell',
    symbol: PairSymbol,
    execution: Execution,
    cause?: 'stop-loss' | 'take-profit',
  ): void;
  /** Where instrument `s` is sold whatever the strategy says; `undefined` where nothing that can be sold is held. */
  protection(s: number): Protection | undefined;
  /** Values everything at the bar's closes. `sweeps`: what is left of a position and cannot be sold is written off. */
  see(bar: Bar, sweeps: boolean): void;
  /** Targets by instrument (null: no opinion) as far as the risk rules allow them; they wait in `portfolio` until `clear`. */
  place(targets: readonly (number | null)[]): readonly Verdict[];
  /** Takes back what may not be bought at these prices, of the symbols' last trades. */
  collar(prices: Float64Array): readonly Verdict[];
  clear(): void;
  equity(): number;
  positions(): PositionRecord[];
}

/** Of what is held, on the grid of prices; `undefined`: no such rule. */
export interface Protection {
  readonly baseAmount: number;
  readonly stopPrice: number | undefined;
  readonly takePrice: number | undefined;
}

export function openLiveAccount({ instruments, rules, timeframe, risk }: LiveSession): LiveAccount {
  const barMs = TIMEFRAME_MS[timeframe];
  // Steps and least values bind orders, not what executions and fees leave of them; only the exchange ends a position.
  const books = instruments.map(({ symbol }) => ({ symbol, amountStep: 0, priceTick: 0, minNotional: 0 }));
  // Only executions at the exchange end a position: the books themselves know no stop.
  const own = { ...rules, delistedAfterMs: undefined, stopLossPct: undefined, takeProfitPct: undefined };
  const portfolio = createPortfolio(books, own);
  const { columns } = portfolio;
  const guard = risk && createGuard(risk, portfolio, barMs);
  const row = createRowMarket(instruments.length, barMs);
  let events: TradingEvent[] = [];
  const take = (): void => {
    events.push(...(portfolio.events ?? []));
    portfolio.events = [];
  };
  const protection = (s: number): Protection | undefined => {
    const entry = columns.entryPrice[s];
    const { stopLossPct, takeProfitPct } = rules;
    if (isDust(columns.amount[s], columns.mark[s], instruments[s])) return undefined;
    const { priceTick } = instruments[s];
    return {
      baseAmount: columns.amount[s],
      stopPrice: stopLossPct && roundDown(entry * (1 - stopLossPct / 100), priceTick),
      takePrice: takeProfitPct && roundUp(entry * (1 + takeProfitPct / 100), priceTick),
    };
  };
  return {
    portfolio,
    protection,
    execute(side, symbol, { baseAmount, price, feeAmount, feeAsset, timeMs }, cause = undefined) {
      const s = instruments.findIndex((one) => one.symbol === symbol);
      const [base, quote] = symbol.split('/');
      const baseFee = feeAsset === base ? feeAmount : 0;
      const net = side === 'buy' ? baseAmount - baseFee : -(baseAmount + baseFee);
      const notional = Math.abs(net) * price;
      // A fee in a third asset is not money of this account: it counts with the rate of the settings.
      const paid =
        feeAsset === quote || feeAmount === 0 ? feeAmount : feeAsset === base ? baseFee * price : undefined;
      const addedFeeBps = paid === undefined ? 0 : (paid / notional) * 10_000 - rules.feeBps;
      const held = columns.amount[s];
      // Decimals that were added up must not leave 1e-17 of a coin, on either side.
      const signedAmount = held > 0 && Math.abs(held + net) < 1e-9 * held ? -held : net;
      const time = barOpen(timeMs, timeframe);
      const fill = { referencePrice: price, rate: 0, cause: cause ?? 'target', time, addedFeeBps } as const;
      settle(portfolio, s, { signedAmount, ...fill });
      if (cause !== undefined && isDust(columns.amount[s], price, instruments[s])) columns.blocked[s] = 1;
      take();
    },
    see(bar, sweeps) {
      if (sweeps)
        instruments.forEach(({ amountStep, minNotional }, s) => {
          const held = columns.amount[s];
          const price = bar.candles[s]?.[3] ?? columns.mark[s];
          if (held === 0 || !isDust(held, price, { amountStep, minNotional })) return;
          const dust = { referencePrice: 0, rate: 0, cause: 'target', time: bar.timeMs } as const;
          settle(portfolio, s, { signedAmount: -held, ...dust });
        });
      take();
      row.show(bar);
      advance(portfolio, row.market, 0);
      guard?.after(row.market, 0, events);
      events = [];
    },
    place(targets) {
      const verdicts = guard?.place(targets) ?? [];
      if (guard === undefined) targets.forEach((target, s) => setTarget(portfolio, s, target ?? NaN));
      // A target that went flat opens the way again.
      columns.target.forEach((target, s) => {
        if (target <= 0) columns.blocked[s] = 0;
      });
      return verdicts;
    },
    collar(prices) {
      const candles = instruments.map((_, s) => Array<number>(5).fill(prices[s]));
      row.show({ timeMs: portfolio.time + barMs, candles });
      return guard?.before(row.market, 0) ?? [];
    },
    clear: () => void columns.target.fill(NaN),
    equity: () => equity(portfolio),
    positions: () =>
      instruments.flatMap(({ symbol, ...rules }, s) =>
        isDust(columns.amount[s], columns.mark[s], rules)
          ? []
          : [
              {
                symbol,
                baseAmount: columns.amount[s],
                entryPrice: columns.entryPrice[s],
                markPrice: columns.mark[s],
                stopPrice: protection(s)?.stopPrice,
                takePrice: protection(s)?.takePrice,
              },
            ],
      ),
  };
}

/** Nothing, or less than the market lets anybody sell. */
const isDust = (
  held: number,
  price: number,
  { amountStep, minNotional }: Pick<LiveSession['instruments'][number], 'amountStep' | 'minNotional'>,
): boolean => held === 0 || held < amountStep || held * price < minNotional;
