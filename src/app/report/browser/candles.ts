/** Candles with trades, in the reader's browser; plain JavaScript. */
export const CANDLES_SCRIPT = String.raw`
/** Columns of what pack-candles.ts made: seconds, open, high, low, close. */
function unpackCandles({ data, bars, tick, startMs, barMs }) {
  const text = atob(data);
  let at = 0;
  const next = () => {
    let value = 0, scale = 1, byte;
    do { byte = text.charCodeAt(at++); value += (byte & 127) * scale; scale *= 128; } while (byte > 127);
    return value;
  };
  const signed = () => { const v = next(); return v % 2 === 0 ? v / 2 : -(v + 1) / 2; };
  const columns = Array.from({ length: 5 }, () => new Float64Array(bars));
  const [time, open, high, low, close] = columns;
  const digits = Math.max(0, Math.round(-Math.log10(tick)));
  const price = (ticks) => Number((ticks * tick).toFixed(digits));
  let slot = -1, last = 0;
  for (let i = 0; i < bars; i++) {
    slot += next() + 1;
    const o = last + signed();
    const up = signed(), down = signed();
    const c = o + signed();
    time[i] = (startMs + slot * barMs) / 1000;
    open[i] = price(o); close[i] = price(c);
    high[i] = price(Math.max(o, c) + up); low[i] = price(Math.min(o, c) - down);
    last = c;
  }
  return columns;
}

/** Bars from row "from" to "until" as at most "most" candles, each over as many rows. */
function mergeCandles([time, open, high, low, close], from, until, most) {
  const size = Math.max(1, Math.ceil((until - from) / most));
  const merged = [];
  for (let start = from - (from % size); start < until; start += size) {
    const end = Math.min(start + size, time.length);
    let top = -Infinity, bottom = Infinity;
    for (let i = start; i < end; i++) { if (high[i] > top) top = high[i]; if (low[i] < bottom) bottom = low[i]; }
    merged.push({ from: time[start], until: time[end - 1], open: open[start], high: top, low: bottom, close: close[end - 1] });
  }
  return merged;
}

function candleChart(figure, packed, trades) {
  const plot = figure.querySelector('.plot');
  const select = figure.querySelector('select');
  const at = element('div', { class: 'legend' }, element('span', { class: 'at' }));
  figure.append(at);
  let columns, own, chart;
  const describe = () => {
    const row = chart.cursor.idx == null ? columns[0].length - 1 : chart.cursor.idx;
    const [time, open, high, low, close] = columns.map((column) => column[row]);
    return minuteText(time * 1000) + ': open ' + FORMATS.price(open) + ', high ' + FORMATS.price(high) + ', low ' + FORMATS.price(low) + ', close ' + FORMATS.price(close);
  };
  function paint(u) {
    const { ctx } = u;
    const { left, top, width, height } = u.bbox;
    const from = Math.max(0, u.valToIdx(u.scales.x.min) - 1);
    const until = Math.min(columns[0].length, u.valToIdx(u.scales.x.max) + 2);
    const ratio = devicePixelRatio || 1;
    const candles = mergeCandles(columns, from, until, Math.floor(width / (3 * ratio)));
    const px = (v) => u.valToPos(v, 'x', true), py = (v) => u.valToPos(v, 'y', true);
    ctx.save();
    ctx.beginPath(); ctx.rect(left, top, width, height); ctx.clip();
    const wide = Math.max(1, 0.62 * width / Math.max(1, candles.length));
    const up = colour('c0'), down = colour('c2'), paper = colour('paper');
    ctx.lineWidth = Math.max(1, Math.round(ratio));
    for (const one of candles) {
      const x = Math.round((px(one.from) + px(one.until)) / 2);
      const rising = one.close >= one.open;
      ctx.strokeStyle = ctx.fillStyle = rising ? up : down;
      ctx.beginPath(); ctx.moveTo(x, py(one.high)); ctx.lineTo(x, py(one.low)); ctx.stroke();
      const y = py(Math.max(one.open, one.close));
      const tall = Math.max(ratio, Math.abs(py(one.open) - py(one.close)));
      if (wide < 3 * ratio) continue;
      // Rising bars are hollow: they differ without colours too.
      if (rising) { ctx.fillStyle = paper; ctx.fillRect(x - wide / 2, y, wide, tall); ctx.strokeRect(x - wide / 2, y, wide, tall); }
      else ctx.fillRect(x - wide / 2, y, wide, tall);
    }
    const { min, max } = u.scales.x;
    const seen = own.filter((trade) => trade.exit >= min && trade.entry <= max);
    const size = (seen.length > 150 ? 3 : 5) * ratio;
    const good = colour('good'), bad = colour('bad'), ink = colour('ink');
    for (const trade of seen) {
      const [x0, y0, x1, y1] = [px(trade.entry), py(trade.entryPrice), px(trade.exit), py(trade.exitPrice)];
      ctx.strokeStyle = trade.profit >= 0 ? good : bad;
      ctx.setLineDash(trade.profit >= 0 ? [] : [4 * ratio, 3 * ratio]);
      ctx.lineWidth = 1.6 * ratio;
      ctx.beginPath(); ctx.moveTo(x0, y0); ctx.lineTo(x1, y1); ctx.stroke();
      ctx.setLineDash([]);
      const buys = trade.side === 'long' ? 1 : -1;
      for (const [x, y, way] of [[x0, y0, buys], [x1, y1, -buys]]) {
        ctx.fillStyle = way > 0 ? ink : paper; ctx.strokeStyle = ink; ctx.lineWidth = ratio;
        ctx.beginPath(); ctx.moveTo(x, y); ctx.lineTo(x - size, y + way * 1.7 * size); ctx.lineTo(x + size, y + way * 1.7 * size); ctx.closePath();
        ctx.fill(); ctx.stroke();
      }
    }
    ctx.restore();
  }
  function show(symbol) {
    const one = packed.find((candidate) => candidate.symbol === symbol);
    columns = unpackCandles(one);
    own = trades.filter((trade) => trade.symbol === symbol);
    if (chart !== undefined) chart.destroy();
    const width = () => Math.max(240, plot.clientWidth);
    const height = Math.min(420, Math.max(280, innerHeight * 0.5));
    chart = new uPlot({
      width: width(), height, tzDate: utc, legend: { show: false },
      cursor: { drag: { x: true, y: false } },
      axes: [axis({ values: timeTicks, space: 92, size: 36 }), axis({ values: (_, ticks) => ticks.map(FORMATS.price), size: 70 })],
      series: [{}, { paths: () => null, points: { show: false } }, { paths: () => null, points: { show: false } }],
      hooks: { draw: [paint], setCursor: [() => { at.firstChild.textContent = describe(); }] },
    }, [columns[0], columns[2], columns[3]], plot);
    at.firstChild.textContent = describe();
    const last = columns[0].length - 1;
    chart.setScale('x', { min: columns[0][Math.max(0, last - 160)], max: columns[0][last] });
  }
  const { range } = steer(figure, plot, () => chart, () => describe());
  select.addEventListener('change', () => show(select.value));
  show(select.value);
  themed.push(() => chart.redraw(false));
  new ResizeObserver(() => chart.setSize({ width: Math.max(240, plot.clientWidth), height: chart.height })).observe(plot);
  /** The candles around one trade. */
  return (trade) => {
    if (select.value !== trade.symbol) { select.value = trade.symbol; show(trade.symbol); }
    const span = Math.max(trade.exit - trade.entry, 20 * (columns[0][1] - columns[0][0]));
    range(trade.entry - span, trade.exit + span);
    figure.scrollIntoView({ block: 'nearest' });
    plot.focus({ preventScroll: true });
  };
}
`;
