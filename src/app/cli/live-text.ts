import { describeVerdict } from '../../core/trading/risk/verdict-text.ts';
import { formatMinute } from '../../core/foundation/time.ts';
import { isProtective, isWorking, type LiveOrder } from '../../desk/live/orders.ts';
import { unprotected } from '../../desk/live/protect.ts';
import type { Intent, LiveBar, LiveEntry } from '../../desk/live/record.ts';
import type { LiveState } from '../../desk/live/state.ts';
import { DEAD_MAN } from '../../data/exchange/dead-man.ts';
import { DEAD_MAN_MS } from '../../desk/live/dead-man.ts';
import { RESTING_STOPS } from '../../data/exchange/open-venue.ts';
import { ORDER_LISTS } from '../../data/exchange/order-lists.ts';
import { type LiveTerms, termsHash } from '../workflows/live.ts';

const percent = (value: number | undefined, otherwise: string): string =>
  value === undefined ? otherwise : `${value} %`;

/** Exchange, account and limits, as they are confirmed. */
export function termsLines(terms: LiveTerms, runId: string): readonly string[] {
  const { exchange, sandbox, host, account, symbols, timeframe, rules, risk, execution } = terms;
  const quote = symbols[0].split('/')[1];
  return [
    `Live trading on ${exchange}${host === undefined ? '' : ` at ${host}`}, account ${account}, with ${sandbox ? "the playground's money" : 'REAL MONEY'}.`,
    `Pairs: ${symbols.join(', ')}; bars of ${timeframe}; models of ${runId}; decided by ${terms.strategy.id}.`,
    `Capital: ${rules.initialBalance} ${quote}; one position at most ${rules.maxPositionPct.toFixed(2)} % of it, all together ${rules.maxExposurePct} %.`,
    `Orders: limit orders up to ${execution.collarPct} % beyond the last price${execution.restMs > 0 ? `, after resting ${execution.restMs / 1000} s at it` : ''}; ${risk?.maxOrdersPerMinute ?? 'any number of'} openings per decision.`,
    protectionLine(terms),
    deadManLine(terms),
    `Stops: everything is closed at a drawdown of ${percent(risk?.maxDrawdownPct, 'any size (risk.maxDrawdownPct is not set)')}; nothing is opened after a daily loss of ${percent(risk?.maxDailyLossPct, 'any size (risk.maxDailyLossPct is not set)')}.`,
    `Terms: ${termsHash(terms)}`,
  ];
}

/** What protects a position while no program runs. */
function protectionLine({ exchange, rules, execution }: LiveTerms): string {
  const { stopLossPct, takeProfitPct } = rules;
  const target = takeProfitPct === undefined ? undefined : `${takeProfitPct} % above its entry`;
  if (stopLossPct !== undefined) {
    const stop = `${stopLossPct} % below its entry, which sells down to ${execution.collarPct} % below that`;
    const outlives = 'it works when this program does not run.';
    if (target === undefined)
      return `Protection: a stop rests on ${exchange} for each position, ${stop}; ${outlives}`;
    if (exchange in ORDER_LISTS)
      return `Protection: a stop and a target rest on ${exchange} as an OCO pair for each position, of which one ends the other: the stop ${stop}, the target ${target}; ${outlives}`;
    return `Protection: a stop rests on ${exchange} for each position, ${stop}; ${outlives} Its target, ${target}, does not rest there: this program sells when a bar closes at or above it.`;
  }
  if (target !== undefined)
    return `Protection: a target rests on ${exchange} for each position, ${target}. No stop.`;
  return `Protection: no order rests on ${exchange} (${RESTING_STOPS.includes(exchange) ? 'trading.stopLossPct is not set' : `stops that outlive the program: only on ${RESTING_STOPS.join(', ')}`}).`;
}

/** What becomes of an order that rests when this program falls silent. */
function deadManLine({ exchange, rules, execution }: LiveTerms): string {
  const name = "Dead man's switch:";
  if (execution.restMs === 0)
    return `${name} not needed, no order of a decision rests (execution.restSeconds is 0).`;
  if (!(exchange in DEAD_MAN))
    return `${name} ${exchange} offers none on the spot market; an order that rests when this program dies stays until it starts again.`;
  if (rules.takeProfitPct !== undefined) return `${name} not used, it would take back the targets that rest.`;
  return `${name} ${exchange} cancels what rests ${DEAD_MAN_MS / 1000} s after this program falls silent.`;
}

