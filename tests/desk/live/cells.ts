import type { LiveSession } from '../../../src/desk/live/record.ts';
import type { FaultSpec } from '../../support/exchange/faults.ts';
import { liveSession, type Script } from './rig.ts';

/** In and out of both pairs, and twice nothing to do, in which everything that went wrong is made good. */
export const SCRIPT: Script = [
  [1, null],
  [null, 1],
  [null, null],
  [0, null],
  [null, 0],
  [null, null],
  [null, null],
];

export const SUBMIT = 'POST /api/v3/order';
export const CANCEL = 'DELETE /api/v3/order';
export const SUBMIT_PAIR = 'POST /api/v3/orderList/oco';
export const CANCEL_PAIR = 'DELETE /api/v3/orderList';
const LOOK_UP = 'GET /api/v3/order';
const FILLS = 'GET /api/v3/myTrades';

/** What goes wrong, as the exchange does it. */
export const FAULTS = {
  'the answer is lost': { kind: 'lost' },
  'the request is lost': { kind: 'request-lost' },
  'the request arrives twice': { kind: 'resent' },
  'it fills in part': { kind: 'partial-fill' },
  'it is refused': { kind: 'reject' },
  'too many requests': { kind: 'rate-limit', retryAfterSeconds: 0 },
  'a server error': { kind: 'server-error' },
  'no answer in time': { kind: 'timeout' },
  'half an answer': { kind: 'drop' },
  'another clock': { kind: 'clock-skew' },
  'a page in place of an answer': { kind: 'html' },
  'it fills while it is cancelled': { kind: 'cancel-race' },
  'the book is stale': { kind: 'stale-book', path: 'ticker', offsetMs: -10 },
} as const satisfies Record<string, FaultSpec>;
export type FaultName = keyof typeof FAULTS;

/** What an order goes through when it is struck, and the request that carries it. */
export const ACTIONS = {
  submitted: SUBMIT,
  'looked up': LOOK_UP,
  read: FILLS,
  cancelled: CANCEL,
  amended: SUBMIT,
  'a stop': SUBMIT,
  'a stop that is taken back': CANCEL,
  'a stop with its target': SUBMIT_PAIR,
  'a stop with its target that are taken back': CANCEL_PAIR,
} as const;
export type Action = keyof typeof ACTIONS;

/** An order that rests must not fill at once: the exchange tells a price that is a percent too good. */
const RESTS: Pick<LiveSession, 'execution'> = { execution: { collarPct: 3, restMs: 60_000 } };

/** A stop rests below every purchase, and the price comes to some of them. */
const STOPS: Pick<LiveSession, 'rules'> = { rules: { ...liveSession.rules, stopLossPct: 0.5 } };

/** Beside each stop a target, to which the price comes at times. */
const PAIRS: Pick<LiveSession, 'rules'> = { rules: { ...STOPS.rules, takeProfitPct: 0.6 } };
/** So far from the price that a sale has to take them back. */
const FAR_PAIRS: Pick<LiveSession, 'rules'> = {
  rules: { ...liveSession.rules, stopLossPct: 50, takeProfitPct: 50 },
};

const SESSIONS: Readonly<Record<Action, Partial<LiveSession>>> = {
  submitted: {},
  'looked up': {},
  read: {},
  cancelled: RESTS,
  amended: RESTS,
  'a stop': STOPS,
  'a stop that is taken back': STOPS,
  'a stop with its target': PAIRS,
  'a stop with its target that are taken back': FAR_PAIRS,
};

/** How one cell of the fault matrix is set up: what the exchange does wrong, and the session that meets it. */
export function cellOf(
  action: Action,
  names: readonly FaultName[],
): { readonly faults: FaultSpec[]; readonly session: Partial<LiveSession> } {
  const path = ACTIONS[action];
  const rests = SESSIONS[action] === RESTS;
  // The first order is a purchase, its stop the second.
  const struck = action === 'a stop' ? [1, 3] : [0, 2];
  const faults = names.flatMap((name): FaultSpec[] => {
    const fault = FAULTS[name];
    // Without rest an order meets a price that is half a percent off, and its collar.
    if ('path' in fault) return [{ ...fault, offsetMs: rests ? fault.offsetMs : -5 }];
    return struck.map((after) => ({ ...fault, path, after, times: 1 }));
  });
  // Only an order whose answer was lost has to be looked up.
  if (action === 'looked up') faults.push({ kind: 'lost', path: SUBMIT });
  return {
    faults: rests ? [FAULTS['the book is stale'], ...faults] : faults,
    session: SESSIONS[action],
  };
}
