import { BREAKDOWN_HEAD, breakdownLines, breakdownRows } from '../../lab/backtest/breakdown-text.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import { FOLD_HEAD, foldRow } from '../../lab/backtest/folds.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';

/** When it earned what it earned: years, regimes, symbols, sides, hours, and the folds of a walk-forward. */
export function renderBreakdowns({ breakdowns, folds, setting }: Backtest): Section | undefined {
  if (breakdowns === undefined && folds.length === 0) return undefined;
  return {
    id: 'parts',
    title: 'Part by part',
    body: `${breakdowns === undefined ? '' : parts(breakdowns, setting.rules.initialBalance)}${
      folds.length === 0
        ? ''
        : `<h3>Fold by fold</h3><p class="faint">Every model was fitted again on the bars before each fold.</p>${renderTable(FOLD_HEAD, folds.map(foldRow), { name: 'folds', textColumns: [0, 1, 2, 6] })}`
    }`,
  };
}

function parts(breakdowns: NonNullable<Backtest['breakdowns']>, initialBalance: number): string {
  const hours = breakdowns.hours.map(({ part, bars, returnPct, benchmarkReturnPct, sharpe }) => [
    `${part.padStart(2, '0')}:00`,
    String(bars),
    returnPct.toFixed(2),
    benchmarkReturnPct.toFixed(2),
    sharpe?.toFixed(2) ?? '-',
  ]);
  return `<p class="faint">Returns compound over the bars of a part; trades count where they closed. ${escapeHtml(breakdownLines(breakdowns).join(' '))}</p>
${renderTable(BREAKDOWN_HEAD, breakdownRows(breakdowns, initialBalance), { name: 'parts' })}
<details><summary>By the hour of the day</summary>${renderTable(['hour (UTC)', 'bars', 'return %', 'buy and hold %', 'Sharpe'], hours, { name: 'hours' })}</details>`;
}
