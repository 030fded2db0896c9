import type { ModelExplanation } from '../../lab/backtest/sources.ts';
import type { ExplanationPart } from '../../core/forecast/explanation.ts';
import { escapeHtml, renderTable, type Section } from './page.ts';

const MOST_INPUTS = 15;

/** What the models' forecasts rest on, each part as bars or as a table; nothing where no model can tell. */
export function renderExplanations(explanations: readonly ModelExplanation[]): Section | undefined {
  if (explanations.length === 0) return undefined;
  const models = explanations.map(
    ({ model, parts }) => `<h3>${escapeHtml(model)}</h3>\n${parts.map(renderPart).join('\n')}`,
  );
  return {
    id: 'inside',
    title: 'Inside the models',
    body: `<p class="faint">What each can tell of itself, averaged over the validation bars. Weights of selection and attention say where a network looks, not what moves the market.</p>
${models.join('\n')}`,
  };
}

function renderPart(part: ExplanationPart): string {
  const caption = `<p>${escapeHtml(part.title)} <span class="faint">(${escapeHtml(part.unit)})</span></p>`;
  switch (part.kind) {
    case 'importance':
      return caption + importanceBars(part);
    case 'by-lag':
      return caption + lagBars(part);
    case 'matrix': {
      const rows = part.rows.map((name, i) => [name, ...part.values[i].map(number)]);
      return caption + renderTable(['', ...part.columns], rows, { name: part.title });
    }
  }
}

function importanceBars({ names, values }: Extract<ExplanationPart, { kind: 'importance' }>): string {
  const largest = Math.max(...values.map(Math.abs)) || 1;
  const rows = names.slice(0, MOST_INPUTS).map((name, i) => {
    const width = ((100 * Math.abs(values[i])) / largest).toFixed(1);
    const tone = values[i] < 0 ? ' below' : '';
    return `<tr><td>${escapeHtml(name)}</td><td class="number">${number(values[i])}</td><td class="wide"><div class="bar${tone}" style="width:${width}%"></div></td></tr>`;
  });
  const rest = names.length - rows.length;
  const more = rest > 0 ? `<p class="faint">and ${rest} more, which weigh less</p>` : '';
  return `<table><tbody>${rows.join('\n')}</tbody></table>${more}`;
}

/** The newest bar at the right, as in a chart. */
function lagBars({ values }: Extract<ExplanationPart, { kind: 'by-lag' }>): string {
  const largest = Math.max(...values) || 1;
  const bars = values.map((value, lag) => {
    const height = (100 * Math.max(0, value)) / largest;
    const about = `${lag === 0 ? 'last closed bar' : `${lag} bars before`}: ${number(value)}`;
    return `<rect x="${values.length - 1 - lag}" y="${(100 - height).toFixed(2)}" width="0.85" height="${height.toFixed(2)}"><title>${about}</title></rect>`;
  });
  return `<svg class="lags" viewBox="0 0 ${values.length} 100" preserveAspectRatio="none" role="img" aria-label="by age of the bar, the newest at the right">${bars.join('')}</svg>
<p class="faint ends"><span>${values.length - 1} bars before</span><span>last closed bar</span></p>`;
}

const number = (value: number): string => String(Number(value.toPrecision(3)));
