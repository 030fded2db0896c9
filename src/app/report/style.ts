/** Colours as `name: [light, dark]`; `c0` to `c9` are those of chart lines. Text and lines meet WCAG AA on both papers. */
export const COLOURS: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  paper: ['#ffffff', '#12171e'],
  ink: ['#17202b', '#e4e9ef'],
  faint: ['#56626f', '#9daab8'],
  line: ['#dfe5ec', '#2a333e'],
  card: ['#f6f8fa', '#1a212a'],
  edge: ['#7d8997', '#78869a'],
  accent: ['#1763d6', '#6ea8ff'],
  good: ['#177245', '#58c48a'],
  bad: ['#b93232', '#f08a8a'],
  warn: ['#fff3d6', '#3d3114'],
  'warn-ink': ['#6a4a00', '#f2d58a'],
  c0: ['#1763d6', '#6ea8ff'],
  c1: ['#69747f', '#a3afbb'],
  c2: ['#b25d08', '#f0a04b'],
  c3: ['#17794f', '#52c492'],
  c4: ['#8e35b6', '#cf8ff0'],
  c5: ['#c23b4d', '#f07f8f'],
  c6: ['#0d7480', '#4cc4d1'],
  c7: ['#7a6010', '#cdb05a'],
  c8: ['#4c58bd', '#9ca8ff'],
  c9: ['#ad3f77', '#f090c0'],
};

const variables = (theme: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([name, both]) => `--${name}: ${both[theme]};`)
    .join(' ');

