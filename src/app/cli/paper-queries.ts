import { z } from 'zod';
import { formatMinute, formatTime } from '../../core/foundation/time.ts';
import { decisionsOf, type Found, ordersOf, tradesOf, type Wanted } from '../../desk/paper/queries.ts';
import { findSession, sessionFolder } from '../../desk/paper/sessions.ts';
import { type CommandContext, integer, list } from './command.ts';
import { MARKET_OPTIONS, requireRange } from './run-options.ts';
import { type Column, less } from './table.ts';

/** Options of `paper orders|trades|decisions`. */
export const QueryOptions = z.object({
  name: z.string().optional(),
  symbols: MARKET_OPTIONS.symbols,
  since: MARKET_OPTIONS.since,
  until: MARKET_OPTIONS.until,
  models: z.string().transform(list).optional(),
  last: z.string().default('20'),
});
export type QueryOptions = z.output<typeof QueryOptions>;

type Ask<Row> = (folder: string, wanted: Wanted) => Promise<Found<Row>>;

interface Shown<Row> {
  readonly what: string;
  readonly ask: Ask<Row>;
  readonly head: readonly Column[];
  readonly cells: (row: Row) => readonly string[];
  readonly document: (row: Row) => object;
}

async function show<Row>(
  { config, out }: CommandContext,
  options: QueryOptions,
  { what, ask, head, cells, document }: Shown<Row>,
): Promise<void> {
  requireRange(options);
  const last = integer('--last', options.last, { least: 1 });
  const name = await findSession(config.dataDir, options.name);
  const { symbols, since: sinceMs, until: untilMs, models } = options;
  const { total, rows } = await ask(sessionFolder(config.dataDir, name), {
    symbols,
    sinceMs,
    untilMs,
    models,
    last,
  });
  out.document({ session: name, total, [what]: rows.map(document) });
  if (total === 0) return out.print(`Session ${name} has no such ${what} on record.`);
  out.table(head, rows.map(cells));
  if (rows.length < total) out.print(`The newest ${rows.length} of ${total}; more: --last ${total}.`);
}

export const showOrders = (context: CommandContext, options: QueryOptions): Promise<void> =>
  show(context, options, {
    what: 'orders',
    ask: ordersOf,
    head: [
      'number',
      'bar',
      'symbol',
      'side',
      'status',
      less('cause', 1),
      less('amount', 2),
      'price',
      less('fee', 3),
    ],
    cells: (row) => [
      String(row.number),
      formatMinute(row.time_ms),
      row.symbol,
      row.side,
      row.status,
      row.cause,
      short(row.base_amount),
      short(row.price),
      row.fee_quote?.toFixed(2) ?? '',
    ],
    document: (row) => ({
      number: row.number,
      time: formatTime(row.time_ms),
      symbol: row.symbol,
      side: row.side,
      status: row.status,
      cause: row.cause,
      baseAmount: row.base_amount,
      price: row.price ?? undefined,
      feeQuote: row.fee_quote ?? undefined,
      slippageQuote: row.slippage_quote ?? undefined,
    }),
  });

export const showTrades = (context: CommandContext, options: QueryOptions): Promise<void> =>
  show(context, options, {
    what: 'trades',
    ask: tradesOf,
    head: [
      less('entered', 2),
      'closed',
      'symbol',
      'side',
      'by',
      less('amount', 3),
      less('entry', 1),
      less('exit', 1),
      'profit',
      '%',
    ],
    cells: (row) => [
      formatMinute(row.entry_ms),
      formatMinute(row.exit_ms),
      row.symbol,
      row.side,
      row.exit_cause,
      short(row.base_amount),
      short(row.entry_price),
      short(row.exit_price),
      row.profit_quote.toFixed(2),
      row.profit_pct.toFixed(2),
    ],
    document: (row) => ({
      entryTime: formatTime(row.entry_ms),
      exitTime: formatTime(row.exit_ms),
      symbol: row.symbol,
      side: row.side,
      exit: row.exit_cause,
      baseAmount: row.base_amount,
      entryPrice: row.entry_price,
      exitPrice: row.exit_price,
      feeQuote: row.fee_quote,
      profitQuote: row.profit_quote,
      profitPct: row.profit_pct,
    }),
  });

export const showDecisions = (context: CommandContext, options: QueryOptions): Promise<void> =>
  show(context, options, {
    what: 'decisions',
    ask: decisionsOf,
    head: ['bar', 'symbol', 'model', 'position', 'confidence', less('bar was', 1), less('training run', 2)],
    cells: (row) => [
      formatMinute(row.time_ms),
      row.symbol,
      row.model,
      row.position?.toFixed(3) ?? 'none',
      row.confidence?.toFixed(3) ?? '',
      row.decision,
      row.run_id,
    ],
    document: (row) => ({
      time: formatTime(row.time_ms),
      symbol: row.symbol,
      model: row.model,
      position: row.position ?? undefined,
      confidence: row.confidence ?? undefined,
      decision: row.decision,
      runId: row.run_id,
    }),
  });

const short = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(8))));
