/** Runs in the reader's browser. Plain JavaScript: nothing compiles it. Colours of charts follow the page's. */
export const THEME_SCRIPT = String.raw`
const themed = [];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
const redrawAll = () => themed.forEach((redraw) => redraw());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
// Ink on paper: a canvas keeps the colours it was drawn with.
addEventListener('beforeprint', () => { document.documentElement.classList.add('printing'); redrawAll(); });
addEventListener('afterprint', () => { document.documentElement.classList.remove('printing'); redrawAll(); });

const two = (n) => String(n).padStart(2, '0');
const dayText = (ms) => new Date(ms).toISOString().slice(0, 10);
const minuteText = (ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
const FORMATS = {
  money: (v) => v.toLocaleString('en-US', { maximumFractionDigits: Math.abs(v) < 100 ? 2 : 0 }),
  percent: (v) => v.toFixed(Math.abs(v) < 1 ? 2 : 1) + ' %',
  ratio: (v) => v.toFixed(2),
  price: (v) => String(Number(v.toPrecision(7))),
};
const TICKS = { ...FORMATS, percent: (v) => Number(v.toPrecision(6)) + ' %', ratio: (v) => String(Number(v.toPrecision(6))) };
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
`;
