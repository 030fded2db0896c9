import { z } from 'zod';
import { UserError } from '../../core/foundation/errors.ts';
import { readEntryBehind } from '../../data/journal/read.ts';
import { ledgerFile, parseBar } from './ledger.ts';
import type { BarRecord } from './record.ts';
import { openSessionIndex } from './session-index.ts';

export const Order = z.object({
  number: z.number(),
  time_ms: z.number(),
  symbol: z.string(),
  side: z.enum(['buy', 'sell']),
  status: z.enum(['filled', 'rejected']),
  cause: z.string(),
  base_amount: z.number(),
  price: z.number().nullable(),
  fee_quote: z.number().nullable(),
  slippage_quote: z.number().nullable(),
});
export type OrderRow = z.output<typeof Order>;

/** Why an order was made: the bar it filled or failed in, and the bar at whose close it was decided. */
export interface Explanation {
  readonly order: OrderRow;
  /** The bar of the order. */
  readonly bar: BarRecord;
  /** The bar before it, whose close decided; `undefined` for an exit inside a bar, which no decision made. */
  readonly decided: BarRecord | undefined;
}

const NEWEST = 20;

/** The newest orders of the session in `folder`, newest first. */
export async function newestOrders(folder: string): Promise<readonly OrderRow[]> {
  const index = await openSessionIndex(folder);
  try {
    return z
      .array(Order)
      .parse(index?.query('SELECT * FROM orders ORDER BY number DESC LIMIT ?', NEWEST) ?? []);
  } finally {
    index?.close();
  }
}

/** Throws `UserError` when the session has no order of that number. */
export async function explainOrder(folder: string, number: number): Promise<Explanation> {
  const index = await openSessionIndex(folder);
  try {
    const [order] = z.array(Order).parse(index?.query('SELECT * FROM orders WHERE number = ?', number) ?? []);
    if (index === undefined || order === undefined)
      throw new UserError(`The session has no order number ${number}.`, {
        hint: '`paper explain` without a number lists the newest ones.',
      });
    const places = z
      .array(z.object({ start_offset: z.number(), previous_hash: z.string() }))
      .parse(
        index.query(
          'SELECT start_offset, previous_hash FROM bars WHERE time_ms <= ? ORDER BY time_ms DESC LIMIT 2',
          order.time_ms,
        ),
      );
    const [bar, before] = await Promise.all(
      places.map(async ({ start_offset: offset, previous_hash: hash }) =>
        parseBar(folder, await readEntryBehind(ledgerFile(folder), { offset, hash })),
      ),
    );
    const byDecision = order.status === 'rejected' || order.cause === 'target';
    return { order, bar, decided: byDecision ? before : undefined };
  } finally {
    index?.close();
  }
}
