import { join } from 'node:path';
import type { JournalEntry } from '../../data/journal/journal.ts';
import { type IndexSchema, type JournalIndex, openIndex } from '../../data/journal/sqlite/index.ts';
import type { Fill, Rejection, Trade } from '../../core/trading/events.ts';
import { ledgerFile, parseBar, readSession } from './ledger.ts';
import type { SessionRecord } from './record.ts';

const INDEX_FILE = 'index.sqlite';

/**
 * The ledger in `folder` as tables, brought up to date: `bars`, `orders` (fills and rejections, numbered from 1 in the order of
 * the ledger), `trades` and `decisions` (what each model and the ensemble said). Times are epoch ms UTC.
 */
export async function openSessionIndex(folder: string): Promise<JournalIndex | undefined> {
  const found = await readSession(folder);
  return found && openIndex(join(folder, INDEX_FILE), ledgerFile(folder), schemaOf(folder, found.session));
}

const schemaOf = (folder: string, session: SessionRecord): IndexSchema => ({
  version: 1,
  tables: `
    CREATE TABLE bars (
      time_ms INTEGER PRIMARY KEY, processed_ms INTEGER, run_id TEXT, decision TEXT, cash REAL, equity REAL,
      start_offset INTEGER, previous_hash TEXT
    );
    CREATE TABLE orders (
      number INTEGER PRIMARY KEY, time_ms INTEGER, symbol TEXT, side TEXT, status TEXT, cause TEXT, base_amount REAL,
      price REAL, fee_quote REAL, slippage_quote REAL
    );
    CREATE INDEX orders_by_symbol ON orders (symbol, time_ms);
    CREATE TABLE trades (
      entry_ms INTEGER, exit_ms INTEGER, symbol TEXT, side TEXT, exit_cause TEXT, base_amount REAL, entry_price REAL,
      exit_price REAL, fee_quote REAL, profit_quote REAL, profit_pct REAL
    );
    CREATE INDEX trades_by_symbol ON trades (symbol, exit_ms);
    CREATE TABLE decisions (time_ms INTEGER, symbol TEXT, model TEXT, position REAL, confidence REAL);
    CREATE INDEX decisions_by_model ON decisions (model, symbol, time_ms);`,
  index: (entry, put) => {
    if (isSession(entry)) return;
    const bar = parseBar(folder, entry);
    const { timeMs, processedAtMs, runId, decision, cash, equity } = bar;
    put('bars', {
      time_ms: timeMs,
      processed_ms: processedAtMs,
      run_id: runId,
      decision,
      cash,
      equity,
      start_offset: entry.start.offset,
      previous_hash: entry.start.hash,
    });
    for (const event of bar.events) {
      // Ruin and payments are neither orders nor trades: the account stands in `bars`.
      if (event.kind === 'ruin' || event.kind === 'payment') continue;
      const [table, row] = rowOf(event);
      put(table, row);
    }
    session.instruments.forEach(({ symbol }, s) => {
      put('decisions', {
        time_ms: timeMs,
        symbol,
        model: 'ensemble',
        position: bar.wanted?.[s] ?? bar.targets[s] ?? null,
        confidence: null,
      });
      for (const [model, opinions] of Object.entries(bar.models)) {
        const [position, confidence] = opinions[s] ?? [null, null];
        put('decisions', { time_ms: timeMs, symbol, model, position, confidence });
      }
    });
  },
});

const isSession = ({ json }: JournalEntry): boolean => json.startsWith('{"kind":"session"');

function rowOf(event: Fill | Rejection | Trade): [string, Readonly<Record<string, string | number | null>>] {
  if (event.kind === 'trade') {
    const { symbol, side, exit, baseAmount, entryPrice, exitPrice, feeQuote, profitQuote, profitPct } = event;
    return [
      'trades',
      {
        entry_ms: event.entryTime,
        exit_ms: event.exitTime,
        symbol,
        side,
        exit_cause: exit,
        base_amount: baseAmount,
        entry_price: entryPrice,
        exit_price: exitPrice,
        fee_quote: feeQuote,
        profit_quote: profitQuote,
        profit_pct: profitPct,
      },
    ];
  }
  const filled = event.kind === 'fill' ? event : undefined;
  return [
    'orders',
    {
      number: null,
      time_ms: event.time,
      symbol: event.symbol,
      side: event.side,
      status: event.kind === 'fill' ? 'filled' : 'rejected',
      cause: event.kind === 'fill' ? event.cause : event.reason,
      base_amount: event.baseAmount,
      price: filled?.price ?? null,
      fee_quote: filled?.feeQuote ?? null,
      slippage_quote: filled?.slippageQuote ?? null,
    },
  ];
}
