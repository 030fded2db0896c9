import type { Backtest } from '../../lab/backtest/backtest.ts';
import { renderTable, type Section } from './page.ts';
import { digits, figure, minute } from './text.ts';
import { CAUSE_WORDS } from './words.ts';

const TRADE_ROWS = 1000;

const HEAD = [
  'symbol',
  'side',
  'entry',
  'exit',
  'entry price',
  'exit price',
  'amount',
  'fees',
  'profit',
  'profit %',
  'closed by',
];

export function renderTrades({ ensemble }: Backtest): Section | undefined {
  const all = ensemble.run.trades;
  if (all.length === 0) return undefined;
  const shown = all.slice(-TRADE_ROWS);
  const rows = shown.map((trade) => [
    trade.symbol,
    trade.side,
    minute(trade.entryTime),
    minute(trade.exitTime),
    digits(trade.entryPrice, 7),
    digits(trade.exitPrice, 7),
    digits(trade.baseAmount, 6),
    figure(trade.feeQuote, 2),
    figure(trade.profitQuote, 2),
    figure(trade.profitPct, 2),
    CAUSE_WORDS[trade.exit],
  ]);
  const left = all.length > shown.length ? ` The last ${shown.length} of ${all.length}.` : '';
  return {
    id: 'trades',
    title: 'Trades of the ensemble',
    body: `<p class="faint">Round trips from flat to flat; amounts in base, fees and profit in quote currency.${left}</p>
${renderTable(HEAD, rows, { name: 'trades', textColumns: [0, 1, 2, 3, 10], tall: true })}`,
  };
}
