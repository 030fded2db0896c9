import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { suggest } from '../../core/foundation/nearest.ts';
import type { PairSymbol } from '../../core/market/symbol.ts';
import type { Value } from '../../data/journal/sqlite/index.ts';
import { Order } from './explain.ts';
import { openSessionIndex } from './session-index.ts';

/** Which rows of a session's ledger are asked for; times are epoch ms of bars. */
export interface Wanted {
  readonly symbols?: readonly PairSymbol[] | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** Of decisions: models, `ensemble` among them. */
  readonly models?: readonly string[] | undefined;
  /** The newest N of them. */
  readonly last: number;
}

/** The rows, oldest first, and how many there are in all. */
export interface Found<Row> {
  readonly total: number;
  readonly rows: readonly Row[];
}

const Trade = z.object({
  entry_ms: z.number(),
  exit_ms: z.number(),
  symbol: z.string(),
  side: z.string(),
  exit_cause: z.string(),
  base_amount: z.number(),
  entry_price: z.number(),
  exit_price: z.number(),
  fee_quote: z.number(),
  profit_quote: z.number(),
  profit_pct: z.number(),
});

const DecisionRow = z.object({
  time_ms: z.number(),
  symbol: z.string(),
  model: z.string(),
  position: z.number().nullable(),
  confidence: z.number().nullable(),
  /** Of the bar: placed, missed, paused, flattened. */
  decision: z.string(),
  run_id: z.string(),
});

/** Fills and rejections, by the bar they happened in. */
export const ordersOf = (folder: string, wanted: Wanted): Promise<Found<z.output<typeof Order>>> =>
  find(folder, wanted, { from: 'orders', time: 'time_ms', order: 'number', row: Order });

/** Closed trades, by the bar they were closed in. */
export const tradesOf = (folder: string, wanted: Wanted): Promise<Found<z.output<typeof Trade>>> =>
  find(folder, wanted, { from: 'trades', time: 'exit_ms', order: 'exit_ms, entry_ms, symbol', row: Trade });

/** What each model said and the strategy wanted, by bar. Throws `UserError` for a model that never said anything. */
export const decisionsOf = (folder: string, wanted: Wanted): Promise<Found<z.output<typeof DecisionRow>>> =>
  find(folder, wanted, {
    from: 'decisions JOIN bars USING (time_ms)',
    time: 'time_ms',
    order: 'time_ms, symbol, decisions.rowid',
    row: DecisionRow,
  });

async function find<Row extends z.ZodType>(
  folder: string,
  { symbols, sinceMs, untilMs, models, last }: Wanted,
  table: { readonly from: string; readonly time: string; readonly order: string; readonly row: Row },
): Promise<Found<z.output<Row>>> {
  const index = await openSessionIndex(folder);
  if (index === undefined) return { total: 0, rows: [] };
  try {
    if (models !== undefined) requireModels(models, index.query('SELECT DISTINCT model FROM decisions'));
    const among = (column: string, values: readonly Value[] | undefined): readonly Condition[] =>
      values === undefined ? [] : [[`${column} IN (${values.map(() => '?').join()})`, values]];
    const bound = (text: string, value: number | undefined): readonly Condition[] =>
      value === undefined ? [] : [[text, [value]]];
    const conditions = [
      ...among('symbol', symbols),
      ...among('model', models),
      ...bound(`${table.time} >= ?`, sinceMs),
      ...bound(`${table.time} < ?`, untilMs),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([text]) => text).join(' AND ')}`;
    const values = conditions.flatMap(([, of]) => of);
    const descending = table.order.split(', ').map((column) => `${column} DESC`);
    const rows = index.query(
      `SELECT * FROM ${table.from} ${where} ORDER BY ${descending.join()} LIMIT ?`,
      ...values,
      last,
    );
    const [counted] = z
      .array(z.object({ total: z.number() }))
      .parse(index.query(`SELECT count(*) AS total FROM ${table.from} ${where}`, ...values));
    return { total: counted.total, rows: z.array(table.row).parse(rows).toReversed() };
  } finally {
    index.close();
  }
}

type Condition = readonly [text: string, values: readonly Value[]];

function requireModels(asked: readonly string[], rows: readonly unknown[]): void {
  const known = z
    .array(z.object({ model: z.string() }))
    .parse(rows)
    .map(({ model }) => model);
  const unknown = asked.find((model) => !known.includes(model));
  if (unknown !== undefined && known.length > 0)
    throw new UserError(`No model "${unknown}" is on record in this session.`, {
      hint: suggest(unknown, known),
    });
}
