/** Stated quantiles and outcomes, one forecast at a time, in the reader's browser; plain JavaScript. */
export const FANS_SCRIPT = String.raw`
function fanChart(figure, fans) {
  const plot = figure.querySelector('.plot');
  const select = figure.querySelector('select');
  const at = element('span', { class: 'at' });
  figure.append(element('div', { class: 'legend' }, at));
  let chart, fan;
  const describe = () => {
    const row = chart.cursor.idx == null ? fan.time.length - 1 : chart.cursor.idx;
    const stated = fan.levels.map((level, i) => Number((100 * level).toFixed(1)) + ' %: ' + fan.quantilesPct[i][row].toFixed(2)).join(', ');
    return minuteText(fan.time[row] * 1000) + ': came ' + fan.outcomePct[row].toFixed(2) + ' %; stated ' + stated;
  };
  function show(index) {
    fan = fans[index];
    if (chart !== undefined) chart.destroy();
    const width = () => Math.max(240, plot.clientWidth);
    const last = fan.levels.length;
    const shade = (alpha) => () => colour('c0') + alpha;
    const bands = [];
    for (let i = 0; 2 * i < last - 1; i++) bands.push({ series: [last - i, i + 1], fill: shade('26') });
    const line = { stroke: shade('77'), width: 1, points: { show: false } };
    chart = new uPlot({
      width: width(), height: 280, tzDate: utc, legend: { show: false }, cursor: { drag: { x: true, y: false } },
      axes: [axis({ values: timeTicks, space: 92, size: 36 }), axis({ values: (_, ticks) => ticks.map(TICKS.percent), size: 62 })],
      series: [{}, ...fan.levels.map((level) => (Math.abs(level - 0.5) < 1e-9 ? { ...line, stroke: shade(''), width: 1.6 } : line)),
        { stroke: () => colour('c2'), paths: () => null, points: { show: true, size: 4, fill: () => colour('c2') } }],
      bands, hooks: { setCursor: [() => { at.textContent = describe(); }] },
    }, [fan.time, ...fan.quantilesPct, fan.outcomePct], plot);
    at.textContent = describe();
  }
  steer(figure, plot, () => chart, describe);
  select.addEventListener('change', () => show(Number(select.value)));
  show(0);
  themed.push(() => chart.redraw(false));
  new ResizeObserver(() => chart.setSize({ width: Math.max(240, plot.clientWidth), height: 280 })).observe(plot);
}
`;
