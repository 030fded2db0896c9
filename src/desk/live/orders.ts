import { invariant } from '../../core/foundation/errors.ts';
import type { Execution, Intent, Planned, Report } from './record.ts';

/** An order from the moment it was decided to send it. */
export interface LiveOrder {
  readonly intent: Intent;
  readonly state: Report['state'];
  readonly orderId: string | undefined;
  /** As the exchange says, and as its executions on record add up. */
  readonly filledSaid: number;
  readonly filledKnown: number;
  readonly reason: string | undefined;
}

/** Base amounts are added up from decimals: less than this share of one is no difference. */
const SAME = 1e-9;

/** Before any answer an order is in flight. */
export const sentOrder = (intent: Intent): LiveOrder => ({
  intent,
  state: 'in-flight',
  orderId: undefined,
  filledSaid: 0,
  filledKnown: 0,
  reason: undefined,
});

/** What is known after `report`. The same report twice changes nothing, and an older one takes nothing back. */
export function reported(order: LiveOrder, report: Report): LiveOrder {
  const filledSaid = Math.max(order.filledSaid, report.filled);
  const orderId = report.orderId ?? order.orderId;
  const state = order.state === 'ended' ? 'ended' : report.state;
  return { ...order, state, orderId, filledSaid, reason: report.reason ?? order.reason };
}

export function filled(order: LiveOrder, { baseAmount }: Execution): LiveOrder {
  const filledKnown = order.filledKnown + baseAmount;
  invariant(
    filledKnown <= order.intent.baseAmount * (1 + SAME),
    'no order fills for more than it was sent with',
  );
  return { ...order, filledKnown, filledSaid: Math.max(order.filledSaid, filledKnown) };
}

/** It rests at the exchange in case nobody is there. */
export const isProtective = ({ intent }: LiveOrder): boolean => typeof intent.leg === 'string';

/** The exchange is done with it, or never had it. */
export const isOver = ({ state }: LiveOrder): boolean =>
  state === 'ended' || state === 'refused' || state === 'never-arrived';

/** The exchange works on it. */
export const isWorking = ({ state }: LiveOrder): boolean => state === 'open' || state === 'cancelling';

/** Whether all that it has moved is on record. */
export const isSettled = (order: LiveOrder): boolean =>
  isOver(order) && order.filledKnown >= order.filledSaid * (1 - SAME);

/** What is to be done about one leg of a decision. */
export type LegStep =
  | { readonly kind: 'wait' }
  | { readonly kind: 'done'; readonly isWhole: boolean }
  | {
      readonly kind: 'send';
      readonly attempt: number;
      readonly baseAmount: number;
      readonly timeInForce: 'IOC' | 'GTC';
    };

/** An order that never arrived is sent again under another id, this often at most. */
export const MOST_ATTEMPTS = 3;

/**
 * The next step of a leg, from `tried`, its orders so far in the order of their attempts. With `rests` the first one rests at
 * the last price, and what it leaves is changed into one at the collar: cancelled first, known to be cancelled next, sent again
 * last, so that the two never work at once.
 */
export function nextStep(
  planned: Planned,
  tried: readonly LiveOrder[],
  { rests, inTime }: { readonly rests: boolean; readonly inTime: boolean },
): LegStep {
  const last = tried.at(-1);
  if (last !== undefined && !isSettled(last)) return { kind: 'wait' };
  const left = planned.baseAmount - tried.reduce((sum, { filledKnown }) => sum + filledKnown, 0);
  const isWhole = left <= planned.baseAmount * SAME;
  const lost = last?.state === 'never-arrived';
  const ordered = last !== undefined && last.intent.timeInForce === 'IOC' && !lost;
  const isOut = ordered || last?.state === 'refused' || tried.length >= MOST_ATTEMPTS;
  if (isWhole || isOut || !inTime) return { kind: 'done', isWhole };
  const timeInForce = last === undefined ? (rests ? 'GTC' : 'IOC') : lost ? last.intent.timeInForce : 'IOC';
  return { kind: 'send', attempt: tried.length, baseAmount: left, timeInForce };
}
