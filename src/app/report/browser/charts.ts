/**
 * Charts over time, in the reader's browser; plain JavaScript. A chart is a `figure` with `data-chart`: its lines come from
 * the page's data, its legend of buttons shows the newest values until the cursor points at others, and keys do what the
 * pointer does. Charts over time share one range.
 */
export const CHARTS_SCRIPT = String.raw`
const overTime = [];
let spreading = false;
function shareRange(from, min, max) {
  if (spreading) return;
  spreading = true;
  for (const other of overTime) if (other !== from) other.setScale('x', { min, max });
  spreading = false;
}

const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC');
function timeTicks(chart, ticks) {
  const span = chart.scales.x.max - chart.scales.x.min;
  return ticks.map((t) => (span > 4 * 86400 ? dayText(t * 1000) : minuteText(t * 1000).slice(5)));
}
const axis = (more) => ({
  stroke: () => colour('faint'), grid: { stroke: () => colour('line'), width: 1 },
  ticks: { stroke: () => colour('line'), width: 1 }, ...more,
});

function lineChart(figure, spec, time) {
  const format = FORMATS[spec.format];
  const plot = figure.querySelector('.plot');
  const width = () => Math.max(240, plot.clientWidth);
  const chart = new uPlot({
    width: width(), height: spec.height, tzDate: utc, legend: { show: false },
    cursor: { sync: { key: 'time' }, drag: { x: true, y: false } },
    axes: [axis({ values: timeTicks, space: 92, size: 36 }), axis({ values: (_, ticks) => ticks.map(TICKS[spec.format]), size: 62 })],
    series: [{}, ...spec.series.map((one) => ({
      label: one.label, show: one.shown !== false, stroke: () => colour(one.colour), width: one.width || 1.4,
      fill: one.fill ? () => colour(one.colour) + '26' : undefined, dash: one.dashed ? [6, 4] : undefined,
      points: { show: false }, spanGaps: false,
    }))],
    hooks: {
      setCursor: [() => showValues()],
      setScale: [(self, key) => { if (key === 'x') shareRange(self, self.scales.x.min, self.scales.x.max); }],
    },
  }, [time, ...spec.series.map((one) => one.values)], plot);
  overTime.push(chart);
  themed.push(() => chart.redraw(false));
  new ResizeObserver(() => chart.setSize({ width: width(), height: spec.height })).observe(plot);
  const showValues = legendOf(figure, spec, chart, format);
  steer(figure, plot, () => chart, () => readout(spec, chart, format));
  return chart;
}

/** Buttons that show and hide lines; many that are hidden at first are folded away. */
function legendOf(figure, spec, chart, format) {
  const at = element('span', { class: 'at' });
  const legend = element('div', { class: 'legend' }, at);
  const values = spec.series.map((one, i) => {
    const swatch = element('span', { class: 'swatch' + (one.dashed ? ' dashed' : ''), style: 'border-color: var(--' + one.colour + ')' });
    const value = element('span', { class: 'value' });
    const button = element('button', { type: 'button', 'aria-pressed': String(one.shown !== false) }, swatch, one.label + ' ', value);
    button.addEventListener('click', () => {
      const shows = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(shows));
      chart.setSeries(i + 1, { show: shows });
    });
    return { button, value };
  });
  const hidden = spec.series.flatMap((one, i) => (one.shown === false ? [values[i].button] : []));
  const folds = hidden.length > 3;
  for (const [i, { button }] of values.entries()) if (!folds || spec.series[i].shown !== false) legend.append(button);
  if (folds) legend.append(element('details', {}, element('summary', {}, hidden.length + ' more'), ...hidden));
  figure.append(legend);
  const show = () => {
    if (chart === undefined) return;
    const idx = chart.cursor.idx;
    const row = idx == null ? chart.data[0].length - 1 : idx;
    at.textContent = minuteText(chart.data[0][row] * 1000);
    spec.series.forEach((_, i) => {
      const v = chart.data[i + 1][row];
      values[i].value.textContent = v == null ? '-' : format(v);
    });
  };
  show();
  return show;
}

function readout(spec, chart, format) {
  const row = chart.cursor.idx;
  if (row == null) return '';
  const parts = spec.series.flatMap((one, i) => {
    const v = chart.data[i + 1][row];
    return chart.series[i + 1].show && v != null ? [one.label + ' ' + format(v)] : [];
  });
  return minuteText(chart.data[0][row] * 1000) + ': ' + parts.join(', ');
}

/** Arrow keys move the cursor, + and - zoom, 0 and Escape show everything; the same as buttons for touch. */
function steer(figure, plot, drawn, say) {
  const x = () => drawn().data[0];
  const range = (min, max) => {
    const first = x()[0], last = x()[x().length - 1];
    const span = Math.min(max - min, last - first);
    const from = Math.max(first, Math.min(min, last - span));
    if (span > 0) drawn().setScale('x', { min: from, max: from + span });
  };
  const zoom = (factor) => {
    const { min, max } = drawn().scales.x;
    const idx = drawn().cursor.idx;
    const middle = idx == null ? (min + max) / 2 : Math.min(max, Math.max(min, x()[idx]));
    range(middle - (middle - min) * factor, middle + (max - middle) * factor);
  };
  const pan = (share) => {
    const { min, max } = drawn().scales.x;
    range(min + share * (max - min), max + share * (max - min));
  };
  const whole = () => range(x()[0], x()[x().length - 1]);
  const move = (rows) => {
    const now = drawn().cursor.idx == null ? x().length - 1 : drawn().cursor.idx;
    const next = Math.max(0, Math.min(x().length - 1, now + rows));
    const { min, max } = drawn().scales.x;
    if (x()[next] < min) pan(-0.5); else if (x()[next] > max) pan(0.5);
    drawn().setCursor({ left: drawn().valToPos(x()[next], 'x'), top: plot.clientHeight / 3 });
    announce(say());
  };
  const page = () => Math.max(1, Math.round(x().length / 50));
  const keys = {
    ArrowLeft: () => move(-1), ArrowRight: () => move(1), PageUp: () => move(-page()), PageDown: () => move(page()),
    Home: () => move(-x().length), End: () => move(x().length),
    '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), 0: whole, Escape: whole,
  };
  plot.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys[event.key] === undefined) return;
    event.preventDefault();
    keys[event.key]();
  });
  plot.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25);
  }, { passive: false });
  const button = (text, label, work) => {
    const made = element('button', { type: 'button', 'aria-label': label, title: label }, text);
    made.addEventListener('click', work);
    return made;
  };
  const tools = figure.querySelector('.tools');
  if (tools !== null) tools.append(
    button('◀', 'earlier', () => pan(-0.5)), button('▶', 'later', () => pan(0.5)),
    button('+', 'zoom in', () => zoom(0.5)), button('−', 'zoom out', () => zoom(2)), button('all', 'show all', whole),
  );
  return { range, whole };
}

const live = element('div', { class: 'hidden', 'aria-live': 'polite' });
document.body.append(live);
function announce(text) { live.textContent = text; }
`;
