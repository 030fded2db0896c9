import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const asset = (path: string): string => readFileSync(require.resolve(path), 'utf8');

interface Page {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** Becomes the global `data` of `script`. */
  readonly data: unknown;
  /** JavaScript that draws; uPlot is there. */
  readonly script: string;
}

/** One HTML file that needs nothing else: styles, chart library and data are inside, no request is made. */
export function renderPage({ title, body, data, script }: Page): string {
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
${body}
<script>
${asset('uplot/dist/uPlot.iife.min.js')}
</script>
<script>
const data = ${scriptJson(data)};
${script}
</script>
</body>
</html>
`;
}

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A table of texts; columns after the first are numbers unless named in `textColumns`. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { textColumns = [0] }: { readonly textColumns?: readonly number[] } = {},
): string {
  const cells = (tag: 'td' | 'th', row: readonly string[]): string =>
    row
      .map(
        (text, i) =>
          `<${tag}${textColumns.includes(i) ? '' : ' class="number"'}>${escapeHtml(text)}</${tag}>`,
      )
      .join('');
  return `<div class="scroll"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>
${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')}
</tbody></table></div>`;
}

/** JSON that cannot end the script element it stands in. */
const scriptJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #17202b; --faint: #66727f; --line: #e3e8ee; --card: #f6f8fa;
  --accent: #1763d6; --good: #1a7f4b; --bad: #c23b3b; --warn: #fff3d6; --warn-ink: #6a4a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12171e; --ink: #e4e9ef; --faint: #93a0ae; --line: #2a333e; --card: #1a212a;
    --accent: #6ea8ff; --good: #58c48a; --bad: #ef7f7f; --warn: #3d3114; --warn-ink: #f2d58a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 40px 0 8px; }
p { margin: 6px 0; max-width: 78ch; }
.faint { color: var(--faint); }
.warning { background: var(--warn); color: var(--warn-ink); border-radius: 8px; padding: 10px 14px; margin: 14px 0; font-weight: 600; max-width: none; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px; margin: 20px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; }
.card .name { color: var(--faint); font-size: 13px; }
.card .value { font-size: 23px; font-weight: 650; font-variant-numeric: tabular-nums; }
.card .note { color: var(--faint); font-size: 12.5px; }
.good { color: var(--good); } .bad { color: var(--bad); }
.chart { margin: 8px 0 18px; min-height: 120px; }
.u-legend { font-size: 13px; text-align: left; }
.scroll { overflow-x: auto; }
.tall { max-height: 460px; overflow-y: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
.tall th { position: sticky; top: 0; background: var(--paper); }
.number { text-align: right; white-space: nowrap; }
h3 { font-size: 15.5px; margin: 26px 0 4px; }
.wide { width: 55%; }
.bar { height: 11px; margin-top: 5px; border-radius: 3px; background: var(--accent); }
.bar.below { background: var(--bad); }
.lags { display: block; width: 100%; height: 90px; fill: var(--accent); }
.ends { display: flex; justify-content: space-between; max-width: none; font-size: 12.5px; }
code { font-size: 12.5px; overflow-wrap: anywhere; }
`;
