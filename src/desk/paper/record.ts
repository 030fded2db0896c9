import { z } from 'zod';
import { parseSymbol, type PairSymbol } from '../../core/market/symbol.ts';
import { EnsembleState } from '../../learning/ensemble/combine.ts';
import type { Reason } from '../../core/strategy/reason.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import type { TradingEvent } from '../../core/trading/events.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { RiskRules, Verdict } from '../../core/trading/risk/rules.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';

/** A line of a ledger, without its hash. Times are epoch ms UTC. */
export type LedgerRecord = SessionRecord | BarRecord;

const symbol = z.string().transform(parseSymbol);
/** JSON has no `undefined`: a rule that is switched off is written as null. */
export const off = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined);

const leveraged = {
  leverage: z.number(),
  tiers: z
    .array(z.strictObject({ fromNotional: z.number(), ratePct: z.number(), amount: z.number() }))
    .readonly(),
  liquidationFeeBps: z.number(),
};

const Rules = z.strictObject({
  account: off(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('margin'),
        ...leveraged,
        quoteInterestPct: z.number(),
        baseInterestPct: z.number(),
      }),
      z.strictObject({
        kind: z.enum(['linear', 'inverse']),
        ...leveraged,
        marginMode: z.enum(['cross', 'isolated']),
        funding: z.enum(['series', 'waived']),
      }),
    ]),
  ),
  initialBalance: z.number(),
  feeBps: z.number(),
  feeTiers: off(
    z.array(z.strictObject({ fromQuote: z.number(), makerBps: z.number(), takerBps: z.number() })).readonly(),
  ),
  slippageBps: z.number(),
  impact: off(
    z.strictObject({
      windowBars: z.int(),
      factor: z.number(),
      maxHalfSpreadBps: z.number(),
      participationPct: z.number(),
    }),
  ),
  maxPositionPct: z.number(),
  maxExposurePct: z.number(),
  priority: off(z.array(symbol).readonly()),
  entry: off(
    z.strictObject({
      kind: z.enum(['limit', 'stop']),
      offsetPct: z.number(),
      parts: z.int(),
      bars: z.int(),
      postOnly: z.boolean(),
    }),
  ),
  allowShort: z.boolean(),
  rebalanceBandPct: z.number(),
  maxVolumeSharePct: off(z.number()),
  stopLossPct: off(z.number()),
  takeProfitPct: off(z.number()),
  trailingStop: off(
    z.strictObject({
      distancePct: z.number(),
      activationPct: z.number(),
      from: z.enum(['extreme', 'close']),
      ratchet: z.enum(['next-bar', 'same-bar']),
    }),
  ),
  exits: off(
    z.strictObject({
      atrBars: z.int(),
      stopLossAtr: off(z.number()),
      takeProfitAtr: off(z.number()),
      trailingStopAtr: off(z.number()),
      breakEven: off(z.strictObject({ triggerPct: z.number(), lockPct: z.number() })),
      maxBars: off(z.int()),
      maxHeldMs: off(z.number()),
      partialTargets: z.array(z.strictObject({ atPct: z.number(), sharePct: z.number() })).readonly(),
      timedTargets: z.array(z.strictObject({ afterMs: z.number(), pct: z.number() })).readonly(),
    }),
  ),
  intrabarOrder: z.enum(['stop-first', 'target-first', 'nearest-first', 'stop-target-trailing']),
  /** Sessions from before there was a choice filled at a touch. */
  takeProfitFill: z.enum(['beyond', 'touch']).default('touch'),
  gapFill: z.enum(['open', 'level-if-touched']),
  protectEntryBar: z.boolean(),
  reentry: z.enum(['new-signal', 'next-bar']),
  delistedAfterMs: off(z.number()),
  delistingHaircutPct: z.number().optional(),
}) satisfies z.ZodType<ExecutionRules>;

const limit = off(z.number());
const stopping = { stopBars: z.int(), lookbackBars: z.int(), tradeLimit: z.int() };

