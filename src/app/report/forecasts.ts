import type { Backtest } from '../../lab/backtest/backtest.ts';
import { FORECAST_HEAD, forecastLines, forecastRow } from '../../lab/backtest/forecast-text.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';

/** How true the forecasts were, whatever trading them earned. */
export function renderForecasts({ forecasts: all }: Backtest): Section | undefined {
  if (all.every(({ samples }) => samples === 0)) return undefined;
  return {
    id: 'forecasts',
    title: 'Forecasts as such',
    body: `<p class="faint">On the bars of this backtest, whatever trading them earned. ${escapeHtml(forecastLines(all).join(' '))}</p>
${renderTable(FORECAST_HEAD, all.map(forecastRow), { name: 'forecasts' })}`,
  };
}
