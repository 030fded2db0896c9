import { describeVerdict } from '../../core/trading/risk/verdict-text.ts';
import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import { type Explanation, explainOrder, newestOrders, type OrderRow } from '../../desk/paper/explain.ts';
import { findSession, readStatus, sessionFolder } from '../../desk/paper/sessions.ts';
import { describeReason, type Reason } from '../../core/strategy/reason.ts';
import { type BarRecord, type SessionRecord, strategyOf } from '../../desk/paper/record.ts';
import type { Verdict } from '../../core/trading/risk/rules.ts';
import { markedName } from '../../learning/ensemble/voters.ts';
import { type CommandContext, integer } from './command.ts';
import { less } from './table.ts';

/** `paper explain`: the newest orders with their numbers. */
export async function listOrders({ config, out }: CommandContext, name: string | undefined): Promise<void> {
  const found = await findSession(config.dataDir, name);
  const orders = await newestOrders(sessionFolder(config.dataDir, found));
  out.document({ session: found, orders: orders.map(orderDocument) });
  if (orders.length === 0) out.print(`Paper session ${found} has made no order yet.`);
  else {
    out.table(
      ['number', 'bar', 'symbol', 'side', 'status', less('cause', 1), less('amount', 2), less('price', 3)],
      orders.map((order) => [
        String(order.number),
        formatMinute(order.time_ms),
        order.symbol,
        order.side,
        order.status,
        order.cause,
        String(order.base_amount),
        order.price === null ? '' : String(Number(order.price.toPrecision(8))),
      ]),
    );
    out.print('Explain one: crypto-trader paper explain <number>');
  }
}

/** `paper explain <number>`: everything on record that led to an order. */
export async function explain(
  { config, out }: CommandContext,
  text: string,
  name: string | undefined,
): Promise<void> {
  const number = integer('The order number', text, { least: 1 });
  const found = await findSession(config.dataDir, name);
  const explanation = await explainOrder(sessionFolder(config.dataDir, found), number);
  const { session } = await readStatus(config.dataDir, found);
  out.document({ session: found, ...document(session, explanation) });
  for (const line of lines(session, explanation)) out.print(line);
  const forecasts = forecastsOf(session, explanation);
  if (forecasts.length > 0)
    out.table(
      ['model', 'position', 'confidence'],
      forecasts.map(({ model, noSkill, position, confidence }) => [
        markedName(model, noSkill),
        position === undefined ? 'none' : position.toFixed(3),
        confidence === undefined ? '' : confidence.toFixed(3),
      ]),
    );
  for (const absent of NOT_RECORDED) out.print(`${absent}: not recorded by this version.`);
}

/** What a ledger of this version does not hold, said by name. */
const NOT_RECORDED = ['Feature values', 'Ensemble weights'] as const;

const orderDocument = (order: OrderRow) => ({
  number: order.number,
  time: formatTime(order.time_ms),
  symbol: order.symbol,
  side: order.side,
  status: order.status,
  cause: order.cause,
  baseAmount: order.base_amount,
  price: order.price ?? undefined,
  feeQuote: order.fee_quote ?? undefined,
  slippageQuote: order.slippage_quote ?? undefined,
});

function document(session: SessionRecord, explanation: Explanation) {
  const { order, bar, decided } = explanation;
  return {
    order: orderDocument(order),
    bar: { time: formatTime(bar.timeMs), candle: candleOf(session, order, bar.candles) },
    decision: decided && {
      time: formatTime(decided.timeMs),
      runId: decided.runId,
      decision: decided.decision,
      candle: candleOf(session, order, decided.candles),
      reason: reasonOf(session, order, decided),
      why: whyOf(reasonOf(session, order, decided)),
      targetPosition: decided.targets[symbolIndex(session, order)] ?? undefined,
      forecasts: forecastsOf(session, explanation),
      equity: decided.equity,
      cash: decided.cash,
    },
    riskVerdicts: verdictsOf(explanation).map((verdict) => ({ ...verdict, why: describeVerdict(verdict) })),
    notRecorded: NOT_RECORDED,
  };
}

function lines(session: SessionRecord, { order, bar, decided }: Explanation): readonly string[] {
  const what = `Order ${order.number}: ${order.side} ${order.base_amount} ${order.symbol}`;
  const how =
    order.status === 'filled'
      ? `filled at ${order.price ?? NaN} (${order.cause}), fee ${order.fee_quote ?? 0}, slippage ${order.slippage_quote ?? 0}`
      : `rejected: ${order.cause}`;
  const candle = (at: typeof bar): string => {
    const values = candleOf(session, order, at.candles);
    return values === undefined
      ? 'no bar of this symbol'
      : `open ${values.open}, high ${values.high}, low ${values.low}, close ${values.close}`;
  };
  const first = [`${what}, ${how}.`, `In the bar of ${formatMinute(bar.timeMs)}: ${candle(bar)}.`];
  if (decided === undefined) return [...first, 'An exit inside the bar: no decision asked for it.'];
  const target = decided.targets[symbolIndex(session, order)];
  const reason = reasonOf(session, order, decided);
  return [
    ...first,
    `Decided at the close of the bar of ${formatMinute(decided.timeMs)} (${candle(decided)}) by the models of ${decided.runId}: target position ${target ?? 'none'}, ${decided.decision}.`,
    ...(reason === undefined ? [] : [`${strategyOf(session).id}: ${describeReason(reason)}.`]),
    `Equity then ${decided.equity.toFixed(2)}, cash ${decided.cash.toFixed(2)}.`,
    ...verdictsOf({ order, bar, decided }).map(describeVerdict),
  ];
}

/** What the risk rules made of the decision, at the close that made it and at the open of the order. */
const verdictsOf = ({ order, bar, decided }: Explanation): readonly Verdict[] =>
  [
    ...(decided?.verdicts ?? []),
    ...(bar.verdicts ?? []).filter(({ rule }) => rule === 'price-collar'),
  ].filter(({ symbol }) => symbol === order.symbol);

const reasonOf = (
  session: SessionRecord,
  order: OrderRow,
  { reasons }: Pick<BarRecord, 'reasons'>,
): Reason | undefined => reasons?.[symbolIndex(session, order)] ?? undefined;

const whyOf = (reason: Reason | undefined): string | undefined => reason && describeReason(reason);

const symbolIndex = (session: SessionRecord, { symbol }: OrderRow): number =>
  session.instruments.findIndex((instrument) => instrument.symbol === symbol);

function candleOf(session: SessionRecord, order: OrderRow, candles: readonly (readonly number[] | null)[]) {
  const candle = candles[symbolIndex(session, order)];
  if (candle === null || candle === undefined) return undefined;
  const [open, high, low, close, volume] = candle;
  return { open, high, low, close, volume };
}

function forecastsOf(session: SessionRecord, { order, decided }: Explanation) {
  return Object.entries(decided?.models ?? {}).map(([model, opinions]) => {
    const [position, confidence] = opinions[symbolIndex(session, order)] ?? [];
    const noSkill = decided?.noSkill?.includes(model) ? 'no vote' : undefined;
    return { model, noSkill, position, confidence };
  });
}
