import { isInverse } from '../../core/trading/accounts/worth.ts';
import { moneyDigits, moneyUnit } from '../../lab/backtest/money.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { excursions } from '../../lab/backtest/excursions.ts';
import { dotsPath, linePath, range, renderPlot } from './plot.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';
import { digits, figure, minute } from './text.ts';
import { CAUSE_WORDS } from './words.ts';

/** In the file itself, for those who print it or run no scripts; a script pages through all. */
const TRADE_ROWS = 40;

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
  'MAE %',
  'MFE %',
  'closed by',
];

/** Of fees and profits. */
export const tradeDigits = ({ setting }: Backtest): number => 2 + moneyDigits(setting.rules.initialBalance);

export function renderTrades(result: Backtest): Section | undefined {
  const { market, setting, ensemble } = result;
  const cents = tradeDigits(result);
  const all = ensemble.run.trades;
  if (all.length === 0) return undefined;
  const symbols = setting.instruments.map(({ symbol }) => symbol);
  const found = excursions(all, symbols, market);
  const from = Math.max(0, all.length - TRADE_ROWS);
  const rows = all
    .slice(from)
    .map((trade, i) => [
      trade.symbol,
      trade.side,
      minute(trade.entryTime),
      minute(trade.exitTime),
      digits(trade.entryPrice, 7),
      digits(trade.exitPrice, 7),
      digits(trade.baseAmount, 6),
      figure(trade.feeQuote, cents),
      figure(trade.profitQuote, cents),
      figure(trade.profitPct, 2),
      figure(found[from + i].maePct, 2),
      figure(found[from + i].mfePct, 2),
      CAUSE_WORDS[trade.exit],
    ]);
  const count = from > 0 ? `The last ${rows.length} of ${all.length}; with scripts, all of them.` : '';
  return {
    id: 'trades',
    title: 'Trades of the ensemble',
    body: `${candles(symbols)}
<p class="faint">Round trips from flat to flat; amounts in ${isInverse(setting.rules) ? 'quote currency' : 'base'}, fees and profit in ${moneyUnit(setting.rules)}. An entry shows its trade on the candles. <noscript>${count}</noscript></p>
${renderTable(HEAD, rows, { name: 'trades', textColumns: [0, 1, 2, 3, 12], tall: true, paged: true })}
<h3>Excursions</h3>
<p>How far the price went against each trade (MAE) and with it (MFE) while it was open, in percent of the entry price, on finished bars. Dots far to the right with a small profit were given back; losses that had been far ahead first are the ones a target might have kept.</p>
<div class="plots">${scatter(
      'MAE',
      found.map(({ maePct }) => -maePct),
      all.map(({ profitPct }) => profitPct),
    )}${scatter(
      'MFE',
      found.map(({ mfePct }) => mfePct),
      all.map(({ profitPct }) => profitPct),
    )}</div>`,
  };
}

const candles = (symbols: readonly string[]): string => {
  const options = symbols.map((symbol) => `<option>${escapeHtml(symbol)}</option>`).join('');
  return `<figure id="candles"><figcaption>Candles and trades. Hollow bars rise, filled ones fall; filled triangles buy, hollow ones sell; a solid line won, a broken one lost.</figcaption><div class="tools" role="group" aria-label="symbol and range"><select aria-label="symbol">${options}</select></div><div class="plot" role="application" aria-roledescription="chart" tabindex="0" aria-label="Candles with the trades of the ensemble. Arrow keys read bars, plus and minus zoom, zero shows all. The table below has every trade."></div></figure>`;
};

function scatter(name: string, excursion: readonly number[], profit: readonly number[]): string {
  const [, right] = range([0, ...excursion]);
  const [low, high] = range([0, ...profit]);
  const points = excursion.map((value, i) => [value, profit[i]] as const);
  const won = points.filter(([, value]) => value >= 0);
  const lost = points.filter(([, value]) => value < 0);
  return renderPlot({
    about: `${name} and profit of ${points.length} trades, ${won.length} of which did not lose.`,
    x: { label: `${name}, %`, low: 0, high: right },
    y: { label: 'profit, %', low, high },
    draw: (scales) =>
      `<path class="zero" d="${linePath(
        [
          [0, 0],
          [right, 0],
        ],
        scales,
      )}"/><path class="dots up" d="${dotsPath(won, scales)}"/><path class="dots down" d="${dotsPath(lost, scales)}"/>`,
  });
}