/** What has to be typed. */
export const confirmationOf = ({ exchange, account, rules, symbols }: LiveTerms): string =>
  `${exchange} ${account} ${rules.initialBalance} ${symbols[0].split('/')[1]}`;

const DECISIONS: Readonly<Record<Exclude<LiveBar['decision'], 'placed'>, string>> = {
  missed: 'missed: nothing ordered',
  paused: 'paused: nothing ordered',
  flattened: 'flattened: everything is sold',
  unknown: 'what is held is not known: nothing ordered',
  halted: 'trading is stopped: nothing ordered',
  'dry-run': 'dry run: nothing sent',
};

export function barText(bar: LiveBar): string {
  const decision = bar.decision === 'placed' ? [] : [DECISIONS[bar.decision]];
  const planned = bar.planned.map(
    ({ side, baseAmount, symbol, price }) =>
      `${bar.decision === 'dry-run' ? 'would ' : ''}${side} ${baseAmount} ${symbol} ${side === 'buy' ? 'up' : 'down'} to ${price}`,
  );
  const unplaced = bar.unplaced.map(({ side, symbol, reason }) => `${side} ${symbol} not ordered: ${reason}`);
  const verdicts = (bar.verdicts ?? []).map(describeVerdict);
  const news = [...decision, ...planned, ...unplaced, ...verdicts].join('; ');
  return `${formatMinute(bar.timeMs)}  equity ${bar.equity.toFixed(2)}${news === '' ? '' : `  ${news}`}`;
}

/** What an entry says of an order or of the session; `undefined`: nothing that a person has to read. */
export function entryText(entry: Exclude<LiveEntry, LiveBar>, state: LiveState): string | undefined {
  const order = 'clientId' in entry ? state.orders.get(entry.clientId) : undefined;
  const name = order === undefined ? '' : orderText(order);
  switch (entry.kind) {
    case 'intent':
      return `sent: ${name}${isAlone(entry, state) ? `, alone: ${state.session.exchange} takes no OCO pair, and its target is looked for at each close` : ''}`;
    case 'fill':
      return `filled: ${entry.baseAmount} at ${entry.price}, fee ${entry.feeAmount} ${entry.feeAsset}: ${name}`;
    case 'report':
      if (entry.state === 'refused') return `REFUSED: ${name}: ${order?.reason ?? ''}`;
      if (entry.state === 'never-arrived') return `the exchange never got it: ${name}`;
      return entry.state === 'in-flight' ? `no clear answer, it is asked for: ${name}` : undefined;
    case 'halt':
      return entry.reason === undefined
        ? 'Exchange and ledger agree again: trading resumes.'
        : `Trading is STOPPED: ${entry.reason}`;
    case 'adopt':
      return 'The balances of the account were taken for right.';
  }
}

/** What rests for each position, or that nothing does. */
export function protectionLines(state: LiveState): readonly string[] {
  const bare = unprotected(state);
  return [
    ...[...state.orders.values()]
      .filter((order) => isProtective(order) && isWorking(order))
      .map(({ intent }) => {
        const { leg, symbol, baseAmount, stopPrice, price } = intent;
        const where = stopPrice === undefined ? `at ${price}` : `from ${stopPrice} down to ${price}`;
        const target = isAlone(intent, state) ? '; its target does not, it is looked for at each close' : '';
        return `a ${leg === 'stop' ? 'stop' : 'target'} rests: ${baseAmount} ${symbol} ${where}${target}`;
      }),
    ...bare.map((symbol) => `${symbol} is UNPROTECTED: the exchange took no order; the next bar tries again`),
  ];
}

/** A stop that rests without the target that it should have beside it. */
const isAlone = ({ leg, stopPrice, listId }: Intent, { session }: LiveState): boolean =>
  leg === 'stop' &&
  stopPrice !== undefined &&
  listId === undefined &&
  session.rules.takeProfitPct !== undefined;

const orderText = ({ intent }: LiveOrder): string =>
  `${typeof intent.leg === 'string' ? `${intent.leg}: ` : ''}${intent.side} ${intent.baseAmount} ${intent.symbol} ${intent.stopPrice === undefined ? '' : `from ${intent.stopPrice} `}at ${intent.price} (${intent.clientId})`;
