/** Why a strategy wants what it wants, as data. Edges and costs in basis points of the traded value. */
export type Reason =
  | { readonly kind: 'no-opinion' }
  | { readonly kind: 'unmeasured' }
  /** The position that the model states, taken as it is. */
  | { readonly kind: 'own'; readonly position: number; readonly confidence: number | undefined }
  | { readonly kind: 'no-skill'; readonly slope: number; readonly low: number; readonly high: number }
  | {
      readonly kind: 'edge';
      readonly action: Action;
      readonly edgeBps: number;
      /** Of the way there and back. */
      readonly costBps: number;
      /** The edge from which opening pays; present where edge and cost alone do not explain the action. */
      readonly opensAtBps?: number | undefined;
      readonly noShorts?: NoShorts;
    }
  | {
      readonly kind: 'level';
      readonly action: Action;
      readonly stated: 'probability' | 'return' | 'median' | 'position' | 'quantile';
      readonly value: number;
      /** What the value must reach for this action; for a hold, what it did not reach. */
      readonly level: number;
      /** `undefined`: the model states none. */
      readonly confidence: number | undefined;
      readonly noShorts?: NoShorts;
    };

/** Present where a short position would have been taken, were one allowed. */
type NoShorts = true | undefined;

/** What a decision does to what is held. */
export type Action = 'open' | 'add' | 'hold' | 'reduce' | 'close' | 'reverse' | 'stay-flat';

/** What a change of position amounts to. */
export function actionOf(held: number, target: number): Action {
  if (target === held) return held === 0 ? 'stay-flat' : 'hold';
  if (held === 0) return 'open';
  if (target === 0) return 'close';
  if (target * held < 0) return 'reverse';
  return Math.abs(target) > Math.abs(held) ? 'add' : 'reduce';
}

/** One clause for people: "edge 3 bp < cost 15 bp: hold". */
export function describeReason(reason: Reason): string {
  switch (reason.kind) {
    case 'no-opinion':
      return 'the forecast is missing: keep what is held';
    case 'unmeasured':
      return 'its skill out of sample was never measured: stay flat';
    case 'no-skill':
      return `no skill out of sample (slope ${figure(reason.slope)}, 99 % ${figure(reason.low)} .. ${figure(reason.high)}): stay flat`;
    case 'own':
      return `its own position: ${figure(reason.position)}`;
    case 'edge': {
      const { edgeBps, costBps, action } = reason;
      const edge = `edge ${figure(Math.abs(edgeBps))} bp${edgeBps < 0 ? ' down' : ''}`;
      const sign = Math.abs(edgeBps) < costBps ? '<' : '>=';
      return `${edge} ${sign} cost ${figure(costBps)} bp${shortsNote(reason)}${opensNote(reason)}: ${WORDS[action]}`;
    }
    case 'level':
      return `${reason.stated} ${figure(reason.value)} against ${figure(reason.level)}${shortsNote(reason)}: ${WORDS[reason.action]}`;
  }
}

const shortsNote = ({ noShorts }: { readonly noShorts?: NoShorts }): string =>
  noShorts === true ? ', and shorts are not allowed' : '';

/** The cost is weighed against the whole time a position is worth holding, the edge is stated over the horizon. */
const opensNote = ({ edgeBps, costBps, opensAtBps }: Extract<Reason, { readonly kind: 'edge' }>): string => {
  if (opensAtBps === undefined) return '';
  const why = Math.abs(edgeBps) < costBps ? 'such a signal outlasts its horizon' : 'such a signal soon turns';
  return `, but ${why} and pays from ${figure(opensAtBps)} bp on`;
};

const WORDS: Readonly<Record<Action, string>> = {
  open: 'open',
  add: 'add',
  hold: 'hold',
  reduce: 'reduce',
  close: 'close',
  reverse: 'reverse',
  'stay-flat': 'stay flat',
};

/** Three significant digits, without an exponent. */
const figure = (value: number): string => String(Number(value.toPrecision(3)));
