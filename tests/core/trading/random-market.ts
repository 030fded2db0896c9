import fc from 'fast-check';
import { type AccountRules, tiersOf } from '../../../src/core/trading/accounts/account-rules.ts';
import type { Instrument } from '../../../src/core/trading/instrument.ts';
import type { OrderKind, OrderRequest } from '../../../src/core/trading/orders/order.ts';
import type { Portfolio } from '../../../src/core/trading/portfolio.ts';
import type { ExecutionRules } from '../../../src/core/trading/rules.ts';
import { type Bar, exitsOf, freeRules, NO_BAR } from './market-of.ts';

export interface Scenario {
  readonly bars: readonly (readonly Bar[])[];
  readonly targets: readonly Float64Array[];
  readonly instruments: readonly Instrument[];
  readonly rules: ExecutionRules;
  readonly orders: readonly RandomOrder[];
}

/** An order in terms of what is known when it is placed. */
interface RandomOrder {
  readonly row: number;
  readonly symbol: number;
  readonly side: 'buy' | 'sell';
  /** Of the starting balance, at the last close. */
  readonly share: number;
  readonly kind: OrderKind['kind'];
  /** Of its price from the last close, as a fraction. */
  readonly offset: number;
  readonly timeInForce: NonNullable<OrderRequest['timeInForce']>;
  readonly reduceOnly: boolean;
  readonly grouped: boolean;
}

const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] as const;

const ODDITIES: readonly (Oddity | undefined)[] = ['no-volume', 'no-volume', 'still', 'still', 'spike'];
type Oddity = 'no-volume' | 'still' | 'spike';

/** Next to nothing is nothing: twice a subnormal number, or 1024 times, is not exact. */
const normal = (value: number): number => (Math.abs(value) < 1e-12 ? 0 : value);
const move = fc.double({ min: -0.08, max: 0.08, noNaN: true });
const percent = fc.double({ min: 0.2, max: 10, noNaN: true });

/** One bar as moves relative to the close before it; now and then missing. */
const step = fc.record({
  gap: move,
  up: fc.double({ min: 0, max: 0.08, noNaN: true }),
  down: fc.double({ min: 0, max: 0.08, noNaN: true }),
  close: fc.double({ min: 0, max: 1, noNaN: true }),
  volume: fc.double({ min: 0, max: 500, noNaN: true }).map(normal),
  missing: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  /** Now and then nothing trades, no price moves, or a print is a million times off. */
  oddity: fc.integer({ min: 0, max: 59 }).map((n) => ODDITIES[n]),
});

const target = fc.oneof(
  { weight: 4, arbitrary: fc.constant(NaN) },
  { weight: 2, arbitrary: fc.constantFrom(-1, 0, 1) },
  { weight: 3, arbitrary: fc.double({ min: -1.2, max: 1.2, noNaN: true }).map(normal) },
);

const liquidationFeeBps = fc.constantFrom(0, 50);
/** Accounts on borrowed money. */
const account: fc.Arbitrary<AccountRules> = fc.oneof(
  fc.record({
    kind: fc.constant('margin' as const),
    leverage: fc.constantFrom(2, 3),
    tiers: fc.constantFrom([], tiersOf([{ fromNotional: 0, ratePct: 5 }])),
    liquidationFeeBps,
    quoteInterestPct: fc.constantFrom(0, 10),
    baseInterestPct: fc.constantFrom(0, 10),
  }),
  fc.record({
    kind: fc.constantFrom('linear' as const, 'inverse' as const),
    marginMode: fc.constantFrom('cross' as const, 'isolated' as const),
    leverage: fc.constantFrom(1, 5),
    tiers: fc.constantFrom(
      [],
      tiersOf([
        { fromNotional: 0, ratePct: 1 },
        { fromNotional: 4096, ratePct: 5 },
      ]),
    ),
    liquidationFeeBps,
    funding: fc.constant('waived' as const),
  }),
);

const rules = fc
  .record({
    feeBps: fc.constantFrom(0, 1, 10, 40),
    slippageBps: fc.constantFrom(0, 2, 15),
    impact: fc.constantFrom(undefined, undefined, {
      windowBars: 5,
      factor: 1,
      maxHalfSpreadBps: 5,
      participationPct: 30,
    }),
    maxPositionPct: fc.constantFrom(20, 60, 100),
    maxExposurePct: fc.constantFrom(50, 100),
    priority: fc.constantFrom(undefined, undefined, ['SOL/USDT', 'ETH/USDT'] as const),
    entry: fc.oneof(
      { weight: 3, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom('limit' as const, 'limit' as const, 'stop' as const),
          offsetPct: fc.constantFrom(0, 0.5, 3),
          parts: fc.constantFrom(1, 3),
          bars: fc.constantFrom(1, 4),
          postOnly: fc.boolean(),
        }),
      },
    ),
    allowShort: fc.boolean(),
    rebalanceBandPct: fc.constantFrom(0, 1, 5),
    maxVolumeSharePct: fc.constantFrom(undefined, 1, 20),
    stopLossPct: fc.option(percent, { nil: undefined }),
    takeProfitPct: fc.option(percent, { nil: undefined }),
    trailingStop: fc.option(
      fc.record({
        distancePct: percent,
        activationPct: fc.constantFrom(0, 2),
        from: fc.constantFrom('extreme' as const, 'close' as const),
        ratchet: fc.constantFrom('next-bar' as const, 'same-bar' as const),
      }),
      { nil: undefined },
    ),
    exits: fc.option(
      fc
        .record({
          atrBars: fc.constantFrom(1, 3, 14),
          stopLossAtr: fc.constantFrom(undefined, 0.5, 2),
          takeProfitAtr: fc.constantFrom(undefined, 0.5, 2),
          trailingStopAtr: fc.constantFrom(undefined, 0.5, 2),
          breakEven: fc.constantFrom(undefined, { triggerPct: 2, lockPct: 0.2 }),
          maxBars: fc.constantFrom(undefined, 1, 5),
          maxHeldMs: fc.constantFrom(undefined, 60_000, 4 * 3_600_000),
          partialTargets: fc.constantFrom(
            [],
            [
              { atPct: 1, sharePct: 50 },
              { atPct: 3, sharePct: 30 },
            ],
          ),
          timedTargets: fc.constantFrom(
            [],
            [
              { afterMs: 0, pct: 4 },
              { afterMs: 7_200_000, pct: 1 },
              { afterMs: 36_000_000, pct: -100 },
            ],
          ),
        })
        .map(exitsOf),
      { nil: undefined },
    ),
    intrabarOrder: fc.constantFrom('stop-first' as const, 'target-first' as const, 'nearest-first' as const),
    takeProfitFill: fc.constantFrom('beyond' as const, 'touch' as const),
    gapFill: fc.constantFrom('open' as const, 'level-if-touched' as const),
    protectEntryBar: fc.boolean(),
    reentry: fc.constantFrom('new-signal' as const, 'next-bar' as const),
    delistedAfterMs: fc.constantFrom(undefined, 1, 3 * 3_600_000),
    account: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: account }),
  })
  .map((changes) =>
    freeRules(
      changes.account?.kind === 'inverse'
        ? { ...changes, impact: undefined, maxVolumeSharePct: undefined }
        : changes,
    ),
  );