const Risk = z.strictObject({
  maxDrawdownPct: limit,
  maxDailyLossPct: limit,
  maxTradePct: limit,
  maxOrdersPerMinute: limit,
  priceCollarPct: limit,
  minBalance: limit,
  protections: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('cooldown'), stopBars: z.int() }),
      z.strictObject({
        kind: z.literal('stop-loss-guard'),
        ...stopping,
        requiredProfitPct: z.number(),
        onlyPerSymbol: z.boolean(),
        onlyPerSide: z.boolean(),
      }),
      z.strictObject({ kind: z.literal('max-drawdown'), ...stopping, maxDrawdownPct: z.number() }),
      z.strictObject({ kind: z.literal('low-profit'), ...stopping, requiredProfitPct: z.number() }),
    ]),
  ),
}) satisfies z.ZodType<RiskRules>;

const VerdictSchema = z.strictObject({
  symbol,
  rule: z.enum([
    'drawdown-kill-switch',
    'daily-loss',
    'trade-size',
    'orders-per-minute',
    'price-collar',
    'minimum-balance',
    'stale-forecast',
    'cooldown',
    'stop-loss-guard',
    'max-drawdown',
    'low-profit',
  ]),
  wanted: z.number(),
  allowed: off(z.number()),
}) satisfies z.ZodType<Verdict>;

const InstrumentSchema = z.strictObject({
  symbol,
  amountStep: z.number(),
  priceTick: z.number(),
  minNotional: z.number(),
}) satisfies z.ZodType<Instrument>;

/** The first line: what the session trades, from which feed and under which rules. They never change. */
export const SessionRecord = z.strictObject({
  kind: z.literal('session'),
  version: z.literal(1),
  sessionId: z.string().min(1),
  startedAtMs: z.number(),
  /** `exchange`: bars as they close. `stored`: candles of the past, nothing asked of an exchange. */
  feed: z.enum(['exchange', 'stored']),
  exchange: z.string(),
  timeframe: z.string().transform(parseTimeframe),
  synthetic: z.boolean(),
  /** The training run it was started with; not in ledgers of earlier versions. */
  runId: off(z.string()),
  instruments: z.array(InstrumentSchema).min(1),
  rules: Rules,
  /** What decides on the forecasts; ledgers of earlier versions took the ensemble's position as it was. */
  strategy: off(z.strictObject({ id: z.string(), params: z.record(z.string(), z.unknown()) })),
  /** How forecasts become one; ledgers of earlier versions took the plain mean. */
  ensemble: off(z.strictObject({ id: z.string(), params: z.record(z.string(), z.unknown()) })),
  /** Limits above the strategy; none in ledgers of earlier versions. */
  risk: off(Risk),
});
export type SessionRecord = z.output<typeof SessionRecord>;

const side = z.enum(['buy', 'sell']);
export const cause = z.enum([
  'target',
  'order',
  'stop-loss',
  'trailing-stop',
  'break-even',
  'take-profit',
  'time-exit',
  'liquidation',
  'delisted',
]);

const Event = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('fill'),
    time: z.number(),
    symbol,
    side,
    cause,
    baseAmount: z.number(),
    price: z.number(),
    feeQuote: z.number(),
    slippageQuote: z.number(),
  }),
  z.strictObject({
    kind: z.literal('rejected'),
    time: z.number(),
    symbol,
    side,
    reason: z.enum([
      'missing-bar',
      'below-amount-step',
      'below-min-notional',
      'insufficient-quote',
      'volume-share',
      'post-only',
      'reduce-only',
      'fill-or-kill',
      'expired',
    ]),
    baseAmount: z.number(),
  }),
  z.strictObject({
    kind: z.literal('trade'),
    symbol,
    side: z.enum(['long', 'short']),
    entryTime: z.number(),
    exitTime: z.number(),
    barsHeld: z.number(),
    entryPrice: z.number(),
    exitPrice: z.number(),
    baseAmount: z.number(),
    feeQuote: z.number(),
    profitQuote: z.number(),
    profitPct: z.number(),
    exit: cause,
  }),
  z.strictObject({
    kind: z.literal('payment'),
    reason: z.enum(['funding', 'insurance']),
    time: z.number(),
    symbol,
    quote: z.number(),
  }),
  z.strictObject({ kind: z.literal('ruin'), time: z.number(), shortfallQuote: z.number() }),
]) satisfies z.ZodType<TradingEvent>;

