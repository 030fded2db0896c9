import { z } from 'zod';
import { parseSymbol } from '../../core/market/symbol.ts';
import { BarRecord, off, SessionRecord } from '../paper/record.ts';

const symbol = z.string().transform(parseSymbol);
const side = z.enum(['buy', 'sell']);
const amounts = z.record(z.string(), z.number());

/** The first line: what is traded, where, under which rules, and what the account held before. */
export const LiveSession = SessionRecord.omit({ kind: true, feed: true, synthetic: true }).extend({
  kind: z.literal('live-session'),
  /** The exchange's own playground, where money is not real. */
  sandbox: z.boolean(),
  /** Another host than the exchange's own. */
  host: off(z.string()),
  /** Which account: a fingerprint of its key, never the key. */
  account: z.string(),
  execution: z.strictObject({
    /** How far from the last price an order may fill. */
    collarPct: z.number().positive(),
    /** How long an order rests at the last price before it goes to the collar; 0: it goes there at once. */
    restMs: z.number().min(0),
  }),
  /** What the account held of each asset that is traded, and belongs to nobody here. */
  baseline: amounts,
});
export type LiveSession = z.output<typeof LiveSession>;

/** An order that a decision asks for; its place in the list is its leg. */
const Planned = z.strictObject({ symbol, side, baseAmount: z.number(), price: z.number() });
export type Planned = z.output<typeof Planned>;

/** A closed bar, what was decided at its close, and the orders that follow from it. On disk before the first is sent. */
export const LiveBar = BarRecord.omit({ events: true, decision: true }).extend({
  kind: z.literal('bar'),
  /**
   * `placed`: the planned orders are sent. `missed`, `paused`, `flattened`: as on paper. `unknown`: what is held was not known, so
   * nothing was ordered. `halted`: trading had been stopped. `dry-run`: planned, and never sent.
   */
  decision: z.enum(['placed', 'missed', 'paused', 'flattened', 'unknown', 'halted', 'dry-run']),
  planned: z.array(Planned),
  /** What the market's rules left of no order. */
  unplaced: z.array(z.strictObject({ symbol, side, baseAmount: z.number(), reason: z.string() })),
});
export type LiveBar = z.output<typeof LiveBar>;

/**
 * Which of the orders of a decision, from 0 on; `stop`, `take`: one that rests at the exchange to protect what is held, decided by
 * nobody.
 */
const leg = z.union([z.int().min(0), z.enum(['stop', 'take'])]);

/** An order is about to be sent. On disk before it is: whatever follows, it is asked for by its id. */
const Intent = z.strictObject({
  kind: z.literal('intent'),
  atMs: z.number(),
  barMs: z.number(),
  leg,
  attempt: z.int().min(0),
  clientId: z.string(),
  symbol,
  side,
  baseAmount: z.number().positive(),
  price: z.number().positive(),
  /** It sleeps until the price falls to this; only of a `stop`. */
  stopPrice: off(z.number().positive()),
  timeInForce: z.enum(['IOC', 'GTC']),
  /** Of the pair that it is one of: an execution of one ends the other, and they are cancelled together. */
  listId: off(z.string()),
  /** When it is cancelled; only of one that rests. */
  restUntilMs: off(z.number()),
});

/** What is known of an order changed. */
const Report = z.strictObject({
  kind: z.literal('report'),
  atMs: z.number(),
  clientId: z.string(),
  /**
   * `in-flight`: nobody has said whether it was taken. `open`, `ended`: as the exchange says. `refused`: it has said no, and does not
   * know the order. `never-arrived`: it does not know the order, and would not take it any more.
   */
  state: z.enum(['in-flight', 'open', 'cancelling', 'ended', 'refused', 'never-arrived']),
  orderId: off(z.string()),
  /** As the exchange says. */
  filled: z.number().min(0),
  reason: off(z.string()),
});

const Execution = z.strictObject({
  kind: z.literal('fill'),
  clientId: z.string(),
  tradeId: z.string(),
  baseAmount: z.number().positive(),
  price: z.number().positive(),
  feeAmount: z.number(),
  feeAsset: z.string(),
  timeMs: z.number(),
});

/** Trading stops, the program does not. `undefined`: it may go on. */
const Halt = z.strictObject({ kind: z.literal('halt'), atMs: z.number(), reason: off(z.string()) });

/** Somebody has looked at the account and takes what it holds for right. */
const Adopt = z.strictObject({ kind: z.literal('adopt'), atMs: z.number(), baseline: amounts });

export const LiveEntry = z.discriminatedUnion('kind', [LiveBar, Intent, Report, Execution, Halt, Adopt]);
export type LiveEntry = z.output<typeof LiveEntry>;
export type Intent = z.output<typeof Intent>;
export type Report = z.output<typeof Report>;
export type Execution = z.output<typeof Execution>;
