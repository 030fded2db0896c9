/** Runs in the reader's browser, after `data` and uPlot. Plain JavaScript: nothing compiles it. */
export const CHART_SCRIPT = `
const css = getComputedStyle(document.documentElement);
const ink = css.getPropertyValue('--faint').trim();
const line = css.getPropertyValue('--line').trim();
const PALETTE = ['#1763d6', '#8a94a0', '#e08a1e', '#2a9d6f', '#a04bc4', '#d1495b', '#1a9aa8', '#9a7b2f', '#5663c9', '#c2649a'];
const axis = (format) => ({
  stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, size: 64,
  ...(format ? { values: (_, ticks) => ticks.map(format) } : {}),
});
const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC');
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
function draw(id, height, x, series, format, extra) {
  const host = document.getElementById(id);
  const options = {
    width: host.clientWidth, height, tzDate: utc,
    cursor: { sync: extra && extra.alone ? undefined : { key: 'time' } },
    scales: { x: { time: !(extra && extra.alone) } },
    axes: [{ ...axis(extra && extra.alone ? (v) => v + ' bp' : day), size: 40, space: 90 }, axis(format)],
    series: [extra && extra.alone ? { label: 'cost per side', value: (_, v) => v == null ? '' : v + ' bp' } : { value: '{YYYY}-{MM}-{DD} {HH}:{mm}' }, ...series.map((one, i) => ({
      label: one.label, show: one.show !== false, stroke: one.stroke || PALETTE[i % PALETTE.length],
      width: one.width || 1.5, fill: one.fill, dash: one.dash, points: { show: Boolean(extra && extra.alone) },
      value: (_, v) => v == null ? '' : format(v),
    }))],
  };
  const chart = new uPlot(options, [x, ...series.map((one) => one.values)], host);
  addEventListener('resize', () => chart.setSize({ width: host.clientWidth, height }));
}
const money = (v) => v.toLocaleString('en-US', { maximumFractionDigits: Math.abs(v) < 100 ? 2 : 0 });
const percent = (v) => v.toFixed(1) + ' %';
draw('equity', 360, data.time, data.equity.map((one) => ({ ...one, width: one.main ? 2.2 : 1.3, dash: one.dashed ? [6, 4] : undefined })), money);
draw('drawdown', 180, data.time, [
  { label: 'ensemble', values: data.drawdown, stroke: '#c23b3b', fill: 'rgba(194,59,59,0.15)' },
  { label: 'buy-and-hold', values: data.benchmarkDrawdown, stroke: '#8a94a0', dash: [6, 4] },
], percent);
draw('exposure', 130, data.time, [{ label: 'exposure', values: data.exposure, stroke: '#2a9d6f', fill: 'rgba(42,157,111,0.15)' }], percent);
if (data.costs) draw('costs', 220, data.costs.bps, [{ label: 'return', values: data.costs.returns, width: 2 }], percent, { alone: true });
`;