export const STYLE = `
:root { color-scheme: light dark; ${variables(0)} }
@media (prefers-color-scheme: dark) { :root:not(.printing) { ${variables(1)} } }
@media print { :root { color-scheme: light; ${variables(0)} } }
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 44px 0 8px; }
h3 { font-size: 15.5px; margin: 26px 0 4px; overflow-wrap: anywhere; }
p { margin: 6px 0; max-width: 78ch; overflow-wrap: break-word; }
a { color: var(--accent); }
.faint { color: var(--faint); }
.warning { background: var(--warn); color: var(--warn-ink); border-radius: 8px; padding: 10px 14px; margin: 14px 0; font-weight: 600; max-width: none; }
.good { color: var(--good); } .bad { color: var(--bad); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
nav { margin: 18px 0 0; font-size: 14px; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 0; padding: 0; }
.skip:not(:focus) { position: absolute; left: -999em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; margin: 0; }
.card dt { color: var(--faint); font-size: 13px; }
.card dd { margin: 0; }
.card .value { font-size: 23px; line-height: 1.3; font-weight: 650; font-variant-numeric: tabular-nums; }
.card .note { color: var(--faint); font-size: 12.5px; }

figure { margin: 10px 0 20px; }
figcaption { color: var(--faint); max-width: 78ch; }
.plot { min-height: 80px; margin-top: 6px; }
.uplot, .uplot * { font-family: inherit; }
.u-select { background: var(--accent); opacity: 0.15; }
.u-cursor-x, .u-cursor-y { border-color: var(--edge) !important; }
button, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 6px; padding: 1px 8px; cursor: pointer; }
.tools { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; font-size: 13px; }
.tools button { min-width: 30px; min-height: 26px; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; font-size: 13px; font-variant-numeric: tabular-nums; }
.legend .at { color: var(--faint); min-width: 15ch; }
.legend button { border-color: transparent; background: none; padding: 2px 6px; text-align: left; }
.legend button[aria-pressed=false] { color: var(--faint); }
.legend button[aria-pressed=false] .value { display: none; }
.legend button[aria-pressed=false] .swatch { opacity: 0.35; }
.legend .value { font-weight: 600; }
.legend details { flex-basis: 100%; } .legend summary { cursor: pointer; color: var(--faint); }
.swatch { display: inline-block; width: 16px; border-top: 3px solid; vertical-align: middle; margin-right: 6px; }
.swatch.dashed { border-top-style: dashed; }

.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 8px 28px; }
.static { display: block; width: 100%; max-width: 470px; margin-top: 6px; }
.static text { font-size: 12px; fill: var(--faint); }
.static path { fill: none; stroke: var(--c0); stroke-width: 1.8; }
.static .grid { stroke: var(--line); stroke-width: 1; }
.static .zero { stroke: var(--edge); stroke-width: 1; stroke-dasharray: 4 3; }
.static .dots { stroke-width: 3.4; stroke-linecap: round; opacity: 0.6; }
.static .up { stroke: var(--c0); } .static .down { stroke: var(--c2); }
.static .this { stroke-width: 3.5; }
.static rect { fill: var(--c0); } .static .other { stroke: var(--c1); }

.table { position: relative; margin: 8px 0 18px; }
.scroll { overflow-x: auto; }
.tall { max-height: 480px; overflow: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--faint); font-weight: 600; white-space: nowrap; }
thead th { position: sticky; top: 0; background: var(--paper); z-index: 1; }
tbody th { color: inherit; font-weight: 500; white-space: normal; }
td { white-space: nowrap; } .long { white-space: normal; overflow-wrap: anywhere; }
.number { text-align: right; } .tall th, .tall td { padding: 4px 7px; }
.sort { border: 0; background: none; padding: 0; color: inherit; font-weight: inherit; }
[aria-sort=ascending] .sort::after { content: " ▲"; } [aria-sort=descending] .sort::after { content: " ▼"; }
.link { border: 0; background: none; padding: 0; color: var(--accent); text-decoration: underline; }
.heat span { font-weight: 500; color: var(--ink); }
.save { float: right; font-size: 12.5px; margin-bottom: 4px; }
.scroll, .tall { clear: both; }
.wide { width: 55%; }
.bar { height: 11px; margin-top: 5px; border-radius: 3px; background: var(--accent); }
.bar.below { background: var(--bad); }
.lags { display: block; width: 100%; height: 90px; fill: var(--accent); }
.ends { display: flex; justify-content: space-between; max-width: none; font-size: 12.5px; }
code { font-size: 12.5px; overflow-wrap: anywhere; }

@media (max-width: 640px) {
  body { padding: 20px 14px 48px; }
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .card .value { font-size: 20px; }
  /* What has many columns is read to the right of its names, what has long texts row by row. */
  .scroll:not(.stack) th:first-child, .tall th:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1; min-width: 26vw; max-width: 40vw; overflow-wrap: break-word; white-space: normal; }
  /* A shadow at the right while there is more to the right. */
  .scroll:not(.stack), .tall { background: linear-gradient(270deg, var(--paper) 50%, transparent) 100% 0 / 36px 100% no-repeat local, linear-gradient(270deg, var(--edge), transparent) 100% 0 / 14px 100% no-repeat scroll; }
  .scroll:not(.stack) thead th:first-child, .tall thead th:first-child { z-index: 2; }
  .stack thead { position: absolute; clip-path: inset(50%); }
  .stack tr { display: block; padding: 8px 0; border-bottom: 1px solid var(--line); }
  .stack th, .stack td { display: flex; justify-content: space-between; gap: 14px; border: 0; padding: 2px 0; text-align: left; white-space: normal; position: static; max-width: none; }
  .stack td::before { content: attr(data-head); color: var(--faint); flex: none; max-width: 45%; }
  .stack td.long { display: block; color: var(--faint); } .stack td.long::before { display: none; }
  .stack tbody th { font-weight: 650; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
@media print {
  body { max-width: none; padding: 0; font-size: 12px; }
  nav, .tools, .save, .skip { display: none; }
  .tall { max-height: none; overflow: visible; border: 0; }
  .scroll { overflow: visible; }
  table { font-size: 10.5px; } th, td { padding: 2px 6px; }
  tr, figure, .card { break-inside: avoid; } h2, h3 { break-after: avoid; }
}
`;