const Position = z.strictObject({
  symbol,
  /** Negative when short. */
  baseAmount: z.number(),
  entryPrice: z.number(),
  markPrice: z.number(),
  stopPrice: off(z.number()),
  takePrice: off(z.number()),
});

const action = z.enum(['open', 'add', 'hold', 'reduce', 'close', 'reverse', 'stay-flat']);

/** Not in ledgers of earlier versions. */
const noShorts = z.literal(true).optional();

const ReasonSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('no-opinion') }),
  z.strictObject({ kind: z.literal('unmeasured') }),
  z.strictObject({ kind: z.literal('own'), position: z.number(), confidence: off(z.number()) }),
  z.strictObject({ kind: z.literal('no-skill'), slope: z.number(), low: z.number(), high: z.number() }),
  z.strictObject({
    kind: z.literal('edge'),
    action,
    edgeBps: z.number(),
    costBps: z.number(),
    opensAtBps: z.number().optional(),
    noShorts,
  }),
  z.strictObject({
    kind: z.literal('level'),
    action,
    stated: z.enum(['probability', 'return', 'median', 'position', 'quantile']),
    value: z.number(),
    level: z.number(),
    confidence: off(z.number()),
    noShorts,
  }),
]) satisfies z.ZodType<Reason>;

/** One processed bar: what was seen, what happened on it, what was decided at its close. */
export const BarRecord = z.strictObject({
  kind: z.literal('bar'),
  /** Open of the bar. */
  timeMs: z.number(),
  processedAtMs: z.number(),
  /** Open, high, low, close, volume in the order of the instruments; null where a symbol has no bar. */
  candles: z.array(z.array(z.number()).length(5).nullable()),
  /** Fills at the bar's open and inside it, rejections, closed trades. */
  events: z.array(Event),
  cash: z.number(),
  /** Cash plus positions at the bar's close. */
  equity: z.number(),
  /** After the bar. */
  positions: z.array(Position),
  /** What the risk rules refused or cut; only where the session has such rules. */
  verdicts: z.array(VerdictSchema).optional(),
  /** The training run whose models decided. */
  runId: z.string(),
  /**
   * `placed`: the targets wait for the next bar's open. `missed`: that open was long past when the bar was
   * processed, so nothing was ordered. `paused`: somebody asked for nothing to be ordered. `flattened`: somebody asked
   * for everything to be closed, and that is what waits for the next open.
   */
  decision: z.enum(['placed', 'missed', 'paused', 'flattened']),
  /** What was decided, by instrument: a position in [-1, 1]; null: nothing new, what is held stays. */
  targets: z.array(z.number().nullable()),
  /** What each model said by instrument: position and confidence. */
  models: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]).nullable())),
  /** Models that do not vote in the ensemble; only where there are some. */
  noSkill: z.array(z.string()).optional(),
  /**
   * What the strategy wants to hold after this close, by instrument; null: nothing decided yet. Only of strategies that
   * remember it: those that order what changes, and leave alone what drifts.
   */
  wanted: z.array(z.number().nullable()).optional(),
  /** Why, by instrument; null: it has no bar here. Not in ledgers of earlier versions. */
  reasons: z.array(ReasonSchema.nullable()).optional(),
  /**
   * What each voter counted for, before its confidence, and where its weight goes on from. Absent for the plain mean.
   */
  ensemble: z
    .strictObject({ weights: z.record(z.string(), z.number()), state: off(EnsembleState) })
    .optional(),
});
export type BarRecord = z.output<typeof BarRecord>;
export type PositionRecord = z.output<typeof Position>;

/** The strategy of a session that holds a portfolio, and how the name of what decides in it begins. */
export const PORTFOLIO = 'portfolio';

/** Sessions from before there were strategies took positions as the models stated them. */
export const strategyOf = ({ strategy }: Pick<SessionRecord, 'strategy'>) =>
  strategy ?? { id: 'own', params: {} };

export const ensembleOf = ({ ensemble }: Pick<SessionRecord, 'ensemble'>) =>
  ensemble ?? { id: 'equal', params: {} };

export const symbolsOf = (session: SessionRecord): readonly PairSymbol[] =>
  session.instruments.map((instrument) => instrument.symbol);