const randomOrder = fc.record({
  row: fc.integer({ min: 0, max: 20 }),
  symbol: fc.integer({ min: 0, max: 2 }),
  side: fc.constantFrom('buy' as const, 'sell' as const),
  share: fc.double({ min: 0.01, max: 1.5, noNaN: true }),
  kind: fc.constantFrom(
    'market' as const,
    'limit' as const,
    'stop' as const,
    'stop-limit' as const,
    'take-profit' as const,
    'trailing' as const,
  ),
  offset: fc.double({ min: -0.06, max: 0.06, noNaN: true }),
  timeInForce: fc.constantFrom('GTC' as const, 'IOC' as const, 'FOK' as const, 8 * 3_600_000),
  reduceOnly: fc.boolean(),
  grouped: fc.boolean(),
});

/** What a scenario places at the close of bar `row`. */
export const ordersAt = ({ orders }: Scenario, portfolio: Portfolio, row: number): readonly OrderRequest[] =>
  orders.flatMap((order): readonly OrderRequest[] => {
    const { symbol: s, side, timeInForce, reduceOnly, grouped } = order;
    const last = portfolio.columns.mark[s];
    if (order.row !== row || !(last > 0)) return [];
    const baseAmount = (portfolio.rules.initialBalance * order.share) / last;
    const group = grouped ? { group: `g${s}` } : {};
    return [{ s, side, baseAmount, timeInForce, reduceOnly, kind: kindOf(order, last), ...group }];
  });

function kindOf({ kind, offset, side }: RandomOrder, last: number): OrderKind {
  const price = last * (1 + offset);
  switch (kind) {
    case 'market':
      return { kind };
    case 'limit':
      return { kind, price, postOnly: offset > 0.03 };
    case 'stop-limit':
      return { kind, price, limitPrice: price * (side === 'buy' ? 1.01 : 0.99) };
    case 'trailing':
      return { kind, by: 'percent', distance: 100 * Math.abs(offset) };
    default:
      return { kind, price };
  }
}

/** One to three symbols over up to 40 hourly bars, any decisions, any rules. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 2, max: 40 }),
    fc.constantFrom(undefined, undefined, undefined, 1e-8, 1e9),
  )
  .chain(([symbols, bars, price]) =>
    fc.record({
      bars: fc.tuple(
        ...Array.from({ length: symbols }, (_, s) =>
          fc
            .array(step, { minLength: bars, maxLength: bars })
            .map((steps) => walk(steps, price ?? 10 ** (4 - s))),
        ),
      ),
      targets: fc.tuple(
        ...Array.from({ length: symbols }, () =>
          fc.array(target, { minLength: bars, maxLength: bars }).map((column) => Float64Array.from(column)),
        ),
      ),
      instruments: fc.tuple(
        ...SYMBOLS.slice(0, symbols).map((symbol) =>
          fc.record({
            symbol: fc.constant(symbol),
            amountStep: fc.constantFrom(0, 1e-5, 0.01),
            priceTick: fc.constantFrom(0, 0.01, 0.5),
            minNotional: fc.constantFrom(0, 5),
          }),
        ),
      ),
      rules,
      orders: fc.oneof(fc.constant([]), fc.array(randomOrder, { maxLength: 8 })),
    }),
  );

interface Step {
  readonly gap: number;
  readonly up: number;
  readonly down: number;
  readonly close: number;
  readonly volume: number;
  readonly missing: boolean;
  readonly oddity: Oddity | undefined;
}

function walk(steps: readonly Step[], start: number): readonly Bar[] {
  let last = start;
  return steps.map(({ gap, up, down, close, volume: traded, missing, oddity }): Bar => {
    if (missing) return NO_BAR;
    const volume = oddity === 'no-volume' ? 0 : traded;
    if (oddity === 'still') return [last, last, last, last, volume];
    const open = last * (1 + gap);
    const high = open * (1 + up) * (oddity === 'spike' ? 1e6 : 1);
    const low = open * (1 - down);
    // A spike comes and goes inside its bar.
    last = oddity === 'spike' ? open : Math.min(high, Math.max(low, low + (high - low) * close));
    return [open, high, low, last, volume];
  });
}
