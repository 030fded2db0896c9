import type { Calibration } from '../../core/evaluation/calibration.ts';
import type { Backtest } from '../../lab/backtest/backtest.ts';
import type { ForecastFan } from '../../lab/backtest/fans.ts';
import type { ForecastQuality } from '../../lab/backtest/forecast-quality.ts';
import {
  COVERAGE_HEAD,
  coverageRows,
  FORECAST_HEAD,
  forecastLines,
  forecastRow,
} from '../../lab/backtest/forecast-text.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';
import { linePath, range, renderPlot } from './plot.ts';
import { figure } from './text.ts';

/** How true the forecasts were, whatever trading them earned. */
export function renderForecasts(
  { forecasts: all }: Backtest,
  fans: readonly ForecastFan[],
): Section | undefined {
  if (all.every(({ samples }) => samples === 0)) return undefined;
  return {
    id: 'forecasts',
    title: 'Forecasts as such',
    body: `<p class="faint">On the bars of this backtest, whatever trading them earned. ${escapeHtml(forecastLines(all).join(' '))}</p>
${renderTable(FORECAST_HEAD, all.map(forecastRow), { name: 'forecasts' })}
${coverageTable(all)}
${reliability(all)}
${coverage(all, fans)}`,
  };
}

function coverageTable(all: readonly ForecastQuality[]): string {
  const rows = coverageRows(all);
  if (rows.length === 0) return '';
  return `<h3>Intervals by regime</h3>
<p>Adaptive conformal intervals around the stated returns, made to hold 90 % of the outcomes, and what they held in each regime of the 30 days before.</p>
${renderTable(COVERAGE_HEAD, rows, { name: 'coverage' })}`;
}

/** Stated against observed; what lies inside the bands is what true probabilities show by chance. */
function reliability(all: readonly ForecastQuality[]): string {
  const plots = all.flatMap(({ model, calibration }) =>
    calibration === undefined ? [] : [`<div><b>${escapeHtml(model)}</b>${curve(model, calibration)}</div>`],
  );
  if (plots.length === 0) return '<p class="faint">Reliability: no model states probabilities here.</p>';
  return `<h3>Reliability</h3>
<p>Observed share of rises against the stated probability, in bins of equally many bars. A true model lies on the diagonal; bars show where 90 % of draws lie when what is stated is true.</p>
<div class="plots">${plots.join('')}</div>`;
}

function curve(model: string, { bins }: Calibration): string {
  const values = bins.flatMap(({ stated, observed, consistent }) => [
    stated,
    observed,
    consistent.low,
    consistent.high,
  ]);
  const [low, high] = range(values, 0.1);
  return renderPlot({
    about: `Reliability of ${model}: ${bins.map(({ stated, observed }) => `stated ${figure(stated, 2)}, observed ${figure(observed, 2)}`).join('; ')}.`,
    x: { label: 'stated probability of a rise', low, high },
    y: { label: 'observed share', low, high },
    draw: (scales) => {
      const { x, y } = scales;
      const bands = bins.map(
        ({ stated, consistent }) => `M${x(stated)} ${y(consistent.low)}V${y(consistent.high)}`,
      );
      const points = bins.map(({ stated, observed }) => [stated, observed] as const);
      return `<path class="zero" d="${linePath(
        [
          [low, low],
          [high, high],
        ],
        scales,
      )}"/><path class="other" d="${bands.join('')}"/><path d="${linePath(points, scales)}"/>`;
    },
  });
}

function coverage(all: readonly ForecastQuality[], fans: readonly ForecastFan[]): string {
  const rows = all.flatMap(({ model, quantiles }) =>
    (quantiles?.coverage ?? []).map(({ level, observed }) => [
      model,
      figure(100 * level),
      figure(100 * observed),
      figure(100 * (observed - level)),
      String(quantiles?.samples ?? 0),
    ]),
  );
  if (rows.length === 0) return '<p class="faint">Forecast fans: no model states quantiles here.</p>';
  const options = fans.map(
    ({ model, symbol, horizonBars }, i) =>
      `<option value="${i}">${escapeHtml(`${model}, ${symbol}, ${horizonBars} ${horizonBars === 1 ? 'bar' : 'bars'} ahead`)}</option>`,
  );
  const fan =
    fans.length === 0
      ? ''
      : `<figure id="fans"><figcaption>Stated quantiles of the return, and the return that came (dots); evenly spread over the bars. Dots outside the widest band should be as rare as it says.</figcaption><div class="tools" role="group" aria-label="forecast and range"><select aria-label="forecast">${options.join('')}</select></div><div class="plot" role="application" aria-roledescription="chart" tabindex="0" aria-label="Stated quantiles and outcomes. Arrow keys read values. The table below has the realised coverage."></div></figure>`;
  return `<h3>Forecast fans and their coverage</h3>
${fan}
<p>Share of outcomes at or below each stated quantile, over all bars and symbols: for a true forecast it is the level.</p>
${renderTable(['model', 'level %', 'observed %', 'difference', 'samples'], rows, { name: 'coverage' })}`;
}
