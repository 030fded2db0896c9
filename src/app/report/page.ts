import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { plainText } from '../../core/foundation/plain-text.ts';
import { CANDLES_SCRIPT } from './browser/candles.ts';
import { FANS_SCRIPT } from './browser/fans.ts';
import { TRADES_SCRIPT } from './browser/trades.ts';
import { CHARTS_SCRIPT } from './browser/charts.ts';
import { TABLES_SCRIPT } from './browser/tables.ts';
import { THEME_SCRIPT } from './browser/theme.ts';
import { STYLE } from './style.ts';

const require = createRequire(import.meta.url);
const asset = (path: string): string => readFileSync(require.resolve(path), 'utf8');

interface Page {
  readonly title: string;
  /** What stands above the table of contents, as HTML. */
  readonly header: string;
  readonly sections: readonly (Section | undefined)[];
  /** Values the page's scripts read, by the id of the element that holds them. */
  readonly data: Readonly<Record<string, unknown>>;
  /** JavaScript that draws with them; uPlot and the scripts of `browser/` are there. */
  readonly script: string;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** HTML. */
  readonly body: string;
}

/** One HTML file that needs nothing else: styles, chart library and data are inside, no request is made. */
export function renderPage({ title, header, sections, data, script }: Page): string {
  const shown = sections.filter((section) => section !== undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${asset('uplot/dist/uPlot.min.css')}
${STYLE}
</style>
</head>
<body>
<a class="skip" href="#${shown[0].id}">Skip to the results</a>
<header>
${header}
<nav aria-label="Contents"><ul>${shown.map(({ id, title: text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`).join('')}</ul></nav>
</header>
<main>
${shown.map(({ id, title: text, body }) => `<section id="${id}" aria-labelledby="${id}-title">\n<h2 id="${id}-title">${escapeHtml(text)}</h2>\n${body}\n</section>`).join('\n')}
</main>
<noscript><p class="warning">Charts over time, sorting and downloads need JavaScript; every figure is on this page without it.</p></noscript>
${Object.entries(data)
  .map(([id, value]) => `<script type="application/json" id="${id}">${scriptJson(value)}</script>`)
  .join('\n')}
<script>
${asset('uplot/dist/uPlot.iife.min.js')}
</script>
<script>
'use strict';
${[THEME_SCRIPT, CHARTS_SCRIPT, CANDLES_SCRIPT, FANS_SCRIPT, TABLES_SCRIPT, TRADES_SCRIPT, script].join('\n')}
</script>
</body>
</html>
`;
}

/** Text from anywhere as the text of an element or the value of an attribute. */
export const escapeHtml = (text: string): string =>
  plainText(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

interface TableLooks {
  /** What the downloaded file is called, and what the table is announced as. */
  readonly name: string;
  /** Columns of text; the others hold numbers. The first names the row. */
  readonly textColumns?: readonly number[];
  /** Columns of long text: a phone shows the table row by row. */
  readonly longColumns?: readonly number[];
  /** Scrolls inside a frame of its own. */
  readonly tall?: boolean;
  /** The rows are the last of many; a script of its own shows all. */
  readonly paged?: boolean;
}

/** A table of texts that can be sorted and downloaded. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { name, textColumns = [0], longColumns = [], tall = false, paged = false }: TableLooks,
): string {
  const heads = head.map(escapeHtml);
  const kinds = head.map((_, i) =>
    longColumns.includes(i) ? ' class="long"' : textColumns.includes(i) ? '' : ' class="number"',
  );
  const stacked = longColumns.length > 0;
  const cell = (text: string, i: number): string =>
    i === 0
      ? `<th scope="row"${kinds[i]}>${escapeHtml(text)}</th>`
      : `<td${kinds[i]}${stacked ? ` data-head="${heads[i]}"` : ''}>${escapeHtml(text)}</td>`;
  return `<div class="table"><div class="${tall ? 'tall' : 'scroll'}${stacked ? ' stack' : ''}" role="region" tabindex="0" aria-label="${escapeHtml(name)}"><table data-name="${escapeHtml(name)}"${paged ? ' data-paged' : ''}><thead><tr>${heads.map((text, i) => `<th scope="col"${kinds[i]}>${text}</th>`).join('')}</tr></thead><tbody>
${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}
</tbody></table></div></div>`;
}

/**
 * Where a chart over time is drawn; `about` says in words what it shows, to those who cannot see it. One chart has the
 * buttons of a range that all of them share.
 */
export function renderChart(
  id: string,
  caption: string,
  about: string,
  { hasTools = false }: { readonly hasTools?: boolean } = {},
): string {
  const tools = hasTools ? '<div class="tools" role="group" aria-label="range of the charts"></div>' : '';
  return `<figure id="${id}"><figcaption>${escapeHtml(caption)}</figcaption>${tools}<div class="plot" role="application" aria-roledescription="chart" tabindex="0" aria-label="${escapeHtml(`${about} Arrow keys read values, plus and minus zoom, zero shows all.`)}"></div></figure>`;
}

/** JSON that cannot end the script element it stands in, nor open a comment there. */
const scriptJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
