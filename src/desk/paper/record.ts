import { z } from 'zod';
import { parseSymbol, type PairSymbol } from '../../core/market/symbol.ts';
import { parseTimeframe } from '../../core/market/timeframe.ts';
import type { TradingEvent } from '../../core/trading/events.ts';
import type { Instrument } from '../../core/trading/instrument.ts';
import type { ExecutionRules } from '../../core/trading/rules.ts';

/** A line of a ledger, without its hash. Times are epoch ms UTC. */
export type LedgerRecord = SessionRecord | BarRecord;

const symbol = z.string().transform(parseSymbol);
/** JSON has no `undefined`: a rule that is switched off is written as null. */
const off = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const Rules = z.strictObject({
  initialBalance: z.number(),
  feeBps: z.number(),
  slippageBps: z.number(),
  maxPositionPct: z.number(),
  maxExposurePct: z.number(),
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
  intrabarOrder: z.enum(['stop-first', 'target-first', 'nearest-first']),
  /** Sessions from before there was a choice filled at a touch. */
  takeProfitFill: z.enum(['beyond', 'touch']).default('touch'),
  gapFill: z.enum(['open', 'level-if-touched']),
  protectEntryBar: z.boolean(),
  reentry: z.enum(['new-signal', 'next-bar']),
  delistedAfterMs: off(z.number()),
}) satisfies z.ZodType<ExecutionRules>;

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
  instruments: z.array(InstrumentSchema).min(1),
  rules: Rules,
});
export type SessionRecord = z.output<typeof SessionRecord>;

const side = z.enum(['buy', 'sell']);
const cause = z.enum(['target', 'stop-loss', 'trailing-stop', 'take-profit', 'liquidation', 'delisted']);

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
  /** The training run whose models decided. */
  runId: z.string(),
  /**
   * `placed`: the targets wait for the next bar's open. `missed`: that open was long past when the bar was
   * processed, so nothing was ordered.
   */
  decision: z.enum(['placed', 'missed']),
  /** Ensemble's target position in [-1, 1] by instrument; null: no opinion. */
  targets: z.array(z.number().nullable()),
  /** What each model said by instrument: position and confidence. */
  models: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]).nullable())),
});
export type BarRecord = z.output<typeof BarRecord>;
export type PositionRecord = z.output<typeof Position>;

export const symbolsOf = (session: SessionRecord): readonly PairSymbol[] =>
  session.instruments.map((instrument) => instrument.symbol);
